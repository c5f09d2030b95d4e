"""Colour, line and name of each sample: the signal keeps a colour of its own, and no two samples look alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hepneg.config import FigureLook
from hepneg.plots.short_names import short_names

__all__ = ["OTHER_COLOUR", "SampleLook", "sample_looks"]

# Petroff's palette of ten colours (arXiv:2107.02270), told apart by all; its orange is left to negative bins.
_SIGNALS = ("#bd1f01", "#832db6", "#717581")
_BACKGROUNDS = ("#3f90da", "#ffa90e", "#94a4a2", "#a96b59", "#92dadd", "#b9ac70", "#5a7d2b", "#1f4e79")
_LINES = ("-", "--", ":", "-.")
OTHER_COLOUR = "#d5dadd"
"""Of backgrounds drawn as one."""


@dataclass(frozen=True, slots=True)
class SampleLook:
    """How one sample is drawn.

    Attributes:
        name: as the legend has it.
        colour: of areas and lines.
        line: style of lines: the colours of many samples repeat, with another line.
    """

    name: str
    colour: str
    line: str

    @property
    def style(self) -> dict[str, Any]:
        """What a line takes."""
        return {"colour": self.colour, "linestyle": self.line}


def sample_looks(labels: Mapping[str, str], look: FigureLook | None = None) -> dict[str, SampleLook]:
    """Choose how samples are drawn.

    Args:
        labels: of each sample, in the order of the configuration: the signal has colours of its own, unless all are of
            one label, as in a regression.
        look: names and colours that the configuration chooses.
    """
    chosen = look or FigureLook()
    several = len(set(labels.values())) > 1
    written = short_names(labels)
    looks, seen = {}, {"signal": 0, "background": 0}
    for name, label in labels.items():
        kind = "signal" if label == "signal" and several else "background"
        palette = _SIGNALS if kind == "signal" else _BACKGROUNDS
        number, seen[kind] = seen[kind], seen[kind] + 1
        colour = chosen.colours.get(name, palette[number % len(palette)])
        line = _LINES[number // len(palette) % len(_LINES)]
        looks[name] = SampleLook(chosen.names.get(name, written[name]), colour, line)
    return looks
