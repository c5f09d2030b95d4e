"""The trained thing: responses for any events, and honest ones for those it was trained on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike

from hepneg._core.by_fold import by_fold
from hepneg._core.log_odds import sigmoid
from hepneg.config import Output, Task
from hepneg.events import EventTable, Rows
from hepneg.models.model import Float, Model, ModelInputs
from hepneg.networks.calibrated_network import CalibratedNetwork
from hepneg.networks.fold_network import FoldNetwork
from hepneg.networks.inference import in_pieces

__all__ = ["Classifier", "ModelInputs"]

SMALLEST_DENSITY = 1e-9
"""Of p₀ in a ratio, in units of p₀ + p₁: the ratio stays finite."""


@dataclass(frozen=True, eq=False, repr=False)
class Classifier(Model):
    """k networks that tell signal from background, one for each fold; see :class:`hepneg.models.model.Model`.

    With the objective ``cross_entropy`` the logit estimates the log-odds of signal at equal priors, calibrated unless
    ``training.calibration`` is ``none`` (see :func:`hepneg.models.calibrate.calibration_spline`). Other objectives
    and a bounded output move the response on purpose (see :mod:`hepneg.objectives`): it stays within (0, 1), the logit
    is always log(response/(1 − response)), and both rank the events, but neither is a probability any more. An output
    on another scale, such as [−1, 1], is the same response, stretched (:meth:`scaled`).
    """

    task: ClassVar[Task] = "classification"
    noun: ClassVar[str] = "classifier"

    def logit(self, features: ArrayLike | EventTable) -> Float:
        """Return the log-odds of being signal, at equal priors, for events that the classifier was not trained on.

        Args:
            features: (n, F) in the order of ``feature_names``, or a table of events, which may have collections.

        Returns:
            The mean of the k networks' log-odds, (n,).

        Raises:
            DataError: the number of columns differs, or there are NaN or infinite features.
        """
        return self.output(features)

    def response(self, features: ArrayLike | EventTable) -> Float:
        """Return the response in (0, 1), (n,), for events that the classifier was not trained on; see :meth:`logit`."""
        return sigmoid(self.logit(features))

    @property
    def scale(self) -> tuple[float, float] | None:
        """Ends of the scale of the output that ``network.output`` asks for; None where it is the response."""
        output = self.training.get("network", {}).get("output")
        return Output.model_validate(output).scale if output else None

    def scaled(self, response: Float) -> Float:
        """Return a response, (n,), on the scale of the output: low + (high − low)·response."""
        low, high = self.scale or (0.0, 1.0)
        return low + (high - low) * response

    def density_ratio(self, features: ArrayLike | EventTable) -> Float:
        """Return p₁/p₀, (n,), for events that the classifier was not trained on.

        Under ``mixture``, ``factorised`` and ``signed_target`` it has the sign that was learnt, and no floors: negative
        where one of the densities is, and large of either sign where p₀ passes through zero. Under the other schemes
        it is positive. The k networks' densities are averaged before they are divided.

        Args:
            features: (n, F) in the order of ``feature_names``, or a table of events, which may have collections.

        Raises:
            DataError: the number of columns differs, or there are NaN or infinite features.
        """
        rows = self._rows(features)
        return _ratio(np.asarray(sum(_signed_posteriors(network, rows) for network in self.networks)))

    def held_out_density_ratio(self, events: EventTable) -> Float:
        """Return p₁/p₀ of each event by the network that has not seen it, (n,); see :meth:`density_ratio`."""
        return _ratio(self._of_fold(events, _signed_posteriors, shift=0))

    def held_out_logit(self, events: EventTable) -> Float:
        """Return for each event the log-odds of the network that has not seen it, (n,).

        Raises:
            DataError: the table's features are not those of the classifier.
        """
        return self.output_of_fold(events)

    def uncalibrated_logit(self, events: EventTable, held_out: Float) -> Float | None:
        """Return held-out log-odds as they were before their calibration, (n,); None where there was none.

        Args:
            events: n events.
            held_out: (n,), of :meth:`held_out_logit`.
        """
        splines = [network.spline for network in self.networks if isinstance(network, CalibratedNetwork)]
        if len(splines) < self.folds:
            return None
        fold_of = events.folds(self.folds, self.seed)
        return by_fold(fold_of, self.folds, lambda fold, members: splines[fold].inverse(held_out[members]))

    def held_out_response(self, events: EventTable) -> Float:
        """Return for each event the response in (0, 1) of the network that has not seen it, (n,)."""
        return sigmoid(self.held_out_logit(events))

    def trained_logit(self, events: EventTable) -> Float:
        """Return for each event the log-odds of a network that was trained on it, (n,), to look for overtraining."""
        return self.output_of_fold(events, shift=1)

    def columns(self, output: Float) -> dict[str, Float]:
        """Return ``hepneg_response`` and ``hepneg_logit``, (n,) each, from log-odds, (n,).

        With a scale of the output there is ``hepneg_output`` as well.
        """
        response = sigmoid(output)
        scaled = {"hepneg_output": self.scaled(response)} if self.scale else {}
        return {"hepneg_response": response, "hepneg_logit": output, **scaled}


def _signed_posteriors(network: FoldNetwork, features: Rows) -> Float:
    return in_pieces(network.signed_posteriors, features, next(network.parameters()).device)


def _ratio(posteriors: Float) -> Float:
    """Return p₁/p₀ from both, (n, 2)."""
    below, above = posteriors.T
    return np.asarray(above / np.where(np.abs(below) < SMALLEST_DENSITY, np.copysign(SMALLEST_DENSITY, below), below))
