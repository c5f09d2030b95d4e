"""The weight summary of all samples and labels."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from hepneg._core.class_names import DATA_LABEL, TWO_CLASSES
from hepneg._core.formatting import count, estimate, p_value, percent, significant
from hepneg._core.json_values import json_object
from hepneg._core.tables import html_table
from hepneg.binning.bin_plan import plan_bins
from hepneg.binning.copies import copied_share, warn_about_copies
from hepneg.binning.subsample import draw_subsample
from hepneg.events import EventTable, clustering, clusters
from hepneg.weights.accumulator import WeightAccumulator
from hepneg.weights.weight_summary import WeightSummary, summarize

__all__ = ["WeightReport", "report_weights", "summarize_weights"]

_PLAN_EVENTS = 20_000
_HEADS = ("sample", "selected", "Σw", "f", "dilution", "n_eff")


@dataclass(frozen=True, eq=False, slots=True, repr=False)
class WeightReport:
    """Weight summaries of all samples and labels.

    Attributes:
        samples: by name.
        labels: signal and background, or other labels in the order of their samples, as far as there are any.
        batch_size: the number of events in a batch that ``batch_risk`` is about.
        batch_risk: for each label the probability that Σw ≤ 0 in a random batch.
    """

    samples: dict[str, WeightSummary]
    labels: dict[str, WeightSummary]
    batch_size: int
    batch_risk: dict[str, float]

    @property
    def outliers(self) -> tuple[str, ...]:
        """One sentence for each sample that a handful of weights carries."""
        return tuple(summary.outlier_sentence for summary in self.samples.values() if summary.outliers)

    def __repr__(self) -> str:
        lines = ["{:<16}{:>12}{:>26}{:>9}{:>10}{:>12}".format(*row) for row in (("", *_HEADS[1:]), *self._rows())]
        risks = ", ".join(f"{label} {p_value(risk)}" for label, risk in self.batch_risk.items())
        return "\n".join([*lines, *self.outliers, f"P(Σw ≤ 0 in a batch of {self.batch_size}): {risks}"])

    def _repr_html_(self) -> str:
        return html_table(_HEADS, self._rows(), ". ".join(self.outliers))

    def _rows(self) -> Iterator[tuple[str, ...]]:
        """Give the figures of each sample and label as all tables show them."""
        for one in (*self.samples.values(), *self.labels.values()):
            total, share = estimate(one.sum_weights, one.error), percent(one.negative_fraction)
            yield one.name, count(one.selected), total, share, significant(one.dilution), count(one.n_eff)

    def to_dict(self) -> dict[str, Any]:
        """Return the report as ``inspect.json`` holds it."""
        return json_object(
            {
                "schema_version": 1,
                "samples": self.samples,
                "labels": self.labels,
                "batch_size": self.batch_size,
                "batch_risk": self.batch_risk,
            }
        )


def summarize_weights(events: EventTable, batch_size: int = 1024) -> WeightReport:
    """Summarise the weights of a table: what its negative weights cost.

    Args:
        events: the events of all samples.
        batch_size: events in a training batch, for the probability that its Σw is not positive.

    Warns:
        HepnegWarning: a sample holds many exact copies of events under different identifiers.

    Events that do not fit into memory: draw a subsample of each sample, plan the bins, fill a
    :class:`WeightAccumulator` for each sample chunk by chunk, and call :func:`report_weights`.
    """
    tables = {name: events.of_sample(name) for name in events.sample_names}
    warn_about_copies({name: copied_share(table) for name, table in tables.items()})
    plan = None
    if events.feature_names and len(events):
        drawn = [draw_subsample(table, seed=1, size=_PLAN_EVENTS).features for table in tables.values()]
        plan = plan_bins(drawn, events.feature_names)
    accumulators = {name: WeightAccumulator(plan) for name in tables}
    for name, table in tables.items():
        accumulators[name].fill(table.weight, table.features)
    labels = {name: events.label_of_sample(name) for name in tables}
    by_event = {name: clustering(table.weight, clusters(table.observation_id)) for name, table in tables.items()}
    return report_weights(accumulators, labels, by_event=by_event, batch_size=batch_size)


def report_weights(
    accumulators: Mapping[str, WeightAccumulator],
    labels: Mapping[str, str],
    *,
    scales: Mapping[str, float] | None = None,
    by_event: Mapping[str, float] = MappingProxyType({}),
    batch_size: int = 1024,
) -> WeightReport:
    """Report accumulated samples.

    Args:
        accumulators: for each sample its sums; those of one label are added up.
        labels: the label of each sample.
        scales: for each sample the factor from raw to physical weights; left out, 1.
        by_event: for each sample Σ(Σw)² over the events by Σw² of the rows; left out, 1: every row is an event.
        batch_size: events in a training batch.
    """
    scaled = {name: sums.scaled(scales[name]) if scales else sums for name, sums in accumulators.items()}
    samples = {name: summarize(name, sums, by_event.get(name, 1.0)) for name, sums in scaled.items()}
    joined: dict[str, WeightAccumulator] = {}
    for name, sums in scaled.items():
        joined[labels[name]] = joined[labels[name]] + sums if labels[name] in joined else sums
    by_label: dict[str, WeightSummary] = {
        label: summarize(label, joined[label], _joined_clusters(label, scaled, labels, by_event))
        for label in _in_order(labels.values())
        if label in joined
    }
    everything = sum(summary.selected for summary in by_label.values())
    risk: dict[str, float] = {
        label: summary.batch_risk(batch_size, summary.selected / everything) if everything else 1.0
        for label, summary in by_label.items()
    }
    return WeightReport(samples, by_label, batch_size, risk)


def _in_order(labels: Iterable[str]) -> tuple[str, ...]:
    """Return labels in the order of tables: signal first, or else as they appear; measured data are not summed up."""
    found = tuple(name for name in dict.fromkeys(labels) if name != DATA_LABEL)
    return TWO_CLASSES[::-1] if set(found) <= set(TWO_CLASSES) else found


def _joined_clusters(
    label: str,
    sums: Mapping[str, WeightAccumulator],
    labels: Mapping[str, str],
    by_event: Mapping[str, float],
) -> float:
    squares = {name: float(part.power_sums[:, 1].sum()) for name, part in sums.items() if labels[name] == label}
    clustered = sum(square * by_event.get(name, 1.0) for name, square in squares.items())
    return clustered / sum(squares.values()) if any(squares.values()) else 1.0
