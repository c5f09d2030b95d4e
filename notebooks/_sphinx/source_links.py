"""Links of the manual to files of the repository outside it lead to the source on its host."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sphinx.application import Sphinx

OUTSIDE = re.compile(r"\]\(\.\./")


def lead_to_the_source(app: Sphinx, _page: str, content: list[str]) -> None:
    """Replace ``](../path)`` in a page or a notebook by the address of that path."""
    content[0] = OUTSIDE.sub(f"]({app.config.source_url}/blob/main/", content[0])


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect to Sphinx."""
    app.add_config_value("source_url", "", "env")
    app.connect("source-read", lead_to_the_source)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
