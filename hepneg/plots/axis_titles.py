"""Titles of axes as the field writes them, with units."""

from __future__ import annotations

import numpy as np

from hepneg._core.arrays import FloatArray
from hepneg.config import FigureLook
from hepneg.plots.short_names import plain, short_name

__all__ = ["axis_title", "per_bin"]

_LONGEST = 48


def axis_title(title: str, unit: str | None, look: FigureLook, *, plain_text: bool = False) -> str:
    """Return a quantity with its unit, in brackets as the experiment has them.

    Args:
        title: of the quantity; formulae stand between dollars.
        unit: of the quantity; None for none.
        look: CMS writes (GeV), others [GeV].
        plain_text: the title is a name in which a dollar is no formula.
    """
    text = plain(short_name(title, _LONGEST)) if plain_text else title
    left, right = "()" if "CMS" in {look.experiment, look.style} else "[]"
    return f"{text} {left}{unit}{right}" if unit else text


def per_bin(what: str, edges: FloatArray, unit: str | None = None) -> str:
    """Return the vertical title of a histogram: ``Events / 5 GeV``, ``Events / bin`` where bins differ in width, and
    the bare name where whole numbers have a bin each."""
    widths = np.diff(edges)
    if not np.allclose(widths, widths[0]):
        return f"{what} / bin"
    if unit is None and np.isclose(widths[0], 1.0):
        return what
    return f"{what} / {widths[0]:.3g}" + (f" {unit}" if unit else "")
