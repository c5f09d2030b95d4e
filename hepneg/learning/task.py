"""What training does differently for a classification and for a regression."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, cast

import numpy as np
import torch
from numpy.typing import NDArray

from hepneg.config import NetworkChoice, Output
from hepneg.errors import TrainingError
from hepneg.events import EventTable
from hepneg.learning.trainable import SIGNIFICANCE, require_density, require_trainable
from hepneg.networks.fold_network import FoldNetwork
from hepneg.networks.output_range import response_range
from hepneg.networks.regression_network import RegressionNetwork, TargetScaling
from hepneg.networks.response_network import ResponseNetwork
from hepneg.objectives import Objective
from hepneg.objectives.rows import EventRows, balanced_weight, event_table
from hepneg.objectives.target_objectives import TargetObjective

__all__ = ["LabelTask", "LearningTask", "TargetTask", "learning_task"]

MARGIN = 1.0
"""A bounded prediction may leave the range of the targets by so many of their standard deviations."""

Float = NDArray[np.float64]


class LearningTask(Protocol):
    """What there is to learn from the events of a fold."""

    def require_trainable(self, weight: Float, events: EventTable, *, significance: float = SIGNIFICANCE) -> None:
        """Refuse weights, (n,), under which the events have nothing to teach.

        Raises:
            TrainingError: what is missing, and what to do.
        """

    def for_signs(self, events: EventTable) -> EventTable:
        """Return the events with the features that the local mean sign must depend on."""

    def network(
        self,
        events: EventTable,
        train_weight: Float,
        choice: NetworkChoice,
        logit_bound: float | None,
        generator: torch.Generator,
    ) -> FoldNetwork:
        """Return a new network, begun for these events and weights, (n,); with a bound its outputs must be bounded."""

    def table(self, network: FoldNetwork, events: EventTable, train_weight: Float) -> EventRows:
        """Return the inputs and what the objective needs beside them, (n, W + …)."""


@dataclass(frozen=True)
class LabelTask:
    """Learns to tell the classes apart."""

    def require_trainable(self, weight: Float, events: EventTable, *, significance: float = SIGNIFICANCE) -> None:
        """Refuse events of which a label has no positive Σw (see :class:`LearningTask`)."""
        require_trainable(weight, events.label, events.classes, significance=significance)

    def for_signs(self, events: EventTable) -> EventTable:
        """Return the events as they are."""
        return events

    def network(
        self,
        events: EventTable,
        train_weight: Float,  # noqa: ARG002
        choice: NetworkChoice,
        logit_bound: float | None,
        generator: torch.Generator,
    ) -> ResponseNetwork:
        """Return a network with one output fewer than classes: the log-odds of two."""
        output = response_range(choice.output)
        network = ResponseNetwork(choice.make(), events.layout, logit_bound, output, len(events.classes))
        network.initialise(generator, events.inputs)
        return network

    def table(self, network: FoldNetwork, events: EventTable, train_weight: Float) -> EventRows:  # noqa: ARG002
        """Return features, label and weight, all labels brought to the same sum."""
        balanced = balanced_weight(train_weight, events.label, len(events.classes))
        return event_table(events.inputs, events.label, balanced)


@dataclass(frozen=True)
class TargetTask:
    """Learns to predict the target.

    Attributes:
        objective: says how many outputs there are and whether they are bounded.
    """

    objective: TargetObjective

    def require_trainable(self, weight: Float, events: EventTable, *, significance: float = SIGNIFICANCE) -> None:
        """Refuse events without a positive Σw, or of which no target is right (see :class:`LearningTask`)."""
        right = weight[events.right()]
        require_density(right, "events" if events.grade is None else "events with a right target", significance)

    def for_signs(self, events: EventTable) -> EventTable:
        """Return the events with the target as one more feature.

        Weights refined with a sign that depends on x alone would leave E[t|x] as it is under \\|w\\|.
        """
        return events.with_target_as_feature()

    def network(
        self,
        events: EventTable,
        train_weight: Float,
        choice: NetworkChoice,
        logit_bound: float | None,
        generator: torch.Generator,
    ) -> RegressionNetwork:
        """Return a network that begins at the weighted least squares of right targets."""
        right, targets = events.right(), events.targets()
        scaling = TargetScaling.of(targets[right])
        bounded = self.objective.bounded or logit_bound is not None
        output, ends = _range(choice.output, scaling, bounded=bounded)
        network = RegressionNetwork(choice.make(), events.layout, self.objective.quantiles, output, targets.shape[1])
        network.initialise(generator, events.inputs, scaling, ends)
        network.fit_line(events.features[right], targets[right], _strength(events, train_weight)[right])
        return network

    def table(self, network: FoldNetwork, events: EventTable, train_weight: Float) -> EventRows:
        """Return features, standardised targets, and the weight times the grade, the weights' mean brought to 1."""
        strength = _strength(events, train_weight) * (len(train_weight) / train_weight.sum())
        targets = cast(RegressionNetwork, network).standardise(events.targets())
        return event_table(events.inputs, *targets.T, strength)


def _strength(events: EventTable, weight: Float) -> Float:
    """Return the weight times the grade, (n,)."""
    return weight if events.grade is None else weight * events.grade


def learning_task(objective: Objective) -> LearningTask:
    """Return what an objective has to learn."""
    return TargetTask(cast(TargetObjective, objective)) if objective.task == "regression" else LabelTask()


def _range(output: Output | None, target: TargetScaling, *, bounded: bool) -> tuple[str, tuple[Float, Float]]:
    """Return the function of the output and the ends of its range, (T,) each in the targets' units.

    Args:
        output: in the settings; its range is that of every target.
        target: the targets of the training.
        bounded: the objective or the scheme wants a range: without another, that of the targets and a margin.

    Raises:
        TrainingError: ``relu`` for targets that it cannot reach, or where a range is wanted.
    """
    low, high, spread = (np.array(part) for part in (target.low, target.high, target.spread))
    if output is None:
        return ("tanh" if bounded else "linear"), (low - MARGIN * spread, high + MARGIN * spread)
    if output.high is not None:
        return output.activation, (np.full_like(low, output.low), np.full_like(low, output.high))
    if low.min() < output.low:
        raise TrainingError(
            f"network.output is relu, which gives nothing below {output.low:g}, but the target goes down to "
            f"{low.min():.6g}: leave the output out, which makes it linear"
        )
    if bounded:
        raise TrainingError(
            "the objective or the scheme wants bounded predictions, and network.output relu has no upper end: leave it "
            "out, or give low and high"
        )
    return "relu", (np.full_like(low, output.low), np.full_like(low, output.low))
