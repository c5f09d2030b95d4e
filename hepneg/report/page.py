"""The page: sections into one HTML text that needs nothing else."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from hepneg._core.plain_text import visible
from hepneg.errors import DataError
from hepneg.report.blocks import Section
from hepneg.report.comparison_section import comparison_section
from hepneg.report.response_section import response_section
from hepneg.report.results import FILES, Results
from hepneg.report.settings_section import settings_section
from hepneg.report.shapes_section import shapes_section
from hepneg.report.summary_section import summary_section
from hepneg.report.templates_section import templates_section
from hepneg.report.training_section import training_section
from hepneg.report.weights_section import weights_section

__all__ = ["ReportPage", "build_page"]

_SECTIONS: tuple[tuple[Callable[[Results], Section], tuple[str, ...]], ...] = (
    (response_section, ("evaluation", "stacks")),
    (weights_section, ("weights",)),
    (shapes_section, ("shapes", "closure")),
    (training_section, ("evaluation", "model")),
    (comparison_section, ("comparison",)),
    (templates_section, ("templates",)),
    (settings_section, ("model",)),
)
"""Each section, and the results that it is made from."""


@dataclass(frozen=True, slots=True)
class ReportPage:
    """The report on an analysis.

    Attributes:
        html: the page; links to the PDF figures are relative to ``output``.
        missing: commands whose results are not in it.
    """

    html: str = field(repr=False)
    missing: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return what is not in the page, JSON-ready."""
        return {"schema_version": 1, "missing": list(self.missing)}


def build_page(results: Results) -> ReportPage:
    """Make the page. The same results give the same text.

    Args:
        results: of :func:`hepneg.report.load_results`.

    Raises:
        DataError: a file of the results lacks what this version writes into it.
    """
    present = [(make, sources) for make, sources in _SECTIONS if _applies(make, results)]
    sections = [_section(make, results, *sources) for make, sources in present]
    missing = tuple(dict.fromkeys(command for section in sections for command in section.missing))
    first = _section(lambda results: summary_section(results, missing), results, *FILES)
    style, script = _asset("report.css"), _asset("report.js")
    html = (
        _environment()
        .get_template("report.html.jinja")
        .render(
            name=results.config.name,
            sections=(first, *sections),
            style=style,
            script=script,
            policy=_policy(style, script),
        )
    )
    return ReportPage(html, missing)


def _applies(make: Callable[[Results], Section], results: Results) -> bool:
    """Tell whether a section is shown: schemes of a classification can be compared, templates are optional."""
    if make is templates_section:
        return results.templates is not None
    return make is not comparison_section or results.config.task == "classification"


def _section(make: Callable[[Results], Section], results: Results, *sources: str) -> Section:
    try:
        return make(results)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        names = " or ".join(FILES[source] for source in sources)
        raise DataError(
            f"{names} in {results.config.output} is not as this version writes it ({error!r}); do `hepneg run` again"
        ) from None


def _shown(value: Any) -> Any:
    """Show control characters, and those that reverse the reading, as escapes; what is HTML already stays."""
    return visible(value) if type(value) is str else value


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("hepneg.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=_shown,
    )


@cache
def _asset(name: str) -> str:
    return files("hepneg.report").joinpath("templates", name).read_text(encoding="utf-8")


def _policy(style: str, script: str) -> str:
    """Return a policy under which a browser loads nothing and runs no other script than ours."""
    return f"default-src 'none'; img-src data:; style-src {_digest(style)}; script-src {_digest(script)}"


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode('utf-8')).digest()).decode('ascii')}'"
