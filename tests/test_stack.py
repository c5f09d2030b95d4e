"""Stacks with data: sums, bands, Garwood's errors, blinding, negative bins, and what is drawn of them."""

from __future__ import annotations

import dataclasses

import matplotlib as mpl
import mplhep
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure
from scipy import stats

import hepneg
from hepneg import plots
from hepneg.config import FigureLook
from hepneg.errors import DataError
from hepneg.evaluation.stack import Stack, make_stack
from hepneg.events import EventTable
from hepneg.metrics.garwood import garwood_interval
from hepneg.plots.experiment_label import figure_style

SIZES = {"signal": 900.0, "wide": 2500.0, "narrow": 700.0, "small": 30.0, "rare": 8.0}
BINS = 20


def toy(seed=1, interference=True):
    """Five samples, and one whose weights are negative nearly everywhere, with data of the others."""
    rng = np.random.default_rng(seed)
    shapes = {"signal": (4, 1.5), "wide": (1.2, 3)}
    parts = []
    for name, total in SIZES.items():
        count = 3 if name == "rare" else 3000
        weight = np.where(rng.random(count) < (0.0 if name == "rare" else 0.25), -1.0, 1.0)
        parts.append((name, rng.beta(*shapes.get(name, (2, 2)), count), weight * total / weight.sum()))
    if interference:
        parts.append(("interference", rng.beta(3, 1.2, 600), np.where(rng.random(600) < 0.9, -0.3, 0.3)))
    x = np.concatenate([part[1] for part in parts])
    names = np.concatenate([[part[0]] * len(part[1]) for part in parts])
    labels = np.where(names == "signal", "signal", "background")
    weight = np.concatenate([part[2] for part in parts])
    events = EventTable.from_arrays(x[:, None], weight, labels, sample=names, event_id=np.arange(len(x)))
    data = np.concatenate(
        [rng.beta(*shapes.get(name, (2, 2)), rng.poisson(total)) for name, total in SIZES.items() if name != "rare"]
    )
    return x, events, data


@pytest.fixture(scope="module")
def stack():
    x, events, data = toy()
    return make_stack(x, events, bins=BINS, data=data)


@given(st.integers(0, 400))
def test_garwood_covers_at_least_what_it_says(count):
    low, high = garwood_interval([count])
    tail = 0.5 * (1 - 0.6827)
    assert stats.poisson.cdf(count, high[0]) == pytest.approx(tail, rel=1e-6)
    assert low[0] == 0.0 if count == 0 else stats.poisson.sf(count - 1, low[0]) == pytest.approx(tail, rel=1e-6)


def test_garwood_refuses_what_no_count_is():
    with pytest.raises(ValueError, match="negative"):
        garwood_interval([-1])


def test_the_total_is_the_sum_of_all_signed_weights(stack):
    x, events, data = toy()
    expected, _ = np.histogram(x, np.linspace(0, 1, BINS + 1), weights=events.weight)
    square, _ = np.histogram(x, np.linspace(0, 1, BINS + 1), weights=events.weight**2)
    np.testing.assert_allclose(stack.total().values(), expected)
    low, high = stack.band()
    np.testing.assert_allclose(low, np.sqrt(square))
    np.testing.assert_allclose(high, np.sqrt(square))
    np.testing.assert_array_equal(stack.counts(), np.histogram(data, np.linspace(0, 1, BINS + 1))[0])
    assert stack.negative_bins()["interference"] > BINS // 2


def test_pairs_of_variations_count_once_and_lone_ones_to_both_sides(stack):
    nominal = {name: np.asarray(part.values()) for name, part in stack.samples.items()}
    factors = {"scale_up": 1.1, "scale_down": 1.04, "alone": 0.9}
    varied = {name: np.stack([factor * values for factor in factors.values()]) for name, values in nominal.items()}
    wider = dataclasses.replace(stack, systematics=tuple(factors), varied=varied)
    low, high = wider.band()
    total, square = stack.total().values(), stack.total().variances()
    np.testing.assert_allclose(high, np.sqrt(square + (0.1 * total) ** 2 + (0.1 * total) ** 2))
    np.testing.assert_allclose(low, np.sqrt(square + (0.1 * total) ** 2))
    assert "syst" in plots.plot_stack(wider).artists["band"][0].get_label()


