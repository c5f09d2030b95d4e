"""Sign-split closure, the shape check on a response, and the yardstick of systematic variations."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binom

from hepneg import workflow
from hepneg._core.progress import SilentProgress
from hepneg.cli.group import main
from hepneg.config import load_config
from hepneg.errors import ConfigError, DataError
from hepneg.events import EventTable
from hepneg.shapes.systematics import compare_with_systematics
from hepneg.studies.sign_split import check_response_shapes, sign_split_closure

QUICK = {"folds": 3, "epochs": 12, "network": {"hidden": [16]}, "seed": 2}


def events_with(rng, n, *, biased):
    """Signal shifted against background; biased: the signal's mean sign falls along the first feature."""
    label = rng.integers(0, 2, n)
    x = rng.normal(size=(n, 2)) + 0.6 * label[:, None]
    negative = np.where((label == 1) & biased, 1.0 / (1.0 + np.exp(2.0 - x[:, 0])), 0.2)
    weight = np.where(rng.random(n) < negative, -1.0, 1.0)
    return EventTable.from_arrays(x, weight, label, feature_names=["x", "y"])


@pytest.fixture(scope="module")
def biased():
    return sign_split_closure(events_with(np.random.default_rng(1), 16_000, biased=True), **QUICK)


def test_a_sign_blind_response_fails_where_the_sign_depends_on_x(biased):
    combined = biased.parts["combined"]
    assert not combined.closes
    assert combined.tests["x"].p_adjusted < 1e-6
    # Each sign alone is a smooth problem that the network masters far better than that.
    for part in ("positive", "negative"):
        worst = max(test.chi2 / test.degrees for test in biased.parts[part].tests.values())
        assert worst < 0.2 * combined.tests["x"].chi2 / combined.tests["x"].degrees


def test_it_fits_where_the_sign_does_not(biased):
    found = sign_split_closure(events_with(np.random.default_rng(1), 16_000, biased=False), **QUICK)
    combined = found.parts["combined"].tests["x"]
    assert combined.chi2 < 0.2 * biased.parts["combined"].tests["x"].chi2


def test_the_conclusion_follows_from_the_parts(biased):
    assert "combination" in biased.conclusion or "does not model" in biased.conclusion
    data = json.loads(json.dumps(biased.to_dict()))
    assert data["schema_version"] == 1
    assert set(data["parts"]) == {"positive", "negative", "combined"}
    assert "<table>" in biased._repr_html_()
    assert "combined" in repr(biased)


def test_a_label_without_one_sign_is_refused():
    events = EventTable.from_arrays(
        np.arange(400.0)[:, None], np.where(np.arange(400) < 40, -1.0, 1.0), np.arange(400) >= 200
    )
    with pytest.raises(DataError, match="a label has no events of negative weight"):
        sign_split_closure(events, folds=2, epochs=1)


def test_a_closure_takes_no_scheme():
    events = events_with(np.random.default_rng(2), 400, biased=True)
    with pytest.raises(ConfigError, match="the setting 'scheme' plays no part"):
        sign_split_closure(events, scheme="signed")


def test_the_response_is_checked_like_a_feature():
    events = events_with(np.random.default_rng(2), 8000, biased=True)
    x = events.feature("x")
    report = check_response_shapes(events, 1.0 / (1.0 + np.exp(-x)))
    assert report.samples["signal"].verdict == "different"
    assert report.samples["background"].verdict != "different"
    assert list(report.samples["signal"].features) == ["response"]
    with pytest.raises(DataError, match="7 values are given for the response"):
        check_response_shapes(events, np.ones(7))


def yardstick_toy(rng, n=4000, slope=0.2):
    x = rng.normal(size=n)
    weight = np.where(rng.random(n) < 0.2 + 0.1 * np.tanh(x), -1.0, 1.0)
    return x, weight, {"up": weight * (1 + slope * np.tanh(x)), "down": weight * (1 - slope * np.tanh(x))}


