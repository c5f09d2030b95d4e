"""What knows signal and background alone, of an analysis whose labels are others."""

from __future__ import annotations

from hepneg._core.class_names import TWO_CLASSES, require_two_classes
from hepneg.config.analysis import Config

__all__ = ["has_several_classes", "require_signal_and_background"]


def has_several_classes(config: Config) -> bool:
    """Tell whether an analysis is a classification into other classes than signal and background."""
    return config.task == "classification" and config.classes != TWO_CLASSES


def require_signal_and_background(config: Config, what: str) -> None:
    """Refuse an analysis of other classes, for a command that knows no others; a regression passes.

    Raises:
        DataError: it is one.
    """
    if config.task == "classification":
        require_two_classes(config.classes, what)
