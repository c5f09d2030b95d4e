"""Where a training runs: on the cores of this machine, on the workers of a cluster, or one fold in each job."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from hepneg.cli.options import Display, resumable

if TYPE_CHECKING:
    from distributed import Client

    from hepneg.config import Config

__all__ = ["Workers", "train_fold_alone", "workers_options"]


@dataclass(frozen=True)
class Workers:
    """Where the folds are trained.

    Attributes:
        resume: go on from what an interrupted training left.
        scheduler: address of a cluster.
        jobs: processes of this machine; None for threads of this process.
        fold: train this one alone.
        collect: make the model of folds that were trained alone.
    """

    resume: bool = False
    scheduler: str | None = None
    jobs: int | None = None
    fold: int | None = None
    collect: bool = False

    def client(self) -> AbstractContextManager[Client | None]:
        """Return the client of a cluster, if one is wanted."""
        if self.scheduler is None and self.jobs is None:
            return nullcontext()
        from hepneg._core.dask_client import dask_client

        return dask_client(self.scheduler, self.jobs or 1)


_OPTIONS = (
    click.option("--collect", is_flag=True, help="Make the results of folds that were trained with --fold."),
    click.option("--fold", type=int, metavar="N", help="Train fold N alone, from 0; it goes on where it was killed."),
    click.option("--scheduler", metavar="ADDRESS", help="Address of the Dask scheduler: tcp://host:8786"),
    click.option("-j", "--jobs", type=click.IntRange(min=1), help="Processes of this machine; needs hepneg[dask]."),
    click.option(
        "--executor",
        type=click.Choice(["threads", "dask"]),
        help="What trains the folds: threads of this process, or a Dask cluster; left out, what the other options say.",
    ),
    click.option(
        "--resume", is_flag=True, help="Go on from the checkpoint of an interrupted training of the same events."
    ),
)


def workers_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options; the command receives them as ``workers``."""

    @functools.wraps(function)
    def command(*arguments: Any, executor: str | None, **options: Any) -> Any:
        chosen = {name: options.pop(name) for name in ("resume", "scheduler", "jobs", "fold", "collect")}
        return function(*arguments, workers=_workers(executor, Workers(**chosen)), **options)

    for add in _OPTIONS:
        command = add(command)
    return command


def _workers(executor: str | None, workers: Workers) -> Workers:
    """Refuse options that do not go together, and fill in what was left out.

    Raises:
        UsageError: what excludes what.
    """
    given = {
        "--fold": workers.fold is not None,
        "--collect": workers.collect,
        "--scheduler": workers.scheduler is not None,
        "--jobs": workers.jobs is not None,
    }
    named = [name for name, there in given.items() if there]
    if len(named) > 1:
        raise click.UsageError(f"{' and '.join(named)} exclude each other")
    if workers.resume and (workers.fold is not None or workers.collect):
        raise click.UsageError(f"{named[0]} goes on from the checkpoints anyway: leave --resume out")
    if executor == "threads" and named:
        raise click.UsageError(f"{named[0]} needs another executor than threads: leave --executor out")
    if executor == "dask" and not given["--scheduler"] and not given["--jobs"]:
        raise click.UsageError("--executor dask needs --scheduler ADDRESS, or --jobs N for processes of this machine")
    return workers


def train_fold_alone(config: Config, fold: int, display: Display, schemes: Sequence[str] | None = None) -> None:
    """Train one fold of a training, or of a comparison of schemes, and say what is to be done next."""
    from hepneg.cli.show import show_fold
    from hepneg.studies.one_fold import train_one_fold

    with resumable(config, "train" if schemes is None else "compare", "the same command goes on"):
        trained = train_one_fold(config, fold, schemes, progress=display.progress)
    display.finish(trained.to_dict(), show=lambda: show_fold(trained))
