"""Applying a model to ROOT files."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path

from hepneg._core.output import make_folder
from hepneg._core.progress import SILENT, Progress
from hepneg._core.timing import timed
from hepneg.errors import ConfigError, HepnegWarning
from hepneg.friends import score
from hepneg.friends.file_pool import make_friends_in_parallel
from hepneg.friends.in_place import InPlace, add_in_place, finished_before, target_of
from hepneg.friends.outcome import FriendFile, Friends
from hepneg.friends.plan import Engine, HeldOut, Job, Settings, plan_jobs, require_same_tree, settings_of
from hepneg.models.classifier import Classifier
from hepneg.models.loading import load_model
from hepneg.models.onnx import mean_graph
from hepneg.models.regressor import Regressor
from hepneg.networks.inference import one_thread
from hepneg.ntuples.friend_files import TreeFormat

__all__ = ["apply_model"]


def apply_model(
    model: str | Path,
    files: Sequence[str | Path],
    output: str | Path,
    *,
    tree: str | None = None,
    held_out: HeldOut = "auto",
    tree_format: TreeFormat | None = None,
    jobs: int = 1,
    engine: Engine = "torch",
    selection: str | None = None,
    in_place: InPlace | None = None,
    progress: Progress = SILENT,
) -> Friends:
    """Write a friend file with the response, or the prediction of a regression, for each ROOT file.

    ``<input stem>.hepneg.root`` holds a tree ``hepneg`` with one entry for each entry of the input, in its order: the
    branches that identify the event in their original types (``hepneg_entry``, the entry number, where the model or a
    file that it does not know has none), ``hepneg_response`` and ``hepneg_logit`` (float32), of classes other than
    signal and background ``hepneg_response_ttbar`` and so on for each; of a regression ``hepneg_prediction``, and for
    quantiles ``hepneg_q0p16`` and so on. An entry that fails the model's selection, or has a NaN or infinite feature,
    holds NaN.

    Which network: an event that the model was trained on gets the response of the network that has not seen it, others
    get the mean of all, of a classifier in log-odds. A model knows the files that it was trained on by their content,
    whatever they are called (:mod:`hepneg.ntuples.identity`); where folds are given by an expression, any event of any
    file goes to the networks that have not seen its fold. It cannot know its events again in other files, such as the
    ntuple from which a skim was made, nor those of arrays: ask for ``held_out="always"`` there, which is right for
    every event that has the same identifier, at the price of one network's noise instead of the mean's.

    Files that an earlier call with the same model and settings has finished are kept. A file appears under its final
    name only when it is complete. Memory is bounded by two windows of 100 MB of the branches, whatever the size.

    With ``in_place`` the two columns also become branches of the inputs' own TTree, float32, in whole copies of the
    inputs (``<output>/<input name>.root``) or in the inputs themselves. Each is made under a temporary name in its
    folder, compared with the friend file and renamed, so that a crash or a full disk leaves the old file. uproot can
    extend trees with one basket a branch; others take ROOT (``pip install root``). Both columns are in memory as a
    whole.

    Args:
        model: folder of the model.
        files: paths, globs, or addresses that uproot can open.
        output: folder of the friend files, created where needed.
        tree: name of the tree; left out, that of the model.
        held_out: ``auto`` as described, ``always`` or ``never`` the network that has not seen the event.
        tree_format: ``ttree`` or ``rntuple``; left out, that of the input.
        jobs: number of processes, each with one thread for the networks.
        engine: ``torch``, or ``onnxruntime`` (extra ``hepneg[onnx]``), which runs the mean of the networks some 15 %
            faster, with other roundings. Preparing the graph takes some seconds, so it pays from tens of millions of
            entries on. Held-out networks always run in torch.
        selection: condition on the events in the place of the model's; empty for none.
        in_place: ``copy`` or ``input`` to add branches as described; local files with a TTree only.
        progress: shows how much of the files is done.

    Returns:
        What was written, file by file.

    Raises:
        ConfigError: a setting out of range, or a model that does not say where its features are.
        DataError: no model, or an unusable input file.
        OutputError: friend files that would collide or replace other files or those of another tree, or cannot be
        written.

    Warns:
        HepnegWarning: for each file with NaN or infinite features in selected entries, or with values of categories
            that the model does not know.
    """
    if jobs < 1:
        raise ConfigError(f"jobs must be at least 1, not {jobs}")
    folder, trained_model = Path(model), load_model(model)
    name = tree or trained_model.inputs.tree
    if name is None:
        raise ConfigError(f"model {folder} was trained on arrays and names no tree; say which with `tree` (--tree)")
    if in_place and tree_format == "rntuple":
        raise ConfigError("branches are added in place from TTree friend files; leave the format out")
    plan = plan_jobs(files, make_folder(Path(output), "`output` (-o)"))
    require_same_tree(plan, name)
    settings = settings_of(folder, name, held_out, tree_format, engine, selection)
    columns = trained_model.column_names
    files_of = finished_before(plan, in_place, settings, columns) if in_place else {}
    todo = tuple(job for job in plan if job not in files_of)
    files_of |= zip(todo, _make_friends(todo, trained_model, settings, jobs, progress), strict=True)
    for job in todo:
        _warn_about(files_of[job])
    if in_place:
        files_of |= {job: add_in_place(files_of[job], target_of(job, in_place), name, columns) for job in todo}
    return Friends(tuple(files_of[job] for job in plan))


@timed("apply")
def _make_friends(
    plan: Sequence[Job], model: Classifier | Regressor, settings: Settings, jobs: int, progress: Progress
) -> list[FriendFile]:
    graph = mean_graph(model) if settings.engine == "onnxruntime" else None
    with progress:
        bar = progress.task("applying", len(plan))
        if jobs > 1 and len(plan) > 1:
            return make_friends_in_parallel(plan, settings, graph, min(jobs, len(plan)), bar)
        runner = score.Engine.of(model, graph)
        with one_thread():  # as in the worker processes, so that the number of jobs changes nothing
            return [score.make_friend(job, runner, settings, bar.advance) for job in plan]


def _warn_about(file: FriendFile) -> None:
    if file.not_finite:
        features = ", ".join(f"{name!r} in {count}" for name, count in file.not_finite.items())
        message = f"{file.source}: NaN or infinite features among {file.selected} selected entries ({features})"
        warnings.warn(f"{message}; what the model says of them is NaN", HepnegWarning, stacklevel=3)
    if file.unknown:
        features = ", ".join(f"{name!r} in {count}" for name, count in file.unknown.items())
        message = (
            f"{file.source}: values that are none of the model's categories ({features}); it takes them as unknown"
        )
        warnings.warn(message, HepnegWarning, stacklevel=3)
