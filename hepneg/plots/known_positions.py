"""Axes at known positions: stacked panels of a usual figure need no layout, which takes longer than the drawing.

The positions leave room for labels of usual size. A drawing whose labels do not fit is given more room; where that does
not help, matplotlib's constrained layout is asked, as it is for figures with legends outside their axes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from matplotlib.artist import Artist
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.text import Text

__all__ = ["StackedPanels", "draw_laid_out"]

_LEFT, _RIGHT, _BOTTOM = 0.9, 0.14, 0.54
"""Inches beside and below the axes, for labels and tick labels."""
_TOP, _TITLE = 0.14, 0.34
"""Inches above the axes, without and with a title."""
_GAP = 0.13
"""Inches between panels."""
_PAD = 0.03
"""Inches that stay free at the edges."""


class StackedPanels(ConstrainedLayoutEngine):
    """The layout of panels above each other: constrained, but where the figure is only written to a file."""


def draw_laid_out(figure: Figure, draw: Callable[[], object]) -> None:
    """Draw a figure, without the layout engine where its axes can do without.

    The engine of a figure that is drawn without is taken off.

    Args:
        figure: drawn with :mod:`matplotlib.backends.backend_agg`.
        draw: draws it.
    """
    engine = figure.get_layout_engine()
    beside = any(axes.get_subplotspec() is None for axes in figure.axes)  # a colour bar
    if not isinstance(engine, StackedPanels) or figure.legends or beside:
        draw()
        return
    figure.set_layout_engine("none")
    room = (_LEFT, _RIGHT, _BOTTOM, _TITLE if _has_title(figure) else _TOP)
    for _ in range(2):
        _place(figure, *room)
        draw()
        missing = _missing(figure)
        if not any(missing):
            return
        left, right, bottom, top = (inches + more for inches, more in zip(room, missing, strict=True))
        room = (left, right, bottom, top)
    figure.set_layout_engine(engine)
    draw()


def _has_title(figure: Figure) -> bool:
    return any(axes.get_title(loc=where) for axes in figure.axes for where in ("left", "center", "right"))


def _place(figure: Figure, left: float, right: float, bottom: float, top: float) -> None:
    """Put the axes between margins, in inches."""
    grid = figure.axes[0].get_gridspec()
    assert grid is not None  # noqa: S101 - the axes were made with one
    width, height = figure.get_size_inches()
    rows, _ = grid.get_geometry()
    each = (height - bottom - top - (rows - 1) * _GAP) / rows
    grid.update(
        left=left / width, right=1 - right / width, bottom=bottom / height, top=1 - top / height, hspace=_GAP / each
    )
    for axes in figure.axes:  # a grid updates those of pyplot only
        place = axes.get_subplotspec()
        assert place is not None  # noqa: S101 - as above
        axes.set_position(place.get_position(figure))


def _missing(figure: Figure) -> tuple[float, float, float, float]:
    """Return how many inches the drawn labels reach into the edges: left, right, bottom, top."""
    width, height = figure.bbox.width, figure.bbox.height
    boxes = [artist.get_window_extent() for artist in _outermost(figure)]
    pad = _PAD * figure.dpi
    over = (
        max((pad - box.x0 for box in boxes), default=0.0),
        max((box.x1 - width + pad for box in boxes), default=0.0),
        max((pad - box.y0 for box in boxes), default=0.0),
        max((box.y1 - height + pad for box in boxes), default=0.0),
    )
    left, right, bottom, top = (max(0.0, pixels) / figure.dpi for pixels in over)
    return left, right, bottom, top


def _outermost(figure: Figure) -> Iterator[Artist]:
    """Yield what is written around the axes and is seen."""
    for axes in figure.axes:
        texts: list[Text] = [axes.title, axes._left_title, axes._right_title, *axes.texts]  # type: ignore[attr-defined]  # noqa: SLF001
        for axis in (axes.xaxis, axes.yaxis):
            low, high = sorted(axis.get_view_interval())
            ticks = [tick for tick in axis.majorTicks if low <= tick.get_loc() <= high]  # others are not drawn
            labels = [label for tick in ticks for label in (tick.label1, tick.label2)]
            texts += [axis.label, axis.get_offset_text(), *labels]
        yield from (text for text in texts if text.get_visible() and text.get_text().strip())
