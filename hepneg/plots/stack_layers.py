"""The layers of a stack from the bottom up: in which order, and what is drawn as one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from hepneg._core.arrays import FloatArray
from hepneg.config import FigureLook
from hepneg.evaluation.stack import Stack
from hepneg.plots.sample_looks import OTHER_COLOUR, sample_looks

__all__ = ["Layer", "background_layers", "signal_layers"]

_MOST = 8
"""Backgrounds with a colour of their own."""


@dataclass(frozen=True, eq=False, slots=True)
class Layer:
    """One area of a stack.

    Attributes:
        name: in the legend.
        colour: of the area.
        line: style of a line in the place of an area.
        values: Σw, (bins,).
        samples: that it is the sum of.
    """

    name: str
    colour: str
    line: str
    values: FloatArray
    samples: tuple[str, ...]


def background_layers(stack: Stack, look: FigureLook) -> list[Layer]:
    """Return all but signals from the bottom up: small ones as one, others by size, named ones as they are named."""
    names = tuple(name for name in stack.samples if stack.labels[name] != "signal")
    size = {name: float(np.sum(stack.samples[name].values())) for name in names}
    named = [name for name in look.order or () if name in names]
    free = sorted((name for name in names if name not in named), key=lambda name: abs(size[name]))
    small = [name for name in free if abs(size[name]) < look.lump * abs(sum(size.values()))]
    small = free[: max(len(small), len(free) + len(named) - _MOST)] if len(free) + len(named) > _MOST else small
    lumped = small if len(small) > 1 else []
    layers = [_layer(stack, look, name) for name in (*(name for name in free if name not in lumped), *named)]
    return [_other(stack, lumped), *layers] if lumped else layers


def signal_layers(stack: Stack, look: FigureLook) -> list[Layer]:
    """Return the signals, each for itself."""
    return [_layer(stack, look, name) for name in stack.of_label("signal")]


def _layer(stack: Stack, look: FigureLook, name: str) -> Layer:
    drawn: Any = sample_looks(stack.labels, look)[name]
    return Layer(drawn.name, drawn.colour, drawn.line, np.asarray(stack.samples[name].values(), np.float64), (name,))


def _other(stack: Stack, names: list[str]) -> Layer:
    values = np.asarray(stack.total(*names).values(), np.float64)
    return Layer(f"Other ({len(names)})", OTHER_COLOUR, "-", values, tuple(names))
