"""By how much rows of one event (candidates) widen the errors of binned sums: they fluctuate together."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from hepneg.binning.signed_bins import SignedBins
from hepneg.binning.subsample import Subsample
from hepneg.events import clustering

__all__ = ["with_clustered_errors", "with_observations"]


def with_observations(bins: SignedBins, subsample: Subsample) -> SignedBins:
    """Return bins whose Σw² of each sign is Σ(Σ|w|)² over the events as a whole, in each bin alike.

    ``n_eff`` then counts events, not rows. The error of a single bin is too wide where the rows of an event spread over
    bins.
    """
    if subsample.cluster is None:
        return bins
    parts = (np.maximum(subsample.weight, 0.0), np.minimum(subsample.weight, 0.0))
    factors = [clustering(part, subsample.cluster) for part in parts]
    return replace(bins, square=bins.square * np.array(factors)[:, None])


def with_clustered_errors(bins: SignedBins, code: NDArray[np.integer], subsample: Subsample) -> SignedBins:
    """Return bins whose Σw² is Σ(Σ|w|)² over the rows of each event within each bin.

    Args:
        bins: the sums of all rows.
        code: bin of each row of the subsample, (m,).
        subsample: what the ratio of the two is taken from.
    """
    if subsample.cluster is None:
        return bins
    magnitude, negative = np.abs(subsample.weight), subsample.weight < 0
    place = code + len(bins) * negative.astype(np.intp)
    parts, part = np.unique(subsample.cluster * (2 * len(bins)) + place, return_inverse=True)
    clustered = np.bincount(parts % (2 * len(bins)), np.bincount(part, magnitude) ** 2, 2 * len(bins))
    rows = np.bincount(place, magnitude**2, 2 * len(bins))
    ratio = np.divide(clustered, rows, out=np.ones(2 * len(bins)), where=rows > 0)
    return replace(bins, square=bins.square * ratio.reshape(2, -1))
