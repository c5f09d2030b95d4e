"""The first section: verdict, figures of merit, and warnings."""

from __future__ import annotations

from collections.abc import Iterable

from hepneg._core.formatting import estimate, luminosity_and_unit
from hepneg._core.tables import Table
from hepneg.report.blocks import Block, Facts, Heading, Items, NotRun, Section, Text
from hepneg.report.class_tables import has_classes
from hepneg.report.regression_section import is_regression, regression_merits
from hepneg.report.result_tables import overview_table
from hepneg.report.results import Results
from hepneg.report.warnings_section import result_warnings
from hepneg.schemes.scheme import scheme_title

__all__ = ["summary_section"]

_VERDICTS = {
    "different": "Positive and negative events have different shapes",
    "compatible": "Positive and negative events have compatible shapes",
    "inconclusive": "There are too few events to tell whether positive and negative ones have the same shapes",
}


def summary_section(results: Results, missing: Iterable[str]) -> Section:
    """Show what the results are of, the figures of merit, then the verdict, the samples and the warnings."""
    blocks: list[Block] = [Facts(_origin(results)), *_merits(results), *_verdict(results), _samples(results)]
    warnings = result_warnings(results)
    if warnings:
        blocks.append(Items("Warnings", warnings))
    blocks += [NotRun(command) for command in missing]
    return Section("summary", "Summary", tuple(blocks))


def _origin(results: Results) -> tuple[tuple[str, str], ...]:
    """Return luminosity, selection, day and digest of the model."""
    config, evaluation = results.config, results.evaluation or {}
    luminosity = "none: weights as they are"
    if config.luminosity is not None:
        luminosity = "{} {}⁻¹".format(*luminosity_and_unit(config.luminosity))
    digest = str(evaluation.get("model") or "")[:12]
    facts = (
        ("luminosity", luminosity),
        ("selection", config.selection.text if config.selection else "none"),
        ("data", ", ".join(config.data)),
        ("results of", results.day),
        ("model", digest),
    )
    return tuple((name, text) for name, text in facts if text)


def _verdict(results: Results) -> list[Block]:
    if results.shapes is None:
        return []
    verdict = results.shapes["verdict"]
    heading = Heading(_VERDICTS.get(verdict, "Positive against negative shapes"), verdict)
    if results.config.task == "regression":  # the shapes of the features say nothing about the target given them
        return [heading]
    schemes = ", ".join(results.shapes["recommended_schemes"])
    return [heading, Text(f"Schemes to prefer, best first: {schemes}.")]


def _merits(results: Results) -> list[Block]:
    evaluation = results.evaluation
    if evaluation is None:
        return []
    if is_regression(evaluation):
        return [Facts((("trained under", evaluation["scheme"]), *regression_merits(evaluation)))]
    area = "mean AUC" if has_classes(evaluation) else "AUC"
    facts = [
        ("trained under", scheme_title(evaluation["scheme"], evaluation["chosen"])),
        (f"{area}, held out, signed", estimate(evaluation["auc"], evaluation["auc_error"])),
        ("loss, held out, signed", f"{estimate(evaluation['loss'], evaluation['loss_error'])} nats"),
    ]
    if results.comparison is not None:
        facts.append(("best in the comparison", results.comparison["recommended"]))
    because = [Text(f"{evaluation['chosen']} was chosen: {evaluation['reason']}.")] if evaluation["reason"] else []
    return [Facts(tuple(facts)), *because]


def _samples(results: Results) -> Table:
    weights, shapes, evaluation = (
        (step or {"samples": {}})["samples"] for step in (results.weights, results.shapes, results.evaluation)
    )
    parts = [
        {
            **evaluation.get(name, {}),
            **weights.get(name, {}),
            "sample": name,
            "label": results.label(name),
            "verdict": shapes.get(name, {}).get("verdict"),
        }
        for name in results.config.samples
    ]
    merit = "resolution" if is_regression(results.evaluation) else "AUC"
    return overview_table(parts, "" if "targets" in (results.evaluation or {}) else merit)
