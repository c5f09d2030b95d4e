"""Figures of the response: they show what the result says, and reach the disk unchanged."""

from __future__ import annotations

import subprocess
import sys

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.patches import StepPatch

from hepneg import plots
from hepneg._core.estimate import Estimate
from hepneg.config import FigureLook
from hepneg.errors import DataError
from hepneg.evaluation.classification import Evaluation
from hepneg.evaluation.histograms import normalised, project
from hepneg.events import EventTable
from hepneg.learning.history import EpochRecord, FoldHistory
from hepneg.metrics import ScoredEvents
from hepneg.plots import style
from hepneg.studies.scheme_comparison import Comparison, SchemeResult

HISTORIES = tuple(
    FoldHistory(
        fold, tuple(EpochRecord(e, 0.7 / e, 0.6 / e + 0.01 * fold, 0.01, 1e-3) for e in range(1, 6)), 4, "", 1.0
    )
    for fold in range(3)
)


def toy(n, fraction, seed=3):
    rng = np.random.default_rng(seed)
    label = rng.integers(0, 2, n)
    weight = np.where(rng.random(n) < fraction, -1.0, 1.0) * np.exp(rng.normal(0.0, 0.4, n))
    events = EventTable.from_arrays(rng.normal(label * 1.6, 1.0)[:, None], weight, label)
    logit = 1.6 * (events.features[:, 0].astype(float) - 0.8)
    scored = ScoredEvents.of_table(events, logit)
    return Evaluation.of_scores(
        events, scored, trained=scored.with_score(1.1 * logit), scheme="signed", histories=HISTORIES
    )


@pytest.fixture(scope="module")
def hostile():
    """Few events and many negative weights: some bins are negative, some cuts undefined."""
    return toy(1500, 0.38)


@pytest.fixture(scope="module")
def calm():
    return toy(6000, 0.0)


def comparison_of(evaluation, *names):
    """The same evaluation under several names, all but the first a little worse."""
    gaps = [Estimate(0.001 * position, 0.0005) for position in range(len(names))]
    pairs = zip(names, gaps, strict=True)
    results = {n: SchemeResult(evaluation, gap, gap, 0.0, gap, 0.0, 1.0, "") for n, gap in pairs}
    return Comparison(results, {}, names[0], "a reason")


DRAWINGS = {
    "response": plots.plot_response,
    "response_log": lambda e: plots.plot_response(e, scale="log", normalise=False),
    "components": lambda e: plots.plot_response_components(e, "background"),
    "components_log": lambda e: plots.plot_response_components(e, "background", scale="log"),
    "by_sign": lambda e: plots.plot_response_by_sign(e, "signal"),
    "overtraining": plots.plot_overtraining,
    "roc": plots.plot_roc,
    "envelope": lambda e: plots.plot_roc(e, envelope=True),
    "calibration": plots.plot_calibration,
    "learning": lambda e: plots.plot_learning_curves(e.histories),
    "significance": plots.plot_significance,
    "comparison": lambda e: plots.plot_comparison(comparison_of(e, "signed", "again", "third")),
}


@pytest.mark.parametrize("name", DRAWINGS)
@pytest.mark.parametrize("kind", ["hostile", "calm"])
def test_every_figure_draws_without_touching_global_settings(name, kind, request):
    before = dict(mpl.rcParams)
    drawn = DRAWINGS[name](request.getfixturevalue(kind))
    drawn.figure.canvas.draw()
    assert dict(mpl.rcParams) == before
    assert drawn.artists
    lowest = drawn.axes[-1]
    assert lowest.get_xlabel()
    assert all(axes.get_ylabel() for axes in drawn.axes) or name == "comparison"


@pytest.mark.parametrize("name", [name for name in DRAWINGS if name not in ("comparison", "learning")])
def test_legends_keep_clear_of_the_data(name, hostile):
    drawn = DRAWINGS[name](hostile)
    drawn.figure.canvas.draw()
    axes = drawn.axes[0]
    legend = axes.get_legend()
    if legend is None:
        return
    box = legend.get_window_extent()
    curves = [line.get_data() for line in axes.get_lines() if line.get_linestyle() != "--"]
    steps = [patch.get_data() for patch in axes.patches if isinstance(patch, StepPatch)]
    curves += [(0.5 * (step.edges[1:] + step.edges[:-1]), step.values) for step in steps]
    assert curves
    for curve in curves:
        points = axes.transData.transform(np.column_stack([np.asarray(part, float) for part in curve]))
        inside = points[np.isfinite(points).all(axis=1)]
        hidden = (inside[:, 0] > box.x0) & (inside[:, 0] < box.x1) & (inside[:, 1] > box.y0) & (inside[:, 1] < box.y1)
        assert not hidden.any()