def test_the_yardstick_covers():
    x, weight, variations = yardstick_toy(np.random.default_rng(3), 2_000_000)
    truth = compare_with_systematics(x, weight, variations)
    toys, inside = 200, np.zeros(2, int)
    for number in range(toys):
        x, weight, variations = yardstick_toy(np.random.default_rng([4, number]))
        found = compare_with_systematics(x, weight, variations)
        for i, name in enumerate(("sign_difference", "ratio")):
            part, true = getattr(found, name), getattr(truth, name)
            inside[i] += abs(part.value - true.value) < part.error
    low, high = binom.interval(0.999, toys, 0.6827)
    # Noise shifts a total variation up by less than half of its error here, which costs 8 % of coverage.
    assert np.all(inside >= low - 0.08 * toys)
    assert np.all(inside <= high)


def test_the_yardstick_scales_with_the_variations():
    x, weight, variations = yardstick_toy(np.random.default_rng(5), slope=0.2)
    wider = {name: weight + 2.0 * (other - weight) for name, other in variations.items()}
    one, two = compare_with_systematics(x, weight, variations), compare_with_systematics(x, weight, wider)
    assert two.sign_difference == one.sign_difference
    assert two.ratio.value == pytest.approx(0.5 * one.ratio.value, rel=0.1)
    assert set(one.to_dict()["systematic"]) == {"up", "down"}


def test_a_yardstick_of_no_length_measures_nothing():
    x, weight, _ = yardstick_toy(np.random.default_rng(6))
    found = compare_with_systematics(x, weight, {"same": 2.0 * weight})
    assert np.isnan(found.ratio.value)
    assert found.to_dict()["ratio"]["value"] is None


def test_the_yardstick_refuses_what_it_cannot_use():
    x, weight, _ = yardstick_toy(np.random.default_rng(7), 100)
    with pytest.raises(DataError, match="no systematic variations"):
        compare_with_systematics(x, weight, {})
    with pytest.raises(DataError, match="'short'"):
        compare_with_systematics(x, weight, {"short": weight[:5]})
    with pytest.raises(DataError, match="sum to"):
        compare_with_systematics(x, weight, {"gone": -weight})


def test_the_command_leaves_its_files_and_the_page_shows_them(toy_analysis, capsys):
    with pytest.raises(SystemExit) as leaving:
        main(["closure", str(toy_analysis), "--set", "training.epochs=1", "--set", "plots.formats=[png, pdf]"])
    assert not leaving.value.code
    shown = capsys.readouterr().out
    config = load_config(toy_analysis)
    data = json.loads((config.output / "closure.json").read_text())
    assert data["conclusion"].split(":")[0].split()[0] in shown
    assert set(data["parts"]) == {"positive", "negative", "combined"}
    assert data["response"]["samples"]["sig"]["features"].keys() == {"response"}
    for stem in ("closure", "closure_tests", "closure_response_sig", "closure_response_bkg"):
        assert (config.output / "plots" / f"{stem}.png").stat().st_size > 5000
    assert not (config.output / "checkpoint").exists()
    html = workflow.report(config).result.html
    assert 'id="shapes-closure"' in html
    assert "closure_response_sig.pdf" in html


@pytest.mark.usefixtures("undrawn")
def test_a_closure_goes_on_where_it_was_interrupted(toy_analysis):
    config = load_config(toy_analysis, ["training.epochs=1"])
    whole = workflow.closure(config).result.to_dict()
    shown = []

    class CtrlC(SilentProgress):
        def task(self, description, total=None):
            if description in shown:  # the same fold again: of the negative events, after the positive ones
                raise KeyboardInterrupt
            shown.append(description)
            return super().task(description, total)

    with pytest.raises(KeyboardInterrupt):
        workflow.closure(config, progress=CtrlC())
    assert any((config.output / "checkpoint" / "closure" / "positive").iterdir())
    assert workflow.closure(config, resume=True).result.to_dict() == whole


def test_a_combination_that_is_far_worse_is_blamed_though_no_part_is_perfect(biased):
    poor = replace(biased.parts["positive"].tests["x"], p_adjusted=1e-3)
    parts = {**biased.parts, "positive": replace(biased.parts["positive"], tests={"x": poor})}
    assert "the combination of the signs is at fault most of all" in replace(biased, parts=parts).conclusion
    name, ratio = biased.parts["combined"].worst
    assert ratio == max(test.chi2 / test.degrees for test in biased.parts["combined"].tests.values())
    own = biased.parts["combined"].tests[name]
    assert ratio == own.chi2 / own.degrees
