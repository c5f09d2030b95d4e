"""One network for label and sign together: four classes, combined into a signed ratio."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from hepneg.learning.network import draw_parameters, multilayer
from hepneg.learning.signs_network import LARGEST_MEAN

__all__ = ["MixtureArchitecture", "MixtureNetwork"]


@dataclass(frozen=True, slots=True)
class MixtureArchitecture:
    """One network for label and sign together.

    Attributes:
        inputs: number of features.
        hidden: width of each hidden layer.
        activation: as in :class:`hepneg.learning.network.Architecture`.
        floor: smallest local mean sign in the logarithm.
    """

    inputs: int
    hidden: tuple[int, ...]
    activation: str
    floor: float

    def to_dict(self) -> dict[str, Any]:
        """Return the architecture as a plain dictionary."""
        return {"kind": "mixture", **asdict(self)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Rebuild an architecture from :meth:`to_dict`."""
        return cls(int(data["inputs"]), tuple(data["hidden"]), str(data["activation"]), float(data["floor"]))


class MixtureNetwork(nn.Module):
    """Four classes, label × sign, of one network; its log-odds are those of p₁₊ − p₁₋ against p₀₊ − p₀₋.

    ``norm`` and ``floor`` hold, for background and signal, the means of the floored local mean signs under \\|w\\| and
    the floors. The class probabilities are P(label | x) P(sign | x, label): three binary log-odds, which ``log_odds`` gives.
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
        self.layers = multilayer([architecture.inputs, *architecture.hidden, 3], architecture.activation)

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
            last.bias[1:] = 2 * torch.atanh(torch.tensor(mean_signs).clamp(-LARGEST_MEAN, LARGEST_MEAN))
            self.mean.copy_(torch.from_numpy(mean))
            self.scale.copy_(torch.from_numpy(scale))

    def log_odds(self, features: torch.Tensor) -> torch.Tensor:
        """Return the log-odds of the label, of w > 0 among background and of w > 0 among signal, (n, 3)."""
        values: torch.Tensor = self.layers((features - self.mean) / self.scale)
        return values

    def mean_signs(self, features: torch.Tensor) -> torch.Tensor:
        """Return the local mean sign of background and of signal, (n, 2)."""
        return torch.tanh(0.5 * self.log_odds(features)[:, 1:])

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Return the log-odds of being signal at equal priors, (n,)."""
        log_odds = self.log_odds(features)
        signs = torch.maximum(torch.tanh(0.5 * log_odds[:, 1:]), self.floor)
        terms = torch.log(signs / self.norm)
        return log_odds[:, 0] + terms[:, 1] - terms[:, 0]
