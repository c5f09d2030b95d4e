"""The figures of correlations, of the multivariate check and of negative regions show what the results hold."""

from __future__ import annotations

import numpy as np
import pytest

from hepneg import metrics, plots
from hepneg._core.estimate import Estimate
from hepneg.binning.density_cells import signed_density
from hepneg.errors import DataError
from hepneg.events import EventTable
from hepneg.shapes.negative.pair_cells import Cut, NegativeBox
from hepneg.shapes.shape_tests.multivariate import MultivariateShape


@pytest.fixture
def events():
    rng = np.random.default_rng(1)
    minus = rng.random(20_000) < 1 / 3
    x = rng.normal(size=(20_000, 3)) * np.where(minus, 1.2, 2.0)[:, None]
    x[:, 1] = np.where(minus, 0.5 * x[:, 0] + x[:, 1], x[:, 1])
    names = ["lep_pt", "met", "ht"]
    return EventTable.from_arrays(x, np.where(minus, -1.0, 1.0), np.zeros(20_000, int), feature_names=names)


def box(*cuts):
    return NegativeBox(tuple(Cut(*cut) for cut in cuts), 100, Estimate(-9.0, 1.0), Estimate(-5.0, 1.0), -5.0, 1e-6)


def test_correlation_matrices(events):
    result = metrics.sign_correlations(events.features, events.weight, events.feature_names)
    drawn = plots.plot_sign_correlations(result, sample="ttbar")
    np.testing.assert_allclose(drawn.artists["positive"].get_array(), result.positive.matrix)
    np.testing.assert_allclose(
        np.ma.filled(drawn.artists["difference"].get_array(), np.nan), result.significance, equal_nan=True
    )
    written = {text.get_text() for text in drawn.axes[2].texts}
    assert f"{100 * result.difference[0, 1]:+.0f}" in written
    assert [label.get_text() for label in drawn.axes[0].get_yticklabels()] == list(events.feature_names)


def test_importance_bars_are_in_order():
    importance = {"a": Estimate(0.05, 0.01), "b": Estimate(0.01, 0.01), "c": Estimate(-0.001, 0.002)}
    result = MultivariateShape("ttbar", Estimate(0.55, 0.01), 1e-4, importance, (), 1000, 2000)
    drawn = plots.plot_multivariate({"ttbar": result}, most=2)
    (bars,) = drawn.artists["ttbar"]
    assert [bar.get_width() for bar in bars] == pytest.approx([5.0, 1.0])
    assert "0.550 ± 0.010" in drawn.axes[0].get_title(loc="left")


def test_long_names_leave_room_for_the_bars():
    importance = {"<b>" + "long_name_" * 12: Estimate(0.05, 0.01), "b": Estimate(0.01, 0.01)}
    results = {
        name: MultivariateShape(name, Estimate(0.55, 0.01), 1e-4, importance, (), 9, 9) for name in ("sig", "bkg")
    }
    drawn = plots.plot_multivariate(results)
    drawn.figure.canvas.draw()  # a figure without room for its axes warns
    assert drawn.axes[0].get_yticklabels()[0].get_text() == "<b>long_name_…me_long_name_"


def test_nothing_to_draw_is_said():
    empty = MultivariateShape("s", Estimate(np.nan, np.nan), np.nan, {}, (), 5, 5)
    with pytest.raises(DataError, match="too few events"):
        plots.plot_multivariate({"s": empty})


def test_boxes_are_drawn_where_their_cuts_are(events):
    density = signed_density(events, "lep_pt", "ht")
    boxes = [
        box(("lep_pt", -1.0, 1.0), ("ht", -0.5, 0.5)),
        box(("lep_pt", 2.0, np.inf), ("met", -np.inf, 0.0)),
        box(("met", 0.0, 1.0)),
    ]
    drawn = plots.plot_negative_boxes(density, boxes, sample="s")
    first, second = drawn.artists["boxes"]  # the third has no cut that could be seen
    assert (first.get_x(), first.get_y(), first.get_width(), first.get_height()) == (-1.0, -0.5, 2.0, 1.0)
    assert first.get_linestyle() in ("-", "solid")
    assert second.get_linestyle() in ("--", "dashed")
    assert second.get_x() + second.get_width() == pytest.approx(density.x_edges[-1])
