"""The systematics of systematic variations from configuration to page, streamed as in memory."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pytest
import yaml
from conftest import _write_ntuple, toy_columns, toy_config

import hepneg
from hepneg import workflow
from hepneg._core.formatting import measured
from hepneg.cli.show import show_shapes
from hepneg.config import Config, config_schema, load_config
from hepneg.errors import ConfigError, DataError, HepnegWarning
from hepneg.ntuples import read, read_chunks
from hepneg.plots.gallery import shape_figures
from hepneg.shapes import (
    ShapeReport,
    SystematicSums,
    check_shapes,
    compare_with_systematics,
    plan_bins,
    plan_systematic_bins,
)
from hepneg.shapes.systematics import in_systematic_spreads, systematic_comparison, weight_columns, weight_moments
from hepneg.shapes.two_passes import accumulate

VARIATIONS = {"scale_up": "genWeight * up", "scale_down": "genWeight * pdf[:, 1]"}


def with_variations(events: int, shift: float, seed: int) -> dict[str, Any]:
    columns = toy_columns(events, shift, seed, first_id=10_000 * seed)
    tilt = 0.2 * np.tanh(columns["x0"] - shift)
    pdf = ak.from_regular(ak.Array(np.stack([np.ones(events), 1 - tilt], axis=1).astype(np.float32)))
    njets = np.random.default_rng(seed).integers(0, 6, events).astype(np.float32)
    return columns | {"up": (1 + tilt).astype(np.float32), "pdf": pdf, "njets": njets}


def write_analysis(folder: Path, write: Callable[..., Path]) -> Path:
    """Write an analysis of two samples with two variations of the weight."""
    for name, shift, seed in (("sig", 1.0, 1), ("bkg", 0.0, 2)):
        write(folder / f"{name}.root", with_variations(2000, shift, seed))
    path = folder / "analysis.yaml"
    data = toy_config() | {"systematics": VARIATIONS, "features": ["x0", "njets", "x1"]}
    path.write_text(yaml.safe_dump(data, sort_keys=False))
    return path


@pytest.fixture
def varied(tmp_path: Path, write_ntuple: Callable[..., Path]) -> Path:
    return write_analysis(tmp_path, write_ntuple)


@pytest.fixture(scope="module")
def checked(tmp_path_factory: pytest.TempPathFactory) -> tuple[Config, ShapeReport]:
    """The same analysis and its check, with the files in place; only to be read."""
    config = load_config(write_analysis(tmp_path_factory.mktemp("checked"), _write_ntuple))
    return config, workflow.check(config).result


def change(path: Path, **keys: Any) -> Config:
    path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text()) | keys, sort_keys=False))
    return load_config(path)


def test_variations_are_expressions_checked_on_loading(varied: Path) -> None:
    config = load_config(varied)
    assert {name: one.text for name, one in config.weight_variations.items()} == VARIATIONS
    assert Config.from_dict(config.to_dict()).weight_variations.keys() == VARIATIONS.keys()
    assert {"type": "string"} in config_schema()["$defs"]["Systematic"]["anyOf"]
    with pytest.raises(ConfigError, match=r"systematics\.bad"):
        change(varied, systematics={"bad": "__import__('os')"})
    with pytest.raises(ConfigError, match=r"systematics\.flat.* names no branch"):
        change(varied, systematics={"flat": "1.5"})


def test_only_the_check_reads_their_branches(varied: Path) -> None:
    config = change(varied, systematics={"gone": "genWeight * nowhere"})
    assert len(read(config)) == 4000
    workflow.inspect(config)
    with pytest.raises(DataError, match="no branch 'nowhere', which systematic variation 'gone' needs"):
        workflow.check(config)


def test_a_variation_that_is_not_finite_is_named(varied: Path) -> None:
    config = change(varied, systematics={"fine": "genWeight * up", "torn": "genWeight / (njets > 2)"})
    with pytest.raises(DataError, match=r"sig\.root.*'torn'.*NaN or infinite in \d+ selected events from entry \d+"):
        workflow.check(config)
    # Events that the selection drops may hold anything.
    config = change(varied, selection="njets > 2", systematics={"torn": "genWeight / (njets > 2)"})
    assert accumulate(config, systematics=True).systematics.keys() == {"sig", "bkg"}


def test_dropped_events_are_dropped_from_the_variations_too(varied: Path) -> None:
    config = change(varied, on_nan="drop", features=["x0", {"hole": "x1 / (njets > 2)"}])
    chunks = list(read_chunks(config, "sig", systematics=True))
    assert sum(chunk.dropped for chunk in chunks) > 500
    for chunk in chunks:
        np.testing.assert_allclose(chunk.variations.sum(axis=1), 2 * chunk.weight, rtol=1e-6)


def same(one: Any, other: Any) -> None:
    for name in ("sign_difference", "spread", "ratio"):
        a, b = getattr(one, name), getattr(other, name)
        assert (a.value, a.error) == pytest.approx((b.value, b.error), rel=1e-9, abs=1e-12, nan_ok=True), name
    assert one.systematic.keys() == other.systematic.keys()
    for name, size in one.systematic.items():
        assert size.value == pytest.approx(other.systematic[name].value, rel=1e-9, abs=1e-12)
        assert size.error == pytest.approx(other.systematic[name].error, rel=1e-6, abs=1e-10)


def test_the_stream_gives_what_events_in_memory_give(varied: Path) -> None:
    config = load_config(varied)
    streamed = accumulate(config, systematics=True).systematics
    events = read(config)
    for sample in ("sig", "bkg"):
        found = streamed[sample].result(sample)
        columns = list(read_chunks(config, sample, systematics=True))
        variations = dict(zip(VARIATIONS, np.concatenate([c.variations for c in columns]).T, strict=True))
        table = events.of_sample(sample)
        # A count of jets has a bin for each value either way.
        same(found["njets"], compare_with_systematics(table.feature("njets"), table.weight, variations, name="njets"))
        # Of a continuous feature the bins are those of the plan.
        place = streamed[sample].bins.codes(0, table.feature("x0"))
        moments = weight_moments(place, weight_columns(table.weight, variations), int(place.max()) + 1)
        same(found["x0"], systematic_comparison(moments, list(variations), "x0"))
        assert 5 <= place.max() + 1 <= 12


def test_python_and_files_agree(varied: Path) -> None:
    config = load_config(varied)
    events = read(config)
    chunks = [chunk for sample in config.samples for chunk in read_chunks(config, sample, systematics=True)]
    columns = np.concatenate([chunk.variations for chunk in chunks]).T
    report = hepneg.check_shapes(events, variations=dict(zip(VARIATIONS, columns, strict=True)), multivariate=False)
    streamed = accumulate(config, systematics=True).systematics
    for sample, shapes in report.samples.items():
        for feature, systematics in streamed[sample].result(sample).items():
            same(shapes.systematics[feature], systematics)
    with pytest.raises(DataError, match="'short' has 5 weights"):
        check_shapes(events, variations={"short": np.ones(5)}, multivariate=False)
    with pytest.raises(DataError, match="'nan'"):
        check_shapes(events, variations={"nan": np.full(len(events), np.nan)}, multivariate=False)


def toy_sums(parts: int) -> SystematicSums:
    rng = np.random.default_rng(3)
    x = rng.normal(size=(3000, 2)).astype(np.float32)
    weight = np.where(rng.random(3000) < 0.25, -1.0, 1.0) * rng.exponential(size=3000)
    varied = weight[:, None] * (1 + 0.1 * np.tanh(x))
    bins = plan_systematic_bins(plan_bins([x], ("a", "b")), x)
    total = SystematicSums(bins, ("up", "down"))
    for chosen in np.array_split(np.arange(3000), parts):
        one = SystematicSums(bins, ("up", "down"))
        one.fill(x[chosen], weight[chosen], varied[chosen])
        total = total + one
    return total


@pytest.mark.parametrize("parts", [1, 4, 500])
def test_parts_merge_to_the_whole(parts: int) -> None:
    whole, merged = (toy_sums(number).result("s") for number in (1, parts))
    for name in ("a", "b"):
        same(whole[name], merged[name])


def test_sums_of_other_bins_or_variations_do_not_merge() -> None:
    sums = toy_sums(1)
    with pytest.raises(ValueError, match="same bins and variations"):
        sums.merge(SystematicSums(sums.bins, ("up",)))
    other = replace(sums.bins, coarse=(sums.bins.coarse[0], sums.bins.coarse[1] // 2))
    with pytest.raises(ValueError, match="same bins and variations"):
        sums.merge(SystematicSums(other, sums.variations))
    with pytest.raises(ValueError, match="shapes"):
        sums.fill(np.zeros((3, 2), np.float32), np.ones(3), np.ones((3, 1)))


def test_a_variation_without_a_shape_is_left_out_with_a_warning(varied: Path) -> None:
    config = change(varied, systematics={**VARIATIONS, "empty": "0 * genWeight"})
    sums = accumulate(config, systematics=True).systematics["sig"]
    with pytest.warns(HepnegWarning, match=r"'sig': .* 'empty' sum to 0, .*left out"):
        found = sums.result("sig")
    assert set(found["x0"].systematic) == set(VARIATIONS)
    without = accumulate(change(varied, systematics=VARIATIONS), systematics=True).systematics["sig"]
    same(found["x0"], without.result("sig")["x0"])


def test_the_errors_are_those_of_toys() -> None:
    """The spread of each figure over toys is the error that it claims, with all correlations between the weights."""
    found = []
    for number in range(200):
        rng = np.random.default_rng([8, number])
        x = rng.normal(size=4000)
        weight = np.where(rng.random(4000) < 0.25 + 0.15 * np.tanh(x), -1.0, 1.0) * rng.exponential(size=4000)
        tilt = 0.3 * np.tanh(x)
        found.append(compare_with_systematics(x, weight, {"up": weight * (1 + tilt), "down": weight * (1 - tilt)}))
    for name in ("sign_difference", "spread", "ratio"):
        values = np.array([getattr(one, name).value for one in found])
        claimed = np.sqrt(np.mean([getattr(one, name).error ** 2 for one in found]))
        # The standard deviation of 200 toys is known to 5 %; four of that, and a few per cent for the linearisation.
        assert values.std() == pytest.approx(claimed, rel=0.25), name


def test_noise_is_taken_off() -> None:
    """Signs that do not depend on x displace nothing on average, within what is left of the noise."""
    raw, left = [], []
    for number in range(100):
        rng = np.random.default_rng([9, number])
        x, weight = rng.normal(size=2000), np.where(rng.random(2000) < 0.3, -1.0, 1.0)
        place = np.searchsorted(np.quantile(x, np.arange(0.1, 1.0, 0.1)), x, side="right")
        gap = np.bincount(place, weight) / weight.sum() - np.bincount(place) / len(x)
        raw.append(0.5 * np.abs(gap).sum())
        left.append(compare_with_systematics(x, weight, {"up": weight * (1 + 0.1 * np.tanh(x))}).sign_difference.value)
    assert np.mean(left) < 0.5 * np.mean(raw)
    # In quadrature: half of the toys lie below what is expected and leave nothing.
    assert 0.3 < np.mean(np.array(left) == 0.0) < 0.8


def test_the_check_shows_them_everywhere(
    checked: tuple[Config, ShapeReport], capsys: pytest.CaptureFixture[str]
) -> None:
    config, report = checked
    data = json.loads((config.output / "check.json").read_text())
    systematics = data["samples"]["sig"]["features"]["x0"]["yardstick"]
    assert {"sign_difference", "spread", "ratio", "systematic"} == set(systematics)
    assert set(systematics["systematic"]) == set(VARIATIONS)
    assert systematics["ratio"]["value"] > 0
    assert "times the systematic spread (x0)" in report.samples["sig"].reason
    assert (config.output / "plots" / "shapes_yardstick.png").stat().st_size > 5000
    html = workflow.report(config).result.html
    assert "shapes-yardstick" in html
    assert "shapes_yardstick.pdf" not in html  # PNG alone by default
    show_shapes(report)
    shown = capsys.readouterr().out
    assert measured(report.samples["sig"].multivariate.auc) in shown
    assert measured(report.samples["sig"].systematics["x0"].ratio) in shown


def test_without_variations_nothing_speaks_of_them(checked: tuple[Config, ShapeReport]) -> None:
    report = hepneg.check_shapes(read(checked[0]), multivariate=False)
    assert "yardstick" not in report.to_dict()["samples"]["sig"]["features"]["x0"]
    assert "systematic" not in report.samples["sig"].reason
    assert "shapes_yardstick" not in [stem for stem, _ in shape_figures(report)]
    assert in_systematic_spreads([]) == ""


def test_the_correlations_of_the_signs_are_listed_and_drawn(checked: tuple[Config, ShapeReport]) -> None:
    config, _ = checked
    found = json.loads((config.output / "check.json").read_text())["samples"]["sig"]["correlations"]
    assert found["entries"] == 2000
    assert len(found["largest"]) == 3  # all pairs of three features
    sizes = [abs(pair["difference"]["value"] / pair["difference"]["error"]) for pair in found["largest"]]
    assert sizes == sorted(sizes, reverse=True)
    assert (config.output / "plots" / "correlations_sig.png").stat().st_size > 5000
    assert "The correlation that differs most" in workflow.report(config).result.html
