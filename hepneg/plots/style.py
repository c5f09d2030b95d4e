"""The look that all figures share: size, colours and axes.

Figures are made without pyplot, so they need no display and leave no state behind. A plotting function is decorated
with :func:`in_print_style`: it draws with the print style where matplotlib's settings are its defaults, and with an
active style (of mplhep, or of the user) where there is one; sizes follow its fonts. Into axes that it is given it draws
with the settings as they are. Global settings stay as the user has them.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, ParamSpec, TypeAlias, TypeVar

import matplotlib as mpl
import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.gridspec import GridSpecBase
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.text import Text
from numpy.typing import NDArray

from hepneg.plots.known_positions import StackedPanels
from hepneg.plots.short_names import plain, short_name, short_names

Parameters = ParamSpec("Parameters")
Drawing = TypeVar("Drawing")

GivenAxes: TypeAlias = "Axes | Sequence[Axes] | None"
"""What plotting functions take for ``ax=``: one axes or all that they draw into; None for a figure of their own."""

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


_TELLING: tuple[Any, ...] = (
    "font.size", "font.family", "axes.labelsize", "axes.linewidth", "lines.linewidth", "xtick.direction",
)  # fmt: skip
"""Settings by which an active style is known: every style sheet for figures in print sets one of them."""


def active_style() -> bool:
    """Tell whether the user, or the configuration, has chosen a style."""
    return any(mpl.rcParams[key] != mpl.rcParamsDefault[key] for key in _TELLING)


def in_print_style(draw: Callable[Parameters, Drawing]) -> Callable[Parameters, Drawing]:
    """Make a plotting function draw with the print style, unless a style is active or it is given axes."""

    @functools.wraps(draw)
    def styled(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Drawing:
        if kwargs.get("ax") is not None or active_style():
            return draw(*args, **kwargs)
        with mpl.rc_context(PRINT_STYLE):
            return draw(*args, **kwargs)

    return styled


def relative() -> float:
    """Return how large the active fonts are, in units of those of the print style."""
    return points(mpl.rcParams["axes.labelsize"]) / float(PRINT_STYLE["axes.labelsize"])


def points(size: Any) -> float:
    """Return a font size in points; styles give it as a number, or as a word that depends on the active one."""
    return float(FontProperties(size=size).get_size_in_points())


def _style_size() -> tuple[float, float] | None:
    """Return the size of figures of an active style, in units of :func:`relative`; None where it has none."""
    if mpl.rcParams["figure.figsize"] == mpl.rcParamsDefault["figure.figsize"]:
        return None
    width, height = mpl.rcParams["figure.figsize"]
    return width / relative(), height / relative()


class OwnFigure(Figure):
    """A figure of this package, which may grow; those of the user stay as large as they are."""


def empty_figure(size: tuple[float, float], layout: type[ConstrainedLayoutEngine] = ConstrainedLayoutEngine) -> Figure:
    """Make a figure without axes, width × height in inches at the print style's fonts, that lays its axes out."""
    width, height = (relative() * length for length in size)
    figure = OwnFigure(figsize=(width, height), layout=layout(h_pad=0.03, hspace=0.02))
    FigureCanvasAgg(figure)
    return figure


@in_print_style
def new_figure(panels: int = 0, *, size: tuple[float, float] | None = None, ax: GivenAxes = None) -> Layout:
    """Make an empty figure in print size, or take the axes of another.

    Args:
        panels: how many lower panels, 0 to 2, share the horizontal axis of the main axes.
        size: width and height in inches at the print style's fonts; left out, that of the active style, or 6 × 4.5 and
            a little higher with panels.
        ax: axes to draw into, from top to bottom; a single one of a grid makes room for the panels in its own place.

    Returns:
        The figure and its axes.

    Raises:
        ValueError: ``panels`` is not 0, 1 or 2, or there are more or fewer axes than needed.
    """
    if not 0 <= panels <= 2:
        raise ValueError(f"panels must be 0, 1 or 2, not {panels}")
    if ax is not None:
        return _given_layout(ax, panels)
    figure = empty_figure(size or _style_size() or (6.0, 4.5 + 0.6 * panels), StackedPanels)
    grid = figure.add_gridspec(1 + panels, 1, height_ratios=[_MAIN] + [1.0] * panels)
    return _below(figure.add_subplot(grid[0, 0]), grid)


_MAIN = 3.2
"""Height of the main axes in units of that of a panel."""


def _below(main: Axes, grid: GridSpecBase) -> Layout:
    """Add the panels below the main axes, in the other rows of a grid."""
    figure = main.get_figure(root=True)
    assert figure is not None  # noqa: S101 - axes in a grid belong to a figure
    lower = tuple(main.get_figure().add_subplot(grid[row, 0], sharex=main) for row in range(1, grid.nrows))  # type: ignore[union-attr]
    for above in (main, *lower)[:-1]:
        above.tick_params(labelbottom=False)
    figure.align_ylabels([main, *lower])
    return Layout(figure, main, lower)


