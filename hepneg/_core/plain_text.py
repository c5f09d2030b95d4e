"""Text that was not written here: characters that would break a line, a file or the order of reading, shown as
escapes."""

from __future__ import annotations

import re

__all__ = ["unprintable", "visible"]

# Controls but tab and line feed, lone surrogates, and what changes the direction of reading or has no width.
_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]"
)
_UNPRINTABLE = re.compile("[\x00\ud800-\udfff]")


def visible(text: str) -> str:
    r"""Return a text with control characters, lone surrogates and those that reverse the reading as ``\u202e``."""
    return _HIDDEN.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def unprintable(text: str) -> bool:
    """Tell a text with a NUL or a lone surrogate, which no file name and no UTF-8 can hold."""
    return _UNPRINTABLE.search(text) is not None
