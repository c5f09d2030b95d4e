"""A label network with a sign term for each label: log-odds of p = h·s/s̄ from its factors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self, cast

import torch
from torch import nn

from hepneg.networks.multilayer import Architecture, ResponseNetwork
from hepneg.networks.sign_ensemble import SignArchitecture, SignEnsemble

__all__ = ["FactorisedArchitecture", "FactorisedNetwork"]


@dataclass(frozen=True, slots=True)
class FactorisedArchitecture:
    """A label network with a sign term for each label.

    Attributes:
        label: of the label network.
        signs: of the sign networks of background and signal; None where no weight is negative.
        floor: smallest local mean sign in the logarithm.
    """

    label: Architecture
    signs: tuple[SignArchitecture | None, SignArchitecture | None]
    floor: float

    def to_dict(self) -> dict[str, Any]:
        """Return the architecture as a plain dictionary."""
        signs = [None if sign is None else sign.to_dict() for sign in self.signs]
        return {"kind": "factorised", "label": self.label.to_dict(), "signs": signs, "floor": self.floor}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Rebuild an architecture from :meth:`to_dict`."""
        background, signal = (None if sign is None else SignArchitecture.from_dict(sign) for sign in data["signs"])
        return cls(Architecture.from_dict(data["label"]), (background, signal), float(data["floor"]))


class FactorisedNetwork(nn.Module):
    """log h₁/h₀ + log(max(ĝ₁, floor)/c₁) − log(max(ĝ₀, floor)/c₀).

    ``norm`` holds (c₀, c₁), the means of the floored ĝ under |w|, so that both densities stay normalised.
    """

    norm: torch.Tensor

    def __init__(self, architecture: FactorisedArchitecture) -> None:
        super().__init__()
        self.architecture = architecture
        self.label = ResponseNetwork(architecture.label)
        self.signs = nn.ModuleDict(
            {str(code): SignEnsemble(sign) for code, sign in enumerate(architecture.signs) if sign is not None}
        )
        self.register_buffer("norm", torch.ones(2))

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Return the log-odds of being signal at equal priors, (n,)."""
        logit: torch.Tensor = self.label(features)
        for code, sign in self.signs.items():
            floored = cast(SignEnsemble, sign).mean_sign(features).clamp(min=self.architecture.floor)
            term = torch.log(floored / self.norm[int(code)])
            logit = logit + term if code == "1" else logit - term
        return logit

    def signed_posteriors(self, features: torch.Tensor) -> torch.Tensor:
        """Return p₀ and p₁ at a common scale, (n, 2), without floors: of either sign."""
        signal = torch.sigmoid(self.label(features))
        parts = torch.stack([1 - signal, signal], dim=1) / self.norm
        ones = torch.ones_like(signal)
        signs = [
            cast(SignEnsemble, self.signs[code]).raw_mean_sign(features) if code in self.signs else ones
            for code in "01"
        ]
        return parts * torch.stack(signs, dim=1)
