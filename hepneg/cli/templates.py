"""``hepneg templates``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from hepneg.cli.options import Display, with_config

if TYPE_CHECKING:
    from hepneg.config import Config

__all__ = ["command"]


@click.command("templates")
@with_config
def command(config: Config, *, display: Display) -> None:
    """Make templates of the response for a fit: by sample, region and systematic variation.

    Bins are chosen under conditions on every sample, and what is done where Σw ≤ 0 is said bin by bin. Needs the model
    that `hepneg train` wrote, or `response:` or `templates.variable:` in CONFIG. Writes templates/templates.json,
    templates.root, pyhf.json, cabinetry.yaml and datacard.txt (for combine).

    Example: hepneg templates analysis.yaml
    """
    from hepneg import workflow
    from hepneg.cli.show import show_templates

    outcome = workflow.templates(config, progress=display.progress)
    display.finish(outcome.result.to_dict(), outcome.files, lambda: show_templates(outcome.result))
