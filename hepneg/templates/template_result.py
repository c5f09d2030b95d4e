"""Templates: what a fit takes, and what was done to their bins, as frozen results."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from hepneg._core.arrays import FloatArray
from hepneg._core.json_values import JsonResult, json_fields, json_ready
from hepneg._core.tables import html_table


@dataclass(frozen=True, eq=False, slots=True)
class VariedContents(JsonResult):
    """A template under one systematic variation.

    Attributes:
        content: Σw, (C,).
        error: √Σw², (C,).
        difference_error: of content − nominal, (C,): most events are in both, so it is far below the two errors in
            quadrature.
        yield_error: of the difference of the sums over all bins, between which events may have moved.
    """

    content: FloatArray
    error: FloatArray
    difference_error: FloatArray
    yield_error: float


@dataclass(frozen=True, eq=False, slots=True)
class Template(JsonResult):
    """One sample in one region.

    Attributes:
        content: expected events in each bin, (C,).
        error: standard errors, (C,).
        signed_content: Σw, whatever ``content`` is.
        signed_error: √Σw².
        own_error: the part of ``error`` that is independent from bin to bin, (C,); all of it for signed contents.
        shifts: one-sigma shifts of all bins together that make up the rest, (S, C).
        refined: whether ``content`` is Σ|w|ĝ.
        outside: Σw below and above all bins, which no bin holds.
        variations: by their names.
    """

    content: FloatArray
    error: FloatArray
    signed_content: FloatArray
    signed_error: FloatArray
    own_error: FloatArray
    shifts: FloatArray
    refined: bool
    outside: tuple[float, float]
    variations: Mapping[str, VariedContents]

    @property
    def n_eff(self) -> FloatArray:
        """(content/error)² of each bin; 0 where it is empty."""
        safe = np.where(self.error > 0, self.error, np.inf)
        return np.asarray((self.content / safe) ** 2)

    def to_dict(self) -> dict[str, Any]:
        """Return the fields and ``n_eff``, JSON-ready."""
        names = ("content", "error", "n_eff", "signed_content", "signed_error", "own_error", "shifts", "refined")
        return json_fields(self, *names, "outside", "variations")


@dataclass(frozen=True, slots=True)
class BinNote(JsonResult):
    """A bin of a sample that no fit should take as it was.

    Attributes:
        sample: which.
        bin: number from 0, of the bins before any were merged.
        low: lower edge.
        high: upper edge.
        content: Σw.
        error: √Σw².
        problem: ``negative`` (Σw ≤ 0), ``few`` (too few effective events) or ``empty`` (no event at all).
        action: ``merged``, ``refined`` or ``kept``.
        result: content that stands in its place (of the merged bin).
        result_error: its error.
    """

    sample: str
    bin: int
    low: float
    high: float
    content: float
    error: float
    problem: str
    action: str
    result: float
    result_error: float


@dataclass(frozen=True, eq=False, slots=True)
class RegionTemplates(JsonResult):
    """All samples in one region.

    Attributes:
        edges: of the C bins, (C + 1,), of the variable, or of its transformation.
        variable_edges: of the variable, (C + 1,).
        samples: by name.
        observed: data in each bin, (C,); None where there are none.
        notes: on bins that had to be looked at.
        share: of the events that chose the edges and fill no bin.
    """

    edges: FloatArray
    variable_edges: FloatArray
    samples: Mapping[str, Template]
    observed: FloatArray | None
    notes: tuple[BinNote, ...]
    share: float

    @property
    def total(self) -> FloatArray:
        """Expected events of all samples, (C,)."""
        return np.asarray(np.sum([template.content for template in self.samples.values()], axis=0))

    @property
    def n_eff(self) -> FloatArray:
        """Effective events of all samples together in each bin, (C,)."""
        square = np.sum([template.error**2 for template in self.samples.values()], axis=0)
        return np.asarray(self.total**2 / np.where(square > 0, square, np.inf))

    def __len__(self) -> int:
        return len(self.edges) - 1


@dataclass(frozen=True, eq=False, slots=True)
class ShapeSystematic:
    """A systematic of shapes: the names of its variations.

    Attributes:
        up: name of the variation.
        down: of the other one; None for the mirror image.
        samples: that it varies.
    """

    up: str
    down: str | None
    samples: tuple[str, ...]


@dataclass(frozen=True, eq=False, slots=True)
class Templates:
    """Templates by region and sample, with their systematics.

    Attributes:
        name: of the analysis.
        title: of the variable.
        labels: ``signal`` or ``background``, by sample.
        regions: by name.
        systematics: of shapes, by name.
        normalisations: factor by sample, by the name of the systematic.
        policy: what is done with negative bins.
        luminosity: in 1/fb, or None.
    """

    name: str
    title: str
    labels: Mapping[str, str]
    regions: Mapping[str, RegionTemplates]
    systematics: Mapping[str, ShapeSystematic]
    normalisations: Mapping[str, Mapping[str, float]]
    policy: str
    luminosity: float | None = None

    def __repr__(self) -> str:
        bins = ", ".join(f"{name}: {len(region)}" for name, region in self.regions.items())
        return f"Templates({self.name!r}, bins {bins}; {len(self.labels)} samples, {len(self.systematics)} shapes)"

    def _repr_html_(self) -> str:
        rows = [
            (name, sample, len(region), template.content.sum(), int((template.signed_content <= 0).sum()))
            for name, region in self.regions.items()
            for sample, template in region.samples.items()
        ]
        return html_table(("region", "sample", "bins", "expected", "bins with Σw ≤ 0"), rows)

    def varied(self, systematic: str, region: str, sample: str) -> tuple[FloatArray, FloatArray]:
        """Return the contents up and down, (C,) each; a missing side is the mirror image of the other."""
        one, template = self.systematics[systematic], self.regions[region].samples[sample]
        up = template.variations[one.up].content
        down = 2.0 * template.content - up if one.down is None else template.variations[one.down].content
        return up, down

    def shared_shifts(self) -> Iterator[tuple[str, str, str, FloatArray]]:
        """Yield what the smooth mean sign of a refined template is uncertain by: name, region, sample and shift."""
        for region, part in self.regions.items():
            for sample, template in part.samples.items():
                for number, shift in enumerate(template.shifts):
                    yield f"sign_{region}_{sample}_{number}", region, sample, shift

    def observed(self, region: str) -> FloatArray:
        """Return the data of a region, or what is expected where there are none (Asimov data), (C,)."""
        part = self.regions[region]
        return part.total if part.observed is None else part.observed

    def to_dict(self) -> dict[str, Any]:
        """Return everything, JSON-ready: what ``templates.json`` holds."""
        ready: dict[str, Any] = json_ready(
            {
                "schema_version": 1,
                "name": self.name,
                "variable": self.title,
                "negative_bins": self.policy,
                "luminosity": self.luminosity,
                "labels": dict(self.labels),
                "regions": dict(self.regions),
                "systematics": {
                    name: {"up": one.up, "down": one.down, "samples": list(one.samples)}
                    for name, one in self.systematics.items()
                },
                "normalisations": {name: dict(factors) for name, factors in self.normalisations.items()},
            }
        )
        return ready
