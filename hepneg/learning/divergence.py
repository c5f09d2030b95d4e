"""Did a training diverge, or its signed loss run away? An honest account from its epochs."""

from __future__ import annotations

import math
from collections.abc import Sequence

from hepneg.learning.history import EpochRecord

__all__ = ["best_epoch", "divergence_message"]

IMPROVEMENT = 1e-6  # nats; less is rounding
DIVERGED = 1.0
"""A kept loss is impossible if its size is above that of the untrained network's, itself about 1, by this much: nats,
or a regression's loss with the target in standard deviations. Logits without bounds reach that on either side of zero
where validation weights have both signs. Noise of small samples stays below: it grows with what was learnt."""
EXPLOSION = 0.35  # nats; half of what an uninformative classifier pays


def best_epoch(records: Sequence[EpochRecord], start_loss: float = math.inf) -> int:
    """Return the epoch with the lowest validation loss, from 1; 0 while none is better than the start."""
    best, lowest = 0, start_loss
    for record in records:
        if record.validation_loss < lowest - IMPROVEMENT:
            best, lowest = record.epoch, record.validation_loss
    return best


def _exploded(best: EpochRecord, last: EpochRecord) -> bool:
    """Tell a loss that ran away from one that overfits: by much, and by more than both errors explain.

    The error at the best epoch alone says nothing: near a response of ½ everywhere it vanishes.
    """
    rise = last.validation_loss - best.validation_loss
    return rise > max(EXPLOSION, 3 * math.hypot(best.validation_error, last.validation_error))


def divergence_message(
    records: Sequence[EpochRecord],
    fold: int,
    reason: str,
    *,
    untrained: float,
    start_loss: float = math.inf,
    signed: bool = False,
) -> str:
    """Say honestly when training diverged, whatever the scheme, or when a signed loss ran away; empty if neither.

    Args:
        records: the epochs so far.
        fold: named in the message.
        reason: why training ended.
        untrained: validation loss before the first epoch.
        start_loss: the same if the untrained network may be the outcome; infinite if not.
        signed: weights of both signs are in the loss.
    """
    if not records:
        return ""
    kept = best_epoch(records, start_loss)
    return _divergence(records, fold, kept, untrained) or (
        _runaway(records, fold, max(kept, 1), reason) if signed else ""
    )


def _divergence(records: Sequence[EpochRecord], fold: int, kept: int, untrained: float) -> str:
    """Say that the loss is no longer finite, or that even the kept one is far from anything that events can give."""
    advice = "lower training.learning_rate, or look for extreme values among the features and weights"
    last = records[-1]
    if not (math.isfinite(last.train_loss) and math.isfinite(last.validation_loss)):
        state = f"the state of epoch {kept}" if kept else "an untrained network"
        return f"fold {fold}: the training diverged: no finite loss in epoch {last.epoch}; {state} is kept; {advice}"
    lowest = records[kept - 1].validation_loss if kept else untrained
    if abs(lowest) <= abs(untrained) + DIVERGED:
        return ""
    return (
        f"fold {fold}: the training diverged: the validation loss of epoch {kept}, which is kept, is {lowest:.4g}, far "
        f"from the {untrained:.4g} of an untrained network; {advice}"
    )


def _runaway(records: Sequence[EpochRecord], fold: int, kept: int, reason: str) -> str:
    """Say that a signed training loss left what is possible, or that its validation loss exploded."""
    best, last = records[kept - 1], records[-1]
    exploded = _exploded(best, last)
    if reason != "diverged" and not exploded:
        return ""
    return (
        f"fold {fold}: the signed loss ran away: by epoch {last.epoch} the training loss was {last.train_loss:.3g} "
        f"while the validation loss went from {best.validation_loss:.4f} ± {best.validation_error:.4f} "
        f"(epoch {best.epoch}, which is kept) to {last.validation_loss:.4g}; a bounded scheme or larger batches are "
        "safer here"
    )
