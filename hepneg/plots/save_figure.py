"""How a figure reaches the disk: each file whole or not at all, and the same bytes for the same figure."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.image import imsave

from hepneg._core.output import atomic_path
from hepneg.config import FigureFormat
from hepneg.plots.known_positions import draw_laid_out
from hepneg.plots.style import PRINT_STYLE, active_style

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
    engine = figure.get_layout_engine()
    with mpl.rc_context({} if active_style() else PRINT_STYLE):
        for kind in sorted(formats, key="png".__ne__):
            with atomic_path(f"{stem}.{kind}") as temporary:
                _write(figure, temporary, kind)
            figure.set_layout_engine("none")  # laid out once: the layout takes as long as the drawing
    figure.set_layout_engine(engine)
    for former in set(_METADATA) - set(formats):
        Path(f"{stem}.{former}").unlink(missing_ok=True)
    return [Path(f"{stem}.{kind}") for kind in formats]


def _write(figure: Figure, path: Path, kind: FigureFormat) -> None:
    """Write one file. ``savefig`` would draw a PNG twice: once for a layout that the drawing makes again."""
    if kind == "pdf":
        figure.savefig(path, metadata=_METADATA[kind])
        return
    dpi = figure.dpi
    wanted = mpl.rcParams["savefig.dpi"]
    figure.set_dpi(dpi if wanted == "figure" else wanted)
    canvas = FigureCanvasAgg(figure)
    draw_laid_out(figure, canvas.draw)
    pixels = np.asarray(canvas.buffer_rgba())  # type: ignore[no-untyped-call]
    imsave(path, pixels, format="png", dpi=figure.dpi, metadata=_METADATA[kind])  # type: ignore[arg-type]
    figure.set_dpi(dpi)