def test_blinded_data_are_in_no_result(stack):
    x, events, data = toy()
    hidden = np.arange(BINS) >= 15
    blinded = make_stack(x, events, bins=BINS, data=data, hidden=hidden)
    assert np.isnan(blinded.counts()[hidden]).all()
    assert not blinded.histograms()["stack_response_data"].values()[hidden].any()
    assert blinded.to_dict()["data"][15:] == [None] * 5
    drawn = plots.plot_stack(blinded)
    points = drawn.artists["data"][0].lines[0].get_ydata()
    assert np.isnan(points[hidden]).all()
    assert np.isfinite(points[~hidden]).all()
    assert len(drawn.artists["blinded"]) == 2  # one span in each axes


def test_ratios_are_left_out_where_the_total_is_not_significant():
    x, events, data = toy()
    weight = np.where(np.arange(len(x)) % 2, 1.0, -1.0)
    cancelling = EventTable.from_arrays(x[:, None], weight, events.label, event_id=np.arange(len(x)))
    stack = make_stack(x, cancelling, bins=BINS, data=data)
    ratio, errors = stack.data_over()
    values, spread = stack.total().values(), np.sqrt(stack.total().variances())
    np.testing.assert_array_equal(ratio.shown, values > 2 * spread)
    assert np.isnan(ratio.value[~ratio.shown]).all()
    assert np.isnan(errors[:, ~ratio.shown]).all()
    assert not ratio.shown.all()


@pytest.mark.parametrize("scale", ["linear", "log"])
def test_what_is_left_of_the_stack_is_its_total(stack, scale):
    drawn = plots.plot_stack(stack, look=FigureLook(scale=scale))
    total = np.asarray(stack.total().values())
    np.testing.assert_allclose(drawn.artists["total"][0].get_data().values, total)
    tops = np.max([np.nan_to_num(part.stairs.get_data().values) for part in drawn.artists["stack"]], axis=0)
    hung = drawn.artists["negative"]
    assert hung
    baselines = [part.get_data().baseline for part in hung]
    lowest = np.min([np.where(np.isnan(baseline), tops, baseline) for baseline in baselines], axis=0)
    np.testing.assert_allclose(lowest, total)
    labels = [text.get_text() for text in drawn.figure.axes[0].get_legend().get_texts()]
    negative = sum(stack.negative_bins().values())
    assert f"Σw < 0 ({negative} bins)" in labels


def test_data_have_garwoods_errors_and_arrows_where_the_panel_ends(stack):
    drawn = plots.plot_stack(stack, look=FigureLook(signal="overlaid"))
    points = drawn.artists["data"][0]
    counts = stack.counts()
    low, high = garwood_interval(counts)
    segments = np.array(points.lines[2][0].get_segments())
    np.testing.assert_allclose(segments[:, 0, 1], low, atol=1e-9)
    np.testing.assert_allclose(segments[:, 1, 1], high)
    ratio, _ = stack.data_over(*stack.of_label("background"))
    bottom, top = drawn.axes[1].get_ylim()
    beyond = ratio.value[ratio.shown & ((ratio.value > top) | (ratio.value < bottom))]
    assert len(beyond) > 0
    assert sum(len(marks.get_xdata()) for marks in drawn.artists["ratio"][1:]) == len(beyond)
    assert all(bottom < y < top for marks in drawn.artists["ratio"][1:] for y in marks.get_ydata())


def legend_texts(drawn):
    legends = [axes.get_legend() for axes in drawn.figure.axes] + list(drawn.figure.legends)
    return [text.get_text() for legend in legends if legend for text in legend.get_texts()]


def test_small_backgrounds_are_one_and_the_order_is_the_chosen_one(stack):
    texts = legend_texts(plots.plot_stack(stack))
    assert texts[:4] == ["Data", "signal", "wide", "narrow"]
    assert "Other (2)" in texts
    ordered = legend_texts(plots.plot_stack(stack, look=FigureLook(order=("wide", "narrow"), lump=0.0)))
    assert ordered[:4] == ["Data", "signal", "narrow", "wide"]
    assert {"small", "rare", "interference"} < set(ordered)


def test_an_overlaid_signal_is_no_part_of_the_sum(stack):
    drawn = plots.plot_stack(stack, look=FigureLook(signal="overlaid", signal_scale=5.0, names={"signal": "$H$"}))
    np.testing.assert_allclose(
        drawn.artists["total"][0].get_data().values, stack.total(*stack.of_label("background")).values()
    )
    np.testing.assert_allclose(drawn.artists["signal"][0].get_data().values, 5 * stack.samples["signal"].values())
    assert "$H$ × 5" in legend_texts(drawn)
    assert "bkg" in drawn.axes[1].get_ylabel()


