"""The evaluation of a regression with several targets: each by itself, and how their residuals go together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from hepneg._core.arrays import FloatArray
from hepneg._core.estimate import Estimate
from hepneg._core.json_values import JsonResult, json_fields, json_object
from hepneg._core.tables import html_table
from hepneg.errors import DataError
from hepneg.evaluation.per_sample import SampleWeights
from hepneg.evaluation.predictions import OfPredictions
from hepneg.evaluation.regression import Histogram, RegressionEvaluation
from hepneg.events import EventTable
from hepneg.learning.history import FoldHistory
from hepneg.metrics.scored import finite_column
from hepneg.metrics.target_errors import correlation_of_residuals

__all__ = ["ResidualCorrelation", "SeveralTargets"]


@dataclass(frozen=True, slots=True)
class ResidualCorrelation(JsonResult):
    """How the residuals of two targets go together.

    Attributes:
        first: name of a target.
        second: name of another.
        correlation: linear correlation of their residuals p − t; NaN where a signed variance is not positive.
    """

    first: str
    second: str
    correlation: Estimate


@dataclass(frozen=True, eq=False, slots=True)
class SeveralTargets(OfPredictions):
    """The figures of merit of a regression with several targets: all signed, with errors, on events not trained on.

    Attributes:
        scheme: name of the weight scheme.
        objective: name of the objective.
        targets: the evaluation of each target by itself, by its name.
        correlations: of the residuals of each pair of targets.
        counter_examples: events without a right target, which are left out of everything here.
        histories: learning curves of the folds.
    """

    task: ClassVar[str] = "regression"
    scheme: str
    objective: str
    targets: Mapping[str, RegressionEvaluation]
    correlations: tuple[ResidualCorrelation, ...]
    counter_examples: int
    histories: tuple[FoldHistory, ...]

    @classmethod
    def of_predictions(
        cls,
        events: EventTable,
        prediction: ArrayLike,
        *,
        quantiles: Mapping[float, ArrayLike] | None = None,
        scheme: str,
        objective: str,
        histories: Sequence[FoldHistory] = (),
        bins: int = 40,
    ) -> SeveralTargets:
        """Evaluate predictions.

        Args:
            events: n events with T targets; those with a grade of 0 or less are left out.
            prediction: (n, T) by networks that have not seen the event.
            quantiles: predictions, (n, T), by their probability.
            scheme: name of the weight scheme, for tables.
            objective: name of the objective, for tables.
            histories: learning curves, handed through.
            bins: of the histograms.

        Raises:
            DataError: predictions that are not one finite number per event and target, or Σw ≤ 0.
        """
        right, names = events.right(), events.target_names
        predicted, targets = _by_target(events, prediction)[:, right], events.targets()[right].T
        predicted_quantiles = {q: _by_target(events, values)[:, right] for q, values in (quantiles or {}).items()}
        weights, left_out = SampleWeights.of(events).select(right), int((~right).sum())
        parts = {
            name: RegressionEvaluation.of_columns(
                predicted[number],
                targets[number],
                weights,
                quantiles={q: values[number] for q, values in predicted_quantiles.items()},
                scheme=scheme,
                objective=objective,
                counter_examples=left_out,
                bins=bins,
                name=name,
            )
            for number, name in enumerate(names)
        }
        residuals = dict(zip(names, predicted - targets, strict=True))
        pairs = tuple(
            ResidualCorrelation(
                a, b, correlation_of_residuals(residuals[a], residuals[b], weights.weight, weights.cluster)
            )
            for a, b in combinations(names, 2)
        )
        return cls(scheme, objective, parts, pairs, left_out, tuple(histories))

    @property
    def samples(self) -> Mapping[str, Any]:
        """Entries and Σw of each sample, which are those of every target."""
        return next(iter(self.targets.values())).samples

    def __repr__(self) -> str:
        parts = self.targets.items()
        merits = "; ".join(f"{name}: bias {one.bias}, resolution {one.resolution}" for name, one in parts)
        return f"SeveralTargets({self.scheme}, {self.objective}; {merits})"

    def _repr_html_(self) -> str:
        rows = [(name, one.bias, one.resolution, one.mse) for name, one in self.targets.items()]
        pairs = "; ".join(f"{pair.first} with {pair.second}: {pair.correlation}" for pair in self.correlations)
        caption = f"{self.objective}, scheme {self.scheme}; correlation of the residuals: {pairs}"
        return html_table(("target", "bias", "resolution", "mean squared error"), rows, caption)

    def to_dict(self) -> dict[str, Any]:
        """Return everything that figures and tables show, JSON-ready: what ``metrics.json`` holds.

        The keys are ``schema_version``, ``task`` (``"regression"``), ``scheme``, ``objective``, ``counter_examples``,
        ``samples`` (by name: ``entries``, ``sum_weights``), ``targets`` (by name, each as
        :meth:`RegressionEvaluation.to_dict` gives it), ``correlations``, a list of ``first``, ``second`` and
        ``correlation``, and ``histories``.
        """
        return {
            "schema_version": 1,
            "task": self.task,
            **json_fields(self, "scheme", "objective", "counter_examples"),
            "samples": {name: json_fields(row, "entries", "sum_weights") for name, row in self.samples.items()},
            "targets": json_object(self.targets),
            **json_fields(self, "correlations", "histories"),
        }

    def histograms(self) -> dict[str, Histogram]:
        """Return the histograms of every target for a ROOT file, the target's name at the end of theirs."""
        return {
            f"{stem}_{name}": histogram
            for name, part in self.targets.items()
            for stem, histogram in part.histograms().items()
        }


def _by_target(events: EventTable, values: ArrayLike) -> FloatArray:
    """Return predictions, (n, T), as one column for each target, (T, n)."""
    found = np.asarray(values, np.float64)
    if found.shape != events.targets().shape:
        raise DataError(
            f"the predictions have shape {found.shape}, but the events have {len(events.target_names)} targets: give "
            f"{events.targets().shape}"
        )
    return np.stack([finite_column(column, "the predictions") for column in found.T])
