"""What networks of classes give: log-ratios of densities against the first class, one number fewer than classes.

For two classes that is the log-odds of the second, (n,), for K > 2 of them (n, K − 1). A softmax over K outputs has one
direction too many, which no event says anything about.
"""

from __future__ import annotations

import torch
from torch import nn

__all__ = ["class_log_odds", "class_probabilities", "with_first_class"]


def with_first_class(log_ratios: torch.Tensor) -> torch.Tensor:
    """Return the log-ratios of all K classes against the first, (n, K), whose own is 0, from (n,) or (n, K − 1)."""
    return nn.functional.pad(log_ratios if log_ratios.ndim == 2 else log_ratios[:, None], (1, 0))


def class_probabilities(log_ratios: torch.Tensor) -> torch.Tensor:
    """Return the probability of each class at equal priors, (n, K), from log-ratios, (n,) or (n, K − 1)."""
    if log_ratios.ndim == 1:
        return torch.stack([torch.sigmoid(-log_ratios), torch.sigmoid(log_ratios)], dim=1)
    return torch.softmax(with_first_class(log_ratios), dim=1)


def class_log_odds(logarithms: torch.Tensor) -> torch.Tensor:
    """Return the log-odds of each class against all others together, (n, K), from log-probabilities, (n, K)."""
    parts = ((logarithms[:, :code], logarithms[:, code + 1 :]) for code in range(logarithms.shape[1]))
    others = [torch.logsumexp(torch.cat(part, dim=1), dim=1) for part in parts]
    return logarithms - torch.stack(others, dim=1)
