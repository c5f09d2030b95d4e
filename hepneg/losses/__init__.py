"""Losses for a training loop of one's own: plain torch modules, the same that this package trains with.

Each is called as ``loss(logit, target, weight)`` and returns the mean over the events of the batch; ``terms`` gives
the loss of each event, (n,), which the mean is taken of. Weights may have either sign and any scale. For log-odds at
equal priors bring both labels to the same sum of weights first::

    loss = hepneg.losses.BalancedCrossEntropyLoss(ratio=1.0)
    for features, label, weight in batches:
        optimizer.zero_grad()
        loss(network(features).squeeze(-1), label, weight).backward()
        optimizer.step()
    loss.plot()
"""

from hepneg.losses.balanced_loss import BalancedCrossEntropyLoss
from hepneg.losses.cross_entropy_loss import CrossEntropyLoss
from hepneg.losses.event_loss import EventLoss
from hepneg.losses.mixture_loss import MixtureLoss
from hepneg.losses.preference_loss import ResponsePreferenceLoss
from hepneg.losses.quantile_loss import QuantileLoss
from hepneg.losses.residual_losses import HuberLoss, LogCoshLoss, ReciprocalLoss, SignedSquaredLoss, SquaredLoss

__all__ = [
    "BalancedCrossEntropyLoss",
    "CrossEntropyLoss",
    "EventLoss",
    "HuberLoss",
    "LogCoshLoss",
    "MixtureLoss",
    "QuantileLoss",
    "ReciprocalLoss",
    "ResponsePreferenceLoss",
    "SignedSquaredLoss",
    "SquaredLoss",
]
