"""The section on the shapes of positive and negative events."""

from __future__ import annotations

from collections.abc import Iterator

from hepneg._core.figure_names import (
    MULTIVARIATE_STEM,
    YARDSTICK_STEM,
    boxes_stem,
    correlations_stem,
    overview_stem,
    shape_stem,
)
from hepneg._core.formatting import MISSING, estimate, percent, significant, with_p
from hepneg.config.collection_settings import left_out_sentence
from hepneg.report.blocks import Block, Details, Gallery, Heading, NotRun, Section, Text
from hepneg.report.result_tables import feature_table, systematics_table
from hepneg.report.results import Data, Results
from hepneg.report.sign_split_section import closure_blocks

__all__ = ["shapes_section"]

_COMMAND = "hepneg check"
_SYSTEMATICS_LEGEND = (
    "What taking |w| for w does to each normalised shape, against the spread of the systematic variations: half the "
    "sum over ten bins of their quadratic sum. A ratio well below 1 says that the bias would be lost in the "
    "systematic uncertainty; there is none where the spread is not significant."
)


def shapes_section(results: Results) -> Section:
    """Show the effect size and the tests of every feature, and a figure of each."""
    report = results.shapes
    if report is None:
        return Section("shapes", "Shapes", (NotRun(_COMMAND), *closure_blocks(results)))
    blocks: list[Block] = [Text(_legend(report["alpha"]))]
    left_out = left_out_sentence(results.config.collections)
    if left_out:
        blocks.append(Text(left_out))
    if any(shapes["features"] for shapes in report["samples"].values()):
        blocks.append(Details("All tests of all features", "effect sizes and p-values", feature_table(report)))
    blocks.append(Gallery((results.figure("shapes"),)))
    if any(shapes.get("multivariate") for shapes in report["samples"].values()):
        blocks.append(Gallery((results.figure(MULTIVARIATE_STEM),)))
    blocks += _systematics(results, report)
    for name, shapes in report["samples"].items():
        blocks += _sample(results, name, shapes, report["alpha"])
    blocks += closure_blocks(results)
    return Section("shapes", "Shapes", tuple(blocks))


def _legend(alpha: float) -> str:
    return (
        "The total variation is half the area between the normalised shapes of positive and of negative events, with "
        "the expected noise taken off. The bias of |w| is that between the signed shape and the shape of |w|: what "
        "training with |w| would get wrong. A feature differs where its p-value, adjusted for the number of features, "
        f"is at most {alpha:g}. It combines the Anderson–Darling (AD), width, smooth and χ² tests by the minimum "
        "p-value under their joint null distribution (Westfall–Young); the "
        "Cramér–von Mises (CvM), Kolmogorov–Smirnov (KS) and location tests are shown beside."
    )


def _by_size(shapes: Data) -> list[tuple[str, Data]]:
    return sorted(shapes["features"].items(), key=lambda item: (-item[1]["total_variation"], item[1]["p_value"]))


def _size(shape: Data, key: str = "total_variation") -> str:
    return MISSING if shape[key] is None else percent(shape[key], shape[f"{key}_error"])


def _sample(results: Results, name: str, shapes: Data, alpha: float) -> Iterator[Block]:
    yield Heading(name, shapes["verdict"])
    yield Text(_sentence(shapes["reason"]))
    if shapes.get("multivariate"):
        yield Text(_multivariate(shapes["multivariate"]))
    if shapes.get("correlations"):
        yield from _correlations(results, name, shapes["correlations"])
    for region in shapes["negative_regions"]:
        yield Text(_region(region, shapes.get("subsample")))
    described = [box for region in shapes["negative_regions"] for box in region.get("boxes", (region,))]
    boxes = [box["cuts"] for box in described if len(box.get("cuts", ())) > 1]
    for x, y in dict.fromkeys((cuts[0]["feature"], cuts[1]["feature"]) for cuts in boxes):
        yield Gallery((results.figure(boxes_stem(name, x, y), "boxes", sample=name, x=x, y=y),))
    yield from _features(results, name, _by_size(shapes), alpha)


def _features(results: Results, name: str, features: list[tuple[str, Data]], alpha: float) -> Iterator[Block]:
    """Show the features with a figure of their own, largest difference first, and the one figure of the others."""
    own = {feature for feature, shape in features if results.config.plots.has_page(shape["p_adjusted"], alpha)}
    for feature, shape in features:
        if feature in own:
            stem = shape_stem(name, feature)
            remark = f"total variation {_size(shape)}, {with_p(shape['p_value'])}"
            yield Details(feature, remark, results.figure(stem, "shape", sample=name, feature=feature))
    if len(own) < len(features):
        yield Gallery((results.figure(overview_stem(name), "overview", sample=name),))


def _correlations(results: Results, name: str, correlations: Data) -> Iterator[Block]:
    if correlations["largest"]:
        yield Text(_largest_correlation(correlations["largest"][0]))
    yield Gallery((results.figure(correlations_stem(name), "correlations", sample=name),))


def _largest_correlation(pair: Data) -> str:
    positive, negative = (estimate(pair[sign]["value"], pair[sign]["error"]) for sign in ("positive", "negative"))
    return (
        f"The correlation that differs most is that of {' and '.join(pair['features'])}: {positive} for positive, "
        f"{negative} for negative events ({with_p(pair['p_adjusted'])}, adjusted for the number of pairs)."
    )


def _region(region: Data, subsample: Data | None) -> str:
    total, evidence, part = region["sum_weights"], "standard deviations", ""
    if "boxes" in region:
        return _learnt(region)
    if "cuts" in region:
        evidence += " in events not used to find the box"
        if subsample and subsample["used"] < subsample["seen"]:
            part = f" in {subsample['used']} of {subsample['seen']} events"
    return (
        f"Σw is significantly negative where {region['where']}: {estimate(total['value'], total['error'])}{part} "
        f"({significant(region['significance'], 2)} {evidence})."
    )


def _learnt(region: Data) -> str:
    total = region["sum_weights"]
    found = (
        f"The density is negative where networks that have not seen the events say so: {percent(region['share'])} of "
        f"Σ|w|, where Σw is {estimate(total['value'], total['error'])} ({with_p(region['p_value'])})."
    )
    cuts = (
        f"{box['where']}: {estimate(box['confirmed']['value'], box['confirmed']['error'])}" for box in region["boxes"]
    )
    described = "; ".join(cuts)
    return (
        f"{found} Cuts, with Σw of the half of the events that they were not found with: {described}."
        if described
        else found
    )


def _multivariate(test: Data) -> str:
    return (
        "A classifier of the sign, of all features together, reaches an AUC of "
        f"{estimate(test['auc'], test.get('auc_error'))} "
        f"({with_p(test['p_value'])})."
    )


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + "."


def _systematics(results: Results, report: Data) -> Iterator[Block]:
    """Show the ratios of all features; nothing where there are no systematic variations."""
    table = systematics_table(report)
    if not table.rows:
        return
    yield Text(_SYSTEMATICS_LEGEND)
    yield table
    yield Gallery((results.figure(YARDSTICK_STEM),))
