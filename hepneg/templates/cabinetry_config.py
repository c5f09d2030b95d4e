"""A configuration for cabinetry that reads the ROOT file of the templates."""

from __future__ import annotations

from typing import Any

import numpy as np

from hepneg.templates.pyhf_workspace import POI
from hepneg.templates.root_templates import DATA_NAME
from hepneg.templates.template_result import Templates

_MOST_STRENGTH = 20.0


def cabinetry_config(templates: Templates, root_file: str) -> dict[str, Any]:
    """Return the configuration as dictionaries and lists.

    Args:
        templates: what the ROOT file holds.
        root_file: its path, as cabinetry will find it.
    """
    histogram = f"{root_file}:{{RegionPath}}/{{SamplePath}}{{VariationPath}}"
    samples = [{"Name": name, "SamplePath": name} for name in templates.labels]
    return {
        "General": {
            "Measurement": templates.name,
            "POI": POI,
            "InputPath": histogram,
            "HistogramFolder": "histograms/",
            "VariationPath": "",
        },
        "Regions": [{"Name": name, "RegionPath": name} for name in templates.regions],
        "Samples": [*samples, {"Name": "data", "SamplePath": DATA_NAME, "Data": True}],
        "Systematics": [*_shapes(templates), *_signs(templates), *_normalisations(templates)],
        "NormFactors": [
            {
                "Name": POI,
                "Samples": [name for name, label in templates.labels.items() if label == "signal"],
                "Nominal": 1,
                "Bounds": [-_MOST_STRENGTH, _MOST_STRENGTH],
            }
        ],
    }


def _sides(name: str) -> dict[str, Any]:
    sides = {side: {"VariationPath": f"_{name}{side}"} for side in ("Up", "Down")}
    return {"Name": name, "Type": "NormPlusShape", **sides}


def _shapes(templates: Templates) -> list[dict[str, Any]]:
    return [_sides(name) | {"Samples": list(one.samples)} for name, one in templates.systematics.items()]


def _signs(templates: Templates) -> list[dict[str, Any]]:
    return [
        _sides(name) | {"Samples": [sample], "Regions": [region]}
        for name, region, sample, _ in templates.shared_shifts()
    ]


def _normalisations(templates: Templates) -> list[dict[str, Any]]:
    """Write normalisations; samples with different factors are apart, held together by the name of the modifier."""
    found = []
    for name, factors in templates.normalisations.items():
        for number, factor in enumerate(np.unique(list(factors.values()))):
            one = {
                "Name": f"{name}_{number}" if number else name,
                "Type": "Normalization",
                "Up": {"Normalization": float(factor) - 1.0},
                "Down": {"Normalization": 1.0 / float(factor) - 1.0},
                "Samples": [sample for sample, own in factors.items() if own == factor],
            }
            found.append(one | ({"ModifierName": name} if number else {}))
    return found
