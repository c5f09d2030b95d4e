"""The losses behind :mod:`hepneg.objectives`, one file each."""
