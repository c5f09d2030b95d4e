"""Responses as branches of the events' own tree, in copies of the inputs or, where that is asked for, in the inputs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from hepneg._core.leftovers import remove_leftovers
from hepneg.errors import DataError, OutputError
from hepneg.friends.outcome import FriendFile
from hepneg.friends.plan import Job, Settings, require_ours, settings_note
from hepneg.ntuples.branches import add_branches, added_note, find_added_note, require_extensible
from hepneg.ntuples.files import is_remote
from hepneg.ntuples.friend_files import read_note

__all__ = ["InPlace", "add_in_place", "finished_before", "target_of"]

InPlace = Literal["copy", "input"]


def target_of(job: Job, in_place: InPlace) -> Path:
    """Return the path of the file that gets the branches: a copy beside the friend file, or the input itself."""
    if in_place == "input":
        return Path(job.source).resolve()
    return job.path.with_name(f"{job.path.name.removesuffix('.hepneg.root')}.root")


def finished_before(
    jobs: Sequence[Job], in_place: InPlace, settings: Settings, names: Sequence[str]
) -> dict[Job, FriendFile]:
    """Return the jobs whose input an earlier call has changed already, and refuse what cannot be done before any work.

    Args:
        jobs: inputs and friend files.
        in_place: ``copy`` or ``input``.
        settings: of the responses.
        names: of the new branches.

    Raises:
        DataError: an input that is remote, an RNTuple, or has such branches from elsewhere.
        OutputError: a copy would replace an input or a file of another origin.
    """
    finished = {}
    inputs = {Path(job.source).resolve() for job in jobs}
    for job in jobs:
        if is_remote(job.source):
            raise DataError(f"{job.source}: branches can be added to local files only; use the friend file")
        note = added_note(Path(job.source)) if in_place == "input" else None
        if note is not None and note["settings"] == settings_note(settings):
            finished[job] = _kept(job, note)
            continue
        require_extensible(job.source, settings.tree, names)
        if in_place == "copy":
            _require_free(target_of(job, in_place), inputs)
    return finished


def _kept(job: Job, note: dict[str, Any]) -> FriendFile:
    friend = FriendFile(source=job.source, path=str(job.path), kept=True, **note["result"])
    there = job.path.exists() and read_note(job.path) == note
    return replace(friend, path=str(target_of(job, "input")), friend=friend if there else None)


def _require_free(target: Path, inputs: set[Path]) -> None:
    if target.resolve() in inputs:
        raise OutputError(f"the copy {target} is itself among the inputs; choose another -o")
    require_ours(target, find_added_note)


def add_in_place(file: FriendFile, target: Path, tree: str, names: Sequence[str]) -> FriendFile:
    """Write the file with the branches, unless it is there already; the friend file stays."""
    friend = Path(file.path)
    remove_leftovers(target)
    kept = target.exists() and added_note(target) == read_note(friend)
    if not kept:
        add_branches(file.source, tree, friend, names, target)
    return replace(file, path=str(target), kept=kept, friend=file)
