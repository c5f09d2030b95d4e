"""Selected events of one step through one file, and how they are made of its columns."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from hepneg.config import Config
from hepneg.errors import DataError
from hepneg.events import Collection, EventTable, check_grades, first_entries, grade_of_distance, label_code
from hepneg.expressions import Expression, MissingElements
from hepneg.ntuples.columns import named_targets
from hepneg.ntuples.evaluator import Evaluator, named_entries
from hepneg.ntuples.exact_sums import exact_sum

__all__ = ["Chunk", "ChunkMaker"]


@dataclass(frozen=True, eq=False, slots=True)
class Chunk:
    """Selected events of one step through one file.

    Attributes:
        features: (n, F) float32, stored column by column.
        weight: raw signed weights, before any scale, (n,) float64.
        event_id: integers of 64 bits, (n,) or (n, m) for m identifying branches.
        entries: events in the step before the selection.
        sum_weights_all: Σ of the raw weights of all those events, exact; where files hold the generator's sums,
            :func:`hepneg.ntuples.read_chunks` puts these in its place, all into the sample's last chunk.
        dropped: selected events left out because a feature or the target is NaN or infinite.
        variations: (n, V) raw weights of the systematic variations, in the order of the configuration; V is 0 where
            they were not asked for.
        target: of a regression, (n,) float64, or (n, T) of several, or None.
        grade: how right each target is, (n,) float64, or None.
        fold: where the configuration gives folds by an expression, (n,) int8, or None.
        list_lengths: from which lengths of lists weights took an element, by what was taken.
        collections: objects of the events, by name.
    """

    features: NDArray[np.float32]
    weight: NDArray[np.float64]
    event_id: NDArray[np.integer]
    entries: int
    sum_weights_all: Fraction
    dropped: int
    variations: NDArray[np.float64]
    target: NDArray[np.float64] | None = None
    grade: NDArray[np.float64] | None = None
    fold: NDArray[np.int8] | None = None
    list_lengths: Mapping[str, frozenset[int]] = field(default_factory=dict)
    collections: Mapping[str, Collection] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.weight)

    def table(self, config: Config, sample: str) -> EventTable:
        """Return the events with their raw weights, under the names of all samples."""
        names = tuple(config.samples)
        return EventTable(
            features=self.features,
            weight=self.weight,
            label=np.full(len(self), label_code(config.sample(sample).label, config.classes), dtype=np.int8),
            sample=np.full(len(self), names.index(sample), dtype=np.int16),
            event_id=self.event_id,
            feature_names=config.feature_names,
            sample_names=names,
            fold=self.fold,
            collections=self.collections,
            categories=config.categories,
            classes=config.classes,
        )


@dataclass(frozen=True)
class ChunkMaker:
    """Evaluates what one file of a sample delivers; its name is in every message.

    Attributes:
        config: the analysis, with the weight and selection of the sample.
        evaluator: of its expressions, in this file.
        systematics: of the weight; empty where they are not looked at.
    """

    config: Config
    evaluator: Evaluator
    systematics: Mapping[str, Expression]

    @classmethod
    def of(cls, config: Config, sample: str, path: str, *, systematics: bool = False) -> ChunkMaker:
        """Prepare for one file of a sample, with the systematic variations or without."""
        config = config.for_sample(sample)
        return cls(config, Evaluator.of(config, sample, path), config.weight_variations if systematics else {})

    def chunk(self, start: int, columns: Mapping[str, Any]) -> Chunk:
        """Evaluate one step.

        Args:
            start: entry number of its first event in the file.
            columns: the branches that the configuration needs: flat numpy or jagged awkward arrays.

        Raises:
            DataError: a NaN or infinite weight, or a feature of that kind where ``on_nan`` is ``error``.
        """
        lengths: dict[str, frozenset[int]] = {}
        weight = self._weight(start, columns, lengths)
        total, entries = exact_sum(weight), len(weight)
        entry = np.arange(start, start + entries)
        keep = self.evaluator.selected(columns)
        if keep is not None and not keep.all():
            columns = {name: column[keep] for name, column in columns.items()}
            weight, entry = weight[keep], entry[keep]
        event_id = self.evaluator.identifiers(columns, entry)
        features, objects, wrong = self.evaluator.inputs(columns, entry)
        targets, grade = self._targets(columns), self._grade(columns)
        target = np.stack(list(targets.values()), axis=1) if len(targets) > 1 else next(iter(targets.values()), None)
        bad = {f"feature {name!r}": mask for name, mask in wrong.items()}
        for name, column in (*targets.items(), ("grade", grade)):
            if column is not None and not np.isfinite(column).all():
                bad[name] = ~np.isfinite(column)
        if bad and self.config.on_nan == "error":
            self._refuse(bad, entry, start + entries)
        varied = self._variations(columns, entry, lengths)
        fold = self._fold(columns, entry)
        chunk = Chunk(features.T, weight, event_id, entries, total, 0, varied, target, grade, fold, lengths, objects)
        kept = _without(chunk, np.logical_or.reduce(list(bad.values()))) if bad else chunk
        if kept.grade is not None:
            check_grades(kept.grade, f"{self.evaluator.where}: ")
        return kept

    def _targets(self, columns: Mapping[str, Any]) -> dict[str, NDArray[np.float64]]:
        """Return each target, (n,), by what messages call it."""
        named = named_targets({target.name: target.expression for target in self.config.target})
        return {name: self._number(name, expression, columns) for name, expression in named.items()}

    def _grade(self, columns: Mapping[str, Any]) -> NDArray[np.float64] | None:
        """Return the grade, (n,); None where the configuration has none."""
        grade = self.config.grade
        if grade is None:
            return None
        value = self._number("grade", grade.expression, columns)
        return value if grade.reach is None else grade_of_distance(value, grade.reach)

    def _number(self, name: str, expression: Expression, columns: Mapping[str, Any]) -> NDArray[np.float64]:
        return self.evaluator.evaluate(name, expression, columns).astype(np.float64, copy=False)

    def _fold(self, columns: Mapping[str, Any], entry: NDArray[np.int64]) -> NDArray[np.int8] | None:
        folds = self.config.folds
        return None if folds is None else self.evaluator.folds(folds.by, folds.count, columns, entry)

    def _weight(
        self, start: int, columns: Mapping[str, Any], lengths: dict[str, frozenset[int]]
    ) -> NDArray[np.float64]:
        entry = np.arange(start, start + len(next(iter(columns.values()))))
        weight = self._complete("weight", self.config.weight, columns, entry, lengths).astype(np.float64, copy=False)
        bad = ~np.isfinite(weight)
        if bad.any():
            raise DataError(
                f"{self.evaluator.where}: weight {self.config.weight.text!r} is NaN or infinite in "
                f"{int(bad.sum())} of the {start + len(weight)} entries read so far, at "
                f"{first_entries(bad, start)}; mend the file or the expression"
            )
        return weight

    def _complete(
        self,
        what: str,
        expression: Expression,
        columns: Mapping[str, Any],
        entry: NDArray[np.int64],
        lengths: dict[str, frozenset[int]],
    ) -> NDArray[Any]:
        """Evaluate a weight, in which no element may be missing, and note the lengths of its lists."""
        watched = MissingElements(columns)
        values = self.evaluator.evaluate(what, expression, watched)
        for text, mask in watched.masks.items():
            seen = " or ".join(map(str, sorted(watched.lengths.get(text, frozenset()))))
            of_lists = f" (lists of {seen} elements)" if seen else ""
            raise DataError(
                f"{self.evaluator.where}: {what} ({expression.text}): {text} is missing in {int(mask.sum())} of "
                f"{len(mask)} entries, at {named_entries(entry[mask])}{of_lists}; no fill is right for every weight: "
                f"{_remedy(text)}"
            )
        for text, found in watched.lengths.items():
            lengths[text] = lengths.get(text, frozenset()) | found
        return values

    def _variations(
        self, columns: Mapping[str, Any], entry: NDArray[np.int64], lengths: dict[str, frozenset[int]]
    ) -> NDArray[np.float64]:
        """Evaluate the systematic variations of selected events."""
        varied = np.empty((len(self.systematics), len(entry)))
        for row, (name, expression) in zip(varied, self.systematics.items(), strict=True):
            row[:] = self._complete(f"systematic variation {name!r}", expression, columns, entry, lengths)
            if not np.isfinite(row).all():
                bad = np.flatnonzero(~np.isfinite(row))
                raise DataError(
                    f"{self.evaluator.where}: the systematic variation {name!r} ({expression.text}) is NaN or "
                    f"infinite in {len(bad)} selected events from entry {entry[bad[0]]} on; mend the file or the "
                    "expression"
                )
        return varied.T

    def _refuse(self, bad: Mapping[str, NDArray[np.bool_]], entry: NDArray[np.int64], read_so_far: int) -> NoReturn:
        """Name the first feature, or the target, that is not finite, and where."""
        name, wrong = next(iter(bad.items()))
        raise DataError(
            f"{self.evaluator.where}: {name} is NaN or infinite in {int(wrong.sum())} selected events "
            f"among the {read_so_far} entries read so far, at {named_entries(entry[wrong])}; mend the expression, cut "
            "on it with `selection:`, or set `on_nan: drop`"
        )


def _remedy(text: str) -> str:
    """Say how to fill what is missing."""
    element = re.fullmatch(r"(.*)\[:, (\d+)\]", text)
    if element is not None and element[1].isidentifier():
        length = int(element[2]) + 1
        padded = f"pad({element[1]}, {length}, 1.0)[:, {element[2]}]"
        return f"write {padded} with the fill that you mean, or cut with `selection:`"
    if element is None and "[" not in text:
        return "say what an empty list gives with default=…"
    return "write pad(list, index, fill) with the fill that you mean"


def _without(chunk: Chunk, bad: NDArray[np.bool_]) -> Chunk:
    good = ~bad
    return replace(
        chunk,
        features=np.ascontiguousarray(chunk.features.T[:, good]).T,
        weight=chunk.weight[good],
        event_id=chunk.event_id[good],
        variations=chunk.variations[good],
        dropped=int(bad.sum()),
        target=None if chunk.target is None else chunk.target[good],
        grade=None if chunk.grade is None else chunk.grade[good],
        fold=None if chunk.fold is None else chunk.fold[good],
        collections={name: part.select(np.flatnonzero(good)) for name, part in chunk.collections.items()},
    )
