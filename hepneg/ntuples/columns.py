"""Which branches a configuration needs, and what is in them."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self, TypeVar

from hepneg.config import Config
from hepneg.errors import DataError, nearest_names
from hepneg.expressions import Expression, identifier_expression
from hepneg.ntuples.catalogue import as_name
from hepneg.ntuples.evaluator import CollectionExpressions
from hepneg.ntuples.event_source import EventSource, source_of
from hepneg.ntuples.files import refuse_damage

__all__ = ["BranchType", "Needs", "branch_names", "branch_types"]

Value = TypeVar("Value")

_NO_EXPRESSIONS: Mapping[str, Expression] = {}
_NO_OBJECTS: Mapping[str, Mapping[str, Expression]] = {}
_FLAT = re.compile(r"bool|u?int\d+|float\d+")
_LISTS = re.compile(rf"((var|\d+) \* ){{1,2}}({_FLAT.pattern})")


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
        """One list of numbers per event, or one of lists of numbers."""
        return bool(_LISTS.fullmatch(self.text))

    @property
    def has_numbers(self) -> bool:
        """Numbers, or lists of them."""
        return self.is_flat or self.is_jagged

    @property
    def is_text(self) -> bool:
        """One text per event."""
        return self.text in {"string", "char"}

    @property
    def is_integer(self) -> bool:
        """One integer per event."""
        return self.is_flat and "int" in self.text


def named_targets(targets: Mapping[str, Value]) -> dict[str, Value]:
    """Return targets by what messages call them: ``target``, or ``target 'px'`` where there are several."""
    return {"target" if len(targets) == 1 else f"target {name!r}": value for name, value in targets.items()}


def branch_names(tree: Any) -> list[str]:
    """Return the names of the branches, leaves and top-level fields of a tree, in order."""
    return source_of(tree, "").names


def branch_types(tree: Any, names: Iterable[str]) -> dict[str, BranchType]:
    """Return the types of some branches; reads no data."""
    return {name: BranchType(text) for name, text in source_of(tree, "the tree").types(names).items()}


@dataclass(frozen=True, slots=True)
class Needs:
    """The expressions that a configuration evaluates, and the branches behind them.

    Attributes:
        used_by: branch name to what needs it, for messages (``"feature 'jet1_pt'"``).
        event_id: the branches that identify an event by themselves; integers, one per event.
        texts: branches that are compared with a text.
        expressions: what reads the branches, each with what messages call it.
    """

    used_by: Mapping[str, str]
    event_id: tuple[str, ...]
    texts: frozenset[str] = frozenset()
    expressions: tuple[tuple[str, Expression], ...] = ()

    @classmethod
    def of(cls, config: Config, *, systematics: bool = False) -> Self:
        """Collect the branches that a configuration needs, each with its first user."""
        features = {feature.name: feature.expression for feature in config.features}
        varied = config.weight_variations if systematics else {}
        folds = config.folds.by if config.folds else None
        targets = {target.name: target.expression for target in config.target}
        grade = config.grade.expression if config.grade else None
        others = {"weight": config.weight, **named_targets(targets), "grade": grade, "folds": folds}
        objects = {name: part.features for name, part in CollectionExpressions.of(config).items()}
        return cls.collect(features, config.selection, config.event_id, others, varied, objects)

    @classmethod
    def collect(
        cls,
        features: Mapping[str, Expression],
        selection: Expression | None,
        event_id: tuple[str, ...],
        others: Mapping[str, Expression | None] = _NO_EXPRESSIONS,
        systematics: Mapping[str, Expression] = _NO_EXPRESSIONS,
        objects: Mapping[str, Mapping[str, Expression]] = _NO_OBJECTS,
    ) -> Self:
        """Collect the branches behind expressions, each with its first user; ``others`` by what messages call them.

        ``objects`` are the features of collections, by the name of the collection.
        """
        users: list[tuple[str, Expression | None]] = [*others.items(), ("selection", selection)]
        users += [(f"feature {name!r}", expression) for name, expression in features.items()]
        users += [
            (f"feature {name!r} of {collection!r}", expression)
            for collection, own in objects.items()
            for name, expression in own.items()
        ]
        users += [(f"systematic variation {name!r}", expression) for name, expression in systematics.items()]
        ids = [identifier_expression(text) for text in event_id]
        users = [*(("event_id", expression) for expression in ids), *users]
        named = tuple(text for text, one in zip(event_id, ids, strict=True) if text in one.branches)
        return cls._of(named, [(user, expression) for user, expression in users if expression])

    @classmethod
    def _of(cls, event_id: tuple[str, ...], users: Sequence[tuple[str, Expression]]) -> Self:
        used_by: dict[str, str] = {}
        for user, expression in users:
            for branch in sorted(expression.branches):
                used_by.setdefault(branch, user)
        texts = frozenset[str]().union(*(expression.texts for _, expression in users))
        return cls(used_by, event_id, texts, tuple(users))

    def reading(self, paths: Collection[str]) -> Self:
        """Return the needs where some texts with slashes, such as ``el/pt``, are names of branches, not quotients."""
        return self._of(self.event_id, [(user, expression.reading(paths)) for user, expression in self.expressions])

    @property
    def paths(self) -> frozenset[str]:
        """Texts with slashes, such as ``el/pt``, that may be names of branches."""
        return frozenset[str]().union(*(expression.paths for _, expression in self.expressions))

    def check(self, tree: Any, path: str) -> list[str]:
        """Check that a tree, or a file with its friends, has all branches, in usable types, and return their names.

        A text such as ``el/pt`` is the full path of a branch where there is one and ``el`` is no branch of numbers;
        otherwise it is a quotient.

        Raises:
            DataError: a branch is missing (near names are offered), ambiguous, or is neither numbers nor lists of
            numbers.
        """
        source = source_of(tree, path)
        needs = self.reading([text for text in self.paths if _is_path(source, text)])
        for branch in needs.used_by:
            if source.find(branch) is None:
                with refuse_damage(path, "the branches"):
                    known = source.names
                raise needs.no_branch(branch, known, path)
        for branch, kind in source.types(needs.used_by).items():
            needs.check_type(branch, BranchType(kind), path)
        return list(needs.used_by)

    def no_branch(self, branch: str, known: Iterable[str], path: str) -> DataError:
        """Return the error for a branch that is missing among the known ones."""
        names = list(known)
        user, hint = self.used_by[branch], nearest_names(branch, names)
        for name in (name for name in names if as_name(name) != name):
            hint = hint.replace(repr(name), as_name(name))
        return DataError(f"{path}: no branch {branch!r}, which {user} needs{hint}")

    def check_type(self, branch: str, kind: BranchType, path: str) -> None:
        """Check that a branch holds what its user can work with.

        Raises:
            DataError: neither numbers nor lists of numbers, or an identifier that is not one integer per event.
        """
        user = self.used_by[branch]
        if kind.is_text and branch in self.texts:
            return
        if not kind.has_numbers:
            raise DataError(
                f"{path}: branch {branch!r}, which {user} needs, holds {kind.text}; only numbers and lists of numbers "
                f"can be used{_members(branch, kind)}"
            )
        if branch in self.event_id and not kind.is_flat:
            raise DataError(
                f"{path}: branch {branch!r}, which event_id needs, holds {kind.text}; an identifier must be one "
                f"integer per event: write {as_name(branch)}[:, 0] for the first"
            )


def _is_path(source: EventSource, text: str) -> bool:
    """Tell the full path of a branch from a quotient of branches."""
    if source.find(text) is None:
        return False
    first = text.partition("/")[0]
    found = source.types([first]).get(first)
    return found is None or not BranchType(found).has_numbers


def _members(branch: str, kind: BranchType) -> str:
    """Say how the members of an object are named."""
    if kind.is_text:
        return f', and a text where it is compared with a constant, {as_name(branch)} == "…"'
    found = re.match(r"[^{]*\{\"?([^:\",}]+)", kind.text)
    member = found[1] if found else ""
    return (
        f"; its members are named as in {as_name(member if '.' in member else f'{branch}.{member}')}" if found else ""
    )
