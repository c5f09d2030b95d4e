"""How long the steps of a job take, for those who listen to the logger ``hepneg``."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["timed"]

logger = logging.getLogger(__name__)


@contextmanager
def timed(what: str) -> Iterator[None]:
    """Log, at level INFO, how many seconds a block or a decorated function took, unless it failed."""
    start = time.perf_counter()
    yield
    logger.info("%s: %.2f s", what, time.perf_counter() - start)
