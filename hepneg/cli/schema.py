"""``hepneg schema``: the JSON schema of the configuration."""

from __future__ import annotations

import json

import click

__all__ = ["command"]


@click.command("schema")
def command() -> None:
    """Print the JSON schema of analysis.yaml, for editors that check while one types.

    Example: hepneg schema
    """
    from hepneg.config import config_schema

    click.echo(json.dumps(config_schema(), indent=2))
