"""How to cite hepneg, from the CITATION.cff that lies in the package, or beside it in a checkout."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hepneg.errors import DataError

__all__ = ["bibtex"]

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


def bibtex() -> str:
    """Return the BibTeX entry of this version.

    Raises:
        DataError: the installation lacks CITATION.cff.
    """
    import yaml

    facts = yaml.safe_load(_citation_file().read_text(encoding="utf-8"))
    lines = "".join(f"  {key} = {value},\n" for key, value in _fields(facts).items())
    return f"@misc{{hepneg,\n{lines}}}\n"


def _citation_file() -> Path:
    package = Path(__file__).parent.parent
    for folder in (package, package.parent):
        if (path := folder / "CITATION.cff").is_file():
            return path
    raise DataError(f"no CITATION.cff in {package}; install hepneg again")


def _fields(facts: Mapping[str, Any]) -> dict[str, str]:
    year, month, _ = str(facts["date-released"]).split("-")
    found = {
        "author": "{" + " and ".join(map(_author, facts["authors"])) + "}",
        "title": "{{" + str(facts["title"]) + "}}",
        "year": year,
        "month": _MONTHS[int(month) - 1],
        "note": f"{{version {facts['version']}, {facts['license']}}}",
    }
    links = {key: f"{{{facts[key]}}}" for key in ("doi", "url") if key in facts}
    return {**found, **links}


def _author(author: Mapping[str, str]) -> str:
    """Return ``Family, Given``; the name of a group is braced, so that it is not taken apart."""
    if "name" in author:
        return "{" + author["name"] + "}"
    return f"{author['family-names']}, {author['given-names']}"
