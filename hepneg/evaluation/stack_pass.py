"""One pass through the files of an analysis that fills all its stacks: samples, variations, data, regions."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from hepneg._core.arrays import BoolArray, FloatArray
from hepneg._core.class_names import response_name
from hepneg._core.progress import SILENT, Progress
from hepneg.binning.axis_bins import figure_edges
from hepneg.config import Config, Feature, Variable
from hepneg.config.known_classes import has_several_classes
from hepneg.errors import ConfigError, HepnegWarning
from hepneg.evaluation.classification import Evaluation
from hepneg.evaluation.response_source import (
    TrainedSource,
    VariableSource,
    given_source,
    of_sample,
    require_known_events,
)
from hepneg.evaluation.several_targets import SeveralTargets
from hepneg.evaluation.stack import Stack
from hepneg.evaluation.stack_sums import StackSums
from hepneg.events import EventTable, label_code
from hepneg.expressions import Expression
from hepneg.ntuples import (
    of_variation,
    read_chunks,
    require_counts,
    require_selected,
    scale_factor,
    varied_configs,
)
from hepneg.ntuples.chunk import Chunk

if TYPE_CHECKING:
    from hepneg.evaluation.evaluation import AnyEvaluation
    from hepneg.models.classifier import Classifier
    from hepneg.models.regressor import Regressor

__all__ = ["fill_stacks", "needs_a_pass", "stacks_of"]

RESPONSE_BINS = 40
"""Of the histograms of an evaluation."""
_POINTS = 65
"""Of a bin at which a condition on its quantity is evaluated."""


def needs_a_pass(config: Config) -> bool:
    """Tell whether the stacks show more than the response of simulated samples."""
    further = config.data or config.drawn_variables or config.regions or config.systematics
    return bool(further) or config.plots.bins != RESPONSE_BINS


def fill_stacks(
    config: Config, model: Classifier | Regressor | None = None, *, progress: Progress = SILENT
) -> list[Stack]:
    """Read all files once more, in chunks, and fill the response (of each class) or prediction, in each region too, and
    the variables to draw; then the files of other systematic variations, if there are any.

    Simulated events get the response of the network that has not seen them, data that of the mean of all. Data under
    the blinding condition are never counted.

    Args:
        config: the analysis.
        model: trained on its events; left out, the ``response`` of the configuration is drawn.
        progress: shows how much of the files is read.

    Raises:
        ConfigError: neither a model nor a ``response``, or other files whose events the model cannot know.
        DataError: as reading does; weights of data that are not 1; a condition on branches that do not exist.
    """
    source = given_source(config) if model is None else TrainedSource(model, _several(config))
    if source is None:
        raise ConfigError("there is neither a model nor a `response:` to draw; run `hepneg train`")
    if model is not None:
        require_known_events(config)
    reading = _Reading.of(config, source)
    drawn = reading.empty_stacks()
    scales = {name: reading.fill_sample(drawn, name, progress) for name in config.samples}
    for name in config.data:
        for chunk in read_chunks(reading.config, name, progress=progress):
            require_counts(name, chunk.weight)
            reading.fill(drawn, name, chunk)
    _fill_variations(reading, drawn, scales, progress)
    labels = {name: sample.label for name, sample in config.samples.items()}
    return [sums.stack(labels) for sums in drawn if sums.sums]


def _several(config: Config) -> tuple[str, ...]:
    return config.classes if has_several_classes(config) else ()


def _fill_variations(
    reading: _Reading, drawn: Sequence[StackSums], scales: Mapping[str, float], progress: Progress
) -> None:
    """Add what variations of other files and trees sum to, and uncertain normalisations."""
    for name, same_files, view in varied_configs(reading.config):
        varied = [sums.without_events() for sums in drawn]
        with of_variation(name):
            for sample in view.samples:
                scale = scales[sample] if same_files else None
                replace(reading, config=view).fill_sample(varied, sample, progress, scale)
        for sums, other in zip(drawn, varied, strict=True):
            sums.others[name] = {sample: other.content(sample) for sample in view.samples}
    for name, systematic in reading.config.systematics.items():
        if systematic.normalisation is None:
            continue
        affected = [s for s, part in reading.config.samples.items() if systematic.applies_to(s, part.label)]
        for sums in drawn:
            sums.others[name] = {sample: systematic.normalisation * sums.content(sample) for sample in affected}


@dataclass(frozen=True)
class _Reading:
    """What is read for the main quantity and beside it, and where it stands among the columns.

    Attributes:
        config: whose features are these columns.
        source: of the main quantity.
        quantities: what conditions call that: ``response``, or ``prediction`` of a regression, or the response of each
            of several classes.
        variables: to draw.
        condition: under which data are blinded, or None.
    """

    config: Config
    source: VariableSource
    quantities: tuple[str, ...]
    variables: tuple[Variable, ...]
    condition: Expression | None

    @classmethod
    def of(cls, config: Config, source: VariableSource) -> _Reading:
        """Add to what the main quantity is made of what the figures need."""
        first, quantities = source.features(config), config.main_quantities
        named = {feature.name: feature.expression for feature in config.features}
        condition = config.plots.blind if config.data else None
        names = () if condition is None else sorted(condition.branches - set(quantities))
        wanted = [Feature(name=v.name, expression=v.expression) for v in config.drawn_variables]
        wanted += [Feature(name=name, expression=named.get(name, Expression(name))) for name in names]
        wanted += [Feature(name=_column_of(name), expression=e) for name, e in config.regions.items()]
        known = {feature.name for feature in first}
        added = {feature.name: feature for feature in reversed(wanted) if feature.name not in known}
        objects = config.collections if source.takes_objects else {}
        features = (*first, *reversed(added.values()))
        columns: dict[str, Any] = {"features": features, "collections": objects, "target": (), "grade": None}
        return cls(config.model_copy(update=columns), source, quantities, config.drawn_variables, condition)

    def fill_sample(
        self, drawn: Sequence[StackSums], name: str, progress: Progress, scale: float | None = None
    ) -> float:
        """Fill all stacks with a simulated sample, and return what its weights are multiplied with.

        Args:
            drawn: the stacks.
            name: of the sample.
            progress: shows how much of the files is read.
            scale: of its weights; left out, that which its files ask for.
        """
        total, entries, selected, dropped = Fraction(0), 0, 0, 0
        for chunk in read_chunks(self.config, name, systematics=True, progress=progress):
            self.fill(drawn, name, chunk)
            total += chunk.sum_weights_all
            entries += chunk.entries
            selected += len(chunk)
            dropped += chunk.dropped
        require_selected(self.config, name, selected=selected, entries=entries, dropped=dropped)
        factor = scale_factor(self.config, name, total) if scale is None else scale
        for sums in drawn:
            sums.scale(name, factor)
        return factor

    def columns(self, events: EventTable) -> dict[str, FloatArray]:
        """Return the main quantities and all other columns of some events by name, (n,) each.

        Raises:
            DataError: a response outside [0, 1], or probabilities that do not sum to 1.
        """
        named = dict(zip(events.feature_names, events.features.T, strict=True))
        with of_sample(events.sample_names[0]):
            values = self.source.values(events).reshape(len(events), -1)
        main = dict(zip(self.quantities, values.T, strict=True))
        return {name: column.astype(np.float64) for name, column in named.items()} | main

    def _table(self, sample: str, chunk: Chunk) -> EventTable:
        classes = self.config.classes
        label = np.full(len(chunk), label_code(self.config.sample(sample).label, classes), np.int8)
        code, names = np.zeros(len(chunk), np.int16), self.config.feature_names
        return EventTable(
            chunk.features,
            chunk.weight,
            label,
            code,
            chunk.event_id,
            names,
            (sample,),
            fold=chunk.fold,
            collections=chunk.collections,
            categories=self.config.categories,
            classes=classes,
        )

    def empty_stacks(self) -> list[StackSums]:
        """Return what is to be filled: the main quantities, also in each region, and each variable."""
        bins, bounded = self.config.plots.bins, self.config.task == "classification"
        firsts = self._first_columns() if self.variables or not bounded else {}
        if not isinstance(bins, int):
            edges = np.asarray(bins)
        elif bounded:
            edges = np.linspace(0.0, 1.0, bins + 1)
        else:
            edges = figure_edges(firsts[self.quantities[0]], bins=None if bins == RESPONSE_BINS else bins)
        regions = ("", *self.config.regions)
        drawn = [self._empty(name, edges, region) for name in self._drawn_quantities() for region in regions]
        for variable in self.variables:
            own = figure_edges(firsts[variable.name], bins=variable.bins, view=variable.range)
            drawn.append(self._empty(variable.name, own))
        return drawn

    def _drawn_quantities(self) -> tuple[str, ...]:
        nodes = self.config.plots.nodes
        return self.quantities if nodes is None else tuple(map(response_name, nodes))

    def _first_columns(self) -> dict[str, list[Any]]:
        """Return what is drawn in the first chunk of each sample that has events, from which bins are chosen."""
        found: dict[str, list[Any]] = {name: [] for name in (*self.quantities, *(part.name for part in self.variables))}
        for sample in self.config.samples:
            chunk = next((part for part in read_chunks(self.config, sample) if len(part)), None)
            columns = {} if chunk is None else self.columns(self._table(sample, chunk))
            for name in found if columns else ():
                found[name].append(columns[name].astype(np.float32))
        return found

    def _empty(self, quantity: str, edges: FloatArray, region: str = "") -> StackSums:
        hidden, left_out = self._blinding(quantity, edges)
        return StackSums(quantity, edges, region, hidden, left_out, tuple(self.config.weight_variations))

    def _blinding(self, quantity: str, edges: FloatArray) -> tuple[BoolArray, str]:
        """Return which bins are blinded, (bins,), and the condition under which events are left out instead."""
        nothing = np.zeros(len(edges) - 1, bool)
        if self.condition is None:
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
        events = self._table(sample, chunk)
        columns, clusters, varied = self.columns(events), events.clusters(), self._varied(sample, chunk)
        seen = np.ones(len(chunk), bool)
        if self.condition is not None:
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
    evaluation: AnyEvaluation,
    *,
    progress: Progress = SILENT,
) -> list[Stack]:
    """Return the stacks of a response or prediction, and of more, where the files must be read for them.

    Warns:
        HepnegWarning: there are several targets, of which no stacks are drawn.
    """
    if isinstance(evaluation, SeveralTargets):
        if needs_a_pass(config):
            message = "stacks are drawn of one prediction, not of several targets: there are none"
            warnings.warn(message, HepnegWarning, stacklevel=2)
        return []
    if needs_a_pass(config):
        return fill_stacks(config, model, progress=progress)
    return [Stack.of_evaluation(evaluation)] if isinstance(evaluation, Evaluation) else []
