"""A Dask cluster to work on: the one behind an address, or processes of this machine."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from hepneg.errors import ConfigError, HepnegWarning

if TYPE_CHECKING:
    from distributed import Client

__all__ = ["dask_client"]

_ANSWER_SECONDS = 10
"""A scheduler that is there answers within so many."""


@contextmanager
def dask_client(scheduler: str | None, processes: int) -> Iterator[Client]:
    """Give a client of a cluster.

    Args:
        scheduler: its address, ``tcp://host:8786``; None to start a cluster on this machine, which ends with the block.
        processes: of that cluster, with one thread each.

    Raises:
        ConfigError: Dask is not installed, or no scheduler answers.

    Warns:
        HepnegWarning: the scheduler has no workers yet.
    """
    try:
        import dask
        import distributed
    except ImportError:
        raise ConfigError("this needs Dask: pip install 'hepneg[dask]'") from None
    if scheduler is None:
        local = {"n_workers": processes, "threads_per_worker": 1, "dashboard_address": "127.0.0.1:0", "memory_limit": 0}
        quiet = {"silence_logs": logging.CRITICAL}
        # A process of a busy machine may be silent for long; one that has ended is known by its connection.
        patient = dask.config.set({"distributed.scheduler.worker-ttl": None})
        with patient, distributed.LocalCluster(**local, **quiet) as cluster, cluster.get_client() as client:
            yield client
        return
    try:
        client = distributed.Client(scheduler, timeout=_ANSWER_SECONDS)
    except (OSError, ValueError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ConfigError(f"no Dask scheduler answers at {scheduler} ({reason}): check the address") from None
    with client:
        if not client.scheduler_info()["workers"]:
            message = f"the scheduler at {scheduler} has no workers yet: the training waits for them"
            warnings.warn(message, HepnegWarning, stacklevel=3)
        yield client
