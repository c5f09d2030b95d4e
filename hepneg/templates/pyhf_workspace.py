"""Templates as a pyhf workspace (HistFactory in JSON)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import numpy as np

from hepneg._core.arrays import FloatArray
from hepneg.templates.root_templates import shape_variations
from hepneg.templates.template_result import Templates

POI = "mu"
"""The parameter of interest: the strength of all signal samples."""
LEAST_EFFECTIVE = 10.0
"""Effective events of all samples in every bin of a region, for one Gaussian parameter a bin; below, each sample has
Poisson ones."""


def workspace(templates: Templates) -> dict[str, Any]:
    """Return the workspace, JSON-ready.

    Statistical uncertainties of the simulation are one ``staterror`` a region, or, where a bin has fewer than ten
    effective events, a ``shapesys`` a sample with the effective events of its bins. What refined contents share are
    ``histosys`` of their own; so are systematics of shapes. Normalisations are ``normsys``, the signal has the
    ``normfactor`` ``mu``.

    Format: https://scikit-hep.org/pyhf/schemas/1.0.0/workspace.json.
    """
    shapes = defaultdict(list)
    for name, region, sample, sides in shape_variations(templates):
        shapes[region, sample].append(_histosys(name, *sides))
    return {
        "channels": [
            {
                "name": region,
                "samples": [
                    {
                        "name": sample,
                        "data": _numbers(template.content),
                        "modifiers": [*_modifiers(templates, region, sample), *shapes[region, sample]],
                    }
                    for sample, template in part.samples.items()
                ],
            }
            for region, part in templates.regions.items()
        ],
        "observations": [
            {"name": region, "data": _numbers(templates.observed(region))} for region in templates.regions
        ],
        "measurements": [{"name": templates.name, "config": {"poi": POI, "parameters": []}}],
        "version": "1.0.0",
    }


def is_sparse(templates: Templates, region: str) -> bool:
    """Tell whether a bin of a region has too few effective events for one Gaussian parameter."""
    part = templates.regions[region]
    filled = np.array([template.error for template in part.samples.values()]).any(axis=0)
    return bool((part.n_eff[filled] < LEAST_EFFECTIVE).any())


def _modifiers(templates: Templates, region: str, sample: str) -> Iterator[dict[str, Any]]:
    if templates.labels[sample] == "signal":
        yield {"name": POI, "type": "normfactor", "data": None}
    for name, factors in templates.normalisations.items():
        if sample in factors:
            yield {"name": name, "type": "normsys", "data": {"hi": factors[sample], "lo": 1.0 / factors[sample]}}
    error = _numbers(templates.regions[region].samples[sample].own_error)
    if is_sparse(templates, region):
        yield {"name": f"stat_{region}_{sample}", "type": "shapesys", "data": error}
    else:
        yield {"name": f"stat_{region}", "type": "staterror", "data": error}


def _histosys(name: str, up: FloatArray, down: FloatArray) -> dict[str, Any]:
    return {"name": name, "type": "histosys", "data": {"hi_data": _numbers(up), "lo_data": _numbers(down)}}


def _numbers(values: FloatArray) -> list[float]:
    return [float(value) for value in values]
