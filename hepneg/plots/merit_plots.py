"""What a response is worth: the signed ROC curve, the calibration and the significance of a cut."""

from __future__ import annotations

from typing import Any

import numpy as np

from hepneg.evaluation.classification import Evaluation
from hepneg.plots.before_calibration import draw_before_calibration
from hepneg.plots.legend import add_legend
from hepneg.plots.signed_axes import label_colour
from hepneg.plots.style import NEUTRAL, Drawn, GivenAxes, colour_of, in_print_style, new_figure, note

__all__ = ["plot_calibration", "plot_roc", "plot_significance"]

# Without it, the significance at large yields is a puzzle: the simulation limits it, not √b.
_SIGNIFICANCE_LABEL = "Asimov significance with the MC\nstatistical error of the background"


@in_print_style
def plot_roc(evaluation: Evaluation, *, envelope: bool = False, ax: GivenAxes = None) -> Drawn:
    """Draw signal against background efficiency with the band of one standard error.

    Args:
        evaluation: of a trained scheme.
        envelope: draw the monotone envelope instead of the curve as it is, which signed weights can make turn back.
    """
    layout = new_figure(ax=ax)
    axes = layout.main
    curve = evaluation.roc.envelope() if envelope else evaluation.roc
    x, y = curve.background_efficiency, curve.signal_efficiency
    label = f"{evaluation.title}, AUC = {evaluation.auc}"
    (line,) = axes.plot(x, y, color=colour_of(0), lw=1.4, label=label)
    order = np.argsort(x, kind="stable")
    low, high = (y - curve.band)[order], (y + curve.band)[order]
    band = axes.fill_between(x[order], low, high, color=colour_of(0), alpha=0.3, lw=0, label="± 1 standard error")
    axes.plot([0, 1], [0, 1], color=NEUTRAL, lw=0.8, ls="--", label="no separation")
    axes.set(xlabel="Background efficiency (signed)", ylabel="Signal efficiency (signed)", xlim=(-0.02, 1.02))
    axes.set_ylim(min(-0.02, float(y.min())), max(1.04, float(y.max()) + 0.02))
    axes.legend(loc="lower right" if evaluation.auc.value > 0.6 else "upper left")
    return Drawn(layout.figure, (axes,), {"curve": [line], "band": [band]})


@in_print_style
def plot_calibration(evaluation: Evaluation, *, ax: GivenAxes = None) -> Drawn:
    """Draw the signed share of signal against the mean response, and their difference below.

    Horizontal bars span the merged bins. Open points are those of the response before it was calibrated.
    """
    layout = new_figure(panels=1, ax=ax)
    axes, panel = layout.main, layout.panels[0]
    part = evaluation.calibration
    widths = [part.expected - part.edges[:-1], part.edges[1:] - part.expected]
    style: dict[str, Any] = {"fmt": "o", "ms": 4, "lw": 1.2, "color": colour_of(0), "zorder": 3}
    points = axes.errorbar(part.expected, part.observed, yerr=part.error, xerr=widths, **style)
    difference = panel.errorbar(
        part.expected, part.observed - part.expected, yerr=part.difference_error, xerr=widths, **style
    )
    (diagonal,) = axes.plot([0, 1], [0, 1], color=NEUTRAL, lw=0.8, ls="--")
    panel.axhline(0.0, color=NEUTRAL, lw=0.8, ls="--")
    artists: dict[str, list[Any]] = {"points": [points, diagonal], "difference": [difference]}
    if evaluation.before_calibration is not None:
        artists["before"] = draw_before_calibration(axes, panel, evaluation.before_calibration)
        axes.legend(loc="lower right")
    text = f"χ² / bins = {part.chi2:.1f} / {part.degrees}\np = {part.p_value:.2g}"
    remark = note(axes, text)
    axes.set(xlim=(0, 1), ylabel="Observed share of signal (signed)")
    panel.set(xlabel="Response", ylabel="observed\n− expected")
    return Drawn(layout.figure, (axes, panel), {**artists, "note": [remark]})


@in_print_style
def plot_significance(evaluation: Evaluation, *, ax: GivenAxes = None) -> Drawn:
    """Draw the expected significance against the cut on the response, and the yields that are left below.

    The statistical error √Σw² of the simulated background enters the significance. It is left out where a yield is not
    positive; a note says how often.
    """
    layout = new_figure(panels=1, ax=ax)
    axes, panel = layout.main, layout.panels[0]
    scan = evaluation.significance
    (line,) = axes.plot(scan.threshold, scan.significance, color=colour_of(2), label=_SIGNIFICANCE_LABEL)
    low, high = scan.significance - scan.error, scan.significance + scan.error
    band = axes.fill_between(
        scan.threshold, low, high, color=colour_of(2), alpha=0.25, lw=0, label="± 1 standard error"
    )
    artists: dict[str, list[Any]] = {"significance": [line, band]}
    if scan.best is not None:
        cut, z = scan.threshold[scan.best], scan.significance[scan.best]
        label = f"largest: {z:.3g} at {cut:.2f}"
        artists["best"] = axes.plot([cut], [z], "o", mfc="white", mec="black", ms=6, ls="none", label=label, zorder=5)
    for name in ("signal", "background"):
        colour = label_colour(evaluation, name)
        yields, error = getattr(scan, name), getattr(scan, f"{name}_error")
        artists[name] = panel.plot(scan.threshold, yields, color=colour, label=name)
        panel.fill_between(scan.threshold, yields - error, yields + error, color=colour, alpha=0.25, lw=0)
    positive = [part[part > 0] for part in (scan.signal, scan.background) if (part > 0).any()]
    panel.set_yscale("log", nonpositive="clip")
    panel.set_ylim(bottom=0.5 * float(min(part.min() for part in positive)) if positive else None)
    panel.set(xlabel="Cut: response above", ylabel="Σw kept")
    add_legend(panel, headroom=0.1, remarks=[], columns=(2,), loc="upper right")
    axes.set(xlim=(0, 1), ylabel="Expected significance [σ]")
    axes.set_ylim(bottom=0.0)
    undefined = int((~scan.defined).sum())
    if undefined:
        artists["note"] = [note(axes, f"undefined at {undefined} of {len(scan.threshold)} cuts (Σw ≤ 0)")]
    add_legend(axes, headroom=0.35, remarks=artists.get("note", []))
    return Drawn(layout.figure, (axes, panel), artists)
