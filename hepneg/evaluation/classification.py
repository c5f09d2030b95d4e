"""What a trained response is worth, judged with signed weights on events that its networks have not seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, TypeAlias

import hist
import numpy as np
from numpy.typing import ArrayLike, NDArray

from hepneg._core.estimate import Estimate
from hepneg._core.hashing import uniform_events
from hepneg._core.log_odds import sigmoid
from hepneg._core.output import json_ready
from hepneg._core.tables import html_table
from hepneg.errors import DataError
from hepneg.evaluation.histograms import SIGNS, count_negative_bins, project, response_histogram
from hepneg.events import LABELS, SIGNAL, EventTable
from hepneg.learning.history import FoldHistory
from hepneg.metrics.auc import auc
from hepneg.metrics.calibration import Calibration, calibration_curve
from hepneg.metrics.ks import KSTest, ks_two_sample
from hepneg.metrics.proper import brier, log_loss
from hepneg.metrics.roc import RocCurve, roc_curve
from hepneg.metrics.scored import finite_column
from hepneg.metrics.significance import SignificanceScan, significance_scan
from hepneg.schemes.titles import scheme_title

__all__ = ["Evaluation", "Overtraining", "SampleRow", "evaluate"]

MAX_TEST_EVENTS = 200_000
"""Events of a label in the overtraining test; of more, a hash of the identifier picks so many."""

Floats = NDArray[np.float64]
Histogram: TypeAlias = "hist.Hist[Any]"


@dataclass(frozen=True, slots=True)
class SampleRow:
    """One sample in the table of results.

    Attributes:
        sample: its name.
        label: ``"signal"`` or ``"background"``.
        entries: number of events.
        sum_weights: Σw with error √Σw².
        negative_fraction: Σ|w|(w<0) / Σ|w|.
        n_eff: (Σw)² / Σw².
        auc: of this sample against all samples of the other label; NaN where a Σw is not positive.
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
        row = {field.name: getattr(self, field.name) for field in fields(self)}
        for name in ("sum_weights", "auc"):
            estimate = row[name]
            row[name], row[f"{name}_error"] = estimate.value, estimate.error
        return row


@dataclass(frozen=True, eq=False, slots=True)
class Overtraining:
    """Held-out against trained response of one label, on two disjoint halves of its events.

    Attributes:
        test: two-sample KS test of the halves; NaN where a half's weights do not sum to a positive number.
        held_out: response of one half, by networks that have not seen those events.
        trained: response of the other half, by networks that were trained on those events.
    """

    test: KSTest
    held_out: Histogram
    trained: Histogram

    def to_dict(self) -> dict[str, Any]:
        """Return the test and both histograms as dictionaries of lists."""
        return {
            **self.test.to_dict(),
            "held_out": _histogram_dict(self.held_out),
            "trained": _histogram_dict(self.trained),
        }


@dataclass(frozen=True, eq=False, slots=True)
class Evaluation:
    """The figures of merit of one training scheme: all signed, with errors, on events not trained on.

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
    """

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
                f"{row.negative_fraction:.1%}",
                f"{row.n_eff:.0f}",
                row.auc,
            )
            for row in self.samples
        ]
        caption = f"scheme {self.title}; AUC {self.auc}, loss {self.loss} nats"
        return html_table(("sample", "label", "entries", "Σw", "f", "n_eff", "AUC"), rows, caption)

    def samples_of(self, label: str) -> list[str]:
        """Return the names of the samples of a label."""
        return [row.sample for row in self.samples if row.label == label]

    def to_dict(self) -> dict[str, Any]:
        """Return everything that figures and tables show, JSON-ready."""
        names = [row.sample for row in self.samples]
        content = {
            "schema_version": 1,
            "scheme": self.scheme,
            "chosen": self.chosen,
            "reason": self.reason,
            **{f"{name}{end}": number for name in ("auc", "loss", "brier") for end, number in _parts(self, name)},
            "samples": {row.sample: row.to_dict() for row in self.samples},
            "roc": self.roc.to_dict(),
            "calibration": self.calibration.to_dict(),
            "overtraining": {label: part.to_dict() for label, part in self.overtraining.items()},
            "significance": self.significance.to_dict(),
            "response": {
                name: {
                    **_histogram_dict(project(self.response, name)),
                    **{sign: _contents(project(self.response, name, sign)) for sign in SIGNS},
                }
                for name in names
            },
            "histories": [history.to_dict() for history in self.histories],
        }
        ready: dict[str, Any] = json_ready(content)
        return ready

    def histograms(self) -> dict[str, Histogram]:
        """Return the histograms for a ROOT file.

        ``response_<sample>`` (net), ``response_<sample>_positive``, ``response_<sample>_negative`` (entries negative),
        ``response_by_sample`` (two-dimensional, net, bins labelled by the samples), and for the overtraining test
        ``response_held_out_<label>`` and ``response_trained_<label>``.
        """
        found: dict[str, Histogram] = {}
        for row in self.samples:
            found[f"response_{row.sample}"] = project(self.response, row.sample)
            for sign in SIGNS:
                found[f"response_{row.sample}_{sign}"] = project(self.response, row.sample, sign)
        found["response_by_sample"] = _response_by_sample(self.response, [row.sample for row in self.samples])
        for label, part in self.overtraining.items():
            found[f"response_held_out_{label}"] = part.held_out
            found[f"response_trained_{label}"] = part.trained
        return found


