"""File names of figures: those that the plots are written under and the report looks for."""

from __future__ import annotations

import zlib

__all__ = ["by_sign_stem", "components_stem", "shape_stem"]


def shape_stem(sample: str, feature: str) -> str:
    """Return the name, without suffix, of the figure of one feature.

    What does not belong into a file name becomes ``_``; a checksum then keeps features apart that would look alike.
    """
    safe = "".join(letter if letter.isalnum() or letter in "_-+." else "_" for letter in feature)
    tail = "" if safe == feature else f"_{zlib.crc32(feature.encode()):08x}"
    return f"shape_{sample}_{safe}{tail}"


def components_stem(sample: str) -> str:
    """Return the name, without suffix, of the figure with the positive and negative parts of a sample's response."""
    return f"response_{sample}_components"


def by_sign_stem(sample: str) -> str:
    """Return the name, without suffix, of the figure that overlays a sample's response by sign."""
    return f"response_{sample}_by_sign"
