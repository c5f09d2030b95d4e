"""Texts and colours of figures, refused at once where a figure could not be drawn with them after the training."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

__all__ = ["Colour", "FigureText"]


def _check_text(text: str) -> str:
    """Refuse a formula that cannot be drawn."""
    if text.count("$") < 2:
        return text
    from matplotlib.mathtext import MathTextParser

    try:
        MathTextParser("path").parse(text)
    except ValueError as error:
        raise ValueError(f"{text!r} is no formula that can be drawn: {' '.join(str(error).split())[:120]}") from None
    return text


def _check_colour(colour: str) -> str:
    from matplotlib.colors import is_color_like

    if not is_color_like(colour):
        raise ValueError(f"{colour!r} is no colour; write a name such as navy, or #rrggbb")
    return colour


FigureText = Annotated[str, Field(min_length=1), AfterValidator(_check_text)]
"""A text in which dollars enclose formulae."""
Colour = Annotated[str, AfterValidator(_check_colour)]
"""What matplotlib takes for a colour."""
