"""The table of events that every later step works on."""

from hepneg.events.clusters import (
    cluster_products,
    cluster_squares,
    cluster_sums,
    clustering,
    clusters,
    excess,
    nested_sums,
)
from hepneg.events.collection import Collection
from hepneg.events.input_layout import CollectionLayout, EventInputs, InputLayout, Rows, selected
from hepneg.events.table import (
    BACKGROUND,
    DATA,
    LABEL_NAMES,
    LABELS,
    SIGNAL,
    EventTable,
    check_grades,
    first_entries,
    grade_of_distance,
    label_code,
)

__all__ = [
    "BACKGROUND",
    "DATA",
    "LABELS",
    "LABEL_NAMES",
    "SIGNAL",
    "Collection",
    "CollectionLayout",
    "EventInputs",
    "EventTable",
    "InputLayout",
    "Rows",
    "check_grades",
    "cluster_products",
    "cluster_squares",
    "cluster_sums",
    "clustering",
    "clusters",
    "excess",
    "first_entries",
    "grade_of_distance",
    "label_code",
    "nested_sums",
    "selected",
]