@pytest.mark.parametrize("style", [None, "ATLAS", "CMS", "LHCb", "ALICE"])
def test_legends_and_labels_keep_clear_of_data_and_band(stack, style):
    look = FigureLook(experiment=style or "DUNE", label="Preliminary", energy=13.6, style=style)
    before = dict(mpl.rcParams)
    with figure_style(look):
        drawn = plots.plot_stack(stack, look=look, luminosity=138.0)
        drawn.figure.canvas.draw()
        axes = drawn.axes[0]
        boxes = [text.get_window_extent() for text in drawn.artists["label"]]
        boxes += [axes.get_legend().get_window_extent()] if axes.get_legend() else []
        boxes += [legend.get_window_extent() for legend in drawn.figure.legends]
        values = np.asarray(stack.total().values()) + stack.band()[1]
        corners = np.column_stack([stack.edges[:-1], values]), np.column_stack([stack.edges[1:], values])
        points = axes.transData.transform(np.concatenate(corners))
        for box in boxes:
            covered = (points[:, 0] > box.x0) & (points[:, 0] < box.x1) & (points[:, 1] > box.y0)
            assert not covered.any()
    assert dict(mpl.rcParams) == before
    texts = " ".join(text.get_text() for text in drawn.artists["label"])
    assert look.experiment in texts
    assert "138" in texts
    assert "13.6" in texts
    assert "Simulation" not in texts


def test_figures_of_simulation_say_so(stack):
    bare = dataclasses.replace(stack, data=None)
    drawn = plots.plot_stack(bare, look=FigureLook(experiment="CMS"), luminosity=10.0)
    assert len(drawn.axes) == 1
    assert "Simulation" in " ".join(text.get_text() for text in drawn.artists["label"])
    with pytest.raises(DataError, match="has no data"):
        bare.counts()


def test_given_axes_keep_their_figure_and_the_active_style(stack):
    with mpl.rc_context(mplhep.style.CMS):
        figure = Figure(figsize=(9, 7))
        ax = figure.subplots(2, 1, height_ratios=[3, 1])
        drawn = plots.plot_stack(stack, ax=ax)
        assert mpl.rcParams["font.size"] == 26.0
    assert drawn.axes == tuple(ax)
    assert drawn.figure is figure
    assert tuple(figure.get_size_inches()) == (9, 7)
    legend = ax[0].get_legend() or figure.legends[0]
    assert legend.get_texts()[0].get_fontsize() > 20  # CMS's "small" of 26


def test_one_of_several_axes_makes_room_for_the_ratio(stack):
    figure = Figure(layout="constrained")
    left, right = figure.subplots(1, 2)
    drawn = plots.plot_stack(stack, ax=left)
    figure.draw_without_rendering()
    assert drawn.axes[0] is left
    main, panel = left.get_position(), drawn.axes[1].get_position()
    assert panel.y1 < main.y0
    assert panel.x1 < right.get_position().x0
    with pytest.raises(ValueError, match="2 axes, but ax= holds 3"):
        plots.plot_stack(stack, ax=[left, right, left])


def test_a_logarithmic_axis_wastes_no_decade(stack):
    drawn = plots.plot_stack(stack, look=FigureLook(scale="log"))
    low, high = drawn.axes[0].get_ylim()
    values = np.concatenate([np.asarray(part.values()) for part in stack.samples.values()])
    spread = np.concatenate([np.sqrt(part.variances()) for part in stack.samples.values()])
    counts = stack.counts()
    smallest, highest = (
        min(values[values > 2 * spread].min(), counts[counts > 0].min()),
        max(values.max(), counts.max()),
    )
    assert max(smallest, highest * 1e-4) / 2.1 < low < smallest
    assert high < 1e4 * highest


