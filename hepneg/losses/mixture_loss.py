"""Cross-entropy over the four classes label × sign: bounded, whatever the signs."""

from __future__ import annotations

import torch

from hepneg.losses.event_loss import EventLoss, bce_terms


class MixtureLoss(EventLoss):
    """\\|w\\|·(cross-entropy of the label + cross-entropy of the sign given the label).

    P(label, sign | x) = P(label | x) P(sign | x, label), so the logarithm is a sum of two binary terms. A network gives
    three log-odds, (n, 3): of signal, of w > 0 among background, of w > 0 among signal. Never below 0.
    """

    def terms(self, logit: torch.Tensor, target: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        """Return the loss of each event, (n,), from three log-odds, (n, 3)."""
        size, positive = weight.abs(), (weight > 0).to(logit.dtype)
        of_label = torch.where(target > 0.5, logit[:, 2], logit[:, 1])
        label = bce_terms(logit[:, 0], target, weight=size, reduction="none")
        return label + bce_terms(of_label, positive, weight=size, reduction="none")

    @staticmethod
    def log_odds(logit: torch.Tensor, mean_signs: tuple[float, float], floor: float = 0.02) -> torch.Tensor:
        """Return log p₁/p₀, (n,), from the three outputs, with the local mean signs floored.

        Args:
            logit: (n, 3).
            mean_signs: Σw/Σ\\|w\\| of background and of signal.
            floor: smallest local mean sign in the logarithm.
        """
        signs = torch.tanh(0.5 * logit[:, 1:]).clamp(min=floor)
        terms = torch.log(signs / torch.tensor(mean_signs, dtype=logit.dtype, device=logit.device))
        return logit[:, 0] + terms[:, 1] - terms[:, 0]
