"""``hepneg completion``: completion of commands, options, files and names of schemes in a shell."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from hepneg.cli.group import COMPLETION_VARIABLE

__all__ = ["command"]


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def command(ctx: click.Context, shell: str) -> None:
    """Print what makes a SHELL complete commands, options, files and schemes.

    bash and zsh read it from ~/.bashrc or ~/.zshrc: eval "$(hepneg completion bash)".
    fish reads it from ~/.config/fish/completions/hepneg.fish.

    Example: hepneg completion bash
    """
    kind = get_completion_class(shell)
    if kind is None:
        raise click.UsageError(f"no completion for {shell}")
    click.echo(kind(ctx.find_root().command, {}, "hepneg", COMPLETION_VARIABLE).source())
