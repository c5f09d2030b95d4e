"""What tables and figures call a scheme."""

from __future__ import annotations

__all__ = ["scheme_title"]


def scheme_title(scheme: str, chosen: str) -> str:
    """Return ``refined``, or ``auto: combined`` where the scheme has chosen another one."""
    return scheme if chosen == scheme else f"{scheme}: {chosen}"