def test_negative_bins_are_marked_where_they_are_and_counted(hostile):
    drawn = plots.plot_response(hostile)
    total = 0
    for row in hostile.samples:
        net = normalised(project(hostile.response, row.sample))
        expected = net.values()[net.values() < 0]
        assert len(expected) == row.negative_bins
        if row.negative_bins:
            np.testing.assert_allclose(drawn.artists[row.sample][-1].get_ydata(), expected)
        total += row.negative_bins
    assert total > 0
    assert f"{total} bin" in drawn.artists["note"][0].get_text()


def test_negative_bins_stand_at_their_magnitude_on_a_logarithmic_axis(hostile):
    drawn = plots.plot_response(hostile, scale="log", normalise=False)
    row = max(hostile.samples, key=lambda row: row.negative_bins)
    values = project(hostile.response, row.sample).values()
    np.testing.assert_allclose(drawn.artists[row.sample][-1].get_ydata(), -values[values < 0])


def test_no_negative_bins_no_marks(calm):
    assert (
        style.mark_negative_bins(
            plots.plot_response(calm).axes[0], np.ones(2), np.ones(2), colour="black", magnitude=False
        )
        is None
    )
    assert plots.plot_response(calm).artists["note"][0].get_text() == "0 bins with Σw < 0"


def test_errors_are_the_root_of_the_sum_of_squared_weights(hostile):
    net = normalised(project(hostile.response, "background"))
    points = plots.plot_response_components(hostile, "background").artists["net"][0].errorbar
    low, high = points.lines[2][0].get_segments(), np.sqrt(project(hostile.response, "background").variances())
    lengths = np.array([segment[1, 1] - segment[0, 1] for segment in low])
    np.testing.assert_allclose(lengths, 2 * high, rtol=1e-9)
    assert len(lengths) == len(net.values())


@pytest.mark.parametrize("draw", [plots.plot_response_components, plots.plot_response_by_sign])
def test_samples_and_response_are_called_what_the_configuration_says(calm, draw):
    drawn = draw(calm, "signal", look=FigureLook(names={"signal": "$t\\bar{t}$"}, title="BDT score"))
    texts = [text.get_text() for text in drawn.axes[0].get_legend().get_texts()]
    assert any(text.startswith("$t\\bar{t}$, ") for text in texts)
    assert drawn.axes[1].get_xlabel() == "BDT score"


def test_figures_show_the_numbers_of_the_result(hostile):
    roc = plots.plot_roc(hostile)
    assert str(hostile.auc) in roc.axes[0].get_legend().get_texts()[0].get_text()
    np.testing.assert_array_equal(roc.artists["curve"][0].get_ydata(), hostile.roc.signal_efficiency)
    note = plots.plot_calibration(hostile).artists["note"][0].get_text()
    assert f"{hostile.calibration.chi2:.1f}" in note
    texts = " ".join(t.get_text() for t in plots.plot_overtraining(hostile).axes[0].get_legend().get_texts())
    assert all(f"p = {part.test.p_value:.2g}" in texts for part in hostile.overtraining.values())


def test_undefined_significance_is_said(hostile):
    undefined = int((~hostile.significance.defined).sum())
    assert undefined > 0
    note = plots.plot_significance(hostile).artists["note"][0].get_text()
    assert f"undefined at {undefined} of {len(hostile.significance.threshold)}" in note


def test_best_epochs_are_marked():
    drawn = plots.plot_learning_curves(HISTORIES)
    for history in HISTORIES:
        assert drawn.artists[f"fold {history.fold}"][2].get_xdata().tolist() == [history.best_epoch]


def test_what_cannot_be_drawn_is_refused(hostile):
    with pytest.raises(DataError, match="did you mean 'signal'"):
        plots.plot_response_components(hostile, "signl")
    with pytest.raises(DataError, match="no epochs"):
        plots.plot_learning_curves([])
    with pytest.raises(ValueError, match="panels must be"):
        plots.new_figure(panels=3)
    with pytest.raises(AttributeError, match="plot_nothing"):
        plots.plot_nothing  # noqa: B018


def test_files_are_the_same_on_every_writing(hostile, tmp_path):
    paths = [plots.save(plots.plot_roc(hostile).figure, tmp_path / name) for name in ("one", "two")]
    assert [path.suffix for path in paths[0]] == [".png", ".pdf"]
    for first, second in zip(*paths, strict=True):
        assert first.read_bytes() == second.read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one.pdf", "one.png", "two.pdf", "two.png"]
    assert plots.save(plots.plot_roc(hostile).figure, tmp_path / "one", ["png"]) == [tmp_path / "one.png"]
    assert not (tmp_path / "one.pdf").exists()  # it would show something else


def test_colours_repeat_after_the_palette():
    assert len(set(style.COLOURS)) == len(style.COLOURS) == 8
    assert style.colour_of(9) == style.colour_of(1)


def test_results_do_not_import_matplotlib():
    code = (
        "import sys, hepneg.metrics, hepneg.evaluation.histograms, hepneg.evaluation.classification, hepneg.plots;"
        "assert not {'matplotlib', 'torch', 'scipy.stats', 'sklearn'} & set(sys.modules), sorted(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
