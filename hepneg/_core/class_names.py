"""Names of the classes that simulated events are of, their labels, and the order that gives them their codes."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence

from hepneg.errors import DataError

__all__ = [
    "DATA_LABEL",
    "MOST_CLASSES",
    "TWO_CLASSES",
    "class_names",
    "class_of_response",
    "require_label",
    "require_two_classes",
    "response_name",
]

TWO_CLASSES = ("background", "signal")
"""The classes between which the response is one number; the code of a class is its position."""

DATA_LABEL = "data"
"""The label of measured data, which are of no class."""

_RESPONSE_OF = "response_"
_LABEL = re.compile(r"[A-Za-z0-9_]{1,64}")
MOST_CLASSES = 100


def class_names(labels: Iterable[str]) -> tuple[str, ...]:
    """Return the classes of some labels, each at the position that is its code.

    Signal and background are the codes 1 and 0, also where only one of them is there; other names stand in the order in
    which they appear.

    Args:
        labels: of samples or of events, without ``data``.

    Raises:
        ValueError: a label that cannot name a class, two that differ in upper and lower case alone, or only one of
            signal and background beside a single other one.
    """
    found = tuple(dict.fromkeys(labels))
    if set(found) <= set(TWO_CLASSES):
        return TWO_CLASSES
    for name in found:
        require_label(name)
    if len({name.casefold() for name in found}) < len(found):
        raise ValueError(f"labels differ in upper and lower case alone: {', '.join(found)}; write each in one way")
    if len(found) == 2 and set(found) & set(TWO_CLASSES):
        raise ValueError(
            f"the labels are {found[0]} and {found[1]}: two classes are signal and background, or have other names both"
        )
    if len(found) > MOST_CLASSES:
        raise ValueError(f"there are {len(found)} labels, and at most {MOST_CLASSES} classes are told apart")
    return found


def response_name(name: str) -> str:
    """Return what conditions, figures and columns call the response of one of several classes."""
    return f"{_RESPONSE_OF}{name}"


def class_of_response(quantity: str) -> str:
    """Return the class whose response a quantity is by :func:`response_name`, empty for any other quantity."""
    return quantity.removeprefix(_RESPONSE_OF) if quantity.startswith(_RESPONSE_OF) else ""


def require_label(name: str) -> None:
    """Refuse what cannot be the label of a class, and what looks like a misspelt signal, background or data.

    Raises:
        ValueError: it is such a name; pydantic adds the key.
    """
    if not _LABEL.fullmatch(name) or name == DATA_LABEL:
        raise ValueError(f"{name!r} is no label of a class: letters, digits and _, at most 64, and not 'data'")
    known = (*TWO_CLASSES, DATA_LABEL)
    plain = name.rstrip("0123456789_").lower()
    near = difflib.get_close_matches(plain, known, n=1, cutoff=0.8)
    if name not in known and near and (plain not in known or plain == name.lower()):
        raise ValueError(f"the label is {name!r}; did you mean {near[0]!r}?")


def require_two_classes(classes: Sequence[str], what: str, remedy: str = "") -> None:
    """Refuse classes other than signal and background, for what knows no others.

    Args:
        classes: names.
        what: knows no others.
        remedy: what else helps than to label the samples signal or background, with a comma behind it.

    Raises:
        DataError: they are others.
    """
    if tuple(classes) != TWO_CLASSES:
        raise DataError(
            f"{what} knows the classes signal and background alone, and the labels are {', '.join(classes)}: "
            f"{remedy}label the samples signal or background for it"
        )
