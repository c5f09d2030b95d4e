"""One pass through the files of an analysis that fills all its stacks: samples, variations, data, regions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from hepneg._core.arrays import BoolArray, FloatArray
from hepneg._core.progress import SILENT, Progress
from hepneg.binning.axis_bins import figure_edges
from hepneg.config import Config, Feature, Variable
from hepneg.errors import DataError
from hepneg.evaluation.classification import Evaluation
from hepneg.evaluation.stack import Stack
from hepneg.evaluation.stack_sums import StackSums
from hepneg.events import EventTable, label_code
from hepneg.expressions import Expression
from hepneg.models.classifier import Classifier
from hepneg.ntuples import read_chunks
from hepneg.ntuples.chunk import Chunk
from hepneg.ntuples.normalisation import scale_factor

if TYPE_CHECKING:
    from hepneg.evaluation.regression import RegressionEvaluation
    from hepneg.models.regressor import Regressor

__all__ = ["RESPONSE", "fill_stacks", "needs_a_pass", "stacks_of"]

RESPONSE = "response"
"""What conditions call the classifier's response."""
RESPONSE_BINS = 40
"""Of the histograms of an evaluation."""
_POINTS = 65
"""Of a bin at which a condition on its quantity is evaluated."""


def needs_a_pass(config: Config) -> bool:
    """Tell whether the stacks show more than the response of simulated samples."""
    further = config.data or config.drawn_variables or config.regions or config.weight_variations
    return bool(further) or config.plots.bins != RESPONSE_BINS


def fill_stacks(config: Config, model: Classifier, *, progress: Progress = SILENT) -> list[Stack]:
    """Read all files once more, in chunks, and fill the response, in each region too, and the variables to draw.

    Simulated events get the response of the network that has not seen them, data that of the mean of all. Data under
    the blinding condition are never counted.

    Args:
        config: the analysis.
        model: trained on its events.
        progress: shows how much of the files is read.

    Raises:
        DataError: as reading does; weights of data that are not 1; a condition on branches that do not exist.
    """
    reading = _Reading.of(config, model)
    drawn = reading.empty_stacks()
    for name in config.samples:
        total = Fraction(0)
        for chunk in read_chunks(reading.config, name, systematics=True, progress=progress):
            reading.fill(drawn, name, chunk)
            total += chunk.sum_weights_all
        factor = scale_factor(config, name, total)
        for sums in drawn:
            sums.scale(name, factor)
    for name in config.data:
        for chunk in read_chunks(reading.config, name, progress=progress):
            _require_counts(name, chunk)
            reading.fill(drawn, name, chunk)
    labels = {name: sample.label for name, sample in config.samples.items()}
    return [sums.stack(labels) for sums in drawn if sums.sums]


def _require_counts(sample: str, chunk: Chunk) -> None:
    if (chunk.weight != 1.0).any():
        raise DataError(
            f"sample {sample!r}: measured data have the weight 1, for their errors are those of counts; leave "
            "`weight:` out (a prescaled or estimated sample is a background)"
        )