def _given_layout(ax: Axes | Sequence[Axes], panels: int) -> Layout:
    axes = axes_of(ax)
    place = axes[0].get_subplotspec()
    if len(axes) == 1 and panels and place is not None:
        grid = place.subgridspec(1 + panels, 1, height_ratios=[_MAIN] + [1.0] * panels, hspace=0.08)
        axes[0].set_subplotspec(grid[0, 0])
        return _below(axes[0], grid)
    figure = given_figure(axes, 1 + panels)
    return Layout(figure, axes[0], axes[1:])


def axes_of(ax: Axes | Sequence[Axes]) -> tuple[Axes, ...]:
    """Return one or several axes as a tuple."""
    return (ax,) if isinstance(ax, Axes) else tuple(np.ravel(np.asarray(ax, object)))


def given_figure(axes: Sequence[Axes], count: int) -> Figure:
    """Return the figure of axes that were given.

    Raises:
        ValueError: they are not as many as the drawing needs.
    """
    if len(axes) != count:
        raise ValueError(f"this figure has {count} axes, but ax= holds {len(axes)}")
    figure = axes[0].get_figure(root=True)
    assert figure is not None  # noqa: S101 - axes belong to a figure
    return figure


def axes_grid(
    ax: GivenAxes, columns: int, size: tuple[float, float], **options: Any
) -> tuple[Figure, tuple[Axes, ...]]:
    """Make axes side by side in a new figure, or take those that are given.

    Raises:
        ValueError: they are not as many as ``columns``.
    """
    if ax is not None:
        axes = axes_of(ax)
        return given_figure(axes, columns), axes
    figure = empty_figure(size)
    return figure, tuple(np.atleast_1d(figure.subplots(1, columns, **options)))


_ROW = 0.24
_INCHES_A_LETTER = 0.085
_LEAST_WIDTH = 4.6
_LONGEST_TITLE, _TITLE_IN_FULL_SIZE = 72, 44


def rows_figure(
    names: Sequence[str], columns: int, label: str, ax: GivenAxes = None
) -> tuple[Figure, tuple[Axes, ...]]:
    """Make a figure with one row for each feature and one axes for each sample, which share their scales.

    Args:
        names: of the features, from top to bottom; long ones are cut.
        columns: how many samples.
        label: of the horizontal axis.
        ax: as many axes, to draw into; left out, a figure is made.

    Returns:
        The figure and its axes; there is room for a legend outside at the top. Give :func:`start_at_zero` the axes when
        the data are drawn.
    """
    written = short_names(names)
    short = [written[name] for name in names]
    room = 0.4 + _INCHES_A_LETTER * max((len(name) for name in short), default=0)
    size = (max(_LEAST_WIDTH, room + 2.2 * columns), 1.4 + _ROW * max(4, len(names)))
    figure, axes = axes_grid(ax, columns, size, sharey=True, sharex=True)
    for panel in axes if ax is not None else axes[:1]:
        panel.set_yticks(range(len(names)), short)
        panel.set_ylim(max(4, len(names)) - 0.4, -0.6)
    for panel in axes:
        panel.tick_params(axis="y", which="both", length=0)
        panel.yaxis.minorticks_off()
        panel.grid(axis="y", lw=0.4, color="0.88")
    label_below(figure, axes, label, ax)
    return figure, axes


def label_below(figure: Figure, axes: Sequence[Axes], label: str, ax: GivenAxes) -> None:
    """Write the horizontal label of axes that share it: once below a figure of ours, else at each of them."""
    if ax is None:
        figure.supxlabel(label, fontsize=11 * relative())
        return
    for panel in axes:
        panel.set_xlabel(label)


def start_at_zero(axes: Sequence[Axes]) -> None:
    """Let the horizontal scale that axes share start at 0, with room for a marker there."""
    high = max(float(panel.dataLim.x1) for panel in axes)
    for panel in axes if high > 0 else ():
        panel.set_xlim(-0.03 * high, 1.05 * high)


def title(axes: Axes, name: str) -> Text:
    """Write a sample's name above its axes, on the left, whole but for the very longest: long ones are smaller."""
    text = plain(short_name(name, _LONGEST_TITLE))
    size = points(mpl.rcParams["axes.titlesize"]) * min(1.0, _TITLE_IN_FULL_SIZE / max(1, len(text)))
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
        fontsize=10 * relative(),
        color=NEUTRAL,
    )


def below(axes: Axes, text: Text, others: Sequence[Text]) -> list[Text]:
    """Move a remark in the upper left corner below the texts that stand inside the axes; return these."""
    boxes = {other: other.get_window_extent() for other in others}
    inside = [other for other, box in boxes.items() if axes.bbox.contains(*np.mean([box.p0, box.p1], axis=0))]
    if inside:
        lowest = min(boxes[other].y0 for other in inside)
        text.set_y(float(axes.transAxes.inverted().transform((0.0, lowest))[1]) - 0.03)
    return inside


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
    size = relative()
    style: dict[str, Any] = {"mfc": "white", "mec": colour, "mew": 1.2 * size, "ms": 6 * size, "zorder": 5}
    (marks,) = axes.plot(centres[negative], heights, "v", **style)
    return marks
