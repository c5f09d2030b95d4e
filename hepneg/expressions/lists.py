"""Elements, parts and masks of the lists that branches hold for each event, nested ones too."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from hepneg.expressions.functions import is_jagged

__all__ = ["as_lists", "has_element", "masked", "padded", "pick", "pick_inner", "sliced"]

LONGEST_PADDING = 10_000


def pick(value: Any, index: int, fill: float = 0.0) -> Any:
    """Return one element of each event's list, and ``fill`` where the list is too short.

    Args:
        value: jagged, one list per event.
        index: counted from 0, or from -1 backwards from the end.
        fill: what a short event gets; of lists of lists, an empty list takes its place.

    Returns:
        A flat array, (n,); of lists of lists, one list per event.

    Raises:
        TypeError: there is one number per event.
    """
    if not is_jagged(value):
        raise TypeError("an index [:, i] needs a list for each event, but there is one number per event")
    if value.ndim > 2:
        return _pick_list(value, index)
    offsets, content = as_lists(value)
    place = offsets[:-1] + index if index >= 0 else offsets[1:] + index
    present = (place < offsets[1:]) & (place >= offsets[:-1])
    kept_type = content.dtype if content.dtype.kind == "f" or fill == int(fill) else np.result_type(content, np.float64)
    result = np.full(len(present), fill, dtype=kept_type)
    result[present] = content[place[present]]
    return result


def pick_inner(value: Any, index: int) -> Any:
    """Return one element of each inner list, ``x[:, :, i]``, as a list for each event; 0 where it is too short.

    Raises:
        TypeError: there are no lists of lists.
    """
    import awkward as ak

    if not is_jagged(value) or value.ndim < 3:
        raise TypeError("an index [:, :, i] needs lists of lists for each event")
    return ak.unflatten(pick(ak.flatten(value, axis=1), index), ak.num(value, axis=1))


def has_element(value: Any, index: int) -> NDArray[np.bool_]:
    """Return for which events a list has an element of an index, (n,)."""
    import awkward as ak

    lengths = np.asarray(ak.num(value, axis=1))
    return lengths > index if index >= 0 else lengths >= -index


def padded(value: Any, length: int, fill: float) -> Any:
    """Return the lists, made at least so long with a fill value.

    Raises:
        TypeError: there is one number per event.
    """
    import awkward as ak

    if not is_jagged(value) or value.ndim != 2:
        raise TypeError("pad() lengthens a list of numbers for each event")
    return ak.fill_none(ak.pad_none(value, length, axis=1), fill, axis=1)


def sliced(value: Any, part: slice) -> Any:
    """Return a part of each event's list.

    Raises:
        TypeError: there is one number per event.
    """
    if not is_jagged(value):
        raise TypeError("a slice [:, a:b] needs a list for each event, but there is one number per event")
    return value[:, part]


def masked(value: Any, mask: Any) -> Any:
    """Return the elements of each event's list for which a condition holds.

    Raises:
        TypeError: there is one number per event, or the mask is no condition.
    """
    if not (is_jagged(value) and is_jagged(mask)):
        raise TypeError("a mask in [ ] picks elements of lists by a condition on lists; pick events with `selection:`")
    if "bool" not in str(mask.type):
        raise TypeError("a mask in [ ] must be a condition, such as Jet_eta < 2.5")
    return value[mask]


def _pick_list(value: Any, index: int) -> Any:
    """Return one inner list of each event, an empty one where there are too few."""
    import awkward as ak

    present = has_element(value, index)
    inner = value[present][:, index]
    lengths = np.zeros(len(present), dtype=np.int64)
    lengths[present] = np.asarray(ak.num(inner, axis=1))
    return ak.unflatten(ak.flatten(inner, axis=1), lengths)


def as_lists(value: Any) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return where each event's list begins in the flat content (and where the last ends), and the content."""
    import awkward as ak

    # packed first: an array of selected events has an index around its lists
    layout = ak.to_layout(ak.to_packed(ak.from_regular(value))).to_ListOffsetArray64(True)
    return np.asarray(layout.offsets), ak.to_numpy(ak.Array(layout.content))
