"""The two densities of a classifier's ratio, with the signs that its network has learnt."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from hepneg.networks.architectures import FoldNetwork
from hepneg.networks.factorised_network import FactorisedNetwork
from hepneg.networks.inference import in_pieces
from hepneg.networks.mixture_network import SharedNetwork

__all__ = ["signed_posteriors"]


def signed_posteriors(network: FoldNetwork, features: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return p₀ and p₁ of each event at a common scale, (n, 2); positive where the network knows no signs.

    Args:
        network: of one fold.
        features: (n, F).
    """
    device = next(network.parameters()).device
    if isinstance(network, (SharedNetwork, FactorisedNetwork)):
        return in_pieces(network.signed_posteriors, features, device)

    def positive(rows: torch.Tensor) -> torch.Tensor:
        logit = network(rows)
        return torch.stack([torch.sigmoid(-logit), torch.sigmoid(logit)], dim=1)

    return in_pieces(positive, features, device)
