"""The look that all figures share: size, colours, axes, and how a figure reaches the disk.

Figures are made without pyplot, so they need no display and leave no state behind. A plotting function is decorated
with :func:`in_print_style`; matplotlib's global settings stay as the user has them.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, ParamSpec, TypeVar

import matplotlib as mpl
import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.text import Text
from numpy.typing import NDArray

from hepneg._core.output import atomic_path
from hepneg.config import FigureFormat
from hepneg.plots.short_names import plain, short_name, short_names

__all__ = [
    "COLOURS",
    "NEGATIVE",
    "NEUTRAL",
    "POSITIVE",
    "Drawn",
    "Layout",
    "annotate_negative_bins",
    "colour_of",
    "empty_figure",
    "in_print_style",
    "mark_negative_bins",
    "new_figure",
    "note",
    "rows_figure",
    "save",
    "start_at_zero",
    "title",
]

Parameters = ParamSpec("Parameters")
Drawing = TypeVar("Drawing")

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#A39B00")
"""Okabe and Ito's palette (jfly.uni-koeln.de/color), its yellow darkened so that it shows on white."""
POSITIVE = "#0072B2"
"""Events with positive weight."""
NEGATIVE = "#D55E00"
"""Events with negative weight, and bins whose content is negative."""
NEUTRAL = "#4D4D4D"
"""Reference lines and notes."""

PRINT_STYLE: dict[Any, Any] = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 11,
    "axes.labelsize": 12,
    "axes.titlesize": 12,
    "axes.linewidth": 0.9,
    "axes.axisbelow": True,
    "xtick.labelsize": 10.5,
    "ytick.labelsize": 10.5,
    "xtick.direction": "in",
    "ytick.direction": "in",
    "xtick.top": True,
    "ytick.right": True,
    "xtick.minor.visible": True,
    "ytick.minor.visible": True,
    "legend.fontsize": 10,
    "legend.frameon": False,
    "legend.handlelength": 1.6,
    "lines.linewidth": 1.6,
    "lines.markersize": 4.5,
    "errorbar.capsize": 0,
    "savefig.dpi": 150,
    "figure.dpi": 100,
    "pdf.fonttype": 42,
}


class Layout(NamedTuple):
    """A figure, its main axes, and the lower panels that share the main axes' horizontal axis."""

    figure: Figure
    main: Axes
    panels: tuple[Axes, ...]

    @property
    def lowest(self) -> Axes:
        """The axes that carry the horizontal label."""
        return self.panels[-1] if self.panels else self.main


class Drawn(NamedTuple):
    """What a plotting function made: the figure, its axes from top to bottom, and the artists by name."""

    figure: Figure
    axes: tuple[Axes, ...]
    artists: dict[str, Any]


