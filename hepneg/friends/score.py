"""One input file: chunk by chunk, from branches to responses or predictions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hepneg._core.leftovers import remove_leftovers
from hepneg.config import Folds
from hepneg.errors import ConfigError
from hepneg.events import Collection, EventTable, Rows
from hepneg.expressions import Expression, identifier_expression
from hepneg.friends.friend_stream import Advance, Columns, identifying_columns, stream_friend
from hepneg.friends.outcome import FriendFile
from hepneg.friends.plan import HeldOut, Job, Settings, note_of
from hepneg.models.model import Model, ModelInputs
from hepneg.models.onnx import onnx_output
from hepneg.networks.inference import mean_logits
from hepneg.ntuples.columns import Needs
from hepneg.ntuples.evaluator import CollectionExpressions, Evaluator
from hepneg.ntuples.event_source import open_events
from hepneg.ntuples.friend_files import read_note
from hepneg.ntuples.identity import FileIdentity, find_same, identify_file

__all__ = ["Engine", "EventScorer", "make_friend"]


@dataclass(frozen=True)
class Engine:
    """A model and what runs the mean of its networks.

    Attributes:
        model: the classifier or regressor.
        mean_output: from inputs, (n, F) or with collections, to the mean output of its networks, (n,) or (n, M).
    """

    model: Model
    mean_output: Callable[[Rows], NDArray[np.float64]]

    @classmethod
    def of(cls, model: Model, graph: bytes | None) -> Engine:
        """Run the networks in torch, or the ONNX graph of their mean in onnxruntime."""
        return cls(model, partial(mean_logits, model.networks) if graph is None else onnx_output(graph))


def make_friend(job: Job, engine: Engine, settings: Settings, advance: Advance) -> FriendFile:
    """Write the friend file of one input, unless it is there already.

    Args:
        job: the input and the friend file.
        engine: of the model that ``settings.model`` holds.
        settings: how to do it.
        advance: is told the share of the file that each chunk is, 1 in total; what it raises ends the work.

    Raises:
        DataError: the input is unusable.
        OutputError: the friend file cannot be written.
    """
    identity = identify_file(job.source)
    note = note_of(settings, identity)
    found = read_note(job.path) if job.path.exists() else None
    if found is not None and {key: found.get(key) for key in note} == note:
        advance(1.0)
        return _result(job, found["result"], kept=True)
    remove_leftovers(job.path)
    source = EventScorer.of(job.source, identity, engine, settings.held_out, selection=settings.selection)
    if not source.held_out and not _has_identifiers(job.source, settings.tree, source.evaluator.event_id):
        source = EventScorer.of(
            job.source, identity, engine, settings.held_out, selection=settings.selection, identified=False
        )
    result: dict[str, Any] = {}

    def finished(total: int) -> dict[str, Any]:
        result.update(entries=total, **source.result())
        return {**note, "result": result}

    stream_friend(
        job,
        settings.tree,
        source.needs,
        source.evaluator.event_id,
        dict.fromkeys(engine.model.column_names, np.dtype(np.float32)),
        source.chunk,
        finished,
        tree_format=settings.format,
        advance=advance,
    )
    return _result(job, result, kept=False)


def _has_identifiers(path: str, tree: str, event_id: tuple[str, ...]) -> bool:
    """Tell whether a file has what identifies events, which foreign files and data need not have."""
    with open_events(path, tree) as source:
        return all(
            source.find(text) is not None or all(map(source.find, identifier_expression(text).branches))
            for text in event_id
        )


def _result(job: Job, figures: Mapping[str, Any], *, kept: bool) -> FriendFile:
    return FriendFile(source=job.source, path=str(job.path), kept=kept, **figures)


@dataclass
class EventScorer:
    """What is done to each chunk of one file, and what came up so far.

    Attributes:
        engine: of the model.
        evaluator: of its expressions, in this file.
        needs: the branches behind them.
        held_out: whether each event gets the network that has not seen it, or the mean of all.
        folds: by an expression, for that; None where identifiers are hashed.
        selected: events scored so far.
        not_finite: of those, how many had a NaN or infinite value, by feature.
        unknown: values of features that are categories, or of objects', that are none of these, by feature.
    """

    engine: Engine
    evaluator: Evaluator
    needs: Needs
    held_out: bool
    folds: Folds | None = None
    selected: int = 0
    not_finite: Counter[str] = field(default_factory=Counter)
    unknown: Counter[str] = field(default_factory=Counter)

    @classmethod
    def of(
        cls,
        where: str,
        identity: FileIdentity,
        engine: Engine,
        held_out: HeldOut,
        *,
        selection: str | None = None,
        identified: bool = True,
    ) -> EventScorer:
        """Prepare for one file.

        Args:
            where: what messages call it.
            identity: by which the model may know it.
            engine: of the model.
            held_out: as in :func:`hepneg.apply_model`.
            selection: condition in the place of the model's; empty for none.
            identified: whether the events' identifiers are wanted where no network is chosen by them.

        Raises:
            ConfigError: the model does not know the expressions of its features.
        """
        inputs = engine.model.inputs
        features, objects, condition = _expressions(inputs, selection)
        known = find_same(identity, inputs.files)
        # Where no branch identifies an event the name of the file does: a renamed file must keep its folds.
        name = known.name if known else identity.name
        folds = None if inputs.folds is None else Folds(**inputs.folds)
        # Folds by expression hold for any event, also of files that the model does not know.
        own = held_out == "always" or (held_out == "auto" and (known is not None or folds is not None))
        event_id = inputs.event_id if identified or (own and folds is None) else ()
        evaluator = Evaluator(features, condition, event_id, name, where, objects)
        others = {"folds": folds.by} if own and folds else {}
        lists = {key: part.features for key, part in objects.items()}
        needs = Needs.collect(features, condition, event_id, others, objects=lists)
        return cls(engine, evaluator, needs, own, folds if own else None)

    def chunk(self, start: int, columns: Mapping[str, Any]) -> Columns:
        """Return the friend's columns for one step."""
        output = self.output(start, columns)
        ids = identifying_columns(columns, self.evaluator.event_id, np.arange(start, start + len(output)))
        found = self.engine.model.columns(output)
        return {**ids, **{name: column.astype(np.float32) for name, column in found.items()}}

    def output(self, start: int, columns: Mapping[str, Any]) -> NDArray[np.float64]:
        """Return the output for one step, (n,) or (n, M), NaN where the selection fails or a feature is not finite.

        Args:
            start: entry number of its first event in the file.
            columns: the branches that are needed: flat numpy or jagged awkward arrays.
        """
        entries = len(next(iter(columns.values())))
        entry = np.arange(start, start + entries)
        output = self._undefined(entries)
        keep = self.evaluator.selected(columns)
        if keep is None or keep.all():
            output[:] = self._selected_output(columns, entry)
        else:
            picked = {name: column[keep] for name, column in columns.items()}
            output[keep] = self._selected_output(picked, entry[keep])
        return output

    def result(self) -> dict[str, Any]:
        """Return what the friend file's note keeps."""
        return {"selected": self.selected, "held_out": self.held_out, "not_finite": dict(self.not_finite)} | (
            {"unknown": dict(self.unknown)} if self.unknown else {}
        )

    def _undefined(self, entries: int) -> NDArray[np.float64]:
        return np.full((entries, *self.engine.model.output_shape), np.nan)

    def _selected_output(self, columns: Mapping[str, Any], entry: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the output for selected events, (n,) or (n, M), NaN where a feature is not finite."""
        self.selected += len(entry)
        features, objects, bad = self.evaluator.inputs(columns, entry)
        self.not_finite.update({name: int(mask.sum()) for name, mask in bad.items()})
        event_id = self.evaluator.identifiers(columns, entry) if self.held_out and self.folds is None else entry
        fold = None if self.folds is None else self.evaluator.folds(self.folds.by, self.folds.count, columns, entry)
        table = self._table(features, objects, event_id, fold)
        if not bad:
            return self._networks(table)
        good = ~np.logical_or.reduce(list(bad.values()))
        output = self._undefined(len(entry))
        output[good] = self._networks(table.select(good))
        return output

    def _networks(self, table: EventTable) -> NDArray[np.float64]:
        self.unknown.update(table.unknown_categories())
        return self.engine.model.output_of_fold(table) if self.held_out else self.engine.mean_output(table.inputs)

    def _table(
        self,
        features: NDArray[np.float32],
        objects: Mapping[str, Collection],
        event_id: NDArray[np.integer],
        fold: NDArray[np.int8] | None,
    ) -> EventTable:
        n, model = features.shape[1], self.engine.model
        return EventTable(
            features=features.T,
            weight=np.ones(n),
            label=np.zeros(n, dtype=np.int8),
            sample=np.zeros(n, dtype=np.int16),
            event_id=event_id,
            feature_names=model.feature_names,
            sample_names=("",),
            fold=fold,
            collections=objects,
            categories=model.inputs.categories,
        )


def _expressions(
    inputs: ModelInputs, selection: str | None
) -> tuple[dict[str, Expression], dict[str, CollectionExpressions], Expression | None]:
    condition = inputs.selection if selection is None else selection
    if selection:
        Expression(selection)  # refused as the caller's, not as the model's
    try:
        features = {name: Expression(text) for name, text in inputs.features.items()}
        objects = {
            name: CollectionExpressions(
                {feature: Expression(text) for feature, text in part.features.items()}, part.most, part.categories
            )
            for name, part in inputs.collections.items()
        }
        return features, objects, Expression(condition) if condition else None
    except ConfigError as error:
        raise ConfigError(f"the model: {error}; train it with `inputs` that say where features are") from None
