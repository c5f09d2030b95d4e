"""The group of commands, and what happens when one of them fails."""

from __future__ import annotations

import contextlib
import errno
import importlib
import os
import sys
import warnings
from typing import Any, TextIO

import click

from hepneg._core.plain_text import visible
from hepneg.errors import HepnegError, HepnegWarning

__all__ = ["COMMANDS", "COMPLETION_VARIABLE", "cli", "main"]

COMMANDS = (
    "init",
    "inspect",
    "check",
    "closure",
    "train",
    "plot",
    "evaluate",
    "compare",
    "report",
    "run",
    "apply",
    "refine",
    "templates",
    "export",
    "schema",
    "completion",
)


COMPLETION_VARIABLE = "_HEPNEG_COMPLETE"
"""Environment variable through which a shell asks for completions."""


class _LazyGroup(click.Group):
    """Finds a command in the module of its name when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Return all commands, in the order of use."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import a command."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"hepneg.cli.{cmd_name}").command
        return command


def _cite(ctx: click.Context, param: click.Parameter, value: bool) -> None:  # noqa: ARG001
    """Print the BibTeX entry and leave."""
    if value and not ctx.resilient_parsing:
        from hepneg._core.citation import bibtex

        click.echo(bibtex(), nl=False)
        ctx.exit()


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="hepneg")
@click.option("--cite", is_flag=True, is_eager=True, expose_value=False, callback=_cite, help="Print BibTeX and exit.")
def cli() -> None:
    """Classifiers, shape checks and response plots for events with negative weights.

    \b
    hepneg init ntuples/*.root > analysis.yaml    a starter configuration
    hepneg run analysis.yaml                      inspect, check, train, plot and report
    """


class _Warnings:
    """Prints our own warnings as one line, others with their place, and each only once in a job."""

    def __init__(self) -> None:
        self.shown: set[str] = set()

    def show(
        self,
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,  # noqa: ARG002
        line: str | None = None,  # noqa: ARG002
    ) -> None:
        """Stand in for ``warnings.showwarning``."""
        text = str(message) if issubclass(category, HepnegWarning) else f"{filename}:{lineno}: {message}"
        if text not in self.shown:
            self.shown.add(text)
            click.echo(f"{click.style('warning:', fg='yellow')} {visible(text)}", err=True)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and leave the process.

    Exit codes: 0 done; 1 the data or the configuration is unusable; 2 usage; 130 interrupted.
    """
    warnings.showwarning = _Warnings().show
    warnings.simplefilter("always", HepnegWarning)
    # At exit XRootD's bindings look at every module, also at the deprecated names of torch.
    warnings.filterwarnings("ignore", category=FutureWarning, module=r"XRootD\.")
    try:
        code: Any = cli.main(args=arguments, complete_var=COMPLETION_VARIABLE, standalone_mode=False)
        sys.stdout.flush()
    except HepnegError as error:
        _leave(" ".join(str(error).split()), 1)
    except click.Abort:
        _leave("interrupted", 130)
    except click.UsageError as error:
        error.show()
        sys.exit(error.exit_code)
    except click.ClickException as error:
        _leave(error.message, error.exit_code)
    except BrokenPipeError:
        _drop_output()
        sys.exit(1)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EIO):
            _drop_output()
            _leave(f"cannot write the output: {error.strerror}", 1)
        if error.filename is None:
            raise
        _leave(f"cannot use {error.filename}: {error.strerror}; check the path and its permissions", 1)
    except MemoryError as error:
        _leave(f"not enough memory{f' ({error})' if str(error) else ''}: read fewer features or files at once", 1)
    sys.exit(code if isinstance(code, int) else 0)


def _drop_output() -> None:
    """Send what is still to be printed nowhere, for the interpreter would try again as it ends."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _leave(message: str, code: int) -> None:
    click.echo(f"{click.style('error:', fg='red')} {visible(message)}", err=True)
    sys.exit(code)