@pytest.mark.parametrize("signal", ["stacked", "overlaid"])
def test_sums_that_no_logarithmic_axis_can_show_are_marked_at_their_magnitude(signal):
    """Four bins: positive, negative, cancelling and empty; the signal is negative in the first, small in the second."""
    x = np.repeat([0.1, 0.3, 0.6, 0.1, 0.3], [200, 60, 2, 3, 1])
    weight = np.concatenate([np.ones(200), np.full(60, -1.0), [1.0, -1.0], np.full(3, -1.0), [1e-7]])
    label = np.repeat([0, 1], [262, 4])
    events = EventTable.from_arrays(x[:, None], weight, label, event_id=np.arange(len(x)))
    stack = make_stack(x, events, bins=[0.0, 0.2, 0.4, 0.7, 1.0], data=[0.1, 0.5])
    drawn = plots.plot_stack(stack, look=FigureLook(scale="log", signal=signal))
    low = drawn.axes[0].get_ylim()[0]
    assert low < 1.0  # a single measured event is shown
    places = [list(zip(mark.get_xdata(), mark.get_ydata(), strict=True)) for mark in drawn.artists["below_zero"]]
    assert [x for x, _ in places[0]] == pytest.approx([0.3, 0.55])
    assert places[0][0][1] == pytest.approx(60.0)
    assert low < places[0][1][1] < 1.5 * low
    marks = {"Sum ≤ 0, |Sum| shown (2 bins)"}
    if signal == "overlaid":
        assert places[1] == [pytest.approx((0.1, 3.0))]
        marks |= {"signal ≤ 0, |signal| shown (1 bin)"}
    assert marks == {text for text in legend_texts(drawn) if "≤ 0" in text}
    assert not plots.plot_stack(stack, look=FigureLook(signal=signal)).artists["below_zero"]


def test_rare_samples_and_odd_input():
    x, events, data = toy(interference=False)
    with pytest.raises(DataError, match="one finite number for each event"):
        make_stack(x, events, data=[np.nan])
    with pytest.raises(DataError, match="2 entries for 40 bins"):
        make_stack(x, events, hidden=[True, False])
    with pytest.raises(DataError):
        make_stack(x[1:], events)
    assert isinstance(hepneg.make_stack(x, events, data=data, bins=[0, 0.5, 1.0]), Stack)


def test_unequal_bins_and_units_are_said():
    x, events, data = toy()
    stack = make_stack(x, events, bins=[0.0, 0.5, 0.7, 1.0], data=data, quantity="m_jj")
    drawn = plots.plot_stack(stack, unit="GeV", title="$m_{jj}$", look=FigureLook(experiment="CMS"))
    assert drawn.axes[0].get_ylabel() == "Events / bin"
    assert drawn.axes[1].get_xlabel() == "$m_{jj}$ (GeV)"
    plain = plots.plot_stack(make_stack(x, events, bins=10, quantity="price in $"), unit="GeV")
    assert plain.axes[0].get_xlabel() == r"price in \$ [GeV]"
    assert plain.axes[0].get_ylabel() == "Σw / 0.1 GeV"


def test_the_region_stands_in_the_corner_and_small_luminosities_are_in_inverse_picobarns(stack):
    look = FigureLook(experiment="CMS", label="Preliminary", energy=13)
    drawn = plots.plot_stack(dataclasses.replace(stack, region="SR", left_out="x > 1"), look=look, luminosity=0.02)
    assert drawn.artists["note"][0].get_text() == "SR\nwithout x > 1"
    texts = " ".join(text.get_text() for text in drawn.artists["label"])
    assert "20" in texts
    assert "pb" in texts
    assert "fb" not in texts


def test_what_follows_the_experiments_name_keeps_its_distance_in_another_layout(stack):
    drawn = plots.plot_stack(stack, look=FigureLook(experiment="CMS", label="Preliminary"), luminosity=10.0)
    drawn.figure.set_layout_engine("none")
    gaps = []
    for width in (0.8, 0.5):
        drawn.axes[0].set_position((0.1, 0.4, width, 0.5))
        drawn.figure.draw_without_rendering()
        name, label = (text.get_window_extent() for text in drawn.artists["label"][:2])
        gaps.append(label.x0 - name.x1)
    assert gaps[0] == pytest.approx(gaps[1], abs=1.0)
    assert 1 < gaps[0] < 20


def test_whole_numbers_have_no_width_and_blinded_data_no_place_in_the_legend():
    x, events, data = toy()
    hidden = np.ones(3, bool)
    stack = make_stack(np.rint(3 * x), events, bins=[-0.5, 0.5, 1.5, 2.5], data=data, hidden=hidden)
    drawn = plots.plot_stack(stack)
    assert drawn.axes[0].get_ylabel() == "Events"
    assert "Data" not in legend_texts(drawn)
    assert "Data blinded" in legend_texts(drawn)
