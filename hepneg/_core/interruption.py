"""A request to stop, for work that is too deep to be handed the event that carries it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

__all__ = ["Interrupted", "stop_if_asked", "stoppable"]

_request: ContextVar[threading.Event | None] = ContextVar("request", default=None)


class Interrupted(Exception):  # noqa: N818 - a request, not an error
    """Training was asked to stop; what was done up to the last whole epoch is in the checkpoint."""


@contextmanager
def stoppable(stop: threading.Event) -> Iterator[None]:
    """Let :func:`stop_if_asked` look at an event, within this thread."""
    token = _request.set(stop)
    try:
        yield
    finally:
        _request.reset(token)


def stop_if_asked() -> None:
    """Stop here if that was asked for; outside of :func:`stoppable` nothing happens.

    Raises:
        Interrupted: the event is set.
    """
    stop = _request.get()
    if stop is not None and stop.is_set():
        raise Interrupted
