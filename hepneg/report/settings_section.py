"""The section on the configuration, and on the versions behind the results."""

from __future__ import annotations

from importlib.metadata import version

import yaml

from hepneg.report.blocks import Block, Code, Facts, Heading, Section
from hepneg.report.results import Results

__all__ = ["settings_section"]


def settings_section(results: Results) -> Section:
    """Show the configuration with all defaults written out, and the versions that trained and that wrote this page."""
    text = yaml.safe_dump(results.config.to_dict(), sort_keys=False, allow_unicode=True, width=100)
    blocks: list[Block] = [Code(text), Heading("Versions"), Facts((("this page", f"hepneg {version('hepneg')}"),))]
    if results.model is not None:
        trained = ", ".join(f"{name} {number}" for name, number in results.model["versions"].items())
        blocks[-1] = Facts((("model", trained), ("this page", f"hepneg {version('hepneg')}")))
    return Section("configuration", "Configuration and versions", tuple(blocks))
