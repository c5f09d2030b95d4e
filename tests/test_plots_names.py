"""Long names of samples and features: they stay apart when they are cut, and nothing covers anything else."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from matplotlib.patches import StepPatch
from test_plots_response import HISTORIES, comparison_of

from hepneg import metrics, plots
from hepneg.evaluation.classification import Evaluation
from hepneg.evaluation.evaluation import evaluate
from hepneg.events import EventTable
from hepneg.metrics import ScoredEvents
from hepneg.plots.short_names import short_name, short_names
from hepneg.shapes import check_shapes
from hepneg.weights import summarize_weights

SAMPLES = (
    "TTToSemiLeptonic_TuneCP5_13TeV-powheg-pythia8",
    "TTTo2L2Nu_TuneCP5_13TeV-powheg-pythia8",
    "WJetsToLNu_Pt-100To250_TuneCP5_13TeV-amcatnloFXFX-pythia8",
    "WJetsToLNu_Pt-250To400_TuneCP5_13TeV-amcatnloFXFX-pythia8",
    "DYJetsToLL_M-50_TuneCP5_13TeV-amcatnloFXFX-pythia8_ext1-v2",
)
FEATURES = ("a_very_long_feature_name_of_the_leading_jet_transverse_momentum", "lep_pt", "dR_jj")
MANY = tuple(f"process_{number}" for number in range(14))


def table_of(samples, fraction=0.35, n=3000):
    rng = np.random.default_rng(2)
    sample = np.arange(n) % len(samples)
    label = (sample < 2).astype(int)
    negative = rng.random(n) < fraction
    weight = np.where(negative, -1e5, 1e5) * rng.lognormal(sigma=0.3, size=n)
    x = rng.normal(label[:, None], 1.0, (n, 3)) + 0.4 * negative[:, None] * rng.normal(size=(n, 1))
    names = np.array(samples)[sample]
    return EventTable.from_arrays(x, weight, label, sample=names, feature_names=FEATURES, target=x[:, 0])


def evaluation_of(table):
    logit = table.features.astype(float).sum(axis=1) - 1.5
    scored = ScoredEvents.of_table(table, logit)
    return Evaluation.of_scores(
        table, scored, trained=scored.with_score(1.1 * logit), scheme="signed", histories=HISTORIES
    )


@pytest.fixture(scope="module")
def drawings():
    """Every figure that shows names, by name, drawn."""
    table = table_of(SAMPLES)
    evaluation, weights = evaluation_of(table), summarize_weights(table)
    many = evaluation_of(table_of(MANY))
    x, w = table.features, table.weight
    calm = table_of(SAMPLES, fraction=0.2)  # far from negative densities, for which networks would be trained
    shapes = check_shapes(calm, variations={"up": calm.weight * (1.0 + 0.2 * np.tanh(calm.features[:, 0]))})
    prediction = table.required_target() + np.random.default_rng(1).normal(size=len(table))
    regression = evaluate(table, prediction=prediction, scheme="signed", objective="squared")
    together = {name: sample.multivariate for name, sample in shapes.samples.items()}
    long = SAMPLES[2]
    found = {
        "response": plots.plot_response(evaluation),
        "response_log": plots.plot_response(evaluation, scale="log"),
        "response of many": plots.plot_response(many),
        "components": plots.plot_response_components(evaluation, long),
        "components_log": plots.plot_response_components(evaluation, long, scale="log"),
        "by_sign": plots.plot_response_by_sign(evaluation, long),
        "overtraining": plots.plot_overtraining(evaluation),
        "significance": plots.plot_significance(evaluation),
        "comparison": plots.plot_comparison(comparison_of(evaluation, "signed", "again", "third")),
        "comparison of many": plots.plot_comparison(comparison_of(many, "signed", "again")),
        "weights": plots.plot_weights(weights),
        "shapes": plots.plot_effect_sizes(shapes),
        "shape": plots.plot_feature_shape(shapes.samples[long].features[FEATURES[0]], sample=long),
        "yardsticks": plots.plot_yardsticks(shapes),
        "multivariate": plots.plot_multivariate(together),
        "correlations": plots.plot_sign_correlations(metrics.sign_correlations(x, w, FEATURES), sample=long),
        "residuals": plots.plot_residuals(regression),
        "pulls": plots.plot_pulls(regression),
    }
    for drawn in found.values():
        drawn.figure.canvas.draw()
    return found


FIGURES = (
    "response", "response_log", "response of many", "components", "components_log", "by_sign", "overtraining",
    "significance",
    "comparison", "comparison of many", "weights", "shapes", "shape", "yardsticks", "multivariate", "correlations",
    "residuals",
    "pulls",
)  # fmt: skip


def legends_of(figure):
    return [*figure.legends, *(axes.get_legend() for axes in figure.axes if axes.get_legend())]


def texts_of(figure):
    """All that is written outside legends, and is seen."""
    found = [*figure.texts]
    for axes in figure.axes:
        found += [axes.title, axes._left_title, axes._right_title, *axes.texts]
        for axis in (axes.xaxis, axes.yaxis):
            found += [axis.label, axis.get_offset_text()]
            found += [label for tick in axis._update_ticks() for label in (tick.label1, tick.label2)]
    return [text for text in found if text.get_visible() and text.get_text().strip()]


def box_of(artist):
    box = artist.get_window_extent()
    return box.x0, box.y0, box.x1, box.y1


def overlap(one, other, slack=5.0):
    """Whether two boxes share more than the space that fonts leave above and below their digits, in pixels."""
    return (
        min(one[2], other[2]) - max(one[0], other[0]) > slack and min(one[3], other[3]) - max(one[1], other[1]) > slack
    )


@pytest.mark.parametrize("name", FIGURES)
def test_no_text_and_no_legend_covers_another_or_leaves_the_figure(name, drawings):
    figure = drawings[name].figure
    boxes = [("legend", box_of(legend)) for legend in legends_of(figure)]
    boxes += [(text.get_text(), box_of(text)) for text in texts_of(figure)]
    assert len(boxes) > 5
    for text, (left, low, right, high) in boxes:
        assert left >= 0, text
        assert low >= 0, text
        assert right <= figure.bbox.width, text
        assert high <= figure.bbox.height, text
    for (one, box), (other, another) in combinations(boxes, 2):
        assert not overlap(box, another), (one, other)


@pytest.mark.parametrize("name", FIGURES)
def test_what_is_written_into_axes_stays_there(name, drawings):
    for axes in drawings[name].figure.axes:
        left, low, right, high = box_of(axes.patch)
        for artist in [*axes.texts, *([axes.get_legend()] if axes.get_legend() else [])]:
            box = box_of(artist)
            assert left <= box[0] <= box[2] <= right
            assert low <= box[1] <= box[3] <= high


@pytest.mark.parametrize("name", FIGURES)
def test_no_legend_covers_the_data(name, drawings):
    figure = drawings[name].figure
    for axes in figure.axes:
        curves = [line.get_xydata() for line in axes.get_lines() if line.get_linestyle() not in ("--", "None")]
        steps = [patch.get_data() for patch in axes.patches if isinstance(patch, StepPatch)]
        curves += [np.column_stack([0.5 * (s.edges[1:] + s.edges[:-1]), s.values]) for s in steps]
        for legend in legends_of(figure):
            left, low, right, high = box_of(legend)
            for curve in curves:
                x, y = axes.transData.transform(np.asarray(curve, float)).T
                assert not ((x > left) & (x < right) & (y > low) & (y < high)).any()


@pytest.mark.parametrize(
    "name", ["response", "comparison", "weights", "shapes", "multivariate", "yardsticks", "residuals"]
)
def test_samples_stay_apart(name, drawings):
    figure = drawings[name].figure
    written = [text.get_text() for legend in legends_of(figure) for text in legend.get_texts()]
    written += [text.get_text() for text in texts_of(figure)]
    ours = {text.split("\n")[0].split(" ")[0] for text in written if "…" in text and not text.startswith("a_very")}
    assert len(ours) == len(SAMPLES)


def test_panels_keep_their_size_beside_long_names(drawings):
    short = plots.plot_weights(summarize_weights(table_of(MANY[:5])))
    short.figure.canvas.draw()
    assert drawings["weights"].axes[0].bbox.width > 0.9 * short.axes[0].bbox.width


def test_the_significance_says_what_is_in_it(drawings):
    (text, *_) = drawings["significance"].artists["significance"]
    assert "MC\nstatistical error of the background" in text.get_label()


@pytest.mark.parametrize("longest", [24, 34])
def test_names_are_cut_in_the_middle(longest):
    short = short_names(SAMPLES, longest)
    assert list(short) == list(SAMPLES)
    assert len(set(short.values())) == len(SAMPLES)
    for name, cut in short.items():
        assert len(cut) <= longest
        assert name.startswith(cut.split("…")[0])
        assert name.endswith(cut.split("…")[-1])
    assert short_names(["ttbar", "ttbar", "wjets"], longest) == {"ttbar": "ttbar", "wjets": "wjets"}


def test_names_that_differ_in_the_middle_keep_what_differs():
    short = short_names([f"{'a' * 30}_{word}_{'b' * 30}" for word in ("up", "down")], 24)
    assert [*short.values()] == ["aaaaaaa…up_bbbb…bbbbbbb", "aaaaaaa…down_bb…bbbbbbb"]


def test_names_that_differ_in_several_places_are_numbered():
    middles = ("x" * 40, "y" * 40, "x" * 20 + "z" + "x" * 19)
    names = [f"{'a' * 30}{middle}{'b' * 30}" for middle in middles]
    short = short_names(names, 24)
    assert len(set(short.values())) == 3
    assert all(len(cut) <= 24 for cut in short.values())
    assert short_name(names[0], 24) == "aaaaaaaaaaa…bbbbbbbbbbb"
