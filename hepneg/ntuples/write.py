"""Writing histograms as ROOT's TH1 and TH2."""

from __future__ import annotations

import datetime as dt
import io
import threading
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any, Self

import numpy as np

from hepneg._core.output import atomic_path
from hepneg.errors import OutputError

__all__ = ["write_histograms"]

_CLOCK = threading.Lock()


def write_histograms(path: str | Path, histograms: Mapping[str, Any]) -> Path:
    """Write histograms into a ROOT file, atomically, with errors √Σw² that hold for signed weights.

    The same histograms give the same bytes: the file has neither a date nor a UUID of its own.

    Args:
        path: the file.
        histograms: name to a :class:`hist.Hist` of one or two dimensions (TH1D, TH2D) with ``Weight()`` storage.
            Titles of axes are their labels, the bins of a category axis are labelled by their categories, under- and
            overflow are kept.

    Returns:
        The path.

    Raises:
        OutputError: the file cannot be written, or a histogram is none of these.
    """
    import uproot

    converted = {name: _to_root(name, histogram) for name, histogram in histograms.items()}
    # In memory, for a file on disk holds the name under which it was written.
    content = io.BytesIO()
    with _no_clock(), uproot.recreate(content, compression=uproot.ZLIB(4), uuid_function=_no_uuid) as file:
        for name, histogram in converted.items():
            file[name] = histogram
        written = content.getvalue()  # whole after every histogram; closing the file closes the buffer
    with atomic_path(path) as temporary:
        temporary.write_bytes(written)
    return Path(path)


def _no_uuid() -> uuid.UUID:
    return uuid.UUID(int=0)


class _NoClock:
    """Stands for the module ``datetime``, with a clock that stands at ROOT's epoch."""

    class datetime(dt.datetime):  # noqa: N801  # the name of what it stands for
        """A datetime whose now is always the same."""

        @classmethod
        def now(cls, tz: dt.tzinfo | None = None) -> Self:
            """Return 1 January 1995."""
            return cls(1995, 1, 1, tzinfo=tz)


@contextmanager
def _no_clock() -> Iterator[None]:
    """Keep the time of writing out of a file; uproot has no option for it."""
    cascade = import_module("uproot.writing._cascade")
    with _CLOCK:
        before = cascade.datetime
        cascade.datetime = _NoClock  # type: ignore[attr-defined]
        try:
            yield
        finally:
            cascade.datetime = before  # type: ignore[attr-defined]


def _to_root(name: str, histogram: Any) -> Any:
    """Build the TH1D or TH2D by hand: the generic conversion drops the labels of axes."""
    import boost_histogram as bh

    if histogram.ndim not in (1, 2):
        raise OutputError(f"histogram {name!r} must have one or two axes; project the others away first")
    if histogram.storage_type is not bh.storage.Weight:
        raise OutputError(f"histogram {name!r} has no Σw²; fill one with Weight() storage")
    view = histogram.view(flow=True)
    content = _with_flow(np.asarray(view.value, dtype=np.float64), histogram)
    variance = _with_flow(np.asarray(view.variance, dtype=np.float64), histogram)
    axes = [_root_axis(axis, which) for axis, which in zip(histogram.axes, ("xaxis", "yaxis"), strict=False)]
    return _make_th1(name, content, variance, *axes) if len(axes) == 1 else _make_th2(name, content, variance, *axes)


def _with_flow(values: np.ndarray[Any, np.dtype[np.float64]], histogram: Any) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Add the under- and overflow bins that a ROOT histogram always has, empty, where an axis has none."""
    missing = [(int(not axis.traits.underflow), int(not axis.traits.overflow)) for axis in histogram.axes]
    return np.pad(values, missing)


def _root_axis(axis: Any, which: str) -> Any:
    import uproot

    edges = np.asarray(axis.edges, dtype=np.float64)
    uniform = np.allclose(np.diff(edges), edges[1] - edges[0], rtol=1e-9, atol=0)
    return uproot.writing.identify.to_TAxis(
        fName=which,
        fTitle=getattr(axis, "label", "") or "",
        fNbins=len(edges) - 1,
        fXmin=float(edges[0]),
        fXmax=float(edges[-1]),
        fXbins=None if uniform else edges,
        fLabels=None if axis.traits.ordered else _bin_labels(axis),
    )


def _bin_labels(axis: Any) -> Any:
    """Return the categories of an axis as ROOT keeps labels of bins: each string's identifier is its bin, from 1."""
    import uproot

    labels = [uproot.writing.identify.to_TObjString(str(category)) for category in axis]
    for number, label in enumerate(labels, start=1):
        label.bases[0].members["@fUniqueID"] = number
    return uproot.writing.identify.to_THashList(labels)


def _make_th1(name: str, content: Any, variance: Any, x: Any) -> Any:
    import uproot

    centres, inner = _centres(x), content[1:-1]
    return uproot.writing.identify.to_TH1x(
        fName=name,
        fTitle="",
        data=content,
        fEntries=float(_effective(content, variance)),
        fTsumw=inner.sum(),
        fTsumw2=variance[1:-1].sum(),
        fTsumwx=(inner * centres).sum(),
        fTsumwx2=(inner * centres**2).sum(),
        fSumw2=variance,
        fXaxis=x,
    )


def _make_th2(name: str, content: Any, variance: Any, x: Any, y: Any) -> Any:
    import uproot

    inner, cx, cy = content[1:-1, 1:-1], _centres(x)[:, np.newaxis], _centres(y)
    return uproot.writing.identify.to_TH2x(
        fName=name,
        fTitle="",
        data=content.T.ravel(),  # ROOT counts the bins of x first
        fEntries=float(_effective(content, variance)),
        fTsumw=inner.sum(),
        fTsumw2=variance[1:-1, 1:-1].sum(),
        fTsumwx=(inner * cx).sum(),
        fTsumwx2=(inner * cx**2).sum(),
        fTsumwy=(inner * cy).sum(),
        fTsumwy2=(inner * cy**2).sum(),
        fTsumwxy=(inner * cx * cy).sum(),
        fSumw2=variance.T.ravel(),
        fXaxis=x,
        fYaxis=y,
    )


def _effective(content: Any, variance: Any) -> float:
    """Return (Σw)²/Σw², what ROOT calls the effective entries: a Weight() storage does not count."""
    total = float(variance.sum())
    return float(content.sum()) ** 2 / total if total > 0 else 0.0


def _centres(axis: Any) -> Any:
    edges = np.asarray(axis.edges())
    return 0.5 * (edges[1:] + edges[:-1])
