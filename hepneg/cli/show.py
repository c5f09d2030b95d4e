"""Results on a terminal: the tables of the report, and what follows from them in a sentence each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from hepneg._core.formatting import MISSING, measured, p_value, percent, significant
from hepneg.config.collection_settings import left_out_sentence
from hepneg.report import result_tables
from hepneg.report.class_tables import class_tables, has_classes
from hepneg.report.regression_section import by_target
from hepneg.report.table_fields import measurement
from hepneg.report.template_tables import template_tables

if TYPE_CHECKING:
    from hepneg._core.tables import Table
    from hepneg.config import Config
    from hepneg.evaluation.evaluation import AnyEvaluation
    from hepneg.friends import Friends
    from hepneg.report import ReportPage
    from hepneg.shapes import ShapeReport
    from hepneg.signs.refinement import Refinement
    from hepneg.signs.resampling import ResampledSample
    from hepneg.studies import SignSplitClosure
    from hepneg.studies.one_fold import TrainedFold
    from hepneg.studies.scheme_comparison import Comparison
    from hepneg.templates import Templates
    from hepneg.weights import WeightReport
    from hepneg.workflow import RunResult, Trained

__all__ = [
    "show_closure",
    "show_comparison",
    "show_evaluation",
    "show_files",
    "show_fold",
    "show_friends",
    "show_health",
    "show_left_out",
    "show_missing",
    "show_refinement",
    "show_run",
    "show_shapes",
    "show_templates",
    "show_training",
    "show_weights",
]

_LARGEST = 5
_PIPE_WIDTH = 140
"""A pipe has no width of its own: long tables must not be folded into it."""


def _print(*tables: Table) -> None:
    for table in tables:
        if table.rows:
            terminal = Console(highlight=False)
            console = terminal if terminal.is_terminal else Console(highlight=False, width=_PIPE_WIDTH)
            console.print(table, "")


def _say(sentence: object) -> None:
    Console(highlight=False, soft_wrap=True, markup=False).print(sentence)


def show_weights(report: WeightReport, config: Config) -> None:
    """Print the weight summary of the samples of an analysis."""
    labels = {name: sample.label for name, sample in config.samples.items()}
    _print(*result_tables.weight_tables(report.to_dict(), labels))
    for sentence in report.outliers:
        _say(sentence)
    for label, risk in report.batch_risk.items():
        _say(f"A random batch of {report.batch_size} events has Σw ≤ 0 for {label}: {p_value(risk)}")


def show_left_out(config: Config) -> None:
    """Print what shapes and figures leave out, if anything."""
    if config.collections:
        _say(left_out_sentence(config.collections))


def show_shapes(report: ShapeReport) -> None:
    """Print the verdicts, and the largest effects against the systematic variations."""
    content = report.to_dict()
    _print(result_tables.verdict_table(content), result_tables.systematics_table(content, _LARGEST))
    _say(f"Schemes to prefer, best first: {', '.join(report.recommended_schemes)}")


def show_closure(closure: SignSplitClosure) -> None:
    """Print what classifiers that are trained with |w| get wrong."""
    content = closure.to_dict()
    _print(
        result_tables.closure_table(content),
        result_tables.verdict_table(content["response"], "Response of positive against negative events"),
    )
    _say(closure.conclusion)


def show_evaluation(evaluation: AnyEvaluation) -> None:
    """Print the table of samples and the signed figures of merit."""
    content = evaluation.to_dict()
    if content.get("task") == "regression":
        _show_regression(content)
        return
    _print(result_tables.process_table(content), *class_tables(content))
    auc, loss = _merit(content, "auc"), _merit(content, "loss")
    mean = "mean AUC of each class against all others" if has_classes(content) else "AUC"
    _say(f"On held-out events, signed: {mean} {auc}, loss {loss} nats")
    for row in content.get("shares", ()):
        of = f"share of {row['of']} with a response in [{row['low']:g}, {row['high']:g}]"
        _say(f"The {of}: {_merit(row, 'share')} ({row['wanted']:g} asked for)")
    if content["reason"]:
        _say(f"{content['chosen']} was chosen: {content['reason']}")


def _show_regression(content: Mapping[str, Any]) -> None:
    if "targets" in content:
        _print(result_tables.target_table(content), result_tables.correlation_table(content))
    for name, part in by_target(content).items():
        of = f" of {name}" if name else ""
        _print(result_tables.regression_table(part, name))
        _say(f"On held-out events, signed: bias{of} {_merit(part, 'bias')}, resolution {_merit(part, 'resolution')}")
        for quantile in part["quantiles"]:
            _say(f"Targets{of} below the {quantile['probability']:g} quantile: {_merit(quantile, 'below')}")


def _merit(content: Mapping[str, Any], key: str) -> str:
    value = measurement(content, key)
    return MISSING if value is None else measured(value)


def show_training(trained: Trained) -> None:
    """Print the signed figures of merit of a training, and its health."""
    show_evaluation(trained.evaluation)
    if trained.model is not None:
        show_health(trained.model.health)


def show_run(result: RunResult, config: Config) -> None:
    """Print the tables of all steps of the main job."""
    show_weights(result.weights, config)
    show_shapes(result.shapes)
    show_training(result.trained)
    show_left_out(config)


def show_missing(page: ReportPage) -> None:
    """Print the commands whose results are not on the page."""
    for command in page.missing:
        _say(f"not run: {command}")


def show_health(health: Mapping[str, Any]) -> None:
    """Print the health of a training as the model holds it: on held-out events, by sample where signs were learnt."""
    _print(result_tables.sign_network_table(health))
    largest = health["largest_logit"]
    if largest is not None:
        _say(f"Largest |log-odds|: {significant(largest)}")
    share = percent(health["negative_batches"])
    _say(f"Batches with a label whose training weights sum to 0 or less: {share}")


def show_fold(trained: TrainedFold) -> None:
    """Print what one fold as a job of its own came to."""
    for scheme, message in trained.failures.items():
        _say(f"{scheme}: {message}")
    _say(
        f"Fold {trained.fold} is trained; once all of 0 to {trained.folds - 1} are: hepneg {trained.command} --collect"
    )


def show_comparison(comparison: Comparison) -> None:
    """Print the schemes side by side."""
    content = comparison.to_dict()
    _print(result_tables.comparison_table(content, timed=True))
    messages = {name: row["message"] for name, row in content["schemes"].items() if row["message"]}
    for name, message in {**content["failures"], **messages}.items():
        _say(f"{name}: {message}")
    for name, row in content["schemes"].items():
        if row["chosen_because"]:
            _say(f"{name} has chosen {row['chosen']}: {row['chosen_because']}")
    _say(f"Recommended: {comparison.reason}")


def show_friends(friends: Friends, *, warn: bool) -> None:
    """Print the friend files that were written or kept; ``warn`` of files that the model was not trained on."""
    _print(result_tables.friend_table(file.to_dict() for file in friends.written))
    unknown = sum(not file.held_out for file in friends.files)
    if unknown and warn:
        _say(
            f"The model was not trained on {unknown} of these files, under any name: they have the mean of its "
            "networks. If they hold events of the training (skims, merged files), say --held-out always."
        )


def show_refinement(refinement: Refinement, resampled: Mapping[str, ResampledSample] | None = None) -> None:
    """Print how well refined weights close, where they cannot, and what resampling kept where it was asked for."""
    kept = {name: sample.to_dict() for name, sample in (resampled or {}).items()}
    _print(result_tables.refinement_table(refinement.to_dict()), result_tables.resampling_table(kept))
    for name, regions in refinement.negative.items():
        for region in regions:
            _say(f"{name}: the density is negative, and lost to non-negative weights, in {region}")


def show_templates(templates: Templates) -> None:
    """Print the yields, the bins that had to be looked at, and the effects of the systematics."""
    _print(*template_tables(templates.to_dict()))


def show_files(files: Iterable[Path]) -> None:
    """Print the paths of what was written, as seen from here; of the figures the PNGs, not the PDFs beside them."""
    for path in files:
        if path.suffix != ".pdf":
            _say(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)
