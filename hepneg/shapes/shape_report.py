"""The results of a shape check: frozen, printable, JSON-ready."""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape
from typing import Any

from hepneg._core.tables import html_table
from hepneg.binning.negative_intervals import NegativeRegion
from hepneg.shapes.feature_check import FeatureShape
from hepneg.shapes.joint_check import JointShapes
from hepneg.shapes.negative.learnt_region import LearntRegion
from hepneg.shapes.negative.pair_cells import NegativeBox
from hepneg.shapes.shape_tests.multivariate import MultivariateShape
from hepneg.shapes.systematics import SystematicComparison
from hepneg.shapes.verdict import Verdict

__all__ = ["SampleShapes", "ShapeReport"]


@dataclass(frozen=True, eq=False, slots=True, repr=False)
class SampleShapes:
    """The check of one sample.

    Attributes:
        name: of the sample.
        verdict: ``compatible``, ``different`` or ``inconclusive``.
        reason: one sentence.
        features: the check of each feature; empty where one sign is missing.
        negative_regions: intervals with significantly negative Σw, most significant first.
        negative_fraction: weighted.
        n_eff: effective events of the positive and of the negative ones.
        detectable_total_variation: the smallest that a feature would have shown with 90 % power; NaN where none could.
        joint: what the features show together; None where that was not looked at.
        systematics: for each feature the effect of the signs in units of the systematic variations; empty without any.
    """

    name: str
    verdict: Verdict
    reason: str
    features: dict[str, FeatureShape]
    negative_regions: tuple[NegativeRegion, ...]
    negative_fraction: float
    n_eff: tuple[float, float]
    detectable_total_variation: float
    joint: JointShapes | None = None
    systematics: dict[str, SystematicComparison] = field(default_factory=dict)

    @property
    def multivariate(self) -> MultivariateShape | None:
        """The classifier of the sign; None where it cannot or was not to be tested."""
        return self.joint.multivariate if self.joint else None

    @property
    def negative_boxes(self) -> tuple[NegativeBox, ...]:
        """Cuts on several features with significantly negative Σw outside ``negative_regions``; of a subsample."""
        return self.joint.boxes if self.joint else ()

    @property
    def learnt_region(self) -> LearntRegion | None:
        """Events whose learnt local mean sign is below zero; None where there is no hint of any."""
        return self.joint.learnt if self.joint else None

    @property
    def drawn_boxes(self) -> tuple[NegativeBox, ...]:
        """The boxes of both kinds that a figure outlines."""
        learnt = self.learnt_region
        return (*self.negative_boxes, *(learnt.boxes if learnt and learnt.significant else ()))

    def __repr__(self) -> str:
        return f"SampleShapes({self.name!r}: {self.verdict}: {self.reason})"

    def to_dict(self) -> dict[str, Any]:
        """Return the check as plain numbers, strings and lists."""
        correlations, learnt = self.joint.correlations if self.joint else None, self.learnt_region
        return {
            "verdict": self.verdict,
            "reason": self.reason,
            "negative_fraction": self.negative_fraction,
            "n_eff": {"positive": self.n_eff[0], "negative": self.n_eff[1]},
            "detectable_total_variation": self.detectable_total_variation,
            "features": {name: self._feature(name) for name in self.features},
            "multivariate": self.multivariate.to_dict() if self.multivariate else None,
            "correlations": correlations.summary() if correlations else None,
            "negative_regions": [
                *(region.to_dict() for region in self.negative_regions),
                *(box.to_dict() for box in self.negative_boxes),
                *([learnt.to_dict()] if learnt and learnt.significant else []),
            ],
            "negative_sign": learnt.selected.to_dict() if learnt else None,
            "subsample": {"used": self.joint.used, "seen": self.joint.seen} if self.joint else None,
        }

    def _feature(self, name: str) -> dict[str, Any]:
        systematics = {"yardstick": self.systematics[name].to_dict()} if name in self.systematics else {}
        return {**self.features[name].to_dict(), **systematics}


@dataclass(frozen=True, eq=False, slots=True, repr=False)
class ShapeReport:
    """Positive-only against |negative-only| shapes of all samples.

    Attributes:
        samples: the check of each sample, by name.
        verdict: ``different`` if any sample is, else ``inconclusive`` if any is, else ``compatible``.
        recommended_schemes: names of schemes, best first.
        alpha: probability that a sample without any difference is called different.
    """

    samples: dict[str, SampleShapes]
    verdict: Verdict
    recommended_schemes: tuple[str, ...]
    alpha: float

    def __repr__(self) -> str:
        lines = [f"  {sample.name}: {sample.verdict}: {sample.reason}" for sample in self.samples.values()]
        schemes = ", ".join(self.recommended_schemes)
        return "\n".join([f"ShapeReport({self.verdict}; recommended schemes: {schemes})", *lines])

    def _repr_html_(self) -> str:
        rows = ((sample.name, sample.verdict, sample.reason) for sample in self.samples.values())
        table = html_table(("sample", "shapes", "reason"), rows)
        return f"{table}<p>Recommended schemes: {escape(', '.join(self.recommended_schemes))}</p>"

    def to_dict(self) -> dict[str, Any]:
        """Return the report as ``check.json`` holds it."""
        return {
            "schema_version": 1,
            "verdict": self.verdict,
            "alpha": self.alpha,
            "samples": {name: sample.to_dict() for name, sample in self.samples.items()},
            "recommended_schemes": list(self.recommended_schemes),
        }
