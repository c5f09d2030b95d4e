"""The evaluation of a classification: figures of merit with all signed weights, and their errors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

import hist
import numpy as np

from hepneg._core.arrays import BoolArray, FloatArray
from hepneg._core.estimate import Estimate
from hepneg._core.formatting import count, percent
from hepneg._core.hashing import uniform_events
from hepneg._core.json_values import json_fields
from hepneg._core.log_odds import sigmoid
from hepneg._core.tables import html_table
from hepneg.evaluation.before_calibration import BeforeCalibration
from hepneg.evaluation.given_scores import GivenScores
from hepneg.evaluation.histograms import (
    SIGNS,
    count_negative_bins,
    histogram_dict,
    project,
    response_axis,
    signed_histogram,
)
from hepneg.evaluation.overtraining import Overtraining, overtraining
from hepneg.evaluation.per_sample import SampleWeights, sum_of_weights
from hepneg.evaluation.wished import ShareRow, wished_shares
from hepneg.events import LABEL_NAMES, EventTable, cluster_sums
from hepneg.learning.history import FoldHistory
from hepneg.metrics.auc import auc_of, auc_of_part
from hepneg.metrics.calibration import Calibration, calibration_curve_of
from hepneg.metrics.operating_point import OperatingPoint, operating_point_of
from hepneg.metrics.proper import brier_of, log_loss_of
from hepneg.metrics.roc import RocCurve, roc_curve_of
from hepneg.metrics.scored import ScoredEvents, finite_column
from hepneg.metrics.significance import SignificanceScan, significance_scan_of
from hepneg.schemes.scheme import scheme_title

if TYPE_CHECKING:
    from hepneg.models.classifier import Classifier

__all__ = ["Evaluation", "SampleRow", "response_dict", "sample_row"]

Histogram: TypeAlias = "hist.Hist[Any]"


@dataclass(frozen=True, slots=True)
class SampleRow:
    """One sample in the table of results.

    Attributes:
        sample: its name.
        label: of its events.
        entries: number of events.
        sum_weights: Σw with its error √Σw², where rows of one event are added up before they are squared.
        negative_fraction: Σ|w|(w<0) / Σ|w|.
        n_eff: (Σw)² / Σw², likewise: effective events.
        auc: of this sample against all samples of the other label, or labels; NaN where a Σw is not positive.
        negative_bins: bins of the net response with Σw < 0.
    """

    sample: str
    label: str
    entries: int
    sum_weights: Estimate
    negative_fraction: float
    n_eff: float
    auc: Estimate
    negative_bins: int

    def to_dict(self) -> dict[str, Any]:
        """Return the row as plain numbers, with ``…_error`` beside each estimate."""
        return json_fields(self, errors_last=True)


@dataclass(frozen=True, eq=False, slots=True)
class Evaluation:
    """The figures of merit of a response: all signed, with errors, on events that it was not trained on.

    Attributes:
        scheme: name of the scheme.
        auc: area under the ROC curve.
        loss: log-loss in nats, labels balanced.
        brier: Brier score, labels balanced.
        samples: one row per sample.
        roc: at most some 200 points.
        calibration: of the response.
        significance: scan of a cut on the response.
        response: Σw and Σw² over sample × sign × response.
        overtraining: by label; empty without the response of trained networks.
        histories: learning curves of the folds.
        chosen: the scheme whose networks gave the response: that of ``auto``'s choice, or ``scheme`` itself.
        reason: why ``auto`` has chosen it, in one sentence; empty for any other scheme.
        before_calibration: the response before it was calibrated; None where it was not.
        operating_point: sensitivity and specificity at response ½, or at the threshold of the objective.
        shares: the share in a range of the response that the objective asks for; empty for any other.
    """

    task: ClassVar[str] = "classification"
    scheme: str
    auc: Estimate
    loss: Estimate
    brier: Estimate
    samples: tuple[SampleRow, ...]
    roc: RocCurve
    calibration: Calibration
    significance: SignificanceScan
    response: Histogram
    overtraining: Mapping[str, Overtraining]
    histories: tuple[FoldHistory, ...]
    chosen: str
    reason: str = ""
    before_calibration: BeforeCalibration | None = None
    operating_point: OperatingPoint | None = None
    shares: tuple[ShareRow, ...] = ()

    @classmethod
    def of_model(
        cls, model: Classifier, events: EventTable, *, held_out: ScoredEvents | None = None, bins: int = 40
    ) -> Evaluation:
        """Evaluate a classifier on the events that it was trained on, each by the network that has not seen it.

        Args:
            model: the classifier.
            events: n events with its features.
            held_out: the events with the log-odds that it gives them, where those are at hand.
            bins: of the response histograms.

        Raises:
            DataError: other features, log-odds that are not finite, or a label with Σw ≤ 0.
        """
        logit = model.held_out_logit(events) if held_out is None else held_out.score
        trained, uncalibrated = model.trained_logit(events), model.uncalibrated_logit(events, logit)
        scored = held_out or ScoredEvents.of_table(events, logit, "the log-odds")
        objective = model.training.get("objective") or {}
        found = cls.of_scores(
            events,
            scored,
            uncalibrated=uncalibrated,
            trained=scored.with_score(finite_column(trained, "the log-odds")),
            scheme=model.scheme,
            chosen=model.chosen,
            reason=model.reason,
            histories=model.histories,
            bins=bins,
            seed=model.seed,
            threshold=float(objective.get("threshold", 0.5)),
        )
        return replace(found, shares=wished_shares(model, scored))

    @classmethod
    def of_given(cls, events: EventTable, given: GivenScores, *, bins: int = 40) -> Evaluation:
        """Evaluate a response or log-odds from elsewhere.

        Args:
            events: n events of both labels.
            given: the scores, (n,) each.
            bins: of the response histograms.

        Raises:
            DataError: not one finite number for each event, a response outside [0, 1], or a label with Σw ≤ 0.

        Warns:
            HepnegWarning: responses of exactly 0 or 1, or log-odds that look like probabilities.
        """
        scored = given.log_odds(events)
        trained = given.trained(events, scored)
        return cls.of_scores(events, scored, trained=trained, scheme=given.scheme, bins=bins, seed=given.seed)

    @classmethod
    def of_scores(
        cls,
        events: EventTable,
        logit: ScoredEvents,
        *,
        trained: ScoredEvents | None = None,
        uncalibrated: FloatArray | None = None,
        scheme: str,
        chosen: str = "",
        reason: str = "",
        histories: Sequence[FoldHistory] = (),
        bins: int = 40,
        seed: int = 1,
        threshold: float = 0.5,
    ) -> Evaluation:
        """Evaluate log-odds.

        Args:
            events: n events of both labels.
            logit: the same events with log-odds that they had no part in.
            trained: the same events with log-odds by networks that were trained on them; None leaves out the test of
                overtraining.
            uncalibrated: (n,) the log-odds before their calibration, if there was one.
            scheme: name of the scheme, for tables.
            chosen: the scheme that ``auto`` has chosen; left out, ``scheme``.
            reason: why.
            histories: learning curves, handed through.
            bins: of the response histograms.
            seed: of the halves, the permutations and the ROC band.
            threshold: response above which an event is called signal, for the operating point.

        Raises:
            DataError: a label with Σw ≤ 0.
        """
        area = auc_of(logit).estimate()  # sums the weights, which `response` then knows as well
        response = logit.with_score(sigmoid(logit.score))
        weights = SampleWeights(events.sample_names, events.sample, logit.weight, logit.cluster)
        histogram = signed_histogram(response.score, weights, response_axis(bins))
        return cls(
            scheme=scheme,
            auc=area,
            loss=log_loss_of(logit).estimate(),
            brier=brier_of(response).estimate(),
            samples=_sample_rows(logit, weights, histogram),
            roc=roc_curve_of(response, seed=seed),
            calibration=calibration_curve_of(response),
            significance=significance_scan_of(response),
            response=histogram,
            overtraining={}
            if trained is None
            else overtraining(
                logit, trained, weights, uniform_events(events.event_id, seed, "overtraining"), bins=bins, seed=seed
            ),
            histories=tuple(histories),
            chosen=chosen or scheme,
            reason=reason,
            before_calibration=None if uncalibrated is None else BeforeCalibration.of(logit, uncalibrated),
            operating_point=operating_point_of(response, threshold),
        )

    @property
    def title(self) -> str:
        """The scheme as tables and figures call it: ``refined``, or ``auto: combined``."""
        return scheme_title(self.scheme, self.chosen)

    def __repr__(self) -> str:
        return f"Evaluation({self.title}; AUC {self.auc}, loss {self.loss} nats; {len(self.samples)} samples)"

    def _repr_html_(self) -> str:
        rows = [
            (
                row.sample,
                row.label,
                row.entries,
                row.sum_weights,
                percent(row.negative_fraction),
                count(row.n_eff),
                row.auc,
            )
            for row in self.samples
        ]
        caption = f"scheme {self.title}; AUC {self.auc}, loss {self.loss} nats"
        return html_table(("sample", "label", "entries", "Σw", "f", "n_eff", "AUC"), rows, caption)

    def to_dict(self) -> dict[str, Any]:
        """Return everything that figures and tables show, JSON-ready."""
        return {
            "schema_version": 1,
            **json_fields(self, "scheme", "chosen", "reason", "auc", "loss", "brier"),
            "samples": {row.sample: row.to_dict() for row in self.samples},
            **json_fields(self, "roc", "calibration", "overtraining", "significance", "before_calibration"),
            **json_fields(self, "operating_point", "shares"),
            "response": {row.sample: response_dict(self.response, row.sample) for row in self.samples},
            **json_fields(self, "histories"),
        }

    def histograms(self) -> dict[str, Histogram]:
        """Return the histograms for a ROOT file.

        ``response_<sample>`` (net), ``response_<sample>_positive``, ``response_<sample>_negative`` (entries negative),
        ``response_by_sample`` (two-dimensional, net, bins labelled by the samples), and for the overtraining test
        ``response_held_out_<label>`` and ``response_trained_<label>``.
        """
        named: dict[str, Histogram] = {}
        for row in self.samples:
            named[f"response_{row.sample}"] = project(self.response, row.sample)
            for sign in SIGNS:
                named[f"response_{row.sample}_{sign}"] = project(self.response, row.sample, sign)
        named["response_by_sample"] = _response_by_sample(self.response, [row.sample for row in self.samples])
        for label, part in self.overtraining.items():
            named[f"response_held_out_{label}"] = part.held_out
            named[f"response_trained_{label}"] = part.trained
        return named


def _sample_rows(logit: ScoredEvents, weights: SampleWeights, histogram: Histogram) -> tuple[SampleRow, ...]:
    rows = []
    for name, own in weights.with_events():
        label = LABEL_NAMES[int(logit.code[int(np.argmax(own))])]
        rows.append(sample_row(name, label, weights, own, auc_of_part(logit, own), histogram))
    return tuple(rows)


def sample_row(
    name: str, label: str, weights: SampleWeights, own: BoolArray, auc: Estimate, histogram: Histogram
) -> SampleRow:
    """Return the row of a sample in the table of results.

    Args:
        name: of the sample.
        label: of its events.
        weights: of n events.
        own: (n,) true for those of the sample.
        auc: of the sample against the other labels.
        histogram: of the response, by sample and sign.
    """
    w = weights.weight[own]
    cluster = None if weights.cluster is None else weights.cluster[own]
    total, size = sum_of_weights(w, cluster), float(np.abs(w).sum())
    square = float(np.sum(cluster_sums(w, cluster) ** 2))
    return SampleRow(
        sample=name,
        label=label,
        entries=len(w),
        sum_weights=total,
        negative_fraction=float(-w[w < 0].sum()) / size if size > 0 else float("nan"),
        n_eff=total.value**2 / square if square > 0 else 0.0,
        auc=auc,
        negative_bins=count_negative_bins(project(histogram, name)),
    )


def response_dict(histogram: Histogram, sample: str) -> dict[str, Any]:
    """Return the response of a sample, net and by sign, JSON-ready."""
    signs = {sign: histogram_dict(project(histogram, sample, sign), edges=False) for sign in SIGNS}
    return {**histogram_dict(project(histogram, sample)), **signs}


def _response_by_sample(histogram: Histogram, names: Sequence[str]) -> Histogram:
    # hist warns of an axis called `sample`, a keyword of its fill.
    samples: Any = hist.axis.StrCategory(list(names), name="of_sample", label="Sample")
    table = hist.Hist(histogram.axes["response"], samples, storage=hist.storage.Weight())
    view: Any = table.view(flow=True)
    for number, name in enumerate(names):
        view[:, number] = project(histogram, name).view(flow=True)
    return table
