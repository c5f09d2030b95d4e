"""The section on the templates for the fit, and what became of their negative bins."""

from __future__ import annotations

from hepneg.report.blocks import Details, Section, Text
from hepneg.report.results import Results
from hepneg.report.template_tables import template_tables

__all__ = ["templates_section"]


def templates_section(results: Results) -> Section:
    """Show yields, the bins with Σw ≤ 0 or few effective events, and the systematics, which fold away."""
    assert results.templates is not None  # noqa: S101 - the page leaves the section out then
    yields, bins, variations = template_tables(results.templates)
    negative = bins if bins.rows else Text("No bin of a template has Σw ≤ 0 or too few effective events.")
    shifts = (Details("Systematic variations", "effect on each template", variations),) if variations.rows else ()
    return Section("fit-templates", "Templates", (yields, negative, *shifts))
