"""A classifier's network: log-odds from the layers of any network, bounded where that is wanted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import brentq

from hepneg._core.log_odds import log_odds
from hepneg._core.parameters import require_positive
from hepneg.events import InputLayout, Rows
from hepneg.losses.cross_entropy_loss import bounded_logit
from hepneg.networks.fold_network import FoldNetwork, number_of_classes
from hepneg.networks.inference import in_pieces
from hepneg.networks.layer_stack import LayerStack, Stacked
from hepneg.networks.make_body import make_body
from hepneg.networks.network import Network, network_from_dict, network_to_dict
from hepneg.networks.output_range import OutputRange, response_log_odds

__all__ = ["ResponseNetwork"]

_FARTHEST = 64.0  # a latent value beyond which no output moves in single precision


class ResponseNetwork(FoldNetwork):
    """From rows of raw inputs, (n, W), to a log-odds, (n,), or the log-ratios of K > 2 classes, (n, K − 1).

    A bounded logit is b·tanh(z/b): the identity near 0, never beyond ±b.

    Args:
        network: gives the layers.
        inputs: how they are laid out; F without collections.
        logit_bound: outputs are squashed into ±logit_bound; None for no bound.
        output: range that the response never leaves, inside (0, 1); None for all of (0, 1).
        classes: K (:mod:`hepneg.networks.class_outputs`).
    """

    name: ClassVar[str] = "response"

    def __init__(
        self,
        network: Network,
        inputs: int | InputLayout,
        logit_bound: float | None = None,
        output: OutputRange | None = None,
        classes: int = 2,
    ) -> None:
        super().__init__()
        self.network, self.inputs = network, InputLayout.of(inputs)
        self.logit_bound, self.output, self.classes = logit_bound, output, classes
        self.body = make_body(network, self.inputs, classes - 1)

    def parameters_to_dict(self) -> dict[str, Any]:
        """Return network, inputs, bounds, and the number of classes where it is not two."""
        return {
            "network": network_to_dict(self.network),
            "inputs": self.inputs.to_json(),
            "logit_bound": self.logit_bound,
            "output": None if self.output is None else self.output.to_dict(),
            **({"classes": self.classes} if self.classes > 2 else {}),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Return a module of the same layers."""
        network, output, bound = network_from_dict(data["network"]), data["output"], data["logit_bound"]
        if bound is not None:
            require_positive(logit_bound=bound)
        classes = number_of_classes(data)
        return cls(network, InputLayout.from_json(data["inputs"]), bound, OutputRange.from_dict(output), classes)

    def initialise(self, generator: torch.Generator, features: Rows) -> None:
        """Draw the parameters anew and fit the scaling; every response begins at ½, or does so on average."""
        self.body.initialise(generator, features)

    def latent(self, features: torch.Tensor) -> torch.Tensor:
        """Return what the layers give, before any bound, (n,) or (n, K − 1)."""
        values: torch.Tensor = self.body(features)
        return values.squeeze(-1) if self.classes == 2 else values

    def squash(self, latent: torch.Tensor) -> torch.Tensor:
        """Return the log-odds that belong to values of the layers: a function that never falls."""
        logit = bounded_logit(latent, self.logit_bound)
        return logit if self.output is None else response_log_odds(logit, self.output)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Return the log-odds of being signal at equal priors, (n,), or log-ratios against the first class."""
        return self.squash(self.latent(features))

    def layer_stack(self) -> LayerStack | None:
        """Return the layers, where they give the log-odds (see :class:`hepneg.networks.layer_stack.Stacked`)."""
        if self.logit_bound is not None or self.output is not None or not isinstance(self.body, Stacked):
            return None
        return self.body.layer_stack()

    def latent_values(self, features: Rows) -> NDArray[np.float64]:
        """Return :meth:`latent` of any number of events, (n,) float64."""
        return in_pieces(self.latent, features, next(self.parameters()).device)

    def latent_of(self, response: float) -> float:
        """Return the value of the layers that gives a response within the range."""
        wanted = log_odds(response)
        if self.output is None and self.logit_bound is None:
            return wanted
        return float(brentq(lambda latent: float(self.squash(torch.tensor(latent))) - wanted, -_FARTHEST, _FARTHEST))

    def shift(self, amount: float) -> None:
        """Add a constant to what the layers give, in place."""
        self.body.shift(amount)
