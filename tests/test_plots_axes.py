"""Every plot function takes axes of the user's, and leaves the style and the size of their figure alone."""

from __future__ import annotations

import matplotlib as mpl
import mplhep
import numpy as np
import pytest
from class_toys import class_events, exact_log_probability
from matplotlib.figure import Figure
from test_plots_response import comparison_of, toy

from hepneg import evaluate, plots
from hepneg.events import EventTable
from hepneg.shapes import check_shapes
from hepneg.weights import summarize_weights


@pytest.fixture(scope="module")
def results():
    rng = np.random.default_rng(1)
    label = rng.integers(0, 2, 4000)
    x = np.column_stack([rng.normal(label, 1.0), rng.exponential(1.0, 4000)])
    weight = np.where(rng.random(4000) < 0.25 + 0.1 * np.tanh(x[:, 0]), -1.0, 1.0)
    events = EventTable.from_arrays(x, weight, label, event_id=np.arange(4000), target=x[:, 0])
    evaluation, three = toy(3000, 0.3), class_events(3, 1000)
    return {
        "evaluation": evaluation,
        "classes": evaluate(three, response=np.exp(exact_log_probability(three.features, 3))),
        "comparison": comparison_of(evaluation, "signed", "again"),
        "shapes": check_shapes(events, multivariate=False),
        "weights": summarize_weights(events),
        "regression": evaluate(events, prediction=x[:, 0] + rng.normal(0, 0.1, 4000)),
    }


def feature(results):
    return results["shapes"].samples["signal"].features["x0"]


CALLS = {
    "response": (1, lambda r, ax: plots.plot_response(r["evaluation"], ax=ax)),
    "components": (2, lambda r, ax: plots.plot_response_components(r["evaluation"], "signal", ax=ax)),
    "by_sign": (2, lambda r, ax: plots.plot_response_by_sign(r["evaluation"], "signal", ax=ax)),
    "overtraining": (2, lambda r, ax: plots.plot_overtraining(r["evaluation"], ax=ax)),
    "learning": (2, lambda r, ax: plots.plot_learning_curves(r["evaluation"].histories, ax=ax)),
    "roc": (1, lambda r, ax: plots.plot_roc(r["evaluation"], ax=ax)),
    "calibration": (2, lambda r, ax: plots.plot_calibration(r["evaluation"], ax=ax)),
    "significance": (2, lambda r, ax: plots.plot_significance(r["evaluation"], ax=ax)),
    "class": (1, lambda r, ax: plots.plot_class_response(r["classes"], "wjets", scale="log", ax=ax)),
    "confusion": (1, lambda r, ax: plots.plot_confusion(r["classes"], ax=ax)),
    "class calibration": (2, lambda r, ax: plots.plot_class_calibration(r["classes"], ax=ax)),
    "comparison": (4, lambda r, ax: plots.plot_comparison(r["comparison"], ax=ax)),
    "shape": (3, lambda r, ax: plots.plot_feature_shape(feature(r), sample="signal", ax=ax)),
    "sizes": (2, lambda r, ax: plots.plot_effect_sizes(r["shapes"], ax=ax)),
    "weights": (1, lambda r, ax: plots.plot_weights(r["weights"], ax=ax)),
    "residuals": (1, lambda r, ax: plots.plot_residuals(r["regression"], ax=ax)),
    "pulls": (1, lambda r, ax: plots.plot_pulls(r["regression"], ax=ax)),
    "bias": (2, lambda r, ax: plots.plot_bias(r["regression"], ax=ax)),
    "matrix": (1, lambda r, ax: plots.plot_response_matrix(r["regression"], ax=ax)),
}


@pytest.mark.parametrize("name", CALLS)
def test_given_axes_are_drawn_into_in_the_active_style(name, results):
    count, draw = CALLS[name]
    with mpl.rc_context(mplhep.style.ATLAS):
        before = dict(mpl.rcParams)
        figure = Figure(figsize=(12, 9))
        given = tuple(np.atleast_1d(figure.subplots(count, 1)))
        drawn = draw(results, given if count > 1 else given[0])
        figure.draw_without_rendering()
        assert dict(mpl.rcParams) == before
    assert drawn.figure is figure
    assert drawn.axes[:count] == given
    assert tuple(figure.get_size_inches()) == (12, 9)
    assert not figure.legends
    assert all(axes.has_data() for axes in given)
    legends = [legend for axes in given if (legend := axes.get_legend())]
    assert all(legend.get_texts()[0].get_fontsize() >= 14 for legend in legends)


@pytest.mark.parametrize("name", [name for name, (count, _) in CALLS.items() if count > 1])
def test_too_many_axes_are_refused(name, results):
    count, draw = CALLS[name]
    with pytest.raises(ValueError, match=f"has {count} axes, but ax= holds {count + 1}"):
        draw(results, Figure().subplots(count + 1, 1))


def test_an_active_style_of_the_user_is_left_alone_without_axes_too(results):
    with mpl.rc_context({"font.size": 19, "font.family": "serif"}):
        drawn = plots.plot_response(results["evaluation"])
        assert drawn.axes[0].yaxis.label.get_fontfamily() == ["serif"]
    plain = plots.plot_response(results["evaluation"])
    assert plain.axes[0].yaxis.label.get_fontfamily() == ["sans-serif"]


def test_a_sample_of_few_events_is_faint_and_sets_no_scale():
    rng = np.random.default_rng(2)
    label = np.r_[np.ones(2000, int), np.zeros(2000, int), np.zeros(3, int)]
    sample = np.where(np.arange(4003) >= 4000, "rare", np.where(label == 1, "sig", "bkg"))
    weight = np.r_[np.ones(4000), [1.0, -1.0, 1.0]]
    events = EventTable.from_arrays(label[:, None], weight, label, sample=sample, event_id=np.arange(4003))
    evaluation = evaluate(events, response=np.clip(rng.beta(2, 2, 4003) * 0.5 + 0.4 * label, 0.01, 0.99))
    drawn = plots.plot_response(evaluation)
    assert drawn.artists["rare"][0].stairs.get_alpha() == pytest.approx(0.35)
    assert drawn.artists["sig"][0].stairs.get_alpha() is None
    low, high = drawn.axes[0].get_ylim()
    assert high < 0.5  # its bins hold ±1
    assert -0.1 < low <= 0.0


def test_colours_do_not_repeat_and_the_signal_keeps_its_own():
    from hepneg.plots.sample_looks import sample_looks

    labels = {"sig": "signal", **{f"b{i}": "background" for i in range(24)}}
    looks = sample_looks(labels)
    assert len({(look.colour, look.line) for look in looks.values()}) == 25
    assert all(look.colour != looks["sig"].colour for name, look in looks.items() if name != "sig")
