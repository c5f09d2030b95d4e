"""Templates as ROOT histograms: ``region/sample``, ``region/sample_<systematic>Up`` (Down), ``region/data_obs``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hist
import numpy as np

from hepneg._core.arrays import FloatArray
from hepneg.ntuples import write_histograms
from hepneg.templates.template_result import Templates

DATA_NAME = "data_obs"


def write_root(path: str | Path, templates: Templates) -> Path:
    """Write all templates, atomically.

    Errors are what is independent from bin to bin: √Σw², and of refined contents the part of their own events. What
    refined bins share is in variations ``sign_…``, one standard deviation up and down. Without data ``data_obs`` holds
    what is expected.

    Raises:
        OutputError: the file cannot be written.
    """
    return write_histograms(path, dict(_histograms(templates)))


def _histograms(templates: Templates) -> Iterator[tuple[str, Any]]:
    for region, part in templates.regions.items():
        observed = templates.observed(region)
        yield f"{region}/{DATA_NAME}", _histogram(templates, region, observed, np.sqrt(np.maximum(observed, 0.0)))
        for sample, template in part.samples.items():
            yield f"{region}/{sample}", _histogram(templates, region, template.content, template.own_error)
    for name, region, sample, sides in shape_variations(templates):
        errors = templates.regions[region].samples[sample].own_error
        for side, content in zip(("Up", "Down"), sides, strict=True):
            yield f"{region}/{sample}_{name}{side}", _histogram(templates, region, content, errors)


def shape_variations(templates: Templates) -> Iterator[tuple[str, str, str, tuple[FloatArray, FloatArray]]]:
    """Yield name, region, sample and the contents up and down of every shape systematic, those of signs included."""
    for name, systematic in templates.systematics.items():
        for region in templates.regions:
            for sample in systematic.samples:
                yield name, region, sample, templates.varied(name, region, sample)
    for name, region, sample, shift in templates.shared_shifts():
        content = templates.regions[region].samples[sample].content
        yield name, region, sample, (content + shift, content - shift)


def _histogram(templates: Templates, region: str, content: FloatArray, error: FloatArray) -> Any:
    axis: Any = hist.axis.Variable(list(templates.regions[region].edges), name="variable", label=templates.title)
    histogram = hist.Hist(axis, storage=hist.storage.Weight())
    view: Any = histogram.view()
    view["value"], view["variance"] = content, error**2
    return histogram
