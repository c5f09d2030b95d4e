"""The significance scan."""

from __future__ import annotations

from typing import Any

from hepneg.evaluation.classification import Evaluation
from hepneg.plots.legend import add_legend
from hepneg.plots.signed_axes import label_colour
from hepneg.plots.style import Drawn, colour_of, in_print_style, new_figure, note

__all__ = ["plot_significance"]

# Without it, the significance at large yields is a puzzle: the simulation limits it, not √b.
_LABEL = "Asimov significance with the MC\nstatistical error of the background"


@in_print_style
def plot_significance(evaluation: Evaluation) -> Drawn:
    """Draw the expected significance against the cut on the response, and the yields that are left below.

    The statistical error √Σw² of the simulated background enters the significance. It is left out where a yield is not
    positive; a note says how often.
    """
    layout = new_figure(panels=1)
    axes, panel = layout.main, layout.panels[0]
    scan = evaluation.significance
    (line,) = axes.plot(scan.threshold, scan.significance, color=colour_of(2), label=_LABEL)
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
    panel.set(xlabel=f"Cut: response ({evaluation.title}) above", ylabel="Σw kept")
    panel.legend(loc="lower left", ncols=2)
    axes.set(xlim=(0, 1), ylabel="Expected significance [σ]")
    axes.set_ylim(bottom=0.0)
    undefined = int((~scan.defined).sum())
    if undefined:
        artists["note"] = [note(axes, f"undefined at {undefined} of {len(scan.threshold)} cuts (Σw ≤ 0)")]
    add_legend(axes, headroom=0.35, remarks=artists.get("note", []))
    return Drawn(layout.figure, (axes, panel), artists)
