"""Several networks of a fold as one: a label network with a sign term for each label, and means of log-odds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from hepneg._core.parameters import require_between
from hepneg.events import EventTable
from hepneg.networks.class_outputs import class_probabilities
from hepneg.networks.fold_network import FoldNetwork, rebuild
from hepneg.networks.response_network import ResponseNetwork
from hepneg.signs.local_signs import class_means
from hepneg.signs.sign_ensemble import SignEnsemble

__all__ = ["FactorisedNetwork", "MeanNetwork"]


class FactorisedNetwork(FoldNetwork):
    """log h₁/h₀ + log(max(ĝ₁, floor)/c₁) − log(max(ĝ₀, floor)/c₀), and the like of each of K classes against the first.

    ``norm`` holds (c₀, c₁, …), the means of the floored ĝ under |w|, so that all densities stay normalised.

    Args:
        label: the label network, trained on |w|.
        signs: the sign networks by class code; a class without one has no negative weights.
        floor: smallest local mean sign in the logarithm.
    """

    name: ClassVar[str] = "factorised"
    norm: torch.Tensor

    def __init__(self, label: ResponseNetwork, signs: Mapping[int, SignEnsemble], floor: float) -> None:
        super().__init__()
        self.label, self.floor = label, floor
        self.signs = nn.ModuleDict({str(code): ensemble for code, ensemble in sorted(signs.items())})
        self.register_buffer("norm", torch.ones(label.classes))

    def parameters_to_dict(self) -> dict[str, Any]:
        """Return the label network, the sign networks and the floor."""
        signs = {code: cast(SignEnsemble, ensemble).to_dict() for code, ensemble in self.signs.items()}
        return {"label": self.label.to_dict(), "signs": signs, "floor": self.floor}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Return a module of the same layers."""
        require_between(0, 1, floor=data["floor"])
        label, known = ResponseNetwork.from_dict(data["label"]), data["signs"]
        codes = [code for code in range(label.classes) if str(code) in known]
        if len(codes) < len(known):
            raise ValueError(f"signs of the classes 0 to {label.classes - 1} are known, not of {', '.join(known)}")
        return cls(label, {code: SignEnsemble.from_dict(known[str(code)]) for code in codes}, data["floor"])

    def set_norm(self, sign: NDArray[np.float64], events: EventTable) -> None:
        """Take the mean of the floored ĝ, (n,), under \\|w\\| of each class of events."""
        means = class_means(np.maximum(sign, self.floor), events, len(self.norm))
        self.norm.copy_(torch.from_numpy(means))

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Return the log-odds of being signal at equal priors, (n,), or log-ratios against the first class."""
        logit: torch.Tensor = self.label(features)
        for code, ensemble in self.signs.items():
            floored = cast(SignEnsemble, ensemble).mean_sign(features).clamp(min=self.floor)
            logit = _with_term(logit, torch.log(floored / self.norm[int(code)]), int(code))
        return logit

    def signed_posteriors(self, features: torch.Tensor) -> torch.Tensor:
        """Return the density of each class at a common scale, (n, K), without floors: of either sign."""
        parts = class_probabilities(self.label(features)) / self.norm
        signs = [
            cast(SignEnsemble, self.signs[code]).raw_mean_sign(features) if code in self.signs else ones
            for code, ones in zip(map(str, range(self.label.classes)), torch.ones_like(parts).T, strict=True)
        ]
        return parts * torch.stack(signs, dim=1)


def _with_term(log_ratios: torch.Tensor, term: torch.Tensor, code: int) -> torch.Tensor:
    """Add what belongs to one class, (n,), to log-ratios against the first class, (n,) or (n, K − 1)."""
    if log_ratios.ndim == 1:
        return log_ratios + term if code == 1 else log_ratios - term
    if code == 0:
        return log_ratios - term[:, None]
    of_class = torch.arange(1, log_ratios.shape[1] + 1, device=term.device) == code
    return log_ratios + term[:, None] * of_class


class MeanNetwork(FoldNetwork):
    """The mean of the log-odds of its parts."""

    name: ClassVar[str] = "mean"

    def __init__(self, parts: Sequence[FoldNetwork]) -> None:
        super().__init__()
        self.parts = nn.ModuleList(parts)

    def parameters_to_dict(self) -> dict[str, Any]:
        """Return the parts."""
        return {"parts": [cast(FoldNetwork, part).to_dict() for part in self.parts]}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Return a module of the same layers."""
        if not data["parts"]:
            raise ValueError("a mean needs parts")
        return cls([rebuild(part) for part in data["parts"]])

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Return the log-odds of being signal at equal priors, (n,), or log-ratios against the first class."""
        return torch.stack([part(features) for part in self.parts]).mean(dim=0)
