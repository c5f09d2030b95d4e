"""Distances between the cumulative shapes of positive and negative events.

With a and b the normalised Σ|w| of the two signs in bins ordered by x, h that of both together, D = Σ(a − b) and
H = Σh up to the end of a bin:

- Kolmogorov–Smirnov: max |D|;
- Cramér–von Mises: Σ D² h;
- Anderson–Darling: Σ D² h / (H (1 − H)).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["DISTANCES", "distances", "quadratic_weights"]

DISTANCES = ("anderson_darling", "cramer_von_mises", "kolmogorov_smirnov")


def quadratic_weights(total: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the weights of D² in Anderson and Darling's and in Cramér and von Mises' distance, (B − 1,) each.

    Args:
        total: Σ|w| of both signs in each bin, (B,), none empty.
    """
    content = total / total.sum()
    cumulative = np.cumsum(content)[:-1]
    cramer = content[:-1]
    return cramer / (cumulative * (1.0 - cumulative)), cramer


def distances(gap: NDArray[np.float64], total: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the three distances, (3, P) in the order of ``DISTANCES``.

    Args:
        gap: differences of the two normalised shapes, (P, B), B ≥ 2.
        total: Σ|w| of both signs in each bin, (B,), none empty.
    """
    anderson, cramer = quadratic_weights(total)
    difference = np.cumsum(gap, axis=1)[:, :-1]
    greatest = np.abs(difference).max(axis=1)
    np.square(difference, out=difference)
    return np.stack([difference @ anderson, difference @ cramer, greatest])
