"""Cross-entropy over the classes label × sign: bounded, whatever the signs."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from hepneg.losses.cross_entropy_loss import CrossEntropyLoss
from hepneg.losses.event_loss import EventLoss, bce_terms

_label = CrossEntropyLoss()


class MixtureLoss(EventLoss):
    """\\|w\\|·(cross-entropy of the label + cross-entropy of the sign given the label).

    P(label, sign | x) = P(label | x) P(sign | x, label), so the logarithm is a sum of two terms. A network gives three
    log-odds, (n, 3): of signal, of w > 0 among background, of w > 0 among signal. Of K classes it gives 2K − 1: the
    log-ratios of the labels against the first, and the log-odds of w > 0 among each. Never below 0.
    """

    def terms(self, logit: torch.Tensor, target: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        """Return the loss of each event, (n,), from 2K − 1 log-odds, (n, 2K − 1)."""
        size, positive, others = weight.abs(), (weight > 0).to(logit.dtype), logit.shape[1] // 2
        of_label = logit[:, others:].gather(1, target.long()[:, None])[:, 0]
        label = _label.terms(logit[:, 0] if others == 1 else logit[:, :others], target, size)
        return label + bce_terms(of_label, positive, weight=size, reduction="none")

    @staticmethod
    def log_odds(logit: torch.Tensor, mean_signs: Sequence[float], floor: float = 0.02) -> torch.Tensor:
        """Return log p₁/p₀, (n,), or those of all classes against the first, (n, K − 1), with floored local mean signs.

        Args:
            logit: (n, 2K − 1).
            mean_signs: Σw/Σ\\|w\\| of each class: of background and of signal.
            floor: smallest local mean sign in the logarithm.
        """
        others = logit.shape[1] // 2
        signs = torch.tanh(0.5 * logit[:, others:]).clamp(min=floor)
        terms = torch.log(signs / torch.tensor(mean_signs, dtype=logit.dtype, device=logit.device))
        log_ratios = logit[:, :others] + terms[:, 1:] - terms[:, :1]
        return log_ratios[:, 0] if others == 1 else log_ratios
