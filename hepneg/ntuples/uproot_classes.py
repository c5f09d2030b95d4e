"""The classes by which uproot reads ROOT's own objects, kept as they came with it."""

from __future__ import annotations

from typing import Any

__all__ = ["restore_classes"]

_shipped: dict[Any, dict[int, Any]] = {}


def restore_classes() -> None:
    """Put back the classes that uproot came with.

    Where the version of an object is damaged, uproot makes a class from the descriptions in the file and keeps it, for
    all files of the process, in the place of its own for another version: trees that are whole cannot be read any more.
    """
    import uproot

    if not _shipped:
        kinds = (kind for kind in uproot.classes.values() if getattr(kind, "known_versions", None))
        _shipped.update({kind: dict(kind.known_versions) for kind in kinds})
    for kind, versions in _shipped.items():
        kind.known_versions.update(versions)
