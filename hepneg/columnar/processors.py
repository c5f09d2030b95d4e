"""Processors for coffea: plain callables from events to mergeable parts, by sample.

coffea takes any callable of one argument for a processor. These hold a configuration, a plan of bins or the path of a
model, so they are light to send to workers; what they return merges with ``+`` in any order.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Self

import numpy as np

from hepneg._core.class_names import require_two_classes
from hepneg.columnar.branch_columns import read_columns
from hepneg.columnar.event_columns import read_chunk
from hepneg.columnar.origin import Origin
from hepneg.config import Config
from hepneg.errors import DataError
from hepneg.evaluation.histograms import response_histogram
from hepneg.events import EventTable
from hepneg.ntuples.columns import Needs
from hepneg.ntuples.exact_sums import exact_sum
from hepneg.ntuples.identity import find_same
from hepneg.shapes import BinPlan
from hepneg.shapes.two_passes import EmptyDraw, EmptySums, Part, SampleDraw, SampleSums

if TYPE_CHECKING:
    import awkward as ak
    import hist

    from hepneg.friends.plan import HeldOut
    from hepneg.models.classifier import Classifier

__all__ = [
    "ChunkProcessor",
    "GeneratorSumsProcessor",
    "ResponseProcessor",
    "SampleResponse",
    "SubsampleProcessor",
    "SumsProcessor",
]


@dataclass(frozen=True)
class ChunkProcessor(Generic[Part]):
    """Fills a part of a pass with the selected events of a chunk.

    Attributes:
        config: the analysis.
        empty: makes the empty part of a sample.
        systematics: whether to read the systematic variations of the weight too.
    """

    config: Config
    empty: Callable[[str], Part]
    systematics: bool = False

    def __call__(self, events: ak.Array) -> dict[str, Part]:
        """Return the part of these events, by the name of their sample.

        Raises:
            DataError: as :func:`hepneg.columnar.event_columns.read_chunk`.
        """
        sample, chunk = read_chunk(self.config, events, systematics=self.systematics)
        part = self.empty(sample)
        part.fill(chunk)
        return {sample: part}


class SubsampleProcessor(ChunkProcessor[SampleDraw]):
    """The first pass of the weight summary and the shape check: a uniform subsample of each sample.

    Args:
        config: the analysis.
        seed: of the subsample.
    """

    def __init__(self, config: Config, *, seed: int = 1) -> None:
        super().__init__(config, EmptyDraw(seed))


class SumsProcessor(ChunkProcessor[SampleSums]):
    """The second pass: sums of weights, and of weights by feature, bin and sign. Without bins it is the only pass.

    Args:
        config: the analysis.
        plan: the bins, as :func:`hepneg.shapes.plan_bins` makes them of the subsamples; left out, the features are not
            looked at, which is enough for sums, fractions and effective events.
    """

    def __init__(self, config: Config, plan: BinPlan | None = None) -> None:
        super().__init__(config, EmptySums(plan))


@dataclass(frozen=True, eq=False)
class SampleResponse:
    """The response of one sample.

    Attributes:
        histogram: of the raw weights, as :func:`hepneg.response_histogram` makes it, with all samples on its axis.
        sum_weights_all: Σ of the raw weights before the selection, exact.
        entries: events before the selection.
    """

    histogram: hist.Hist[Any]
    sum_weights_all: Fraction
    entries: int

    def merge(self, other: Self) -> Self:
        """Return the response of both sets of events."""
        total = self.sum_weights_all + other.sum_weights_all
        return type(self)(self.histogram + other.histogram, total, self.entries + other.entries)

    __add__ = merge


@dataclass(frozen=True)
class ResponseProcessor:
    """Fills the response with signed weights.

    Attributes:
        config: the analysis; its features must be those of the model.
        model: folder of the model, which every worker process must be able to read; it does so once.
        bins: how many of equal width in [0, 1], or increasing edges.
        held_out: which network an event gets, as in :func:`hepneg.columnar.logit`.
    """

    config: Config
    model: str | Path
    bins: int | Sequence[float] = 40
    held_out: HeldOut = "auto"

    def __call__(self, events: ak.Array) -> dict[str, SampleResponse]:
        """Return the histogram of these events, by the name of their sample.

        Raises:
            DataError: as :func:`hepneg.columnar.event_columns.read_chunk`; also a model that cannot be read or takes
                other features, or a renamed file of its training where file and entry identify an event.
        """
        from hepneg.models.loading import kept_classifier
        from hepneg.networks.inference import one_thread

        sample, chunk = read_chunk(self.config, events)
        classifier = kept_classifier(self.model)
        require_two_classes(classifier.classes, "a histogram of the response")
        table = chunk.table(self.config, sample)
        with one_thread():
            values = self._response(classifier, table, Origin.of(events))
        histogram = response_histogram(values, table, bins=self.bins)
        return {sample: SampleResponse(histogram, chunk.sum_weights_all, chunk.entries)}

    def _response(self, classifier: Classifier, table: EventTable, origin: Origin) -> Any:
        known = find_same(origin.identity, classifier.inputs.files)
        own = known or classifier.inputs.folds
        if self.held_out == "always" or (self.held_out == "auto" and own):
            if (
                known
                and not classifier.inputs.folds
                and not self.config.event_id
                and known.name != origin.identity.name
            ):
                raise DataError(
                    f"{origin.where} was called {known.name} when the model was trained, and its name identifies the "
                    "events; give it that name, or name branches with `event_id:` and train again"
                )
            return classifier.held_out_response(table)
        if table.feature_names != classifier.feature_names:
            raise DataError(
                f"the analysis has the features {', '.join(table.feature_names)}, but the model in {self.model} takes "
                f"{', '.join(classifier.feature_names)}"
            )
        return classifier.response(table)


@dataclass(frozen=True)
class GeneratorSumsProcessor:
    """Sums the generator weights that the ``Runs`` tree of NanoAOD keeps of all generated events, skimmed or not.

    Attributes:
        config: the analysis, for the names of its samples.
        branch: the sum of each run; very old files call it ``genEventSumw_``.
    """

    config: Config
    branch: str = "genEventSumw"

    def __call__(self, runs: ak.Array) -> dict[str, Fraction]:
        """Return Σw of these runs, exact, by the name of their sample.

        Raises:
            DataError: an unknown sample, or no such branch.
        """
        origin = Origin.of(runs)
        sample = origin.known_sample(self.config.samples)
        columns = read_columns(runs, Needs({self.branch: "the sum of generator weights"}, ()), origin.where)
        return {sample: exact_sum(np.asarray(columns.values[self.branch], dtype=np.float64))}
