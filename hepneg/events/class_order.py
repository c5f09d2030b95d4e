"""The same events under another order of the classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from hepneg.errors import DataError
from hepneg.events.table import EventTable
from hepneg.events.table_columns import DATA, label_code

__all__ = ["in_class_order"]


def in_class_order(events: EventTable, classes: Sequence[str]) -> EventTable:
    """Return events with the codes of classes in an order that a model has, as samples may have another one.

    Args:
        events: of simulated samples.
        classes: names by code.

    Raises:
        DataError: events of a class that is none of these.
    """
    if events.classes == tuple(classes):
        return events
    code = np.array([label_code(name, classes) for name in events.classes], dtype=np.int8)
    missing = [name for number, name in enumerate(events.classes) if code[number] == DATA]
    if any((events.label == events.classes.index(name)).any() for name in missing):
        raise DataError(f"there are events of {', '.join(missing)}, and the classifier knows {', '.join(classes)}")
    return replace(events, label=code[events.label], classes=tuple(classes))
