"""Which friend file each input gets, refused before any work where two would collide."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Literal

from hepneg.errors import DataError, OutputError
from hepneg.ntuples.files import begins_as_root, is_glob, is_remote, matching_files
from hepneg.ntuples.friend_files import TreeFormat, find_note, read_note
from hepneg.ntuples.identity import FileIdentity, base_name

__all__ = [
    "Engine",
    "HeldOut",
    "Job",
    "Settings",
    "note_of",
    "plan_jobs",
    "require_ours",
    "require_same_tree",
    "settings_note",
    "settings_of",
]

HeldOut = Literal["auto", "always", "never"]
Engine = Literal["torch", "onnxruntime"]
SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True)
class Job:
    """One input and the friend file that it gets."""

    source: str
    path: Path


@dataclass(frozen=True, slots=True)
class Settings:
    """What all jobs of a call share.

    Attributes:
        model: folder of the model.
        model_sha256: of its ``model.json``, which holds the checksum of the weights.
        tree: name of the tree in the inputs.
        held_out: which network an event gets.
        format: of the friend trees; None for that of the input.
        engine: what runs the mean of the networks.
        selection: condition on the events in the place of the model's; empty for none, None for the model's.
    """

    model: Path
    model_sha256: str
    tree: str
    held_out: HeldOut
    format: TreeFormat | None
    engine: Engine
    selection: str | None = None


def settings_of(
    model: Path, tree: str, held_out: HeldOut, form: TreeFormat | None, engine: Engine, selection: str | None = None
) -> Settings:
    """Collect the settings, with the checksum of the model."""
    checksum = hashlib.sha256((model / "model.json").read_bytes()).hexdigest()
    return Settings(model, checksum, tree, held_out, form, engine, selection)


def note_of(settings: Settings, identity: FileIdentity) -> dict[str, Any]:
    """Return what a friend file remembers of its making; a file with the same note need not be made again.

    The path of the model is not part of it, so a copied model continues what the original began.
    """
    return {"schema_version": SCHEMA_VERSION, "settings": settings_note(settings), "source": identity.to_dict()}


def settings_note(settings: Settings) -> dict[str, Any]:
    """Return the settings as they stand in the note."""
    made = asdict(settings)
    del made["model"]
    if made["selection"] is None:
        del made["selection"]  # as friend files of earlier versions have it
    return made


def require_same_tree(jobs: Sequence[Job], tree: str) -> None:
    """Refuse to replace friend files of another tree of the same inputs.

    Raises:
        OutputError: with the file and the trees.
    """
    for job in (job for job in jobs if job.path.exists()):
        other = ((read_note(job.path) or {}).get("settings") or {}).get("tree", tree)
        if other != tree:
            raise OutputError(
                f"{job.path} is the friend of the tree {other!r}; choose another output folder (-o) for {tree!r}, "
                "or remove it"
            )


def plan_jobs(files: Sequence[str | Path], output: Path) -> tuple[Job, ...]:
    """Name the friend file ``<input stem>.hepneg.root`` of each input.

    Args:
        files: paths, globs or addresses, as in ``files:`` of a configuration.
        output: folder of the friend files.

    Raises:
        DataError: no input, or one that is not there, is no file, or is given twice.
        OutputError: two inputs would have the same friend file, or a friend file would replace an input or a file of
            another origin.
    """
    if not files:
        raise DataError("no input files; give the paths of ROOT files")
    sources = [source for file in files for source in _inputs(str(file))]
    jobs = tuple(Job(source, output / f"{PurePosixPath(base_name(source)).stem}.hepneg.root") for source in sources)
    taken: dict[Path, str] = {}
    for job in jobs:
        if job.path in taken:
            _refuse_collision(taken[job.path], job)
        taken[job.path] = job.source
    for source in (source for source in taken.values() if not is_remote(source)):
        if Path(source).resolve() in {path.resolve() for path in taken}:
            raise OutputError(f"the friend file {source} is itself among the inputs; leave it out or choose another -o")
    for job in jobs:
        require_ours(job.path, find_note)
    return jobs


def _inputs(pattern: str) -> list[str]:
    """Return the files of a path or glob, or the address as it is.

    Raises:
        DataError: nothing is there, or what is there is no file.
    """
    found = matching_files(pattern, Path())
    if not found:
        raise DataError(f"{pattern!r} matches no file" if is_glob(pattern) else f"no such file: {pattern}")
    for source in (source for source in found if not is_remote(source)):
        if Path(source).is_dir():
            raise DataError(f"{source} is a folder; give the ROOT files in it, for instance '{source}/*.root'")
        if not Path(source).is_file():
            raise DataError(f"{source} is not a regular file; give the path of a ROOT file")
    return found


def _refuse_collision(first: str, second: Job) -> None:
    """Say why two inputs would have the same friend file: they are one file, or have the same name."""
    same = first == second.source or (
        not is_remote(first) and not is_remote(second.source) and Path(first).samefile(second.source)
    )
    if same:
        also = "" if first == second.source else f", also as {first}"
        raise DataError(f"{second.source} is given twice{also}; give each file once")
    raise OutputError(
        f"{first} and {second.source} would both have the friend file {second.path}: their names are the same; give "
        "them in separate calls with different output folders"
    )


def require_ours(path: Path, find: Callable[[Path], object]) -> None:
    """Refuse to replace what an earlier call has not written.

    Args:
        path: of a friend file, or of a copy of an input.
        find: returns the note of such a file, None where it has none, and raises a DataError where it cannot be read.

    Raises:
        OutputError: the path exists and is something else, or cannot be read.
    """
    if not path.exists():
        return
    try:
        ours = find(path) is not None
    except DataError:
        if begins_as_root(path):
            raise OutputError(
                f"{path} exists, but is damaged or cannot be read; remove it, if it is of an earlier run, to have it "
                "written again, or choose another output folder"
            ) from None
        ours = False
    if not ours:
        raise OutputError(f"{path} exists and was not written by hepneg; remove it or choose another output folder")
