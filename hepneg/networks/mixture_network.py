"""One network for label and sign together: four classes, combined into a signed ratio."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from hepneg.networks.multilayer import Multilayer, draw_parameters
from hepneg.networks.sign_ensemble import LARGEST_MEAN

__all__ = ["MixtureArchitecture", "MixtureNetwork", "SharedNetwork"]


@dataclass(frozen=True, slots=True)
class MixtureArchitecture:
    """One network for label and sign together.

    Attributes:
        inputs: number of features.
        hidden: width of each hidden layer.
        activation: as in :class:`hepneg.networks.multilayer.Architecture`.
        floor: smallest local mean sign in the logarithm.
    """

    kind: ClassVar[str] = "mixture"
    inputs: int
    hidden: tuple[int, ...]
    activation: str
    floor: float

    def to_dict(self) -> dict[str, Any]:
        """Return the architecture as a plain dictionary."""
        return {"kind": self.kind, **asdict(self)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Rebuild an architecture from :meth:`to_dict`."""
        return cls(int(data["inputs"]), tuple(data["hidden"]), str(data["activation"]), float(data["floor"]))


class SharedNetwork(nn.Module):
    """Three outputs of one network from which label and signs follow; made a log-odds with floored signs.

    ``norm`` and ``floor`` hold, for background and signal, the means of the floored local mean signs under \\|w\\| and
    the floors.
    """

    mean: torch.Tensor
    scale: torch.Tensor
    norm: torch.Tensor
    floor: torch.Tensor

    def __init__(self, architecture: MixtureArchitecture) -> None:
        super().__init__()
        self.architecture = architecture
        self.register_buffer("mean", torch.zeros(architecture.inputs))
        self.register_buffer("scale", torch.ones(architecture.inputs))
        self.register_buffer("norm", torch.ones(2))
        self.register_buffer("floor", torch.full((2,), architecture.floor))
        self.layers = Multilayer([architecture.inputs, *architecture.hidden, 3], architecture.activation)

    def initialise(
        self,
        generator: torch.Generator,
        mean: NDArray[np.float32],
        scale: NDArray[np.float32],
        mean_signs: Sequence[float],
    ) -> None:
        """Draw the weights anew, set the scaling, and start at the constant mean signs of background and signal."""
        last = draw_parameters(self.layers, generator)
        with torch.no_grad():
            last.bias.copy_(self.start(torch.tensor(mean_signs)))
            self.mean.copy_(torch.from_numpy(mean))
            self.scale.copy_(torch.from_numpy(scale))

    def outputs(self, features: torch.Tensor) -> torch.Tensor:
        """Return the last layer's values, (n, 3): of the label, of background's sign and of signal's."""
        values: torch.Tensor = self.layers((features - self.mean).mul_(self.scale.reciprocal()))
        return values

    @abstractmethod
    def start(self, mean_signs: torch.Tensor) -> torch.Tensor:
        """Return the outputs, (3,), that stand for these mean signs and equal priors."""

    @abstractmethod
    def label_log_odds(self, outputs: torch.Tensor) -> torch.Tensor:
        """Return the log-odds of signal under \\|w\\|, (n,)."""

    @abstractmethod
    def signs(self, outputs: torch.Tensor) -> torch.Tensor:
        """Return the local mean sign of background and of signal, (n, 2), negative where the density is."""

    def mean_signs(self, features: torch.Tensor) -> torch.Tensor:
        """Return the local mean sign of background and of signal, (n, 2)."""
        return self.signs(self.outputs(features))

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Return the log-odds of being signal at equal priors, (n,)."""
        outputs = self.outputs(features)
        terms = torch.log(torch.maximum(self.signs(outputs), self.floor) / self.norm)
        return self.label_log_odds(outputs) + terms[:, 1] - terms[:, 0]

    def signed_posteriors(self, features: torch.Tensor) -> torch.Tensor:
        """Return p₀ and p₁ at a common scale, (n, 2), without floors: of either sign."""
        outputs = self.outputs(features)
        signal = torch.sigmoid(self.label_log_odds(outputs))
        return torch.stack([1 - signal, signal], dim=1) * self.signs(outputs) / self.norm


class MixtureNetwork(SharedNetwork):
    """Four classes, label × sign, of one network; its log-odds are those of p₁₊ − p₁₋ against p₀₊ − p₀₋.

    The class probabilities are P(label | x) P(sign | x, label): the outputs are three binary log-odds, of the label, of
    w > 0 among background and of w > 0 among signal.
    """

    def start(self, mean_signs: torch.Tensor) -> torch.Tensor:
        """Return the outputs that stand for these mean signs and equal priors."""
        return torch.cat([torch.zeros(1), 2 * torch.atanh(mean_signs.clamp(-LARGEST_MEAN, LARGEST_MEAN))])

    def label_log_odds(self, outputs: torch.Tensor) -> torch.Tensor:
        """Return the log-odds of signal under \\|w\\|, (n,)."""
        return outputs[:, 0]

    def signs(self, outputs: torch.Tensor) -> torch.Tensor:
        """Return the local mean sign of background and of signal, (n, 2)."""
        return torch.tanh(0.5 * outputs[:, 1:])
