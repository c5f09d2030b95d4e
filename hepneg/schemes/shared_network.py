"""One network for label and sign together: its outputs are combined into a signed ratio of densities."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from hepneg._core.parameters import require_between
from hepneg.events import EventTable, InputLayout, Rows
from hepneg.losses import MixtureLoss
from hepneg.networks.class_outputs import class_probabilities
from hepneg.networks.fold_network import FoldNetwork, number_of_classes
from hepneg.networks.inference import in_pieces
from hepneg.networks.make_body import make_body
from hepneg.networks.network import Network, network_from_dict, network_to_dict
from hepneg.signs.fit_signs import mean_sign
from hepneg.signs.local_signs import class_means
from hepneg.signs.sign_ensemble import LARGEST_MEAN
from hepneg.signs.slope_floor import best_floor

__all__ = ["MixtureNetwork", "SharedNetwork", "SignedTargetNetwork"]

SMALLEST = 1e-4
"""Smallest probability of a label: squared errors may take a linear output past 0 or 1."""

Float = NDArray[np.float64]

_mixture = MixtureLoss()


class SharedNetwork(FoldNetwork):
    """2K − 1 outputs of one network from which label and signs follow; made log-odds with floored signs.

    ``norm`` and ``floor`` hold, for each of K classes, as background and signal, the means of the floored local mean
    signs under \\|w\\| and the floors.

    Args:
        network: gives the layers.
        inputs: how they are laid out; F without collections.
        least_floor: smallest local mean sign in the logarithm.
        classes: K (:mod:`hepneg.networks.class_outputs`).
    """

    norm: torch.Tensor
    floor: torch.Tensor

    def __init__(self, network: Network, inputs: int | InputLayout, least_floor: float, classes: int = 2) -> None:
        super().__init__()
        self.network, self.inputs, self.least_floor = network, InputLayout.of(inputs), least_floor
        self.classes = classes
        self.register_buffer("norm", torch.ones(classes))
        self.register_buffer("floor", torch.full((classes,), least_floor))
        self.body = make_body(network, self.inputs, 2 * classes - 1)

    def parameters_to_dict(self) -> dict[str, Any]:
        """Return network, inputs, floor, and the number of classes where it is not two."""
        described = {"network": network_to_dict(self.network), "inputs": self.inputs.to_json()}
        return {**described, "floor": self.least_floor, **({"classes": self.classes} if self.classes > 2 else {})}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Return a module of the same layers."""
        require_between(0, 1, floor=data["floor"])
        network, inputs = network_from_dict(data["network"]), InputLayout.from_json(data["inputs"])
        return cls(network, inputs, data["floor"], number_of_classes(data))

    def initialise(self, generator: torch.Generator, features: Rows, mean_signs: Sequence[float]) -> None:
        """Draw the parameters anew, fit the scaling, and start at the constant mean signs of the classes."""
        self.body.initialise(generator, features)
        self.body.start(self.starting_outputs(torch.tensor(mean_signs)))

    def outputs(self, features: torch.Tensor) -> torch.Tensor:
        """Return what the layers give, (n, 2K − 1): K − 1 of the label, and one of each class's sign."""
        values: torch.Tensor = self.body(features)
        return values

    @staticmethod
    @abstractmethod
    def loss(network: nn.Module, rows: torch.Tensor) -> torch.Tensor:
        """Return the sum of the loss over the rows of a batch: features, label, sign (1 for w > 0) and weight."""

    @abstractmethod
    def starting_outputs(self, mean_signs: torch.Tensor) -> torch.Tensor:
        """Return the outputs, (2K − 1,), that stand for these mean signs and equal priors."""

    @abstractmethod
    def label_log_odds(self, outputs: torch.Tensor) -> torch.Tensor:
        """Return the log-odds of signal under \\|w\\|, (n,), or log-ratios against the first class, (n, K − 1)."""

    @abstractmethod
    def signs(self, outputs: torch.Tensor) -> torch.Tensor:
        """Return the local mean sign of each class, (n, K), negative where the density is."""

    def mean_signs(self, features: torch.Tensor) -> torch.Tensor:
        """Return the local mean sign of each class, (n, K)."""
        return self.signs(self.outputs(features))

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Return the log-odds of being signal at equal priors, (n,), or log-ratios against the first class."""
        outputs = self.outputs(features)
        terms = torch.log(torch.maximum(self.signs(outputs), self.floor) / self.norm)
        label = self.label_log_odds(outputs)
        return label + terms[:, 1] - terms[:, 0] if self.classes == 2 else label + terms[:, 1:] - terms[:, :1]

    def read_signs(self, events: EventTable, raw: bool) -> Float:
        """Return the local mean sign of each event, (n,), by its label; ``raw`` leaves the floor out."""
        both = in_pieces(self.mean_signs, events.inputs, self.norm.device)
        sign = both[np.arange(len(events)), events.label]
        return sign if raw else np.maximum(sign, self.floor.numpy()[events.label])

    def set_floors(self, held_out: EventTable) -> None:
        """Take the floors that held-out events ask for."""
        sign = self.read_signs(held_out, raw=True)
        for code in range(len(self.floor)):
            of_class = held_out.label == code
            weight = held_out.weight[of_class]
            size = np.abs(weight)
            self.floor[code] = best_floor(sign[of_class], np.sign(weight), size, self.least_floor, mean_sign(weight))

    def set_norm(self, events: EventTable) -> None:
        """Take the mean of the floored ĝ under \\|w\\| of each class, so that all densities integrate to one."""
        sign = np.maximum(self.read_signs(events, raw=False), self.least_floor)
        self.norm.copy_(torch.from_numpy(class_means(sign, events, len(self.norm))))

    def signed_posteriors(self, features: torch.Tensor) -> torch.Tensor:
        """Return the density of each class at a common scale, (n, K), without floors: of either sign."""
        outputs = self.outputs(features)
        return class_probabilities(self.label_log_odds(outputs)) * self.signs(outputs) / self.norm


class MixtureNetwork(SharedNetwork):
    """Four classes, label × sign, of one network; its log-odds are those of p₁₊ − p₁₋ against p₀₊ − p₀₋.

    The class probabilities are P(label | x) P(sign | x, label): the outputs are three binary log-odds, of the label, of
    w > 0 among background and of w > 0 among signal. Of K labels they are K − 1 log-ratios and K log-odds of w > 0.
    """

    name: ClassVar[str] = "mixture"

    def starting_outputs(self, mean_signs: torch.Tensor) -> torch.Tensor:
        """Return the outputs that stand for these mean signs and equal priors."""
        signs = 2 * torch.atanh(mean_signs.clamp(-LARGEST_MEAN, LARGEST_MEAN))
        return torch.cat([torch.zeros(self.classes - 1), signs])

    def label_log_odds(self, outputs: torch.Tensor) -> torch.Tensor:
        """Return the log-odds of signal under \\|w\\|, (n,), or log-ratios against the first class, (n, K − 1)."""
        return outputs[:, 0] if self.classes == 2 else outputs[:, : self.classes - 1]

    def signs(self, outputs: torch.Tensor) -> torch.Tensor:
        """Return the local mean sign of each class, (n, K)."""
        return torch.tanh(0.5 * outputs[:, self.classes - 1 :])

    @staticmethod
    def loss(network: nn.Module, rows: torch.Tensor) -> torch.Tensor:
        """Return the cross-entropy over the classes (label, sign); see :class:`hepneg.losses.MixtureLoss`."""
        label, sign, weight = rows[:, -3], 2 * rows[:, -2] - 1, rows[:, -1]
        return _mixture.terms(cast(SharedNetwork, network).outputs(rows[:, :-3]), label, sign * weight).sum()


class SignedTargetNetwork(SharedNetwork):
    """Conditional means under \\|w\\| at equal priors: of the label, and of the sign among each label's events, 0
    elsewhere.

    The outputs are P(signal | x), f₀ = P(background | x) ĝ₀(x) and f₁ = P(signal | x) ĝ₁(x), each linear in the last
    layer.
    """

    name: ClassVar[str] = "signed_target"

    def starting_outputs(self, mean_signs: torch.Tensor) -> torch.Tensor:
        """Return the outputs that stand for these mean signs and equal priors."""
        return torch.cat([torch.full((1,), 0.5), 0.5 * mean_signs])

    def label_log_odds(self, outputs: torch.Tensor) -> torch.Tensor:
        """Return the log-odds of signal under \\|w\\|, (n,)."""
        signal = outputs[:, 0].clamp(SMALLEST, 1 - SMALLEST)
        return torch.log(signal) - torch.log(1 - signal)

    def signs(self, outputs: torch.Tensor) -> torch.Tensor:
        """Return the local mean sign of background and of signal, (n, 2)."""
        signal = outputs[:, 0].clamp(SMALLEST, 1 - SMALLEST)
        return (outputs[:, 1:] / torch.stack([1 - signal, signal], dim=1)).clamp(-1.0, 1.0)

    @staticmethod
    def loss(network: nn.Module, rows: torch.Tensor) -> torch.Tensor:
        """Return the squared errors of label, sign among background and sign among signal.

        The targets are 0 for events of the other label. Minimised by conditional means, whatever their sign: convex in
        the network's ``outputs``, never below 0.
        """
        label, weight = rows[:, -3], rows[:, -1]
        sign = 2 * rows[:, -2] - 1
        targets = torch.stack([label, sign * (1 - label), sign * label], dim=1)
        outputs = cast(SharedNetwork, network).outputs(rows[:, :-3])
        errors = outputs - targets
        return (weight[:, None] * errors**2).sum()
