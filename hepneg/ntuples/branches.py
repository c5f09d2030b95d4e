"""Adding the columns of a friend file to its tree, in a copy that takes the name of the file when it is whole."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from hepneg._core.output import atomic_path
from hepneg.errors import DataError, OutputError
from hepneg.ntuples.columns import branch_names
from hepneg.ntuples.files import is_rntuple, open_file, open_tree, refuse_damage
from hepneg.ntuples.friend_files import FRIEND_TREE, NOTE

__all__ = ["add_branches", "added_note", "find_added_note", "require_extensible"]


def require_extensible(path: str, tree_name: str, names: Sequence[str]) -> None:
    """Refuse a tree to which columns cannot be added.

    Raises:
        DataError: the file is unusable, its tree is an RNTuple, or it has such branches already.
    """
    with open_tree(path, tree_name) as tree:
        if is_rntuple(tree):
            raise DataError(f"{path}: an RNTuple cannot be extended in place; use the friend file")
        taken = set(branch_names(tree)).intersection(names)
        if taken:
            raise DataError(
                f"{path}: tree {tree_name!r} has a branch {min(taken)!r} already, of another model or other settings; "
                "give the original file"
            )


def find_added_note(path: Path) -> dict[str, Any] | None:
    """Return the note that :func:`add_branches` left in a file, or None if there is none.

    Raises:
        DataError: it is no ROOT file, damaged, or cannot be read.
    """
    with open_file(str(path)) as file, refuse_damage(str(path), "the note"):
        keys = set(file.keys(cycle=False))
        note = json.loads(str(file[NOTE])) if NOTE in keys and FRIEND_TREE not in keys else None
    return note if isinstance(note, dict) else None


def added_note(path: Path) -> dict[str, Any] | None:
    """Return the note that :func:`add_branches` left in a file, or None if there is none or it cannot be read."""
    try:
        return find_added_note(path)
    except DataError:
        return None


def add_branches(source: str, tree_name: str, friend: Path, names: Sequence[str], final: Path) -> Path:
    """Write a copy of a file whose tree has some columns of its friend as well; everything else in it stays.

    The work is done on a copy under a temporary name in the folder of ``final``, which is compared with the friend and
    only then renamed. uproot extends trees of one basket a branch, as small flat ntuples are; others take ROOT.

    Args:
        source: path of the input, which may be ``final`` itself.
        tree_name: of its TTree.
        friend: a friend file of it; the note in it goes along.
        names: columns of the friend, float32, held in memory as a whole.
        final: path of the result.

    Raises:
        OutputError: the tree cannot be extended with what is installed, or the file cannot be written.
    """
    with open_file(str(friend)) as file, refuse_damage(str(friend), "its columns"):
        columns = {name: file[FRIEND_TREE][name].array(library="np") for name in names}
        note = str(file[NOTE])
    with atomic_path(final) as temporary:
        shutil.copy(source, temporary)
        if not _add_with_uproot(temporary, tree_name, columns, note):
            _add_with_root(source, temporary, tree_name, friend, names)
        _compare(source, temporary, tree_name, columns)
    return final


def _add_with_uproot(path: Path, tree_name: str, columns: dict[str, Any], note: str) -> bool:
    """Add the columns unless uproot cannot extend such a tree, which it says before it touches the file."""
    import uproot

    with uproot.update(path) as file:
        try:
            file[tree_name].add_branches(columns)
        except NotImplementedError:
            return False
        file[NOTE] = note
    return True


def _add_with_root(source: str, path: Path, tree_name: str, friend: Path, names: Sequence[str]) -> None:
    """Add the columns with ROOT, in a process of its own: it changes signal handlers and prints on its own account."""
    if find_spec("ROOT") is None:
        raise OutputError(
            f"{source}: branches of several baskets can only be extended by ROOT, which is not installed: pip install "
            "root, or use the friend file"
        )
    command = [sys.executable, "-W", "ignore", "-m", "hepneg.ntuples.root_branches", str(path), tree_name, str(friend)]
    done = subprocess.run([*command, *names], capture_output=True, text=True, check=False)  # noqa: S603 - our own module
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["no reason given"]
        raise OutputError(f"{source}: ROOT cannot add branches: {lines[-1][:200]}")


def _compare(source: str, path: Path, tree_name: str, columns: dict[str, Any]) -> None:
    """Refuse a copy in which the new branches are not what they should be."""
    try:
        with open_tree(str(path), tree_name) as tree, refuse_damage(str(path), "the new branches"):
            same = all(
                np.array_equal(tree[name].array(library="np"), column, equal_nan=True)
                for name, column in columns.items()
            )
    except DataError as error:
        raise OutputError(f"{source}: branches cannot be added: {error}") from None
    if not same:
        raise OutputError(f"{source}: the added branches do not read back as written; use the friend file")
