"""Which branches a configuration needs, and what is in them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from hepneg.config import Config
from hepneg.errors import DataError, nearest_names
from hepneg.expressions import Expression
from hepneg.ntuples.files import is_rntuple, refuse_damage

__all__ = ["BranchType", "Needs", "branch_names", "branch_types"]

_NO_EXPRESSIONS: Mapping[str, Expression] = {}
_FLAT = re.compile(r"bool|u?int\d+|float\d+")
_LISTS = re.compile(rf"(var|\d+) \* ({_FLAT.pattern})")


@dataclass(frozen=True, slots=True)
class BranchType:
    """What a branch holds for each event.

    Attributes:
        text: the type in awkward's words, for messages (``"float32"``, ``"var * float32"``, ``"string"``).
    """

    text: str

    @property
    def is_flat(self) -> bool:
        """One number per event."""
        return bool(_FLAT.fullmatch(self.text))

    @property
    def is_jagged(self) -> bool:
        """One list of numbers per event."""
        return bool(_LISTS.fullmatch(self.text))

    @property
    def is_integer(self) -> bool:
        """One integer per event."""
        return self.is_flat and "int" in self.text


def branch_names(tree: Any) -> list[str]:
    """Return the names of the branches or top-level fields of a tree, in order."""
    names = tree.keys(recursive=False) if is_rntuple(tree) else tree.keys(recursive=True, full_paths=False)
    return list(dict.fromkeys(names))


def branch_types(tree: Any, names: Iterable[str]) -> dict[str, BranchType]:
    """Return the types of some branches; reads no data."""
    wanted = list(names)
    if is_rntuple(tree):
        form = tree.to_akform(filter_name=set(wanted).__contains__)
        record = form[0] if isinstance(form, tuple) else form
        return {name: BranchType(str(record.content(name).type)) for name in wanted}
    return {name: BranchType(_ttree_type(tree, name)) for name in wanted}


def _ttree_type(tree: Any, name: str) -> str:
    import uproot

    branch = tree[name]
    try:
        return str(branch.interpretation.awkward_form(tree.file).type)
    except (uproot.interpretation.objects.CannotBeAwkward, uproot.interpretation.identify.UnknownInterpretation):
        return str(branch.typename)


@dataclass(frozen=True, slots=True)
class Needs:
    """The expressions that a configuration evaluates, and the branches behind them.

    Attributes:
        used_by: branch name to what needs it, for messages (``"feature 'jet1_pt'"``).
        event_id: the branches that identify an event; integers, one per event.
    """

    used_by: Mapping[str, str]
    event_id: tuple[str, ...]

    @classmethod
    def of(cls, config: Config, *, systematics: bool = False) -> Self:
        """Collect the branches that a configuration needs, each with its first user."""
        features = {feature.name: feature.expression for feature in config.features}
        varied = config.systematics if systematics else {}
        others = {"weight": config.weight, "target": config.target, "grade": config.grade}
        return cls.collect(features, config.selection, config.event_id, others, varied)

    @classmethod
    def collect(
        cls,
        features: Mapping[str, Expression],
        selection: Expression | None,
        event_id: tuple[str, ...],
        others: Mapping[str, Expression | None] = _NO_EXPRESSIONS,
        systematics: Mapping[str, Expression] = _NO_EXPRESSIONS,
    ) -> Self:
        """Collect the branches behind expressions, each with its first user; ``others`` by what messages call them."""
        users: list[tuple[str, Expression | None]] = [*others.items(), ("selection", selection)]
        users += [(f"feature {name!r}", expression) for name, expression in features.items()]
        users += [(f"systematic variation {name!r}", expression) for name, expression in systematics.items()]
        used_by = dict.fromkeys(event_id, "event_id")
        for user, expression in users:
            for branch in sorted(expression.branches) if expression else ():
                used_by.setdefault(branch, user)
        return cls(used_by, event_id)

    def check(self, tree: Any, path: str) -> None:
        """Check that a tree has all branches, in usable types.

        Raises:
            DataError: a branch is missing (near names are offered) or is neither numbers nor lists of numbers.
        """
        with refuse_damage(path, "the branches"):
            known = branch_names(tree)
        for branch in self.used_by:
            if branch not in set(known):
                raise self.no_branch(branch, known, path)
        with refuse_damage(path, "the types of branches"):
            types = branch_types(tree, self.used_by)
        for branch, kind in types.items():
            self.check_type(branch, kind, path)

    def no_branch(self, branch: str, known: Iterable[str], path: str) -> DataError:
        """Return the error for a branch that is missing among the known ones."""
        user, hint = self.used_by[branch], nearest_names(branch, known)
        return DataError(f"{path}: no branch {branch!r}, which {user} needs{hint}")

    def check_type(self, branch: str, kind: BranchType, path: str) -> None:
        """Check that a branch holds what its user can work with.

        Raises:
            DataError: neither numbers nor lists of numbers, or an identifier that is not one integer per event.
        """
        user = self.used_by[branch]
        if not (kind.is_flat or kind.is_jagged):
            raise DataError(
                f"{path}: branch {branch!r}, which {user} needs, holds {kind.text}; only numbers and lists "
                "of numbers can be used"
            )
        if branch in self.event_id and not kind.is_integer:
            raise DataError(
                f"{path}: branch {branch!r}, which event_id needs, holds {kind.text}; an identifier must be one "
                "integer per event, as floats lose digits above 2**53"
            )
