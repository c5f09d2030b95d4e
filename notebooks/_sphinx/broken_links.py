"""Each link of the finished site that leads into the site must lead to a page, and to an element where it names one."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from sphinx.util import logging

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sphinx.application import Sphinx


class Page(HTMLParser):
    """The links, pictures and element names of a page."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: set[str] = set()
        self.names: set[str] = set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, _tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep what a tag leads to, and its name."""
        for key, value in attrs:
            if key in {"href", "src"} and value:
                self.links.add(value)
            elif key == "id" and value:
                self.names.add(value)


def broken(site: Path) -> Iterator[tuple[str, str]]:
    """Give the page and the target of each link within a site that leads nowhere."""
    pages = {path.resolve(): Page(path) for path in sorted(site.rglob("*.html"))}
    for path, page in pages.items():
        for link in sorted(page.links):
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if not target.exists():
                yield str(path.relative_to(site.resolve())), link
            elif parts.fragment and target in pages and unquote(parts.fragment) not in pages[target].names:
                yield str(path.relative_to(site.resolve())), link


def warn_of_broken_links(app: Sphinx, failure: Exception | None) -> None:
    """Warn of each broken link, which ends a build with ``-W``."""
    if failure is None and app.builder.format == "html":
        for page, link in broken(Path(app.outdir)):
            logging.getLogger(__name__).warning("broken link: %s", link, location=page)


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect to Sphinx."""
    app.connect("build-finished", warn_of_broken_links)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