def in_print_style(draw: Callable[Parameters, Drawing]) -> Callable[Parameters, Drawing]:
    """Make a plotting function draw with the print style, whatever matplotlib's global settings are."""

    @functools.wraps(draw)
    def styled(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Drawing:
        with mpl.rc_context(PRINT_STYLE):
            return draw(*args, **kwargs)

    return styled


def empty_figure(size: tuple[float, float]) -> Figure:
    """Make a figure without axes, width × height in inches, that lays its axes out by itself."""
    figure = Figure(figsize=size, layout=ConstrainedLayoutEngine(h_pad=0.03, hspace=0.02))
    FigureCanvasAgg(figure)
    return figure


@in_print_style
def new_figure(panels: int = 0, *, size: tuple[float, float] | None = None) -> Layout:
    """Make an empty figure in print size.

    Args:
        panels: how many lower panels, 0 to 2, share the horizontal axis of the main axes.
        size: width and height in inches; left out, 6 × 4.5 and a little higher with panels.

    Returns:
        The figure and its axes.

    Raises:
        ValueError: ``panels`` is not 0, 1 or 2.
    """
    if not 0 <= panels <= 2:
        raise ValueError(f"panels must be 0, 1 or 2, not {panels}")
    figure = empty_figure(size or (6.0, 4.5 + 0.6 * panels))
    grid = figure.add_gridspec(1 + panels, 1, height_ratios=[3.2] + [1.0] * panels)
    main = figure.add_subplot(grid[0, 0])
    lower = tuple(figure.add_subplot(grid[1 + row, 0], sharex=main) for row in range(panels))
    for above in (main, *lower)[:-1]:
        above.tick_params(labelbottom=False)
    figure.align_ylabels([main, *lower])
    return Layout(figure, main, lower)


_ROW = 0.24
_INCHES_A_LETTER = 0.085
_LEAST_WIDTH = 4.6
_LONGEST_TITLE, _TITLE_IN_FULL_SIZE = 72, 44


def rows_figure(names: Sequence[str], columns: int, label: str) -> tuple[Figure, tuple[Axes, ...]]:
    """Make a figure with one row for each feature and one axes for each sample, which share their scales.

    Args:
        names: of the features, from top to bottom; long ones are cut.
        columns: how many samples.
        label: of the horizontal axis.

    Returns:
        The figure and its axes; there is room for a legend outside at the top. Give :func:`start_at_zero` the axes when
        the data are drawn.
    """
    written = short_names(names)
    short = [written[name] for name in names]
    room = 0.4 + _INCHES_A_LETTER * max((len(name) for name in short), default=0)
    figure = empty_figure((max(_LEAST_WIDTH, room + 2.2 * columns), 1.4 + _ROW * max(4, len(names))))
    axes = tuple(np.atleast_1d(figure.subplots(1, columns, sharey=True, sharex=True)))
    axes[0].set_yticks(range(len(names)), short)
    axes[0].set_ylim(max(4, len(names)) - 0.4, -0.6)
    for panel in axes:
        panel.tick_params(axis="y", which="both", length=0)
        panel.yaxis.minorticks_off()
        panel.grid(axis="y", lw=0.4, color="0.88")
    figure.supxlabel(label, fontsize=11)
    return figure, axes


def start_at_zero(axes: Sequence[Axes]) -> None:
    """Let the horizontal scale that axes share start at 0, with room for a marker there."""
    high = max(float(panel.dataLim.x1) for panel in axes)
    if high > 0:
        axes[0].set_xlim(-0.03 * high, 1.05 * high)


def title(axes: Axes, name: str) -> Text:
    """Write a sample's name above its axes, on the left, whole but for the very longest: long ones are smaller."""
    text = plain(short_name(name, _LONGEST_TITLE))
    size = mpl.rcParams["axes.titlesize"] * min(1.0, _TITLE_IN_FULL_SIZE / max(1, len(text)))
    return axes.set_title(text, loc="left", fontsize=size)


def colour_of(position: int) -> str:
    """Return the colour of the n-th sample or scheme; the palette repeats after eight."""
    return COLOURS[position % len(COLOURS)]


def note(axes: Axes, text: str, *, where: str = "upper left") -> Text:
    """Write a small remark into a corner: ``"upper left"``, ``"lower right"``, …"""
    vertical, horizontal = where.split()
    x, y = {"left": 0.03, "right": 0.97, "center": 0.5}[horizontal], {"upper": 0.96, "lower": 0.04}[vertical]
    return axes.text(
        x,
        y,
        text,
        transform=axes.transAxes,
        ha=horizontal,
        va="top" if vertical == "upper" else "bottom",
        fontsize=10,
        color=NEUTRAL,
    )


def annotate_negative_bins(axes: Axes, count: int, *, where: str = "upper left") -> Text:
    """Say in a corner how many bins have negative content, in the colour that marks them."""
    text = note(axes, f"{count} bin{'' if count == 1 else 's'} with Σw < 0", where=where)
    text.set_color(NEGATIVE if count else NEUTRAL)
    return text


def mark_negative_bins(
    axes: Axes, centres: NDArray[np.float64], values: NDArray[np.float64], *, colour: str, magnitude: bool
) -> Artist | None:
    """Mark bins with negative content by hollow triangles that point down.

    Args:
        axes: where to draw.
        centres: bin centres, (n,).
        values: bin contents, (n,).
        colour: of the sample that they belong to.
        magnitude: put the marks at \\|value\\| (for a logarithmic axis) instead of at the value.

    Returns:
        The marks, or None where no bin is negative.
    """
    negative = values < 0
    if not negative.any():
        return None
    heights = np.abs(values[negative]) if magnitude else values[negative]
    (marks,) = axes.plot(centres[negative], heights, "v", mfc="white", mec=colour, mew=1.2, ms=6, zorder=5)
    return marks


_METADATA: dict[FigureFormat, dict[str, None]] = {"png": {"Software": None}, "pdf": {"CreationDate": None}}
"""Of each format that figures are written in: what would make two writings of the same figure differ."""


def save(figure: Figure, stem: str | Path, formats: Sequence[FigureFormat] = ("png", "pdf")) -> list[Path]:
    """Write a figure, each file whole or not at all, without the time of writing in it.

    Args:
        figure: what to write.
        stem: path without suffix.
        formats: of the files. One of another format from an earlier writing is removed, as it shows something else.

    Returns:
        The paths, in the order of the formats.

    Raises:
        OutputError: the files cannot be written.
    """
    paths = []
    engine = figure.get_layout_engine()
    for kind in formats:
        path = Path(f"{stem}.{kind}")
        with mpl.rc_context(PRINT_STYLE), atomic_path(path) as temporary:
            figure.savefig(temporary, metadata=_METADATA[kind])
        paths.append(path)
        figure.set_layout_engine("none")  # laid out once: the layout takes as long as the drawing
    figure.set_layout_engine(engine)
    for former in set(_METADATA) - set(formats):
        Path(f"{stem}.{former}").unlink(missing_ok=True)
    return paths
