"""The experiment's name, label, luminosity and energy, and its style, through mplhep."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import matplotlib as mpl
import mplhep
from matplotlib.axes import Axes
from matplotlib.text import Text
from matplotlib.transforms import ScaledTranslation

from hepneg._core.formatting import luminosity_and_unit
from hepneg.config import FigureLook
from hepneg.plots.style import PRINT_STYLE, relative

__all__ = ["experiment_label", "figure_style"]

_EXPERIMENTS = {"ATLAS": mplhep.atlas, "CMS": mplhep.cms, "LHCb": mplhep.lhcb, "ALICE": mplhep.alice}
_SIZES = (1.3, 1.0, 0.9, 0.77)
"""Of the four parts of a label, in units of the font size."""


@contextmanager
def figure_style(look: FigureLook) -> Iterator[None]:
    """Draw and save with the experiment's style that the configuration names, or with the print style."""
    style: dict[Any, Any] = PRINT_STYLE if look.style is None else _style(look.style)
    with mpl.rc_context(style):
        yield


def _style(name: str) -> dict[Any, Any]:
    return {**getattr(mplhep.style, name), "pdf.fonttype": 42, "figure.constrained_layout.use": False}


def experiment_label(axes: Axes, look: FigureLook, *, luminosity: float | None, data: bool) -> tuple[Text, ...]:
    """Write the experiment's label as mplhep places it.

    Args:
        axes: whose upper edge or corner it takes.
        look: the experiment, its label and the energy.
        luminosity: in 1/fb; None leaves it out.
        data: whether measured data are shown; without them it says "Simulation".

    Returns:
        The texts, none without an experiment; those inside the axes are what a legend must keep clear of.
    """
    if not look.experiment:
        return ()
    size = PRINT_STYLE["font.size"] * relative()
    amount, unit = ("", "fb") if luminosity is None else luminosity_and_unit(luminosity)
    options: dict[str, Any] = {
        "text": look.label,
        "data": data,
        "lumi": amount or None,
        "com": None if look.energy is None else f"{look.energy:g}",
        "rlabel": None,  # ALICE's would be empty
        "fontsize": tuple(size * part for part in _SIZES),
        "ax": axes,
    }
    if look.energy is None:
        options["rlabel"] = rf"{amount} fb$^{{-1}}$" if amount else ""
    known = _EXPERIMENTS.get(look.experiment)
    with _laid_out(axes):
        written = known.label(**options) if known else mplhep.label.exp_label(exp=look.experiment, **options)
        texts = tuple(part for part in written if part is not None)
        _keep_distances(axes, texts)
    for part in texts if unit != "fb" else ():
        if amount in part.get_text():
            part.set_text(part.get_text().replace("fb", unit))  # mplhep knows no other
    return texts


def _keep_distances(axes: Axes, texts: Sequence[Text]) -> None:
    """Place what stands beside or below the name relative to it, so that another layout leaves the distance."""
    figure = axes.get_figure(root=True)
    if figure is None or not texts:
        return
    first = axes.transAxes.transform(texts[0].get_position())
    for part in texts[1:]:
        if part.get_horizontalalignment() == "left" and part.get_transform() == axes.transAxes:
            right, up = (axes.transAxes.transform(part.get_position()) - first) / figure.dpi
            part.set_position(texts[0].get_position())
            part.set_transform(axes.transAxes + ScaledTranslation(right, up, figure.dpi_scale_trans))


@contextmanager
def _laid_out(axes: Axes) -> Iterator[None]:
    """Lay the figure out once: mplhep draws it more than once to place its texts, each time with a layout."""
    figure = axes.get_figure(root=True)
    engine = None if figure is None else figure.get_layout_engine()
    if figure is None or engine is None:
        yield
        return
    engine.execute(figure)
    figure.set_layout_engine("none")
    yield
    figure.set_layout_engine(engine)
