"""A commented starter configuration, guessed from ROOT files."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

import yaml

from hepneg._core.plugins import SCHEMES
from hepneg.config import DEFAULT_OBJECTIVES, Training
from hepneg.errors import DataError
from hepneg.ntuples.explore import TreeSummary, explore
from hepneg.ntuples.files import is_remote

__all__ = ["starter_config"]

_TRUTH = re.compile(r"n?(gen|lhe|truth|true|mc_)", re.IGNORECASE)
"""Names that say generator truth: GenNu_pz, nLHEPart, truth_pt, nTrueBJet, mc_channel."""
_MOST_FEATURES = 20
_MOST_TREES = 8
_IDENTIFIER = re.compile(r"[A-Za-z]\w*")


def starter_config(files: Sequence[str | Path], folder: Path | None = None, name: str = "analysis") -> str:
    """Write an ``analysis.yaml`` for some ROOT files: one sample a file, every training default spelt out.

    The first file is taken for signal and the others for background; comments tell what to check.

    Args:
        files: paths or addresses.
        folder: where the text is going to be saved, which relative paths are written relative to; left out, the
            current one.
        name: of the analysis, which names the folder of its results too.

    Returns:
        The text, which :func:`hepneg.load_config` accepts.

    Raises:
        DataError: no file is given, one is unusable, or none has a tree with a branch that could be a weight.
    """
    if not files:
        raise DataError("no files to look into; give at least one ROOT file")
    trees = [summary for summary in explore(files) if summary.entries]
    largest = {summary.file: summary for summary in reversed(trees)}
    if not largest:
        raise DataError(f"no tree with entries in {', '.join(map(str, files))}; give files with events")
    first = largest.get(str(files[0])) or next(iter(largest.values()))
    shared = [largest[str(file)] for file in files if str(file) in largest]
    others = [tree for tree in trees if tree.file == first.file and tree.name != first.name]
    lines = [
        *_head(first, others, name),
        *_samples(files, (folder or Path()).absolute()),
        *_features(first, shared),
        *_training(),
    ]
    return "\n".join(lines) + "\n"


def _head(tree: TreeSummary, others: Sequence[TreeSummary], name: str) -> list[str]:
    if not tree.weights and not tree.numeric:
        raise DataError(f"{tree.file}: tree {tree.name!r} has no branch with one number per event")
    weight = tree.weights[0].name if tree.weights else tree.numeric[0]
    offers = ", ".join(f"{w.name} ({w.negative_fraction:.1%} negative)" for w in tree.weights[:8])
    ids = tree.event_ids[:1]
    return [
        "# Written by `hepneg init`. Lines with CHECK are guesses.",
        f"name: {_quoted(name)}",
        f"output: {_quoted(f'results/{name}')}   # relative to this file, as are all paths",
        f"tree: {_quoted(tree.name)}   # TTree or RNTuple; {tree.entries} entries in {Path(tree.file).name}",
        *_other_trees(others),
        "",
        f"weight: {_quoted(_as_expression(weight))}   # CHECK: signed event weight, an expression of branches",
        f"# weight candidates: {offers or 'none found by name or by sign'}",
        *([f"event_id: [{', '.join(map(_quoted, ids))}]   # CHECK: integers that identify an event"] if ids else []),
        f"# identifier candidates: {', '.join(tree.event_ids[:8]) or 'none; file name and entry number are used'}",
        '# selection: "nJet >= 2"           # optional condition',
        "on_nan: error                      # or drop: what a NaN feature does",
        "# task: regression                 # instead of a classification; with a target, and no labels",
        "# target: GenNu_pz                 # what a regression predicts, an expression of branches",
        "# luminosity: 59.7                 # 1/fb; then every sample needs a cross_section in pb",
        "# systematics:                     # alternative signed weights, a yardstick for `hepneg check`",
        f"#   scale_up: {_quoted(_as_expression(weight) + ' * LHEScaleWeight[:, 8]')}",
        "",
    ]


def _other_trees(others: Sequence[TreeSummary]) -> list[str]:
    """Name the trees that were not taken, the largest first."""
    if not others:
        return []
    named = ", ".join(f"{_quoted(tree.name)} ({tree.entries} entries)" for tree in others[:_MOST_TREES])
    return [f"# CHECK: the largest tree was taken; there are also {named}{', …' if len(others) > _MOST_TREES else ''}"]


def _samples(files: Sequence[str | Path], folder: Path) -> list[str]:
    lines = ["samples:                           # CHECK the labels: the first file was taken for signal"]
    names: list[str] = []
    for number, file in enumerate(files):
        stem = re.sub(r"[^A-Za-z0-9_-]+", "_", Path(file).stem).strip("-_") or "sample"
        name = stem if stem not in names else f"{stem}_{number + 1}"
        names.append(name)
        label = "background" if number else "signal"
        lines.append(f"  {_quoted(name)}: {{label: {label}, files: {_quoted(_as_written(file, folder))}}}")
    return [*lines, "  # cross_section: 832.0 (pb) and sum_of_weights: (before any selection) may be added to each", ""]


def _as_written(file: str | Path, folder: Path) -> str:
    """Return a path as the configuration should have it; one given as absolute stays so."""
    if is_remote(str(file)) or Path(file).is_absolute():
        return str(file)
    return Path(os.path.relpath(file, folder)).as_posix()


def _features(tree: TreeSummary, shared: Sequence[TreeSummary]) -> list[str]:
    """List the flat branches that all files have, without weights and identifiers."""
    other = {candidate.name for candidate in tree.weights} | set(tree.event_ids)
    common = [name for name in tree.numeric if name not in other and all(name in s.numeric for s in shared)]
    truth = [name for name in common if _TRUTH.match(name)]
    common = [name for name in common if name not in truth]
    chosen = common[:_MOST_FEATURES] or list(tree.numeric[:1])
    lines = ["features:                          # CHECK: leave out truth, identifiers and what is not modelled"]
    lines += [f"  - {_entry(name)}" for name in chosen]
    lines += [f"  # - {_entry(name)}" for name in common[_MOST_FEATURES:]]
    lines += [f"  # - {_entry(name)}   # truth, by its name" for name in truth]
    lines += [f"  # - {{leading_{name}: {_quoted(_as_expression(name) + '[:, 0]')}}}" for name in tree.jagged]
    return [*lines, ""]


def _training() -> list[str]:
    defaults = Training.of(objective=DEFAULT_OBJECTIVES["classification"]).model_dump(mode="json")
    text = yaml.safe_dump({"training": defaults}, sort_keys=False, default_flow_style=None, allow_unicode=True)
    others = ", ".join(name for name in SCHEMES.names() if name != defaults["scheme"]["name"])
    scheme = f"  scheme: {{name: {defaults['scheme']['name']}}}"
    text = text.replace(scheme, f"{scheme}   # chosen by what held-out events say; or {others}")
    return ["# All of this may be left out: these are the defaults.", *text.rstrip().splitlines()]


def _entry(name: str) -> str:
    if _as_expression(name) == name:
        return _quoted(name)
    return f"{{{_quoted(name)}: {_quoted(_as_expression(name))}}}"


def _as_expression(branch: str) -> str:
    return (
        branch if _IDENTIFIER.fullmatch(branch) and branch not in {"pi", "and", "or", "not"} else f'branch("{branch}")'
    )


def _quoted(text: str) -> str:
    """Return a YAML scalar for a string, quoted only where it must be."""
    return yaml.safe_dump(text, default_flow_style=True, allow_unicode=True, width=10_000).removesuffix("...\n").strip()
