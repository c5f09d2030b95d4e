"""Figures as data URIs, so that the page needs no file beside it."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from hepneg.errors import DataError

__all__ = ["Picture", "read_pictures"]

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_HEADER = len(_SIGNATURE) + 16  # the length and name of the first chunk, then width and height


@dataclass(frozen=True, slots=True)
class Picture:
    """A PNG image.

    Attributes:
        content: the file.
        width: in pixels.
        height: in pixels.
        pdf: relative URL of the same figure as PDF, or an empty string where there is none.
    """

    content: bytes = field(repr=False)
    width: int
    height: int
    pdf: str

    @property
    def uri(self) -> str:
        """The image as a ``data:`` URI."""
        return "data:image/png;base64," + base64.b64encode(self.content).decode("ascii")


def read_pictures(folder: Path) -> dict[str, Picture]:
    """Read all PNG figures of a folder, by their names without suffix; files that are no PNG images are left out.

    Args:
        folder: it lies beside the page, as the links to PDFs are relative to its parent.

    Raises:
        DataError: a file cannot be read.
    """
    pictures = {path.stem: _read(path) for path in sorted(folder.glob("*.png")) if not path.name.startswith(".")}
    return {stem: picture for stem, picture in pictures.items() if picture is not None}


def _read(path: Path) -> Picture | None:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"cannot read the figure {path}: {error.strerror}; `hepneg plot` draws it again") from None
    if len(content) < _HEADER or not content.startswith(_SIGNATURE):
        return None
    width, height = (int.from_bytes(content[start : start + 4], "big") for start in (_HEADER - 8, _HEADER - 4))
    pdf = path.with_suffix(".pdf")
    return Picture(content, width, height, quote(f"{path.parent.name}/{pdf.name}") if pdf.is_file() else "")
