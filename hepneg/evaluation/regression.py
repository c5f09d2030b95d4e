"""The evaluation of a regression: figures of merit with all signed weights, and their errors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, TypeAlias

import hist
import numpy as np
from numpy.typing import ArrayLike

from hepneg._core.arrays import FloatArray
from hepneg._core.estimate import Estimate
from hepneg._core.json_values import JsonResult, json_fields
from hepneg._core.tables import html_table
from hepneg.evaluation.histograms import count_negative_bins, histogram_dict, project, signed_histogram
from hepneg.evaluation.per_sample import UNDEFINED, SampleWeights, sum_of_weights
from hepneg.evaluation.predictions import OfPredictions
from hepneg.events import EventTable, cluster_squares
from hepneg.learning.history import FoldHistory
from hepneg.metrics.residuals import ResidualProfile, residual_profile
from hepneg.metrics.scored import column_of, finite_column
from hepneg.metrics.target_errors import pinball, signed_mean, signed_width

__all__ = ["QuantileRow", "RegressionEvaluation", "RegressionRow"]

Histogram: TypeAlias = "hist.Hist[Any]"

_PULLS = (-5.0, 5.0)
_TAIL = 0.002
"""Share of the events that lie beyond either end of a histogram's axis, in its flow bins."""


@dataclass(frozen=True, slots=True)
class RegressionRow(JsonResult):
    """One sample in the table of results.

    Attributes:
        entries: number of events.
        sum_weights: Σw with error √Σw².
        bias: mean residual p − t; NaN where Σw is not positive, as are the next two.
        resolution: standard deviation of the residual.
        mse: mean squared error.
        negative_bins: bins of the net residual with Σw < 0.
    """

    entries: int
    sum_weights: Estimate
    bias: Estimate
    resolution: Estimate
    mse: Estimate
    negative_bins: int


@dataclass(frozen=True, slots=True)
class QuantileRow(JsonResult):
    """One predicted quantile.

    Attributes:
        probability: q.
        loss: pinball loss.
        below: signed share of the targets below the prediction; q for a calibrated one.
    """

    probability: float
    loss: Estimate
    below: Estimate


