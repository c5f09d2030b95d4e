"""The evaluation of a classification into any classes: figures of merit with all signed weights, and their errors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from hepneg._core.arrays import FloatArray
from hepneg._core.estimate import Estimate
from hepneg._core.formatting import count, percent
from hepneg._core.hashing import uniform_events
from hepneg._core.json_values import json_fields, json_object
from hepneg._core.log_odds import sigmoid
from hepneg._core.tables import html_table
from hepneg.evaluation.classification import Histogram, SampleRow, response_dict, sample_row
from hepneg.evaluation.given_scores import GivenScores
from hepneg.evaluation.histograms import SIGNS, project, response_axis, signed_histogram
from hepneg.evaluation.overtraining import NodeOvertraining, node_overtraining
from hepneg.evaluation.per_sample import SampleWeights
from hepneg.events import EventTable
from hepneg.events.class_order import in_class_order
from hepneg.learning.history import FoldHistory
from hepneg.metrics.calibration import Calibration, calibration_curve_of
from hepneg.metrics.class_scores import ClassScores, class_brier_of, class_log_loss_of
from hepneg.metrics.class_separation import (
    against_rest,
    confusion_of,
    one_versus_one_of,
    one_versus_rest_of,
    part_versus_rest,
)
from hepneg.metrics.influence import Influence
from hepneg.schemes.scheme import scheme_title

if TYPE_CHECKING:
    from hepneg.models.classifier import Classifier

__all__ = ["ClassEvaluation"]


@dataclass(frozen=True, eq=False, slots=True)
class ClassEvaluation:
    """The figures of merit of the probabilities of K classes: all signed, on events that they were not trained on.

    Attributes:
        scheme: name of the scheme.
        classes: K names.
        auc: mean of the areas of each class against all others.
        loss: log-loss in nats, classes balanced.
        brier: half the squared distance of the probabilities from the own class, classes balanced.
        one_versus_rest: area under the ROC curve of each class against all others, which share their prior equally.
        one_versus_one: area between each two classes, by the ratio of their probabilities.
        confusion: share of each class's Σw (rows) that goes to each class, the most probable at equal priors, (K, K).
        confusion_error: its errors.
        calibration: of each class's response against all others at equal priors of the class and of the others.
        samples: one row per sample; its area is against all other classes, its negative bins are of its own response.
        responses: Σw and Σw² over sample × sign × response of each class.
        overtraining: of each class's response; empty without the response of trained networks.
        histories: learning curves of the folds.
        chosen: the scheme whose networks gave the response: that of ``auto``'s choice, or ``scheme`` itself.
        reason: why ``auto`` has chosen it, in one sentence; empty for any other scheme.
    """

    task: ClassVar[str] = "classification"
    scheme: str
    classes: tuple[str, ...]
    auc: Estimate
    loss: Estimate
    brier: Estimate
    one_versus_rest: Mapping[str, Estimate]
    one_versus_one: Mapping[tuple[str, str], Estimate]
    confusion: FloatArray
    confusion_error: FloatArray
    calibration: Mapping[str, Calibration]
    samples: tuple[SampleRow, ...]
    responses: Mapping[str, Histogram]
    overtraining: Mapping[str, NodeOvertraining]
    histories: tuple[FoldHistory, ...]
    chosen: str
    reason: str = ""

    @classmethod
    def of_model(
        cls, model: Classifier, events: EventTable, *, held_out: ClassScores | None = None, bins: int = 40
    ) -> ClassEvaluation:
        """Evaluate a classifier on the events that it was trained on, each by the network that has not seen it.

        Args:
            model: the classifier.
            events: n events with its features and classes.
            held_out: the events, with classes in the model's order and the probabilities that it gives them, where
                those are at hand.
            bins: of the response histograms.

        Raises:
            DataError: other features or classes, outputs that are not finite, or a class with Σw ≤ 0.
        """
        events = in_class_order(events, model.classes)
        scored = held_out or ClassScores.of_table(events, model.output_of_fold(events))
        return cls.of_scores(
            events,
            scored,
            trained=ClassScores.of_table(events, model.output_of_fold(events, shift=1)),
            seed=model.seed,
            scheme=model.scheme,
            chosen=model.chosen,
            reason=model.reason,
            histories=model.histories,
            bins=bins,
        )

    @classmethod
    def of_given(cls, events: EventTable, given: GivenScores, *, bins: int = 40) -> ClassEvaluation:
        """Evaluate probabilities from elsewhere.

        Args:
            events: n events of K classes.
            given: the response, (n, K).
            bins: of the response histograms.

        Raises:
            DataError: other scores than a response, not one probability for each event and class, or a class with
                Σw ≤ 0.

        Warns:
            HepnegWarning: responses of exactly 0.
        """
        return cls.of_scores(events, given.probabilities(events), scheme=given.scheme, bins=bins)

    @classmethod
    def of_scores(
        cls,
        events: EventTable,
        scored: ClassScores,
        *,
        trained: ClassScores | None = None,
        scheme: str,
        chosen: str = "",
        reason: str = "",
        histories: Sequence[FoldHistory] = (),
        bins: int = 40,
        seed: int = 1,
    ) -> ClassEvaluation:
        """Evaluate probabilities.

        Args:
            events: n events of K classes.
            scored: the same events with probabilities that they had no part in.
            trained: the same events with probabilities by networks that were trained on them; None leaves out the test
                of overtraining.
            scheme: name of the scheme, for tables.
            chosen: the scheme that ``auto`` has chosen; left out, ``scheme``.
            reason: why.
            histories: learning curves, handed through.
            bins: of the response histograms.
            seed: of the halves and the permutations.

        Raises:
            DataError: a class with Σw ≤ 0.
        """
        names = events.classes
        weights = SampleWeights(events.sample_names, events.sample, events.weight, scored.cluster)
        probability, axis = np.exp(scored.log_probability), response_axis(bins)
        responses = {name: signed_histogram(probability[:, code], weights, axis) for code, name in enumerate(names)}
        share, error = confusion_of(scored)
        areas = [one_versus_rest_of(scored, code) for code in range(len(names))]
        return cls(
            scheme=scheme,
            classes=names,
            auc=Influence.mean(areas).estimate(),
            loss=class_log_loss_of(scored).estimate(),
            brier=class_brier_of(scored).estimate(),
            one_versus_rest={name: area.estimate() for name, area in zip(names, areas, strict=True)},
            one_versus_one={
                (names[first], names[second]): one_versus_one_of(scored, first, second).estimate()
                for first, second in combinations(range(len(names)), 2)
            },
            confusion=share,
            confusion_error=error,
            calibration={name: _calibration(scored, code) for code, name in enumerate(names)},
            samples=_sample_rows(scored, weights, responses),
            responses=responses,
            overtraining={}
            if trained is None
            else node_overtraining(
                scored, trained, weights, uniform_events(events.event_id, seed, "overtraining"), bins=bins, seed=seed
            ),
            histories=tuple(histories),
            chosen=chosen or scheme,
            reason=reason,
        )

    @property
    def title(self) -> str:
        """The scheme as tables and figures call it: ``refined``, or ``auto: combined``."""
        return scheme_title(self.scheme, self.chosen)

    def __repr__(self) -> str:
        return f"ClassEvaluation({self.title}; {', '.join(self.classes)}; mean AUC {self.auc}, loss {self.loss} nats)"

    def _repr_html_(self) -> str:
        rows = [
            (row.sample, row.label, row.entries, row.sum_weights, percent(row.negative_fraction), count(row.n_eff))
            for row in self.samples
        ]
        caption = f"scheme {self.title}; mean AUC {self.auc}, loss {self.loss} nats"
        return html_table(("sample", "label", "entries", "Σw", "f", "n_eff"), rows, caption)

    def to_dict(self) -> dict[str, Any]:
        """Return everything that figures and tables show, JSON-ready."""
        matrix = {
            own: {
                name: Estimate(float(self.confusion[i, j]), float(self.confusion_error[i, j]))
                for j, name in enumerate(self.classes)
            }
            for i, own in enumerate(self.classes)
        }
        pairs = [{"first": a, "second": b, "auc": auc} for (a, b), auc in self.one_versus_one.items()]
        return {
            "schema_version": 1,
            **json_fields(self, "classes", "scheme", "chosen", "reason", "auc", "loss", "brier", "one_versus_rest"),
            **json_object({"one_versus_one": pairs, "confusion": matrix}),
            "samples": {row.sample: row.to_dict() for row in self.samples},
            **json_fields(self, "calibration", "overtraining"),
            "response": {
                name: {row.sample: response_dict(histogram, row.sample) for row in self.samples}
                for name, histogram in self.responses.items()
            },
            **json_fields(self, "histories"),
        }

    def histograms(self) -> dict[str, Histogram]:
        """Return the histograms for a ROOT file.

        For each class ``response_<class>_<sample>`` (net), ``…_positive`` and ``…_negative`` (entries negative), and
        for the overtraining test ``response_<class>_held_out_own``, ``…_held_out_others``, ``…_trained_own`` and
        ``…_trained_others``.
        """
        named: dict[str, Histogram] = {}
        for name, histogram in self.responses.items():
            for row in self.samples:
                named[f"response_{name}_{row.sample}"] = project(histogram, row.sample)
                for sign in SIGNS:
                    named[f"response_{name}_{row.sample}_{sign}"] = project(histogram, row.sample, sign)
        for name, node in self.overtraining.items():
            for events, part in (("own", node.own), ("others", node.others)):
                named[f"response_{name}_held_out_{events}"] = part.held_out
                named[f"response_{name}_trained_{events}"] = part.trained
        return named

    def of_class(self, name: str, node: str) -> Histogram:
        """Return the response of one class, ``node``, for the events of another, net of signs."""
        members = [row.sample for row in self.samples if row.label == name]
        return project(self.responses[node], members)


def _calibration(scored: ClassScores, code: int) -> Calibration:
    one = against_rest(scored, code)
    return calibration_curve_of(one.with_score(sigmoid(one.score)))


def _sample_rows(
    scored: ClassScores, weights: SampleWeights, responses: Mapping[str, Histogram]
) -> tuple[SampleRow, ...]:
    rows = []
    for name, own in weights.with_events():
        label = scored.classes[int(scored.code[int(np.argmax(own))])]
        rows.append(sample_row(name, label, weights, own, part_versus_rest(scored, own), responses[label]))
    return tuple(rows)
