"""The quick version of the closure toys: every test of the shape check keeps its level, and the script runs."""

from __future__ import annotations

import importlib
import json
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binom

from hepneg import check_shapes
from hepneg.shapes import shape_check

FOLDER = Path(__file__).parents[1] / "analysis" / "closure"


@pytest.fixture
def closure(monkeypatch, few_permutations):
    """Import a script of the folder without leaving it on the path; it takes as few permutations as the tests do."""
    monkeypatch.syspath_prepend(str(FOLDER))

    def script(name):
        module = importlib.import_module(name)
        if name == "false_alarms":
            monkeypatch.setattr(module, "FEWER_PERMUTATIONS", shape_check.permutation_p_values)
        return module

    yield script
    for name in ("shape_toys", "false_alarms", "coverage"):
        sys.modules.pop(name, None)


@pytest.mark.parametrize(("weights", "fraction"), [("unit", 0.3), ("lognormal", 0.45)])
def test_the_shape_check_keeps_its_level(closure, weights, fraction):
    script, toys = closure("false_alarms"), 60
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        counts = script.run("univariate", closure("shape_toys").Setting(weights, fraction, 300), toys, seed=1)
    # Some 25 tests: 99.99 % each keeps a false alarm of the whole below 1 %. Ties may make them conservative.
    for test, (rejected, made) in counts.items():
        if not test.startswith("naive"):
            assert rejected <= binom.ppf(0.9999, made, 0.05), test
    assert counts["smallest after Holm, all features"][1] == toys


@pytest.mark.parametrize(("kind", "fraction", "n"), [("wide", 0.3, 300), ("half", 0.4, 100), ("merged", 0.2, 500)])
def test_the_shape_check_keeps_its_level_where_magnitudes_depend_on_the_sign(closure, kind, fraction, n):
    script, toys = closure("false_alarms"), 60
    counts = script.run("dependent", closure("shape_toys").Setting(kind, fraction, n), toys, seed=2)
    # 8 rates: 99.99 % each keeps a false alarm of the whole below 0.1 %.
    for test, (rejected, made) in counts.items():
        assert rejected <= binom.ppf(0.9999, made, script.level_of(test)), test
    assert {test.split(", at ")[1] for test in counts} == {"5 %", "1 %"}
    assert counts["normal, at 5 %"][1] == toys


def test_naive_ks_with_counts_does_not(closure):
    script = closure("false_alarms")
    counts = script.run("univariate", closure("shape_toys").Setting("lognormal", 0.3, 300), 60, seed=2)
    rejected, made = counts["naive KS (counts), normal"]
    assert rejected > binom.ppf(0.9999, made, 0.05)


def test_the_counts_are_kept_and_the_tables_written(closure, tmp_path, capsys):
    script, kept = closure("false_alarms"), tmp_path / "counts.json"
    found = script.measure(["metrics"], 5, (300,), kept)
    assert json.loads(kept.read_text()) == found
    assert len(found["metrics"]) == 6
    text = script.as_table_of_rates(found)
    assert "| KS of two halves |" in text
    assert "| toys | 5 | 5 |" in text
    assert "metrics ±1, f = 0.1, n = 300 done" in capsys.readouterr().err


def test_settings_are_chosen_by_name(closure, monkeypatch, tmp_path, capsys):
    script, kept = closure("false_alarms"), tmp_path / "counts.json"
    command = ["false_alarms.py", "--parts", "dependent", "--toys", "3", "--counts", str(kept), "--seed"]
    drawn = []
    monkeypatch.setitem(
        script.PARTS, "dependent", lambda setting, rng: drawn.append((str(setting), rng.random())) or {"t": 1.0}
    )
    for seed in ("5", "6"):
        monkeypatch.setattr(sys, "argv", [*command, seed, "--settings", "half, f = 0.45, n = 50"])
        script.main()
    assert [name for name, _ in drawn] == ["half, f = 0.45, n = 50"] * 6
    assert len({number for _, number in drawn}) == 6  # another seed makes other toys
    assert list(json.loads(kept.read_text())["dependent"]) == ["half, f = 0.45, n = 50"]
    monkeypatch.setattr(sys, "argv", [*command, "5", "--settings", "half, f = 0.45"])
    with pytest.raises(SystemExit, match="2"):
        script.main()
    assert "no 'half, f = 0.45' in these parts; there are half, f = 0.3, n = 300; " in capsys.readouterr().err


def test_coverage_counts_every_interval_once(closure):
    script = closure("coverage")
    counts = script.measure((300, 0.1, 1, False), toys=5, seed=1)
    assert counts["AUC, interval", 0.95][1] == 5
    assert all(0 <= inside <= made for inside, made in counts.values())


def test_heavy_tails_of_one_sign_are_permuted_in_large_samples_too(closure):
    """Sums that one event dominates are not normal: asymptotic p-values would reject 18 % at a nominal 5 %."""
    toys = closure("shape_toys")
    methods = {}
    for kind in ("heavy", "half"):
        events = toys.dependent_table(toys.Setting(kind, 0.4, 10_000), np.random.default_rng(4321))
        (sample,) = check_shapes(events, multivariate=False).samples.values()
        assert min(sample.n_eff) > 100
        methods[kind] = {shape.method for shape in sample.features.values()}
    assert methods == {"heavy": {"permutation"}, "half": {"asymptotic"}}
