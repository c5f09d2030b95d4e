"""The trained thing: responses for any events, and honest ones for those it was trained on."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike

from hepneg._core.by_fold import by_fold
from hepneg._core.class_names import TWO_CLASSES
from hepneg._core.log_odds import class_log_odds, log_probabilities, normalised_logarithms, sigmoid
from hepneg.config import Output, Task
from hepneg.errors import DataError, nearest_names
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
    """k networks that tell signal from background, or any classes apart; see :class:`hepneg.models.model.Model`.

    For signal and background a response is one number, (n,); for other classes there is one of each, (n, K), in the
    order of ``classes``, which sum to 1. The k networks' log-ratios of densities are averaged.

    With the objective ``cross_entropy`` the logit estimates the log-odds of signal at equal priors, calibrated unless
    ``training.calibration`` is ``none`` (see :func:`hepneg.models.calibrate.calibration_spline`). Other objectives
    and a bounded output move the response on purpose (see :mod:`hepneg.objectives`): it stays within (0, 1), the logit
    is always log(response/(1 − response)), and both rank the events, but neither is a probability any more. An output
    on another scale, such as [−1, 1], is the same response, stretched (:meth:`scaled`).
    """

    task: ClassVar[Task] = "classification"
    noun: ClassVar[str] = "classifier"
    classes: tuple[str, ...] = TWO_CLASSES

    def logit(self, features: ArrayLike | EventTable) -> Float:
        """Return the log-odds of being signal, at equal priors, for events that the classifier was not trained on.

        For other classes: the log-odds of each against all others together.

        Args:
            features: (n, F) in the order of ``feature_names``, or a table of events, which may have collections.

        Returns:
            The mean of the k networks' log-odds, (n,), or (n, K) of their log-ratios.

        Raises:
            DataError: the number of columns differs, or there are NaN or infinite features.
        """
        return self.logit_of(self.output(features))

    def response(self, features: ArrayLike | EventTable, priors: Mapping[str, float] | None = None) -> Float:
        """Return the response in (0, 1), (n,) or (n, K), for events that the classifier was not trained on.

        Args:
            features: as for :meth:`logit`.
            priors: of each class by its name, on any scale, as expected numbers of events; left out, all are equal.

        Raises:
            DataError: as for :meth:`logit`, or priors that are not one positive number for each class.
        """
        return self.response_of(self.output(features), priors)

    def log_ratios(self, features: ArrayLike | EventTable, against: str) -> Float:
        """Return log p/p' of each class against one, (n, K), for events that the classifier was not trained on.

        Args:
            features: as for :meth:`logit`.
            against: name of the class whose density is p'; its own column is 0.

        Raises:
            DataError: as for :meth:`logit`, or no such class.
        """
        return self._log_ratios(self.output(features), against)

    def held_out_log_ratios(self, events: EventTable, against: str) -> Float:
        """Return :meth:`log_ratios` of each event by the network that has not seen it, (n, K)."""
        return self._log_ratios(self.output_of_fold(events), against)

    def logit_of(self, output: Float) -> Float:
        """Return the log-odds that belong to outputs of :meth:`output`, (n,) or (n, K)."""
        return output if self.classes == TWO_CLASSES else class_log_odds(log_probabilities(output))

    def response_of(self, output: Float, priors: Mapping[str, float] | None = None) -> Float:
        """Return the response that belongs to outputs of :meth:`output`, (n,) or (n, K)."""
        shift = np.log(_prior_shares(priors, self.classes)) if priors is not None else np.zeros(len(self.classes))
        if self.classes == TWO_CLASSES:
            return sigmoid(output + (shift[1] - shift[0]))
        return np.exp(normalised_logarithms(log_probabilities(output) + shift))

    def _log_ratios(self, output: Float, against: str) -> Float:
        code = _code_of(against, self.classes)
        logarithms = log_probabilities(output)
        return np.asarray(logarithms - logarithms[:, [code]])

    @property
    def scale(self) -> tuple[float, float] | None:
        """Ends of the scale of the output that ``network.output`` asks for; None where it is the response."""
        output = self.training.get("network", {}).get("output")
        return Output.model_validate(output).scale if output else None

    def scaled(self, response: Float) -> Float:
        """Return a response, (n,), on the scale of the output: low + (high − low)·response."""
        low, high = self.scale or (0.0, 1.0)
        return low + (high - low) * response

    def density_ratio(self, features: ArrayLike | EventTable, of: str = "signal", against: str = "background") -> Float:
        """Return p₁/p₀, (n,), for events that the classifier was not trained on.

        Under ``mixture``, ``factorised`` and ``signed_target`` it has the sign that was learnt, and no floors: negative
        where one of the densities is, and large of either sign where p₀ passes through zero. Under the other schemes
        it is positive. The k networks' densities are averaged before they are divided.

        Args:
            features: (n, F) in the order of ``feature_names``, or a table of events, which may have collections.
            of: name of the class whose density is p₁.
            against: name of the class whose density is p₀.

        Raises:
            DataError: the number of columns differs, there are NaN or infinite features, or no such class.
        """
        rows = self._rows(features)
        total = np.asarray(sum(_signed_posteriors(network, rows) for network in self.networks))
        return _ratio(total, *(_code_of(name, self.classes) for name in (of, against)))

    def held_out_density_ratio(self, events: EventTable, of: str = "signal", against: str = "background") -> Float:
        """Return p₁/p₀ of each event by the network that has not seen it, (n,); see :meth:`density_ratio`."""
        total = self._of_fold(events, _signed_posteriors, shift=0)
        return _ratio(total, *(_code_of(name, self.classes) for name in (of, against)))

    def held_out_logit(self, events: EventTable) -> Float:
        """Return for each event the log-odds of the network that has not seen it, (n,), or (n, K); see :meth:`logit`.

        Raises:
            DataError: the table's features are not those of the classifier.
        """
        return self.logit_of(self.output_of_fold(events))

    def uncalibrated_logit(self, events: EventTable, held_out: Float) -> Float | None:
        """Return held-out log-odds as they were before their calibration, (n,).

        None where there was none, and for classes other than signal and background.

        Args:
            events: n events.
            held_out: (n,), of :meth:`held_out_logit`.
        """
        splines = [network.spline for network in self.networks if isinstance(network, CalibratedNetwork)]
        if len(splines) < self.folds or self.classes != TWO_CLASSES:
            return None
        fold_of = events.folds(self.folds, self.seed)
        return by_fold(fold_of, self.folds, lambda fold, members: splines[fold].inverse(held_out[members]))

    def held_out_response(self, events: EventTable) -> Float:
        """Return for each event the response in (0, 1) of the network that has not seen it, (n,) or (n, K)."""
        return self.response_of(self.output_of_fold(events))

    def trained_logit(self, events: EventTable) -> Float:
        """Return for each event the log-odds of a network that was trained on it, (n,), to look for overtraining."""
        return self.logit_of(self.output_of_fold(events, shift=1))

    @property
    def output_shape(self) -> tuple[int, ...]:
        """Shape of the output of one event: empty for the log-odds of two classes, else of log-ratios."""
        return () if len(self.classes) == 2 else (len(self.classes) - 1,)

    def to_dict(self) -> dict[str, Any]:
        """Return what ``model.json`` holds, except for the checksum of the weights."""
        return super().to_dict() | ({"classes": list(self.classes)} if self.classes != TWO_CLASSES else {})

    @classmethod
    def _from_dict(cls, data: Mapping[str, Any], networks: Sequence[FoldNetwork]) -> Self:
        return replace(super()._from_dict(data, networks), classes=tuple(data.get("classes", TWO_CLASSES)))

    def columns(self, output: Float) -> dict[str, Float]:
        """Return ``hepneg_response`` and ``hepneg_logit``, (n,) each, from log-odds, (n,).

        With a scale of the output there is ``hepneg_output`` as well. For classes other than signal and background
        there are ``hepneg_response_<class>`` and ``hepneg_logit_<class>`` of each, from the networks' outputs.
        """
        if self.classes != TWO_CLASSES:
            named = {"hepneg_response": self.response_of(output), "hepneg_logit": self.logit_of(output)}
            return {
                f"{kind}_{name}": values[:, code]
                for kind, values in named.items()
                for code, name in enumerate(self.classes)
            }
        response = sigmoid(output)
        scaled = {"hepneg_output": self.scaled(response)} if self.scale else {}
        return {"hepneg_response": response, "hepneg_logit": output, **scaled}


def _signed_posteriors(network: FoldNetwork, features: Rows) -> Float:
    return in_pieces(network.signed_posteriors, features, next(network.parameters()).device)


def _code_of(name: str, classes: Sequence[str]) -> int:
    if name not in classes:
        raise DataError(f"no class {name!r}{nearest_names(name, classes)}")
    return classes.index(name)


def _prior_shares(priors: Mapping[str, float], classes: Sequence[str]) -> Float:
    """Return the priors in the order of the classes, (K,).

    Raises:
        DataError: not one positive number for each class.
    """
    for name in priors:
        _code_of(name, classes)
    values = [priors.get(name, math.nan) for name in classes]
    for name, value in zip(classes, values, strict=True):
        if not (value > 0 and math.isfinite(value)):
            raise DataError(f"the prior of {name} must be a positive number, not {value}; give one for each class")
    return np.array(values, dtype=np.float64)


def _ratio(posteriors: Float, of: int, against: int) -> Float:
    """Return p₁/p₀ of two classes from the densities of all, (n, K)."""
    below, above = posteriors[:, against], posteriors[:, of]
    return np.asarray(above / np.where(np.abs(below) < SMALLEST_DENSITY, np.copysign(SMALLEST_DENSITY, below), below))
