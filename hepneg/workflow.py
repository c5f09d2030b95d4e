"""The steps of an analysis, as functions that notebooks and the command line share.

Each step takes a configuration, calls the rooms that do the work, writes its results under ``config.output`` and
returns them with the paths of what it wrote.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from hepneg._core.job_folder import checkpoint_folder
from hepneg._core.output import atomic_path, make_folder, write_json
from hepneg._core.progress import SILENT, Progress
from hepneg._core.step_seconds import write_seconds
from hepneg._core.timing import timed
from hepneg.config import Config
from hepneg.errors import DataError
from hepneg.ntuples import read, write_histograms
from hepneg.shapes.two_passes import Accumulated, accumulate

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from hepneg.evaluation.classification import Evaluation
    from hepneg.evaluation.regression import RegressionEvaluation
    from hepneg.evaluation.stack import Stack
    from hepneg.events import EventTable
    from hepneg.models.classifier import Classifier
    from hepneg.models.regressor import Regressor
    from hepneg.report import ReportPage
    from hepneg.shapes import ShapeReport
    from hepneg.studies import SignSplitClosure
    from hepneg.studies.scheme_comparison import Comparison
    from hepneg.templates import Templates
    from hepneg.weights import WeightReport

__all__ = [
    "Outcome",
    "RunResult",
    "Trained",
    "check",
    "closure",
    "compare",
    "evaluate",
    "inspect",
    "plot",
    "report",
    "run",
    "templates",
    "train",
]

Result = TypeVar("Result")


@dataclass(frozen=True)
class Outcome(Generic[Result]):
    """The result of a step, and the files that it wrote."""

    result: Result
    files: tuple[Path, ...]


@dataclass(frozen=True, eq=False)
class Trained:
    """A classifier or regressor, and its evaluation. A response from elsewhere has neither model nor digest."""

    model: Classifier | Regressor | None
    evaluation: Evaluation | RegressionEvaluation
    digest: str | None

    def to_dict(self) -> dict[str, Any]:
        """Return what ``metrics.json`` holds: the evaluation, and the digest of the model that it is of."""
        return {**self.evaluation.to_dict(), "model": self.digest}


@dataclass(frozen=True, eq=False)
class RunResult:
    """The results of the main job, step by step."""

    weights: WeightReport
    shapes: ShapeReport
    trained: Trained
    report: ReportPage

    def to_dict(self) -> dict[str, Any]:
        """Return the results, JSON-ready: the contents of their files by the name of the step."""
        return {
            "schema_version": 1,
            "inspect": self.weights.to_dict(),
            "check": self.shapes.to_dict(),
            "train": self.trained.to_dict(),
            "report": self.report.to_dict(),
        }


@timed("inspect")
def inspect(config: Config, *, progress: Progress = SILENT) -> Outcome[WeightReport]:
    """Summarise the weights: writes ``inspect.json`` and its figure. The files are read in chunks.

    Raises:
        HepnegError: the files or the weights are unusable, or the results cannot be written.
    """
    _make_output(config)
    with progress:
        sums = accumulate(config, progress=progress)
    return _write_weights(config, sums)


@timed("check")
def check(config: Config, *, progress: Progress = SILENT) -> Outcome[ShapeReport]:
    """Compare positive with negative shapes: writes ``check.json`` and its figures. The files are read in chunks.

    Raises:
        HepnegError: the files are unusable, or the results cannot be written.
    """
    _make_output(config)
    with progress:
        sums = accumulate(config, systematics=True, progress=progress)
    return _write_shapes(config, sums, progress)


@timed("train")
def train(config: Config, *, resume: bool = False, progress: Progress = SILENT) -> Outcome[Trained]:
    """Train under the configured scheme: writes ``model/``, ``metrics.json`` and ``histograms.root``.

    While it runs, the state of every fold is kept under ``checkpoint/train``.

    Args:
        config: the analysis.
        resume: go on from the checkpoint of an interrupted training of the same events and settings.
        progress: bars for reading and for each fold.

    Raises:
        HepnegError: the events cannot train a network, or the results cannot be written.
        KeyboardInterrupt: on Ctrl-C; what is trained is in the checkpoint.
    """
    from hepneg.models import training
    from hepneg.models.model import ModelInputs
    from hepneg.models.model_file import model_digest

    with checkpoint_folder(config.output, "train", resume=resume) as checkpoint:
        with progress:
            events = read(config, progress=progress)
        settings = config.training.model_dump(exclude={"scheme"})
        scheme = config.training.scheme.make()
        train_model = training.train if config.task == "classification" else training.train_regressor
        inputs = ModelInputs.from_config(config)
        with timed("training"):
            model = train_model(events, scheme, inputs=inputs, progress=progress, checkpoint=checkpoint, **settings)
        model.save(config.output / "model")
        trained = Trained(model, _evaluate(model, events), model_digest(config.output / "model"))
        files = (config.output / "model", *_write_evaluation(config, trained))
        write_seconds(config.output, "train", {f"fold {history.fold}": history.seconds for history in model.histories})
    return Outcome(trained, files)


@timed("evaluate")
def evaluate(config: Config, *, progress: Progress = SILENT) -> Outcome[Trained]:
    """Evaluate and draw the ``response`` of the configuration; writes what :func:`plot` does, and raises alike."""
    from hepneg.evaluation.external_response import evaluate_response

    _make_output(config)
    with progress:
        scored = Trained(None, evaluate_response(config, progress=progress), None)
    files = (*_write_evaluation(config, scored), *_draw_evaluation(config, scored, progress))
    return Outcome(scored, files)


@timed("plot")
def plot(config: Config, *, progress: Progress = SILENT) -> Outcome[Trained]:
    """Draw the response or the prediction of the trained model, or ``response``, and its evaluation, all signed.

    Raises:
        DataError: there is no model under ``output``, or it is for another task, or the configuration has other
            features, identifiers or labels than its training (:mod:`hepneg.models.compatibility`).

    Warns:
        HepnegWarning: another selection or weight than that of the training.
    """
    from hepneg.models.compatibility import require_same_events
    from hepneg.models.loading import load_model
    from hepneg.models.model_file import model_digest

    if config.response is not None:
        return evaluate(config, progress=progress)
    model = load_model(config.output / "model")
    if model.task != config.task:
        raise DataError(
            f"the model in {config.output / 'model'} is for {model.task}, not {config.task}: train it again"
        )
    require_same_events(config, model)
    with progress:
        events = read(config, progress=progress)
    trained = Trained(model, _evaluate(model, events), model_digest(config.output / "model"))
    files = (*_write_evaluation(config, trained), *_draw_evaluation(config, trained, progress))
    return Outcome(trained, files)


@timed("compare")
def compare(
    config: Config, schemes: Sequence[str], *, resume: bool = False, progress: Progress = SILENT
) -> Outcome[Comparison]:
    """Train several schemes on the same folds and compare them: writes ``compare.json`` and a figure.

    Args:
        config: the analysis; its scheme's parameters are used where that scheme is among ``schemes``.
        schemes: names of schemes.
        resume: go on from the checkpoint of an interrupted comparison.
        progress: bars for reading and for each fold.

    Raises:
        HepnegError: an unknown scheme, events that cannot train a classifier, results that cannot be written.
    """
    from hepneg.plots import plot_comparison
    from hepneg.studies import scheme_comparison

    config.require_classification("`hepneg compare`")
    own = config.training.scheme
    parameters = {own.name: own.parameters} if own.name in schemes else {}
    scheme_comparison.make_schemes(schemes, parameters)  # refused before the events are read, which may take minutes
    with checkpoint_folder(config.output, "compare", resume=resume) as checkpoint:
        with progress:
            events = read(config, progress=progress)
        result = scheme_comparison.compare(
            events,
            schemes,
            progress=progress,
            checkpoint=checkpoint,
            parameters=parameters,
            **config.training.model_dump(exclude={"scheme"}),
        )
        content = result.to_dict()
        seconds = {name: scheme.pop("seconds") for name, scheme in content["schemes"].items()}
        written = write_json(config.output / "compare.json", content)
        write_seconds(config.output, "compare", seconds)
    figures = [("comparison", plot_comparison(result).figure)]
    return Outcome(result, (written, *_save(config, figures)))


@timed("closure")
def closure(config: Config, *, resume: bool = False, progress: Progress = SILENT) -> Outcome[SignSplitClosure]:
    """Look for mismodelling by classifiers trained with |w|: writes ``closure.json`` and its figures.

    Three of them are trained with \\|w\\|, on the positive, on the negative and on all events, whatever scheme is
    configured.

    Args:
        config: the analysis; its folds, network, seed and so on are used.
        resume: go on from the checkpoint of an interrupted closure.
        progress: bars for reading and for each fold.

    Raises:
        HepnegError: a label without events of one sign, events that cannot train a classifier, results that cannot be
            written.
        KeyboardInterrupt: on Ctrl-C; what is trained is in the checkpoint.
    """
    from hepneg.plots.gallery import closure_figures
    from hepneg.studies import sign_split_closure

    config.require_classification("`hepneg closure`")
    with checkpoint_folder(config.output, "closure", resume=resume) as checkpoint:
        with progress:
            events = read(config, progress=progress)
        settings = config.training.model_dump(exclude={"scheme"})
        if "batch_size" not in config.training.model_fields_set:
            del settings["batch_size"]  # each part gets one of its own
        result = sign_split_closure(events, progress=progress, checkpoint=checkpoint, **settings)
        written = write_json(config.output / "closure.json", result.to_dict())
    return Outcome(result, (written, *_save(config, closure_figures(result))))


@timed("templates")
def templates(config: Config, *, progress: Progress = SILENT) -> Outcome[Templates]:
    """Make templates, and write them into ``templates/``; see :func:`hepneg.templates.make_templates`."""
    from hepneg.templates import make_templates, write_templates

    _make_output(config)
    with progress:
        found = make_templates(config, progress=progress)
    return Outcome(found, write_templates(found, config.output / "templates", config.templates.formats))


@timed("report")
def report(config: Config) -> Outcome[ReportPage]:
    """Put what the other steps found under ``output`` onto one page: writes ``report.html``.

    Raises:
        DataError: no step has left any result, or a file of theirs is damaged.
        OutputError: the page cannot be written.
    """
    from hepneg.report import build_page, load_results

    page = build_page(load_results(config))
    path = config.output / "report.html"
    with atomic_path(path) as temporary:
        temporary.write_text(page.html, encoding="utf-8")
    return Outcome(page, (path,))


@timed("run")
def run(config: Config, *, resume: bool = False, progress: Progress = SILENT) -> Outcome[RunResult]:
    """Do the main job: inspect, check, train, plot and report; with a ``response`` it is evaluated in their place.

    Raises:
        HepnegError: as the steps do; what earlier steps wrote stays.
        KeyboardInterrupt: on Ctrl-C; ``resume`` goes on from there.
    """
    _make_output(config)
    with progress:
        sums = accumulate(config, systematics=True, progress=progress)
    weights, shapes = _write_weights(config, sums), _write_shapes(config, sums, progress)
    if config.response is None:
        trained = train(config, resume=resume, progress=progress)
        drawn = _draw_evaluation(config, trained.result, progress)
    else:
        trained, drawn = evaluate(config, progress=progress), []
    page = report(config)
    result = RunResult(weights.result, shapes.result, trained.result, page.result)
    return Outcome(result, (*weights.files, *shapes.files, *trained.files, *drawn, *page.files))


@timed("weight summary and its figures")
def _write_weights(config: Config, sums: Accumulated) -> Outcome[WeightReport]:
    from hepneg.plots.gallery import weight_figures

    weights = sums.weight_report(batch_size=config.training.batch_size)
    written = write_json(config.output / "inspect.json", weights.to_dict())
    return Outcome(weights, (written, *_save(config, weight_figures(weights))))


@timed("shape check and its figures")
def _write_shapes(config: Config, sums: Accumulated, progress: Progress) -> Outcome[ShapeReport]:
    from hepneg.plots.gallery import shape_figures

    with progress:
        shapes = sums.shape_report(progress=progress)
    written = write_json(config.output / "check.json", shapes.to_dict())
    return Outcome(shapes, (written, *_save(config, shape_figures(shapes, config.plots))))


@timed("evaluation")
def _evaluate(model: Classifier | Regressor, events: EventTable) -> Evaluation | RegressionEvaluation:
    from hepneg.evaluation.evaluation import evaluate

    return evaluate(model, events)


def _write_evaluation(config: Config, trained: Trained) -> tuple[Path, ...]:
    metrics = write_json(config.output / "metrics.json", trained.to_dict())
    return metrics, write_histograms(config.output / "histograms.root", trained.evaluation.histograms())


@timed("figures of the response")
def _draw_evaluation(config: Config, trained: Trained, progress: Progress) -> list[Path]:
    from hepneg.plots.gallery import evaluation_figures, stack_figures

    stacks = _stacks(config, trained, progress)
    content = {"schema_version": 1, "stacks": [stack.to_dict() for stack in stacks]}
    files = [write_json(config.output / "stacks.json", content)] if stacks else []
    if stacks:
        filled = {name: part for stack in stacks for name, part in stack.histograms().items()}
        files.append(write_histograms(config.output / "stacks.root", filled))
    figures = chain(stack_figures(stacks, config), evaluation_figures(trained.evaluation))
    return [*files, *_save(config, figures)]


def _stacks(config: Config, trained: Trained, progress: Progress) -> list[Stack]:
    """Return the stacks of a classification: of its response, and of more where the files must be read for them."""
    from hepneg.evaluation.classification import Evaluation
    from hepneg.evaluation.stack import Stack
    from hepneg.evaluation.stack_pass import fill_stacks, needs_a_pass
    from hepneg.models.classifier import Classifier

    if not isinstance(trained.evaluation, Evaluation):
        return []
    if not isinstance(trained.model, Classifier) or not needs_a_pass(config):
        return [Stack.of_evaluation(trained.evaluation)]
    with progress:
        return fill_stacks(config, trained.model, progress=progress)


def _save(config: Config, figures: Iterable[tuple[str, Figure]]) -> list[Path]:
    from hepneg.plots.experiment_label import figure_style
    from hepneg.plots.gallery import save_figures

    with figure_style(config.plots):
        return save_figures(figures, config.output / "plots", config.plots.formats)


def _make_output(config: Config) -> Path:
    return make_folder(config.output, "`output:`")
