"""From the figures of a check to a verdict in words and the schemes that it allows."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Literal

from hepneg._core.estimate import Estimate
from hepneg.shapes.feature_check import FeatureShape
from hepneg.shapes.negative.learnt_region import LearntRegion
from hepneg.shapes.shape_tests.multivariate import MultivariateShape

__all__ = [
    "TOLERANCE",
    "Verdict",
    "learnt_region_clause",
    "negative_regions_clause",
    "overall_verdict",
    "recommend",
    "sample_verdict",
    "too_few",
]

Verdict = Literal["compatible", "different", "inconclusive"]
# A total variation that is worth knowing about: differences below it may stay unseen in a compatible sample.
TOLERANCE = 0.05
_NAMED = 3


def too_few(positive: float, negative: float, minimum: float) -> tuple[Verdict, str] | None:
    """Return the verdict on a sample without enough events of either sign, or None where there are enough.

    Args:
        positive: effective events (Σw)²/Σw² of positive weight.
        negative: the same of negative weight.
        minimum: how many of each sign a comparison takes.
    """
    if negative == 0:
        return "compatible", "no event has a negative weight: there is nothing to compare"
    if positive == 0:
        return "inconclusive", "no event has a positive weight: there is nothing to compare with"
    if min(positive, negative) >= minimum:
        return None
    sign, n_eff = ("negative", negative) if negative < positive else ("positive", positive)
    return "inconclusive", f"only {n_eff:.1f} effective events of {sign} weight: at least {minimum:.0f} are needed"


def sample_verdict(
    features: Mapping[str, FeatureShape],
    alpha: float,
    detectable: float,
    entries: int,
    multivariate: MultivariateShape | None = None,
) -> tuple[Verdict, str]:
    """Return the verdict on one sample and one sentence that explains it.

    ``different`` if any adjusted p-value is at most ``alpha``, of a feature or of the classifier of
    the sign; else ``compatible`` if a total variation of 5 % in one feature would have been found with 90 % power; else
    ``inconclusive``.

    Args:
        features: the checked features.
        alpha: probability of a false ``different``.
        detectable: the smallest total variation found with 90 % power.
        entries: events of the sample.
        multivariate: of the classifier of the sign, if that was tested.
    """
    significant = [shape for shape in features.values() if shape.p_adjusted <= alpha]
    separated = multivariate is not None and multivariate.p_adjusted <= alpha
    if significant:
        beside = f"; {_classifier(multivariate)}" if separated and multivariate else ""
        return "different", _differences(significant, len(features)) + beside
    if separated and multivariate:
        return "different", f"no feature differs significantly on its own, but {_classifier(multivariate, named=2)}"
    if detectable <= TOLERANCE:
        return "compatible", (
            f"no feature differs significantly; a total variation of {detectable:.1%} would have been seen in "
            "any of them"
        )
    needed = entries * (detectable / TOLERANCE) ** 2
    return "inconclusive", (
        f"no feature differs significantly, but only a total variation above {detectable:.1%} would have been seen; "
        f"{TOLERANCE:.0%} takes about {_rounded(needed)} such events instead of {entries}"
    )


def negative_regions_clause(number: int) -> str:
    """Return the clause on intervals and boxes with significantly negative Σw, empty where there are none."""
    plural = "" if number == 1 else "s"
    return f"; Σw is significantly below zero in {number} region{plural}" if number else ""


def learnt_region_clause(region: LearntRegion | None) -> str:
    """Return the clause on events whose learnt local mean sign is below zero, empty where Σw does not confirm it."""
    if region is None or not region.significant:
        return ""
    return f"; the density is negative where networks say so ({region.selected}), in short {region.where}"


def overall_verdict(verdicts: Iterable[Verdict]) -> Verdict:
    """Return ``different`` if any sample is, else ``inconclusive`` if any is, else ``compatible``."""
    seen = set(verdicts)
    if "different" in seen:
        return "different"
    return "inconclusive" if "inconclusive" in seen else "compatible"


def recommend(verdict: Verdict) -> tuple[str, ...]:
    """Return the schemes to prefer, best first.

    ``absolute`` has the least variance and is right where the sign does not depend on the features; elsewhere it is
    biased, and only schemes that use the signs are consistent: those that learn the local mean sign before those that
    put the signed weight into the loss, since smoothing the sign takes off most of its noise. Where the check cannot
    tell, the consistent ones come first; they lose little where the sign does not depend on the features.
    """
    if verdict == "compatible":
        return "absolute", "combined", "refined", "positive"
    consistent = ("combined", "refined", "factorised", "mixture", "paired", "signed")
    return consistent if verdict == "different" else (*consistent, "absolute")


def _differences(significant: list[FeatureShape], checked: int) -> str:
    ordered = sorted(significant, key=lambda shape: -shape.total_variation.value)
    named = ", ".join(f"{shape.name} ({_percent(shape.total_variation)})" for shape in ordered[:_NAMED])
    more = f" and {len(ordered) - _NAMED} more" if len(ordered) > _NAMED else ""
    bias = ordered[0].signed_total_variation
    consequence = "" if math.isnan(bias.value) else f"; |w| would displace {_percent(bias)} of the signed distribution"
    features = "feature" if checked == 1 else "features"
    verb = "differs" if len(ordered) == 1 else "differ"
    return (
        f"{len(ordered)} of {checked} {features} {verb} between the signs, by total variation: {named}{more}"
        f"{consequence}"
    )


def _classifier(multivariate: MultivariateShape, named: int = 0) -> str:
    """Say how well a classifier separates the signs, and with which features."""
    text = f"a classifier tells the sign from all features together with an AUC of {multivariate.auc}"
    leading = list(multivariate.importance)[:named]
    return f"{text}, most of all by {' and '.join(leading)}" if leading else text


def _percent(estimate: Estimate) -> str:
    return f"{Estimate(100.0 * estimate.value, 100.0 * estimate.error)} %"


def _rounded(number: float) -> str:
    return f"{number:.2g}" if number >= 1e6 else f"{float(f'{number:.2g}'):.0f}"
