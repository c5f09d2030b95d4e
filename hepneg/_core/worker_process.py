"""What every worker process of ours does first."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from multiprocessing import connection

__all__ = ["cores", "live_with_parent"]


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def live_with_parent() -> None:
    """Leave Ctrl-C to the process that started this one, and end with it: a worker would wait for jobs for ever."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)
