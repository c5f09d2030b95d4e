"""Holm's correction for several tests that share one significance level unequally."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["weighted_holm"]


def weighted_holm(p_values: Sequence[float], weights: Sequence[float] | None = None) -> list[float]:
    """Return the p-values adjusted by Holm's weighted method (Scand. J. Stat. 6 (1979) 65).

    Args:
        p_values: of each test.
        weights: positive; the parts of the significance level that the tests get; left out,
            equal ones.

    Returns:
        For each test the smallest level at which it is rejected. The probability of any false rejection is at most that
        level, whatever the correlation of the tests.
    """
    weights = weights or [1.0] * len(p_values)
    ratio = [p / weight for p, weight in zip(p_values, weights, strict=True)]
    adjusted = [1.0] * len(ratio)
    left, reached = sum(weights), 0.0
    for i in sorted(range(len(ratio)), key=ratio.__getitem__):
        reached = max(reached, min(1.0, left * ratio[i]))
        adjusted[i] = reached
        left -= weights[i]
    return adjusted
