"""Trying again where a connection failed."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TypeVar

from hepneg.errors import TransferError

__all__ = ["PAUSES", "retried"]

PAUSES: tuple[float, ...] = (1.0, 5.0)
"""Seconds before each further try."""

logger = logging.getLogger(__name__)
Result = TypeVar("Result")


def retried(work: Callable[[], Result]) -> Result:
    """Return what some work returns, tried again after each of :data:`PAUSES` where a transfer fails.

    Args:
        work: can be called again after a :class:`TransferError`.

    Raises:
        TransferError: the last try failed too.
    """
    for pause in PAUSES:
        try:
            return work()
        except TransferError as error:
            logger.info("%s; another try in %g s", error, pause)
            time.sleep(pause)
    return work()
