"""One self-contained HTML page about an analysis, from the files that the other steps wrote."""

from __future__ import annotations

from hepneg.report.page import ReportPage, build_page
from hepneg.report.results import Results, load_results

__all__ = ["ReportPage", "Results", "build_page", "load_results"]
