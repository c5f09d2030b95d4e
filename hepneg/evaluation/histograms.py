"""Histograms of the classifier's response with every signed weight applied, and bin-wise ratios that make sense."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import hist
import numpy as np
from numpy.typing import ArrayLike, NDArray

from hepneg._core.arrays import FloatArray
from hepneg._core.class_names import TWO_CLASSES, require_two_classes
from hepneg.evaluation.per_sample import SampleWeights
from hepneg.events import EventTable, cluster_squares
from hepneg.metrics.scored import column_of

__all__ = [
    "SIGNS",
    "BinRatio",
    "HasHeldOutResponse",
    "bin_errors",
    "count_negative_bins",
    "histogram_dict",
    "net_over_positive",
    "normalised",
    "project",
    "ratio",
    "response_axis",
    "response_histogram",
    "signed_histogram",
]

SIGNS = ("positive", "negative")


class HasHeldOutResponse(Protocol):
    """A classifier that can answer for the events that it was trained on."""

    def held_out_response(self, events: EventTable) -> NDArray[np.floating]:
        """Return the response (n,) in [0, 1] of networks that have not seen the events."""


def response_histogram(
    response: ArrayLike | HasHeldOutResponse, events: EventTable, *, bins: int | Sequence[float] = 40
) -> hist.Hist[Any]:
    """Fill the response of all events, signed.

    Args:
        response: (n,) in [0, 1], or a classifier, which is asked for its held-out response.
        events: n events.
        bins: how many of equal width in [0, 1], or increasing edges.

    Returns:
        A histogram with ``Weight()`` storage (Σw and Σw², where rows of one event in a bin are added up before they
        are squared) and the axes ``sample`` × ``sign`` × ``response``. Events of
        negative weight are negative entries, so adding the two signs gives the net. Histograms of chunks with the same
        ``sample_names`` and bins add up with ``+``. Fill it further by position: hist reserves the keyword ``sample``.
        A response equal to the last edge counts into the last bin.

    Raises:
        DataError: a response that is not one finite number per event, or a classifier of other classes than signal and
            background: give the probability of one of them.
    """
    require_two_classes(getattr(response, "classes", TWO_CLASSES), "a histogram of the response")
    asked: Any = getattr(response, "held_out_response", lambda _: response)
    values = column_of(events, asked(events), "the response")
    return signed_histogram(values, SampleWeights.of(events), response_axis(bins))


def response_axis(bins: int | Sequence[float]) -> Any:
    """Return the axis of a response: so many bins of equal width in [0, 1], or increasing edges."""
    if isinstance(bins, int):
        return hist.axis.Regular(bins, 0.0, 1.0, name="response", label="Response")
    return hist.axis.Variable(list(bins), name="response", label="Response")


def signed_histogram(values: FloatArray, weights: SampleWeights, axis: Any) -> hist.Hist[Any]:
    """Fill one number per event, signed, over sample × sign × ``axis``; see :func:`response_histogram`.

    Args:
        values: (n,) finite.
        weights: of the n events, by sample.
        axis: a regular or variable axis of hist.
    """
    samples = hist.axis.StrCategory(list(weights.names), name="sample", label="Sample")
    signs = hist.axis.StrCategory(list(SIGNS), name="sign", label="Sign of the weight")
    with warnings.catch_warnings():
        # hist reserves `sample` as a keyword of fill: such an axis is filled by position, all else works by name.
        warnings.simplefilter("ignore", UserWarning)
        histogram = hist.Hist(samples, signs, axis, storage=hist.storage.Weight())
    slots = len(axis) + 2
    last = axis.edges[-1]
    position = np.asarray(axis.index(np.where(values == last, np.nextafter(last, 0.0), values))) + 1
    cell = (weights.code.astype(np.int64) * len(SIGNS) + (weights.weight < 0)) * slots + position
    shape = (len(weights.names), len(SIGNS), slots)
    view: Any = histogram.view(flow=True)[: shape[0], : shape[1], :]
    view["value"] = np.bincount(cell, weights.weight, np.prod(shape)).reshape(shape)
    squares = cluster_squares(weights.weight, cell, int(np.prod(shape)), weights.cluster)
    view["variance"] = squares.reshape(shape)
    return histogram


def project(
    histogram: hist.Hist[Any], sample: str | Sequence[str] | None = None, sign: str | None = None
) -> hist.Hist[Any]:
    """Project a histogram over sample × sign × response onto its third axis.

    Args:
        histogram: as :func:`response_histogram` or :func:`signed_histogram` makes it.
        sample: the sample or samples to add up; None adds all.
        sign: ``"positive"`` or ``"negative"``; None adds both, which gives the net.

    Returns:
        A one-dimensional histogram with ``Weight()`` storage.
    """
    known = list(histogram.axes["sample"])
    wanted = known if sample is None else [sample] if isinstance(sample, str) else list(sample)
    rows = [known.index(name) for name in wanted]
    columns = [SIGNS.index(name) for name in (SIGNS if sign is None else (sign,))]
    cells: Any = histogram.view(flow=True)[np.ix_(rows, columns)]
    projection = hist.Hist(histogram.axes[2], storage=hist.storage.Weight())
    view: Any = projection.view(flow=True)
    view["value"], view["variance"] = cells["value"].sum(axis=(0, 1)), cells["variance"].sum(axis=(0, 1))
    return projection


def histogram_dict(histogram: hist.Hist[Any], *, edges: bool = True) -> dict[str, Any]:
    """Return ``edges`` (a list for each axis if there are several), ``values`` and ``variances``, JSON-ready."""
    axes = [axis.edges.tolist() for axis in histogram.axes] if edges else []
    return {
        **({"edges": axes[0] if len(axes) == 1 else axes} if edges else {}),
        "values": np.asarray(histogram.values()).tolist(),
        "variances": np.asarray(histogram.variances()).tolist(),
    }


def normalised(histogram: hist.Hist[Any]) -> hist.Hist[Any]:
    """Scale a one-dimensional histogram to |Σw| = 1, flow included; without entries it is returned as it is.

    The sign is kept. The errors are those of the bins alone: that of the sum is left out.
    """
    contents: Any = histogram.view(flow=True)
    total = abs(float(contents["value"].sum()))
    return histogram * (1.0 / total) if total > 0 else histogram.copy()


def bin_errors(histogram: hist.Hist[Any]) -> FloatArray:
    """Return √Σw² of the bins, (bins,)."""
    return np.sqrt(np.asarray(histogram.variances(), dtype=np.float64))


def count_negative_bins(histogram: hist.Hist[Any]) -> int:
    """Return how many bins of a one-dimensional histogram have Σw < 0."""
    return int(np.count_nonzero(np.asarray(histogram.values()) < 0))


@dataclass(frozen=True, eq=False, slots=True)
class BinRatio:
    """A ratio bin by bin, only where it means something.

    Attributes:
        centre: of the bins, (bins,).
        value: (bins,), NaN where masked.
        error: (bins,), NaN where masked.
        shown: (bins,), false where the denominator is too little significant to divide by.
    """

    centre: FloatArray
    value: FloatArray
    error: FloatArray
    shown: NDArray[np.bool_]


def ratio(numerator: hist.Hist[Any], denominator: hist.Hist[Any], *, min_significance: float = 2.0) -> BinRatio:
    """Divide two statistically independent histograms of the same bins.

    Args:
        numerator: one-dimensional, ``Weight()`` storage.
        denominator: the same.
        min_significance: bins are masked where \\|denominator\\| is not above so many standard errors: with signed
            weights a bin can hold many events and next to no weight.

    Returns:
        The ratio with both errors propagated linearly.
    """
    top, bottom = np.asarray(numerator.values()), np.asarray(denominator.values())
    top_error, bottom_error = bin_errors(numerator), bin_errors(denominator)
    shown = np.abs(bottom) > min_significance * bottom_error
    safe = np.where(shown, bottom, np.nan)
    value = top / safe
    error = np.hypot(top_error, value * bottom_error) / np.abs(safe)
    return BinRatio(np.asarray(numerator.axes[0].centers), value, error, shown)


def net_over_positive(histogram: hist.Hist[Any], sample: str, *, min_significance: float = 2.0) -> BinRatio:
    """Divide the net of a sample by its positive component, bin by bin.

    1 − |negative| / positive, which says how much the signs cancel: 1 without negative weights, 0 where they cancel
    everything. Its error is that of the independent ratio on the right.
    """
    positive, negative = project(histogram, sample, "positive"), project(histogram, sample, "negative")
    part = ratio(negative, positive, min_significance=min_significance)
    return BinRatio(part.centre, 1.0 + part.value, part.error, part.shown)
