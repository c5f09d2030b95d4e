"""The table of events that every later step works on."""

from hepneg.events.table import BACKGROUND, DATA, LABELS, SIGNAL, EventTable, check_grades, first_entries, label_code

__all__ = ["BACKGROUND", "DATA", "LABELS", "SIGNAL", "EventTable", "check_grades", "first_entries", "label_code"]
