"""The steps of an analysis, as functions that notebooks and the command line share.

Each step takes a configuration, calls the rooms that do the work, writes its results under ``config.output`` and
returns them with the paths of what it wrote.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from hepneg._core.job_folder import checkpoint_folder
from hepneg._core.output import atomic_path, make_folder, write_json
from hepneg._core.progress import SILENT, Progress
from hepneg._core.step_seconds import write_seconds
from hepneg._core.timing import timed
from hepneg.config import Config
from hepneg.config.known_classes import has_several_classes, require_signal_and_background
from hepneg.errors import DataError
from hepneg.ntuples import ChunkReader, KeptChunks, read, write_histograms
from hepneg.plots.figure_writer import FigureWriter, NoFigures
from hepneg.report.step_results import Outcome, RunResult, Trained
from hepneg.shapes.two_passes import Accumulated, accumulate

if TYPE_CHECKING:
    from distributed import Client

    from hepneg.evaluation.evaluation import AnyEvaluation
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


@timed("inspect")
def inspect(
    config: Config, *, progress: Progress = SILENT, figures: FigureWriter | None = None
) -> Outcome[WeightReport]:
    """Summarise the weights: writes ``inspect.json`` and its figure. Arguments as for :func:`check`.

    Raises:
        HepnegError: the files or the weights are unusable, or the results cannot be written.
    """
    make_folder(config.output, "`output:`")
    with progress:
        sums = accumulate(config, progress=progress)
    with figures or FigureWriter() as drawing:
        return _write_weights(config, sums, drawing).with_files(drawing.finish())


@timed("check")
def check(config: Config, *, progress: Progress = SILENT, figures: FigureWriter | None = None) -> Outcome[ShapeReport]:
    """Compare positive with negative shapes: writes ``check.json`` and its figures. The files are read in chunks.

    Args:
        config: the analysis.
        progress: bars for reading and for the classifier of the sign.
        figures: draws them; left out, in this process.

    Raises:
        HepnegError: the files are unusable, or the results cannot be written.
    """
    make_folder(config.output, "`output:`")
    with progress:
        sums = accumulate(config, systematics=True, progress=progress)
    with figures or FigureWriter() as drawing:
        return _write_shapes(config, sums, progress, drawing).with_files(drawing.finish())


@timed("train")
def train(
    config: Config,
    *,
    resume: bool = False,
    collect: bool = False,
    client: Client | None = None,
    progress: Progress = SILENT,
    chunks: ChunkReader | None = None,
) -> Outcome[Trained]:
    """Train under the configured scheme: writes ``model/``, ``metrics.json`` and ``histograms.root``.

    While it runs, the state of every fold is kept under ``checkpoint/train``.

    Args:
        config: the analysis.
        resume: go on from the checkpoint of an interrupted training of the same events and settings.
        collect: take folds that :func:`hepneg.studies.one_fold.train_one_fold` trained; none may be missing.
        client: of a Dask cluster whose workers train the folds; left out, the cores of this machine do.
        progress: bars for reading and for each fold.
        chunks: reads a sample, where not all is to be read from the files.

    Raises:
        HepnegError: the events cannot train a network, or the results cannot be written.
        KeyboardInterrupt: on Ctrl-C; what is trained is in the checkpoint.
    """
    from hepneg.models.model import ModelInputs
    from hepneg.models.model_file import model_digest
    from hepneg.models.training import train_posed
    from hepneg.studies.one_fold import pose_analysis

    with checkpoint_folder(config.output, "train", resume=resume or collect) as checkpoint:
        with progress:
            events = read(config, progress=progress, chunks=chunks)
        (posed,) = pose_analysis(config, events).values()
        if collect:
            posed.require_finished(checkpoint)
        inputs = ModelInputs.from_config(config)
        with timed("training"):
            model = train_posed(events, posed, inputs=inputs, progress=progress, checkpoint=checkpoint, client=client)
        model.save(config.output / "model")
        trained = Trained(model, _evaluate(model, events), model_digest(config.output / "model"))
        files = (config.output / "model", *_write_evaluation(config, trained))
        write_seconds(config.output, "train", {f"fold {history.fold}": history.seconds for history in model.histories})
    return Outcome(trained, files)


@timed("evaluate")
def evaluate(config: Config, *, progress: Progress = SILENT, figures: FigureWriter | None = None) -> Outcome[Trained]:
    """Evaluate and draw the ``response`` of the configuration; writes what :func:`plot` does, and raises alike."""
    make_folder(config.output, "`output:`")
    with figures or FigureWriter() as drawing:
        return _write_response(config, progress, drawing).with_files(drawing.finish())


def _write_response(config: Config, progress: Progress, figures: FigureWriter) -> Outcome[Trained]:
    from hepneg.evaluation.external_response import evaluate_response

    with progress:
        scored = Trained(None, evaluate_response(config, progress=progress), None)
    return Outcome(scored, (*_write_evaluation(config, scored), *_draw_evaluation(config, scored, progress, figures)))


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
    with FigureWriter() as drawing:
        files = (*_write_evaluation(config, trained), *_draw_evaluation(config, trained, progress, drawing))
        return Outcome(trained, (*files, *drawing.finish()))


@timed("compare")
def compare(
    config: Config,
    schemes: Sequence[str],
    *,
    resume: bool = False,
    collect: bool = False,
    client: Client | None = None,
    progress: Progress = SILENT,
    figures: FigureWriter | None = None,
) -> Outcome[Comparison]:
    """Train several schemes on the same folds and compare them: writes ``compare.json`` and a figure.

    Args:
        config: the analysis; its scheme's parameters are used where that scheme is among ``schemes``.
        schemes: names of schemes.
        resume: go on from the checkpoint of an interrupted comparison.
        collect, client: as for :func:`train`.
        progress: bars for reading and for each fold.
        figures: draws them; left out, in this process.

    Raises:
        HepnegError: an unknown scheme, events that cannot train a classifier, results that cannot be written.
    """
    from hepneg.studies.one_fold import compared_schemes, pose_analysis
    from hepneg.studies.scheme_comparison import compare_posed

    compared_schemes(config, schemes)  # refused before the events are read, which may take minutes
    with checkpoint_folder(config.output, "compare", resume=resume or collect) as checkpoint:
        with progress:
            events = read(config, progress=progress)
        posed = pose_analysis(config, events, schemes)
        if collect:
            for name, one in posed.items():
                one.require_finished(checkpoint / name)
        result = compare_posed(events, posed, progress=progress, checkpoint=checkpoint, client=client)
        content = result.to_dict()
        seconds = {name: scheme.pop("seconds") for name, scheme in content["schemes"].items()}
        written = write_json(config.output / "compare.json", content)
        write_seconds(config.output, "compare", seconds)
    with figures or FigureWriter() as drawing:
        drawing.draw(config, "comparison_figures", result)
        return Outcome(result, (written, *drawing.finish()))


@timed("closure")
def closure(
    config: Config, *, resume: bool = False, progress: Progress = SILENT, figures: FigureWriter | None = None
) -> Outcome[SignSplitClosure]:
    """Look for mismodelling by classifiers trained with |w|: writes ``closure.json`` and its figures.

    Three of them are trained with \\|w\\|, on the positive, on the negative and on all events, whatever scheme is
    configured.

    Args:
        config: the analysis; its folds, network, seed and so on are used.
        resume: go on from the checkpoint of an interrupted closure.
        progress: bars for reading and for each fold.
        figures: draws them; left out, in this process.

    Raises:
        HepnegError: a label without events of one sign, events that cannot train a classifier, results that cannot be
            written.
        KeyboardInterrupt: on Ctrl-C; what is trained is in the checkpoint.
    """
    from hepneg.studies import sign_split_closure

    config.require_classification("`hepneg closure`")
    require_signal_and_background(config, "`hepneg closure`")
    with checkpoint_folder(config.output, "closure", resume=resume) as checkpoint:
        with progress:
            events = read(config, progress=progress)
        settings = config.training.model_dump(exclude={"scheme"})
        if "batch_size" not in config.training.model_fields_set:
            del settings["batch_size"]  # each part gets one of its own
        result = sign_split_closure(events, progress=progress, checkpoint=checkpoint, **settings)
        written = write_json(config.output / "closure.json", result.to_dict())
    with figures or FigureWriter() as drawing:
        drawing.draw(config, "closure_figures", result)
        return Outcome(result, (written, *drawing.finish()))


@timed("templates")
def templates(config: Config, *, progress: Progress = SILENT) -> Outcome[Templates]:
    """Make templates, and write them into ``templates/``; see :func:`hepneg.templates.make_templates`."""
    from hepneg.templates import make_templates, write_templates

    make_folder(config.output, "`output:`")
    with progress:
        found = make_templates(config, progress=progress)
    return Outcome(found, write_templates(found, config.output / "templates", config.templates.formats))


@timed("report")
def report(config: Config, *, figures: bool = True) -> Outcome[ReportPage]:
    """Put what the other steps found under ``output`` onto one page: writes ``report.html``.

    Args:
        config: the analysis.
        figures: whether to show those under ``plots``.

    Raises:
        DataError: no step has left any result, or a file of theirs is damaged.
        OutputError: the page cannot be written.
    """
    from hepneg.report import build_page, load_results

    page = build_page(load_results(config, pictures=figures))
    path = config.output / "report.html"
    with atomic_path(path) as temporary:
        temporary.write_text(page.html, encoding="utf-8")
    return Outcome(page, (path,))


@timed("run")
def run(
    config: Config, *, resume: bool = False, progress: Progress = SILENT, figures: FigureWriter | None = None
) -> Outcome[RunResult]:
    """Do the main job: inspect, check, train, plot and report; with a ``response`` it is evaluated in their place.

    Files that fit into memory are read once.

    Args:
        config: the analysis.
        resume: go on from the checkpoint of an interrupted training.
        progress: bars for reading and training.
        figures: draws them, while the next step runs if it has processes for that; left out, in this process.

    Raises:
        HepnegError: as the steps do; what earlier steps wrote stays.
        KeyboardInterrupt: on Ctrl-C; ``resume`` goes on from there.
    """
    from hepneg.evaluation.response_source import require_known_events

    require_known_events(config)
    make_folder(config.output, "`output:`")
    chunks = KeptChunks(systematics=bool(config.systematics))
    with figures or FigureWriter() as drawing:
        with progress:
            sums = accumulate(config, systematics=True, progress=progress, chunks=chunks)
        weights, shapes = _write_weights(config, sums, drawing), _write_shapes(config, sums, progress, drawing)
        if config.response is None:
            trained = train(config, resume=resume, progress=progress, chunks=chunks.last)
            trained = trained.with_files(_draw_evaluation(config, trained.result, progress, drawing))
        else:
            trained = _write_response(config, progress, drawing)
        drawn = drawing.finish()
    page = report(config, figures=not isinstance(drawing, NoFigures))
    result = RunResult(weights.result, shapes.result, trained.result, page.result)
    return Outcome(result, (*weights.files, *shapes.files, *trained.files, *drawn, *page.files))


@timed("weight summary")
def _write_weights(config: Config, sums: Accumulated, figures: FigureWriter) -> Outcome[WeightReport]:
    weights = sums.weight_report(batch_size=config.training.batch_size)
    written = write_json(config.output / "inspect.json", weights.to_dict())
    figures.draw(config, "weight_figures", weights)
    return Outcome(weights, (written,))


@timed("shape check")
def _write_shapes(config: Config, sums: Accumulated, progress: Progress, figures: FigureWriter) -> Outcome[ShapeReport]:
    with progress:
        shapes = sums.shape_report(progress=progress)
    written = write_json(config.output / "check.json", shapes.to_dict())
    figures.draw(config, "shape_figures", shapes, config.plots, config.features)
    return Outcome(shapes, (written,))


@timed("evaluation")
def _evaluate(model: Classifier | Regressor, events: EventTable) -> AnyEvaluation:
    from hepneg.evaluation.evaluation import evaluate

    return evaluate(model, events)


def _write_evaluation(config: Config, trained: Trained) -> tuple[Path, ...]:
    metrics = write_json(config.output / "metrics.json", trained.to_dict())
    return metrics, write_histograms(config.output / "histograms.root", trained.evaluation.histograms())


def _draw_evaluation(config: Config, trained: Trained, progress: Progress, figures: FigureWriter) -> tuple[Path, ...]:
    """Write the stacks, have all figures of a response or a prediction drawn, and return the stacks' files."""
    from hepneg.evaluation.stack_pass import stacks_of

    files: tuple[Path, ...] = ()
    with progress:
        stacks = stacks_of(config, trained.model, trained.evaluation, progress=progress)
    if stacks:
        content = {"schema_version": 1, "stacks": [stack.to_dict() for stack in stacks]}
        filled = {name: part for stack in stacks for name, part in stack.histograms().items()}
        files = (
            write_json(config.output / "stacks.json", content),
            write_histograms(config.output / "stacks.root", filled),
        )
        figures.draw(config, "stack_figures", stacks, config)
    if config.task == "classification":
        kind = "class_figures" if has_several_classes(config) else "response_figures"
        figures.draw(config, kind, trained.evaluation, config.plots, config.luminosity)
    else:
        figures.draw(config, "regression_figures", trained.evaluation)
    return files
