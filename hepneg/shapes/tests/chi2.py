"""The χ² of the difference of two normalised, weighted histograms."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["chi2_statistic"]


def chi2_statistic(
    gap: NDArray[np.float64], variance: NDArray[np.float64], content: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the distance of differences from zero in units of their covariance, (P,).

    Args:
        gap: differences of two normalised contents, (P, B).
        variance: of the gap in each bin but for the normalisations, (B,).
        content: expected share of each bin, (B,).

    The gap is ε − content · Σε with independent ε, so its covariance is singular: the unseen Σε is minimised over.
    """
    inverse = 1.0 / variance
    along = gap @ (content * inverse)
    return np.asarray(gap**2 @ inverse - along**2 / float(np.sum(content**2 * inverse)))
