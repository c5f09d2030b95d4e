"""Cross-entropy with weights of either sign, the log-odds bounded where that is wanted."""

from __future__ import annotations

import torch
from torch import nn

from hepneg.losses.event_loss import EventLoss, bce_terms


def bounded_logit(logit: torch.Tensor, bound: float | None) -> torch.Tensor:
    """Return b·tanh(z/b): the identity near 0, never beyond ±b; None leaves z as it is."""
    return logit if bound is None else bound * torch.tanh(logit / bound)


class CrossEntropyLoss(EventLoss):
    """w·log(1 + e^∓z), the sign that of the label: z becomes the log-odds of signal at equal sums of weights.

    With refined weights \\|w\\|·max(ĝ, 0) ≥ 0 (:func:`hepneg.refine`) it is bounded from below. With signed weights it
    is right on average, but an isolated event of negative weight lowers it for ever: give a ``logit_bound``, batches so
    large that the sum of each label is positive, and stop on the signed loss of other events.

    Of K > 2 classes a network gives log-ratios against the first, (n, K − 1), and the target is the class's number from
    0: the loss is w·(−log p) of the event's own class, p = e^z/(1 + Σe^z).

    Args:
        logit_bound: log-odds are squashed into ±logit_bound; apply :func:`bounded_logit` in use too. None for none.
    """

    def __init__(self, logit_bound: float | None = None) -> None:
        super().__init__()
        self.logit_bound = logit_bound

    @property
    def direct(self) -> bool:
        """Whether :func:`cross_entropy_gradient` gives all of it."""
        return type(self) is CrossEntropyLoss and self.logit_bound is None

    def terms(self, logit: torch.Tensor, target: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        """Return the loss of each event, (n,)."""
        if logit.ndim == 2:
            scores = nn.functional.pad(bounded_logit(logit, self.logit_bound), (1, 0))
            return weight * nn.functional.cross_entropy(scores, target.long(), reduction="none")
        return bce_terms(bounded_logit(logit, self.logit_bound), target, weight=weight, reduction="none")


def class_cross_entropy_gradient(
    log_ratios: torch.Tensor, target: torch.Tensor, weight: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return Σ w·(−log p) of each event's own class, and its gradient by the log-ratios, w·(p − 1 where it is the own).

    Args:
        log_ratios: of K classes against the first, (n, K − 1).
        target: number of the own class from 0, (n,).
        weight: w, (n,), of either sign.
    """
    logarithms = torch.log_softmax(nn.functional.pad(log_ratios, (1, 0)), dim=1)
    own = target.long()[:, None]
    loss = -(logarithms.gather(1, own)[:, 0] * weight).sum()
    gradient = torch.exp(logarithms).scatter_add_(1, own, torch.full_like(log_ratios[:, :1], -1.0))
    return loss, gradient[:, 1:] * weight[:, None]


def cross_entropy_gradient(
    logit: torch.Tensor, target: torch.Tensor, weight: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return Σ w·(log(1 + e^z) − t·z), and its gradient by z, w·(1/(1 + e^−z) − t), in the shape of z.

    Args:
        logit: z, of any shape.
        target: t, 0 or 1.
        weight: w, of either sign.
    """
    loss = torch.addcmul(nn.functional.softplus(logit), target, logit, value=-1).mul_(weight).sum()
    return loss, torch.sigmoid(logit).sub_(target).mul_(weight)