def evaluate(
    events: EventTable,
    held_out_logit: ArrayLike,
    trained_logit: ArrayLike | None = None,
    *,
    scheme: str,
    chosen: str = "",
    reason: str = "",
    histories: Sequence[FoldHistory] = (),
    bins: int = 40,
    seed: int = 1,
) -> Evaluation:
    """Judge a response with all signed weights applied.

    Args:
        events: n events of both labels.
        held_out_logit: (n,) log-odds by networks that have not seen the event.
        trained_logit: (n,) log-odds by networks that were trained on the event; None leaves the overtraining test out.
        scheme: name of the scheme, for tables.
        chosen: the scheme that ``auto`` has chosen; left out, ``scheme``.
        reason: why.
        histories: learning curves, handed through.
        bins: of the response histograms.
        seed: of the halves, the permutations and the ROC band.

    Raises:
        DataError: log-odds that are not one finite number per event, or a label with Σw ≤ 0.
    """
    logit = _logits(held_out_logit, events)
    response = sigmoid(logit)
    histogram = response_histogram(response, events, bins=bins)
    trained = None if trained_logit is None else _logits(trained_logit, events)
    tests = (
        {} if trained is None else {name: _overtraining(events, logit, trained, name, bins, seed) for name in LABELS}
    )
    return Evaluation(
        scheme=scheme,
        auc=auc(logit, events.label, events.weight),
        loss=log_loss(logit, events.label, events.weight),
        brier=brier(response, events.label, events.weight),
        samples=_sample_rows(events, logit, histogram),
        roc=roc_curve(response, events.label, events.weight, seed=seed),
        calibration=calibration_curve(response, events.label, events.weight),
        significance=significance_scan(response, events.label, events.weight),
        response=histogram,
        overtraining=tests,
        histories=tuple(histories),
        chosen=chosen or scheme,
        reason=reason,
    )


def _logits(values: ArrayLike, events: EventTable) -> Floats:
    logit = finite_column(values, "the log-odds")
    if len(logit) != len(events):
        raise DataError(f"{len(logit)} log-odds are given, but there are {len(events)} events; give one per event")
    return logit


def _sample_rows(events: EventTable, logit: Floats, histogram: Histogram) -> tuple[SampleRow, ...]:
    rows = []
    for code, name in enumerate(events.sample_names):
        chosen = events.sample == code
        if not chosen.any():
            continue
        w = events.weight[chosen]
        label = events.label[int(np.argmax(chosen))]
        total, size, square = float(w.sum()), float(np.abs(w).sum()), float(np.sum(w**2))
        rows.append(
            SampleRow(
                sample=name,
                label="signal" if label == SIGNAL else "background",
                entries=len(w),
                sum_weights=Estimate(total, float(np.sqrt(square))),
                negative_fraction=float(-w[w < 0].sum()) / size if size > 0 else float("nan"),
                n_eff=total**2 / square if square > 0 else 0.0,
                auc=_auc_where_defined(events, logit, chosen | (events.label != label)),
                negative_bins=count_negative_bins(project(histogram, name)),
            )
        )
    return tuple(rows)


def _auc_where_defined(events: EventTable, logit: Floats, mask: NDArray[np.bool_]) -> Estimate:
    try:
        return auc(logit[mask], events.label[mask], events.weight[mask])
    except DataError:
        return Estimate(float("nan"), float("nan"))


def _overtraining(
    events: EventTable, held_out: Floats, trained: Floats, label: str, bins: int, seed: int
) -> Overtraining:
    """Test two halves that share no event: the same events under both responses would not be independent."""
    of_label = events.label == LABELS[label]
    share = min(1.0, MAX_TEST_EVENTS / max(1, int(np.count_nonzero(of_label))))
    u = uniform_events(events.event_id, seed, "overtraining")
    first, second = of_label & (u < 0.5), of_label & (u >= 0.5)
    a, b = first & (u < 0.5 * share), second & (u < 0.5 + 0.5 * share)
    try:
        test = ks_two_sample(held_out[a], events.weight[a], trained[b], events.weight[b], seed=seed)
    except DataError:
        test = KSTest(float("nan"), float("nan"), 0)
    halves = (
        project(response_histogram(sigmoid(logit[half]), events.select(half), bins=bins))
        for logit, half in ((held_out, first), (trained, second))
    )
    return Overtraining(test, *halves)


def _parts(evaluation: Evaluation, name: str) -> list[tuple[str, float]]:
    estimate: Estimate = getattr(evaluation, name)
    return [("", estimate.value), ("_error", estimate.error)]


def _contents(histogram: Histogram) -> dict[str, Any]:
    return {"values": np.asarray(histogram.values()).tolist(), "variances": np.asarray(histogram.variances()).tolist()}


def _histogram_dict(histogram: Histogram) -> dict[str, Any]:
    return {"edges": histogram.axes[0].edges.tolist(), **_contents(histogram)}


def _response_by_sample(histogram: Histogram, names: Sequence[str]) -> Histogram:
    # hist warns of an axis called `sample`, a keyword of its fill.
    samples: Any = hist.axis.StrCategory(list(names), name="of_sample", label="Sample")
    table = hist.Hist(histogram.axes["response"], samples, storage=hist.storage.Weight())
    view: Any = table.view(flow=True)
    for number, name in enumerate(names):
        view[:, number] = project(histogram, name).view(flow=True)
    return table
