"""The table of events that every later step works on."""

from hepneg.events.clusters import cluster_sums, clustering, clusters
from hepneg.events.table import BACKGROUND, LABEL_NAMES, LABELS, SIGNAL, EventTable, check_grades, first_entries

__all__ = [
    "BACKGROUND",
    "LABELS",
    "LABEL_NAMES",
    "SIGNAL",
    "EventTable",
    "check_grades",
    "cluster_sums",
    "clustering",
    "clusters",
    "first_entries",
]
