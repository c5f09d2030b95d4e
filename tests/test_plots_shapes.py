"""Figures of the shape check and of the weights show what their results hold."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from hepneg._core.figure_names import overview_stem, shape_stem
from hepneg.config import Plots
from hepneg.errors import DataError
from hepneg.events import EventTable
from hepneg.plots.feature_overview import plot_feature_overview
from hepneg.plots.gallery import shape_figures
from hepneg.plots.shape_plots import plot_effect_sizes, plot_feature_shape
from hepneg.plots.systematics_plot import plot_yardsticks
from hepneg.plots.weight_plots import plot_weights
from hepneg.shapes import ShapeReport, check_shapes
from hepneg.weights import summarize_weights


@pytest.fixture(scope="module")
def table() -> EventTable:
    rng = np.random.default_rng(0)
    n = 6000
    negative = rng.random(n) < 0.3
    x = np.column_stack([rng.normal(size=n) + 0.3 * negative, rng.poisson(2.0, n)])
    weight = np.where(negative, -1.0, 1.0) * rng.lognormal(sigma=0.3, size=n)
    label = np.arange(n) % 2
    return EventTable.from_arrays(x, weight, label, feature_names=["pt", "njets"])


@pytest.fixture(scope="module")
def report(table: EventTable) -> ShapeReport:
    return check_shapes(table)


@pytest.mark.parametrize("feature", ["pt", "njets"])
def test_feature_figure_draws_the_shares_and_the_pulls(report, feature):
    shape = report.samples["signal"].features[feature]
    drawn = plot_feature_shape(shape, sample="signal", axis_label="$p_T$ (GeV)")
    drawn.figure.canvas.draw()
    comparison = shape.comparison
    values, edges, _ = drawn.artists["positive"][0].stairs.get_data()
    assert np.allclose(values * np.diff(edges), comparison.positive)
    assert np.allclose(drawn.artists["pulls"].get_data()[0], comparison.pulls)
    assert drawn.axes[-1].get_xlabel() == "$p_T$ (GeV)"
    assert drawn.axes[0].get_xlim() == pytest.approx(comparison.bins.view)
    text = drawn.axes[0].texts[0].get_text()
    value, error = re.findall(r"\d+\.\d", text)[:2]  # two digits of the error, as many places of the value
    assert float(value) == pytest.approx(100 * shape.total_variation.value, abs=0.0501)
    assert float(error) == pytest.approx(100 * shape.total_variation.error, abs=0.0501)


def test_the_overview_draws_the_shares_of_every_feature(report):
    shapes = list(report.samples["signal"].features.values())
    drawn = plot_feature_overview(shapes, sample="signal")
    assert [axes.get_title(loc="left").split("\n")[0] for axes in drawn.axes] == ["pt", "njets"]
    for shape, axes in zip(shapes, drawn.axes, strict=True):
        for outline, share in zip(
            drawn.artists[shape.name], (shape.comparison.positive, shape.comparison.negative), strict=True
        ):
            values, edges, _ = outline.get_data()
            assert np.allclose(values * np.diff(edges), share)
        assert axes.get_xlim() == pytest.approx(shape.comparison.bins.view)
        assert f"{shape.p_adjusted:.2g}" in axes.get_title(loc="left")
    with pytest.raises(DataError, match="no features"):
        plot_feature_overview([], sample="signal")


def test_an_overview_of_very_many_features_keeps_those_that_differ_most(report):
    one, other = report.samples["signal"].features.values()
    many = [replace(other, name=f"x{i}", p_adjusted=1.0 - i / 100) for i in range(70)]
    drawn = plot_feature_overview([*many, one], sample="signal")
    assert len(drawn.axes) == 60
    assert set(drawn.artists) == {one.name, *(f"x{i}" for i in range(11, 70))}
    assert "60 of 71 features" in drawn.figure.texts[0].get_text()


@pytest.mark.parametrize("pages", ["significant", "all", "none"])
def test_features_have_a_page_where_the_settings_say_so(report, pages):
    stems = {stem for stem, _ in shape_figures(report, Plots(feature_pages=pages))}
    for sample, shapes in report.samples.items():
        own = {name for name, shape in shapes.features.items() if shape.p_adjusted <= report.alpha}
        own = {"significant": own, "all": set(shapes.features), "none": set()}[pages]
        assert {name for name in shapes.features if shape_stem(sample, name) in stems} == own
        assert (overview_stem(sample) in stems) == (len(own) < len(shapes.features))


def test_effect_sizes_figure_has_a_row_for_each_feature_and_axes_for_each_sample(report):
    drawn = plot_effect_sizes(report)
    drawn.figure.canvas.draw()
    assert [text.get_text() for text in drawn.axes[0].get_yticklabels()] == ["pt", "njets"]
    assert len(drawn.axes) == len(report.samples) == 2
    full, hollow = drawn.artists["signal"][1:]
    shapes = report.samples["signal"].features.values()
    significant = [100 * s.total_variation.value for s in shapes if s.p_adjusted <= report.alpha]
    assert np.allclose(full[0].get_xdata(), significant)
    assert len(hollow[0].get_xdata()) == 2 - len(significant)


def test_effect_sizes_of_a_report_without_comparisons_are_an_empty_figure():
    x = np.zeros((3, 1))
    drawn = plot_effect_sizes(check_shapes(EventTable.from_arrays(x, np.ones(3), np.ones(3, int))))
    drawn.figure.canvas.draw()
    assert drawn.artists == {}


def test_weight_figures_show_the_fractions_and_the_counts(table):
    weights = summarize_weights(table)
    drawn = plot_weights(weights)
    drawn.figure.canvas.draw()
    summary = weights.samples["signal"]
    row = list(weights.samples).index("signal")
    assert drawn.artists["negative"].patches[row].get_width() == pytest.approx(-summary.negative_fraction)


@pytest.fixture(scope="module")
def awkward_features() -> ShapeReport:
    rng = np.random.default_rng(1)
    n = 6000
    padded = np.where(rng.random(n) < 0.4, -999.0, rng.normal(50.0, 20.0, n))
    x = np.column_stack([rng.lognormal(sigma=2.0, size=n), padded])
    weight = np.where(rng.random(n) < 0.3, -1.0, 1.0)
    names = ["a_name_that_is_much_too_long_for_the_axis_of_a_figure_in_print_size", "padded"]
    return check_shapes(
        EventTable.from_arrays(x, weight, np.ones(n), feature_names=names),
        multivariate=False,
        variations={"up": weight * (1.0 + 0.2 * np.tanh(x[:, 0]))},
    )


def test_long_tails_are_drawn_on_logarithmic_scales_and_long_names_are_cut(awkward_features):
    shape = next(iter(awkward_features.samples["signal"].features.values()))
    main, _, lowest = plot_feature_shape(shape, sample="signal").axes
    assert (main.get_xscale(), main.get_yscale()) == ("log", "log")
    assert shape.comparison.outside_view == pytest.approx((0.0, 0.0), abs=0.02)
    label = lowest.get_xlabel()
    assert len(label) <= 48
    assert label.startswith("a_name_that_is")
    assert label.endswith("in_print_size")


def test_what_lies_outside_the_view_is_said(awkward_features):
    shape = awkward_features.samples["signal"].features["padded"]
    assert shape.comparison.bins.view[0] > -999
    # 40 % of some 4200 positive and 1800 negative events, within four standard deviations.
    for share, events in zip(shape.comparison.outside_view, (4200, 1800), strict=True):
        assert share == pytest.approx(0.4, abs=4 * np.sqrt(0.24 / events))
    main = plot_feature_shape(shape, sample="signal").axes[0]
    assert f"not shown: {100 * shape.comparison.outside_view[0]:.1f} % of w > 0" in main.texts[0].get_text()


def test_the_yardstick_figure_shows_spread_and_bias(awkward_features):
    drawn = plot_yardsticks(awkward_features)
    drawn.figure.canvas.draw()
    bars, points = drawn.artists["signal"]
    yardsticks = awkward_features.samples["signal"].systematics.values()
    assert np.allclose([bar.get_width() for bar in bars], [100 * one.spread.value for one in yardsticks])
    assert np.allclose(points[0].get_xdata(), [100 * one.sign_difference.value for one in yardsticks])
    assert drawn.axes[0].get_xlim()[0] < 0


def test_a_yardstick_figure_without_variations_is_refused(report):
    with pytest.raises(DataError, match="no sample has systematic variations"):
        plot_yardsticks(report)
