"""What the columns of a tree are called, and where each is: branches, members of split objects, leaves, collections."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from hepneg.errors import DataError
from hepneg.ntuples.files import is_rntuple
from hepneg.ntuples.parquet import ParquetTree
from hepneg.ntuples.rntuple_fields import plain_types

__all__ = ["Catalogue", "Column", "as_name"]

_IDENTIFIER = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*")
_SIZES = re.compile(r"\[[^\]]*\]")


def as_name(branch: str) -> str:
    """Write the name of a branch as expressions take it: plain, or as ``branch("…")``."""
    return branch if _IDENTIFIER.fullmatch(branch) and not branch.startswith("__") else f'branch("{branch}")'


@dataclass(frozen=True, slots=True)
class Column:
    """Where a column is.

    Attributes:
        key: what is read: the full path of a branch, or the name of a field.
        fields: what is taken out of it: a leaf, or the field of a collection, from the outside inwards.
        alone: it must be read by itself, since uproot would take another branch of the same name for it.
    """

    key: str
    fields: tuple[str, ...] = ()
    alone: bool = False


class Catalogue:
    """The columns of one tree.

    Args:
        tree: TTree, RNTuple or Parquet file.
    """

    def __init__(self, tree: Any) -> None:
        self.tree = tree
        self.by_field = is_rntuple(tree) or isinstance(tree, ParquetTree)

    @cached_property
    def branches(self) -> dict[str, Any]:
        """The branches of a TTree by their full paths."""
        return dict(self.tree.iteritems(recursive=True, full_paths=True))

    @cached_property
    def names(self) -> list[str]:
        """All columns by the names that are short and not ambiguous."""
        if self.by_field:
            return list(dict.fromkeys(self.tree.keys()))
        short = [
            branch.name if len(self._same_name[branch.name]) == 1 else _dotted(path) for path, branch in self._items
        ]
        leaves = [
            f"{name}.{leaf}" for name, (_, branch) in zip(short, self._items, strict=True) for leaf in _leaves(branch)
        ]
        return list(dict.fromkeys([*short, *leaves]))

    def find(self, name: str, path: str) -> Column | None:
        """Return where a column is, None if it is not there.

        Args:
            name: short or with its full path, with slashes or dots.
            path: of the file, for messages.

        Raises:
            DataError: several branches have that name.
        """
        if self.by_field:
            if name in self._top:  # also with dots in its own name
                return Column(name, (name,))
            return Column(name, tuple(name.split("."))) if name in self._fields else None
        keys = [name] if name in self.branches else self._aliases.get(name, [])
        if len(keys) > 1:
            offers = " or ".join(dict.fromkeys(as_name(_dotted(key)) for key in keys))
            raise DataError(f"{path}: the branch {name!r} is ambiguous; write {offers}")
        if keys:
            return Column(keys[0], (), self._is_shadowed(keys[0]))
        return self._leaf(name)

    def types(self, columns: Sequence[Column]) -> list[str]:
        """Return the types in awkward's words; reads no data."""
        if not self.by_field:
            return [_branch_type(self.branches[column.key], column.fields) for column in columns]
        plain = self._plain_types
        wanted = {column.key for column in columns if ".".join(column.fields) not in plain}
        form = self.tree.to_akform(filter_name=wanted.__contains__) if wanted else None
        record = form[0] if isinstance(form, tuple) else form
        return [plain.get(".".join(column.fields)) or _projected(record, column.fields) for column in columns]

    @cached_property
    def _plain_types(self) -> dict[str, str]:
        return plain_types(self.tree) if is_rntuple(self.tree) else {}

    @cached_property
    def _fields(self) -> frozenset[str]:
        return frozenset(self.tree.keys())

    @cached_property
    def _top(self) -> frozenset[str]:
        """Names of the fields of an RNTuple, which may have dots of their own."""
        return frozenset(self.tree.keys(recursive=False)) if is_rntuple(self.tree) else frozenset()

    @cached_property
    def _items(self) -> list[tuple[str, Any]]:
        return list(self.branches.items())

    @cached_property
    def _same_name(self) -> dict[str, list[str]]:
        paths = defaultdict(list)
        for path, branch in self._items:
            paths[branch.name].append(path)
        return paths

    @cached_property
    def _aliases(self) -> dict[str, list[str]]:
        """Other names of branches: without the objects that they are in, with dots, without sizes of arrays."""
        aliases: dict[str, list[str]] = defaultdict(list)
        for path, branch in self._items:
            names = (branch.name, _dotted(path), _dotted(path).replace(".", "/"), path.replace("/", "."), path)
            for name in dict.fromkeys([*names, *(_SIZES.sub("", name) for name in names)]):
                aliases[name].append(path)
        return aliases

    def _is_shadowed(self, key: str) -> bool:
        return len(self._same_name[self.branches[key].name]) > 1

    def _leaf(self, name: str) -> Column | None:
        """Find a leaf of a branch with several, ``lep.pt`` or ``lep/pt``."""
        for position in (i for i, letter in enumerate(name) if letter in "./"):
            keys = self._aliases.get(name[:position], [])
            if len(keys) == 1 and name[position + 1 :] in _leaves(self.branches[keys[0]]):
                return Column(keys[0], (name[position + 1 :],), self._is_shadowed(keys[0]))
        return None


def _dotted(path: str) -> str:
    """Return a full path with dots and without repetitions: ``el./el.pt`` is ``el.pt``."""
    parts = path.split("/")
    kept = [
        part
        for part, inner in zip(parts, [*parts[1:], ""], strict=True)
        if not (part[-1:] == "." and inner.startswith(part))
    ]
    return ".".join(part.removesuffix(".") for part in kept)


def _leaves(branch: Any) -> dict[str, Any]:
    """Return the leaves of a branch with several, by name, without the bookkeeping that uproot reads and drops."""
    import uproot

    try:
        kind = getattr(branch.interpretation, "to_dtype", None)
    except uproot.interpretation.identify.UnknownInterpretation:
        return {}
    leaves = (kind.fields or {}) if kind is not None else {}
    return {name: leaf for name, leaf in leaves.items() if not name.startswith("@")}


def _branch_type(branch: Any, fields: Sequence[str]) -> str:
    import uproot

    leaves = _leaves(branch)
    if leaves:
        return _dtype_text(leaves[fields[0]][0]) if fields else f"{{{', '.join(leaves)}}}"
    try:
        return str(branch.interpretation.awkward_form(branch.file).type)
    except (uproot.interpretation.objects.CannotBeAwkward, uproot.interpretation.identify.UnknownInterpretation):
        return str(branch.typename)


def _dtype_text(kind: np.dtype[Any]) -> str:
    sizes = "".join(f"{size} * " for size in kind.shape)
    return sizes + kind.base.newbyteorder("=").name


def _projected(form: Any, fields: Sequence[str]) -> str:
    """Return the type of a field inside records and lists of them."""
    if form.is_option:
        return _projected(form.content, fields)
    if not fields:
        return str(form.type).replace("?", "")
    if form.is_record:
        return _projected(form.content(fields[0]), fields[1:])
    if form.is_list:
        return "var * " + _projected(form.content, fields)
    return str(form.type)