@dataclass(frozen=True, eq=False, slots=True)
class RegressionEvaluation(OfPredictions):
    """The figures of merit of a regression: all signed, with errors, on events not trained on.

    Attributes:
        scheme: name of the weight scheme.
        objective: name of the objective.
        bias: mean residual p − t, in the target's unit.
        resolution: standard deviation of the residual.
        mse: mean squared error.
        mae: mean absolute error.
        variance: of the target: the squared error of the best constant.
        quantiles: one row for each predicted quantile.
        samples: one row per sample.
        by_target: bias and resolution in bins of the target.
        by_prediction: the same in bins of the prediction, where the bias should be zero.
        residual: Σw and Σw² over sample × sign × (p − t).
        pull: the same over (p − t)/σ; σ is half the predicted interval between the outermost quantiles that lie
            symmetrically about ½, in units of that of a normal distribution, or else the resolution in the event's bin
            of the prediction.
        pull_mean: mean pull.
        pull_width: standard deviation of the pull.
        matrix: Σw and Σw² over target × prediction.
        counter_examples: events without a right target, which are left out of everything here.
        histories: learning curves of the folds.
        target: its name where it is one of several; empty for the only one.
    """

    task: ClassVar[str] = "regression"
    scheme: str
    objective: str
    bias: Estimate
    resolution: Estimate
    mse: Estimate
    mae: Estimate
    variance: Estimate
    quantiles: tuple[QuantileRow, ...]
    samples: Mapping[str, RegressionRow]
    by_target: ResidualProfile
    by_prediction: ResidualProfile
    residual: Histogram
    pull: Histogram
    pull_mean: Estimate
    pull_width: Estimate
    matrix: Histogram
    counter_examples: int
    histories: tuple[FoldHistory, ...]
    target: str = ""

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
    ) -> RegressionEvaluation:
        """Evaluate predictions.

        Args:
            events: n events with a target; those with a grade of 0 or less are left out.
            prediction: (n,) by networks that have not seen the event.
            quantiles: predictions, (n,), by their probability.
            scheme: name of the weight scheme, for tables.
            objective: name of the objective, for tables.
            histories: learning curves, handed through.
            bins: of the histograms.

        Raises:
            DataError: no target, predictions that are not one finite number per event, or Σw ≤ 0.
        """
        right = events.right()
        p = column_of(events, prediction, "the predictions")[right]
        predicted = {q: column_of(events, values, "the predictions")[right] for q, values in (quantiles or {}).items()}
        return cls.of_columns(
            p,
            events.required_target()[right],
            SampleWeights.of(events).select(right),
            quantiles=predicted,
            scheme=scheme,
            objective=objective,
            counter_examples=int(np.count_nonzero(~right)),
            histories=histories,
            bins=bins,
        )

    @classmethod
    def of_columns(
        cls,
        prediction: FloatArray,
        target: FloatArray,
        weights: SampleWeights,
        *,
        quantiles: Mapping[float, FloatArray],
        scheme: str,
        objective: str,
        counter_examples: int,
        histories: Sequence[FoldHistory] = (),
        bins: int = 40,
        name: str = "",
    ) -> RegressionEvaluation:
        """Evaluate predictions of n events with right targets, all of whose columns are checked.

        Args:
            prediction: (n,).
            target: (n,).
            weights: of the events, by sample.
            quantiles: predictions, (n,), by their probability.
            scheme: name of the weight scheme, for tables.
            objective: name of the objective, for tables.
            counter_examples: number of events that were left out.
            histories: learning curves, handed through.
            bins: of the histograms.
            name: of the target, where it is one of several.

        Raises:
            DataError: Σw ≤ 0.
        """
        w, cluster, residual = weights.weight, weights.cluster, prediction - target
        histogram = signed_histogram(residual, weights, _axis(residual, bins, "residual", "Prediction − target"))
        by_prediction = residual_profile(prediction, residual, w, cluster)
        pull = finite_column(residual / _sigma(prediction, by_prediction, quantiles), "the pulls")
        return cls(
            scheme=scheme,
            objective=objective,
            bias=signed_mean(residual, w, cluster).estimate(),
            resolution=signed_width(residual, w, cluster),
            mse=signed_mean(residual**2, w, cluster).estimate(),
            mae=signed_mean(np.abs(residual), w, cluster).estimate(),
            variance=signed_mean((signed_mean(target, w).value - target) ** 2, w, cluster).estimate(),
            quantiles=tuple(_quantile_row(q, values, target, weights) for q, values in quantiles.items()),
            samples=_sample_rows(residual, weights, histogram),
            by_target=residual_profile(target, residual, w, cluster),
            by_prediction=by_prediction,
            residual=histogram,
            pull=signed_histogram(pull, weights, _regular(bins, *_PULLS, "pull", "(Prediction − target) / σ")),
            pull_mean=signed_mean(pull, w, cluster).estimate(),
            pull_width=signed_width(pull, w, cluster),
            matrix=_matrix(prediction, target, weights, max(1, 3 * bins // 4)),
            counter_examples=counter_examples,
            histories=tuple(histories),
            target=name,
        )

    def __repr__(self) -> str:
        return (
            f"RegressionEvaluation({self.scheme}, {self.objective}: bias {self.bias}, resolution {self.resolution}; "
            f"{len(self.samples)} samples)"
        )

    def _repr_html_(self) -> str:
        rows = [(name, row.entries, row.sum_weights, row.bias, row.resolution) for name, row in self.samples.items()]
        caption = f"{self.objective}, scheme {self.scheme}: bias {self.bias}, resolution {self.resolution}"
        return html_table(("sample", "entries", "Σw", "bias", "resolution"), rows, caption)

    def to_dict(self) -> dict[str, Any]:
        """Return everything that figures and tables show, JSON-ready: what ``metrics.json`` holds.

        The keys are ``schema_version``, ``task`` (``"regression"``), ``scheme``, ``objective``, ``counter_examples``,
        ``histories``; ``bias``, ``resolution``, ``mse``, ``mae``, ``variance``, ``pull_mean`` and ``pull_width``, each
        with its ``…_error``; ``quantiles``, a list of ``probability``, ``loss`` and ``below``; ``samples`` by name;
        ``by_target`` and ``by_prediction`` (see :class:`~hepneg.metrics.residuals.ResidualProfile`); and the histograms
        ``residual``, ``pull`` and ``matrix`` with ``edges``, ``values`` and ``variances``.
        """
        merits = ("bias", "resolution", "mse", "mae", "variance", "pull_mean", "pull_width")
        tables = ("counter_examples", "quantiles", "samples", "by_target", "by_prediction")
        return {
            "schema_version": 1,
            "task": self.task,
            **json_fields(self, "scheme", "objective", *merits, *tables),
            "residual": histogram_dict(project(self.residual)),
            "pull": histogram_dict(project(self.pull)),
            "matrix": histogram_dict(self.matrix),
            **json_fields(self, "histories"),
        }

    def histograms(self) -> dict[str, Histogram]:
        """Return the histograms for a ROOT file: ``residual_<sample>``, ``pull_<sample>`` (net) and ``matrix``."""
        residuals = {f"residual_{name}": project(self.residual, name) for name in self.samples}
        pulls = {f"pull_{name}": project(self.pull, name) for name in self.samples}
        return {**residuals, **pulls, "matrix": self.matrix}


def _quantile_row(
    probability: float, prediction: FloatArray, target: FloatArray, weights: SampleWeights
) -> QuantileRow:
    losses, below = pinball(prediction, target, probability), (target < prediction).astype(np.float64)
    means = (signed_mean(values, weights.weight, weights.cluster).estimate() for values in (losses, below))
    return QuantileRow(probability, *means)


def _sigma(prediction: FloatArray, profile: ResidualProfile, quantiles: Mapping[float, FloatArray]) -> FloatArray:
    """Return the standard deviation that is expected of each residual, (n,)."""
    from scipy.special import ndtri

    pairs = [(q, other) for q in quantiles for other in quantiles if q < 0.5 and abs(q + other - 1.0) < 1e-9]
    if pairs:
        low, high = min(pairs)
        return np.asarray((quantiles[high] - quantiles[low]) / (ndtri(high) - ndtri(low)))
    # Where the signed variance of a bin is negative, the mean of the others stands in.
    known = np.isfinite(profile.resolution)
    width = np.where(known, profile.resolution, profile.resolution[known].mean() if known.any() else 1.0)
    return width[profile.bin_of(prediction)]


def _sample_rows(residual: FloatArray, weights: SampleWeights, histogram: Histogram) -> dict[str, RegressionRow]:
    rows = {}
    for name, own in weights.with_events():
        r, part = residual[own], weights.select(own)
        w, cluster = part.weight, part.cluster
        total = sum_of_weights(w, cluster)
        rows[name] = RegressionRow(
            entries=len(w),
            sum_weights=total,
            bias=signed_mean(r, w, cluster).estimate() if total.value > 0 else UNDEFINED,
            resolution=signed_width(r, w, cluster) if total.value > 0 else UNDEFINED,
            mse=signed_mean(r**2, w, cluster).estimate() if total.value > 0 else UNDEFINED,
            negative_bins=count_negative_bins(project(histogram, name)),
        )
    return rows


def _axis(values: FloatArray, bins: int, name: str, label: str) -> Any:
    low, high = (float(end) for end in np.quantile(values, [_TAIL, 1 - _TAIL]))
    return _regular(bins, low, high if high > low else low + 1.0, name, label)


def _regular(bins: int, low: float, high: float, name: str, label: str) -> Any:
    return hist.axis.Regular(bins, low, high, name=name, label=label)


def _matrix(prediction: FloatArray, target: FloatArray, weights: SampleWeights, bins: int) -> Histogram:
    axes = (_axis(target, bins, "target", "Target"), _axis(prediction, bins, "prediction", "Prediction"))
    matrix = hist.Hist(*axes, storage=hist.storage.Weight())
    matrix.fill(target, prediction, weight=weights.weight)
    if weights.cluster is not None:  # rows of one event in a cell are added up before they are squared
        cell = np.asarray(axes[0].index(target) + 1) * (len(axes[1]) + 2) + np.asarray(axes[1].index(prediction) + 1)
        view: Any = matrix.view(flow=True)
        squares = cluster_squares(weights.weight, cell, view["variance"].size, weights.cluster)
        view["variance"] = squares.reshape(view["variance"].shape)
    return matrix
