"""What can go wrong, as exceptions whose message says what, where, and what to do.

Every error that a user can cause is a :class:`HepnegError`; the command line prints its message on one line and
exits with code 1. Anything else that escapes is a bug of hepneg.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

__all__ = [
    "ConfigError",
    "DataError",
    "HepnegError",
    "HepnegWarning",
    "OutputError",
    "TrainingError",
    "TransferError",
    "nearest_names",
]


_LONGEST = 1500


class HepnegError(Exception):
    """Base of all errors that the user can mend; a message that quotes very much loses its middle."""

    def __str__(self) -> str:
        text, half = super().__str__(), _LONGEST // 2
        return text if len(text) <= _LONGEST else f"{text[:half]} … {text[-half:]}"


class ConfigError(HepnegError):
    """The configuration, an option or an expression is unusable."""


class DataError(HepnegError):
    """The events or their files are unusable."""


class TransferError(DataError):
    """A remote file could not be opened or read; trying again may help."""


class TrainingError(HepnegError):
    """The training problem cannot be posed or did not converge to anything usable."""


class OutputError(HepnegError):
    """A result cannot be written."""


class HepnegWarning(UserWarning):
    """Something worth knowing that does not stop the work."""


def nearest_names(name: str, known: Iterable[str], most: int = 3, listed: int | None = 8) -> str:
    """Return a hint that offers the known names nearest to a misspelt one.

    Args:
        name: what was asked for.
        known: what exists.
        most: how many near names to offer.
        listed: how many of the known names to list where none is near; None for all.

    Returns:
        ``"; did you mean 'lep_pt'?"``, or the first known names if none is near, or an empty string if there are none.
    """
    options = list(known)
    folded: dict[str, str] = {}
    for option in options:
        folded.setdefault(option.lower(), option)
    near = [folded[match] for match in difflib.get_close_matches(name.lower(), folded, n=most, cutoff=0.6)]
    if near:
        return "; did you mean " + " or ".join(repr(option) for option in near) + "?"
    if options:
        shown = ", ".join(options[:listed]) + (", …" if listed is not None and len(options) > listed else "")
        return f"; known: {shown}"
    return ""