@dataclass(frozen=True)
class _Reading:
    """What is read beside the features of the model, and where it stands among the columns.

    Attributes:
        config: with the further columns as features.
        model: that gives the response.
        variables: to draw.
        condition: under which data are blinded, or None.
    """

    config: Config
    model: Classifier
    variables: tuple[Variable, ...]
    condition: Expression | None

    @classmethod
    def of(cls, config: Config, model: Classifier) -> _Reading:
        """Add to the features what the figures need."""
        known = {feature.name: feature.expression for feature in config.features}
        condition = config.plots.blind
        names = () if condition is None else sorted(condition.branches - {RESPONSE})
        wanted = [Feature(name=v.name, expression=v.expression) for v in config.drawn_variables]
        wanted += [Feature(name=name, expression=Expression(name)) for name in names]
        wanted += [Feature(name=_column_of(name), expression=e) for name, e in config.regions.items()]
        added = {feature.name: feature for feature in reversed(wanted) if feature.name not in known}
        further = tuple(reversed(added.values()))
        extended = config.model_copy(update={"features": (*config.features, *further)})
        return cls(extended, model, config.drawn_variables, condition)

    def events(self, sample: str, chunk: Chunk) -> EventTable:
        """Return the events of a chunk with the features of the model."""
        label = np.full(len(chunk), label_code(self.config.sample(sample).label), np.int8)
        features, names = chunk.features[:, : len(self.model.feature_names)], self.model.feature_names
        code = np.zeros(len(chunk), np.int16)
        return EventTable(features, chunk.weight, label, code, chunk.event_id, names, (sample,), fold=chunk.fold)

    def columns(self, events: EventTable, chunk: Chunk) -> dict[str, FloatArray]:
        """Return the response and all other columns of a chunk by name, (n,) each."""
        held_out = events.sample_names[0] in self.config.samples
        response = self.model.held_out_response(events) if held_out else self.model.response(events.features)
        named = dict(zip(self.config.feature_names, chunk.features.T, strict=True))
        return {**{name: column.astype(np.float64) for name, column in named.items()}, RESPONSE: response}

    def empty_stacks(self) -> list[StackSums]:
        """Return what is to be filled: the response, that of each region, and each variable."""
        bins = self.config.plots.bins
        edges = np.linspace(0.0, 1.0, bins + 1) if isinstance(bins, int) else np.asarray(bins)
        drawn = [self._empty(RESPONSE, edges, region) for region in ("", *self.config.regions)]
        firsts = self._first_columns() if self.variables else {}
        for variable in self.variables:
            own = figure_edges(firsts[variable.name], bins=variable.bins, view=variable.range)
            drawn.append(self._empty(variable.name, own))
        return drawn

    def _first_columns(self) -> dict[str, list[Any]]:
        """Return the variables in the first chunk of each sample that has events, from which bins are chosen."""
        found: dict[str, list[Any]] = {variable.name: [] for variable in self.variables}
        places = {name: self.config.feature_names.index(name) for name in found}
        for name in self.config.samples:
            chunk = next((part for part in read_chunks(self.config, name) if len(part)), None)
            for variable, place in places.items() if chunk is not None else ():
                found[variable].append(np.asarray(chunk.features[:, place]))  # type: ignore[union-attr]
        return found

    def _empty(self, quantity: str, edges: FloatArray, region: str = "") -> StackSums:
        hidden, left_out = self._blinding(quantity, edges)
        return StackSums(quantity, edges, region, hidden, left_out, tuple(self.config.weight_variations))

    def _blinding(self, quantity: str, edges: FloatArray) -> tuple[BoolArray, str]:
        """Return which bins are blinded, (bins,), and the condition under which events are left out instead."""
        nothing = np.zeros(len(edges) - 1, bool)
        if self.condition is None or not self.config.data:
            return nothing, ""
        if self.condition.branches != {quantity}:
            return nothing, self.condition.text
        points = np.linspace(edges[:-1], np.nextafter(edges[1:], -np.inf), _POINTS)
        hidden = self.condition.evaluate({quantity: points.ravel()}).astype(bool).reshape(points.shape)
        return np.asarray(hidden.any(axis=0)), ""

    def _varied(self, sample: str, chunk: Chunk) -> FloatArray:
        """Return the weights under all variations, (n, V); one that is not of the sample leaves its weights."""
        own, names = list(self.config.for_sample(sample).weight_variations), list(self.config.weight_variations)
        if own == names:
            return chunk.variations
        columns = [chunk.variations[:, own.index(name)] if name in own else chunk.weight for name in names]
        return np.column_stack(columns)

    def fill(self, drawn: Sequence[StackSums], sample: str, chunk: Chunk) -> None:
        """Fill all stacks with a chunk. Rows of one event are known as such within a chunk."""
        if not len(chunk):
            return
        events = self.events(sample, chunk)
        columns, clusters, varied = self.columns(events, chunk), events.clusters(), self._varied(sample, chunk)
        seen = np.ones(len(chunk), bool)
        if self.condition is not None and self.config.data:
            seen = ~self.condition.evaluate(columns).astype(bool)
        for sums in drawn:
            kept = columns[_column_of(sums.region)] != 0 if sums.region else np.ones(len(chunk), bool)
            if sample in self.config.data:
                sums.fill_data(columns[sums.quantity][kept & seen])
                continue
            kept = kept & seen if sums.left_out else kept
            rows = None if clusters is None else clusters[kept]
            if kept.any():
                sums.fill(sample, columns[sums.quantity][kept], chunk.weight[kept], varied[kept], rows)


def _column_of(region: str) -> str:
    return f"(region {region})"


def stacks_of(
    config: Config,
    model: Classifier | Regressor | None,
    evaluation: Evaluation | RegressionEvaluation,
    *,
    progress: Progress = SILENT,
) -> list[Stack]:
    """Return the stacks of a classification: of its response, and of more where the files must be read for them."""
    if not isinstance(evaluation, Evaluation):
        return []
    if not isinstance(model, Classifier) or not needs_a_pass(config):
        return [Stack.of_evaluation(evaluation)]
    return fill_stacks(config, model, progress=progress)
