"""A commented starter configuration, guessed from ROOT and Parquet files."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import yaml

from hepneg._core.plain_text import visible
from hepneg._core.plugins import SCHEMES
from hepneg.config import DEFAULT_OBJECTIVES, Training
from hepneg.config.yaml_text import PLACEHOLDER
from hepneg.errors import DataError
from hepneg.ntuples.explore import TreeSummary, as_expression, explore, readable_branches
from hepneg.ntuples.file_groups import FileGroup, find_input_files, group_files, guessed_kind
from hepneg.ntuples.files import is_remote
from hepneg.ntuples.layouts import identifier_kind, no_feature
from hepneg.ntuples.parquet import is_parquet

__all__ = ["starter_config"]

_PLAIN_SCALAR = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_YAML_WORDS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})
_MOST_FEATURES = 20
_MOST_TREES = 8
_MOST_NAMED = 8
_WEIGHT_WANTED = "the signed event weight, an expression of branches, or 1 where all events count alike"
_FEATURES_WANTED = "branches with one number per event, or name: expression"


@dataclass(frozen=True)
class _Source:
    """The files of one sample, and the tree of one of them."""

    group: FileGroup
    tree: TreeSummary
    label: str


def starter_config(files: Sequence[str | Path], folder: Path | None = None, name: str = "analysis") -> str:
    """Write an ``analysis.yaml`` for some ROOT or Parquet files: files that count on are one sample, every training
    default spelt out.

    The text can be used as it is, or holds a line that says what is to be filled in. What is a weight, an identifier
    and a feature is guessed from names and first values, data and signal from names; comments tell what to check.

    Args:
        files: paths or addresses; a folder stands for the ROOT and Parquet files in it and below. One file of a
            sample is looked into.
        folder: where the text is going to be saved, which relative paths are written relative to; left out, the
            current one.
        name: of the analysis, which names the folder of its results too.

    Returns:
        The text, which :func:`hepneg.load_config` accepts or names the line to fill in.

    Raises:
        DataError: no file is given, the only one is unusable, or none has a tree with entries.
    """
    if not files:
        raise DataError("no files to look into; give at least one ROOT or Parquet file")
    groups = group_files(find_input_files(files))
    looked, left_out = _look_into(groups)
    if not looked:
        raise DataError(f"no tree with entries in {', '.join(map(str, files[:_MOST_NAMED]))}; give files with events")
    tree = _common_tree(looked)
    taken = [(g, replace(t, name=tree)) for g, trees in looked for t in trees if t.name == tree or is_parquet(t.file)]
    left_out |= {group.name: f"no tree {tree!r}" for group, _ in looked if all(group is not g for g, _ in taken)}
    sources = _labelled(taken)
    described = _described(sources)
    others = [t for group, trees in looked if group is described.group for t in trees if t.name != tree]
    return "\n".join(
        [
            *_head(described.tree, others, name),
            *_samples(sources, left_out, (folder or Path()).absolute()),
            *_features(described.tree, [source.tree for source in sources]),
            *_training(),
        ]
    ).rstrip() + "\n"  # fmt: skip


def _look_into(groups: Sequence[FileGroup]) -> tuple[list[tuple[FileGroup, list[TreeSummary]]], dict[str, str]]:
    """Return the trees with entries of one file of each group, and why groups are left out."""
    looked, left_out = [], {}
    for group in groups:
        try:
            trees = _first_with_entries(group)
        except DataError as error:
            if len(groups) == 1:
                raise
            left_out[group.name] = str(error)
            continue
        if trees:
            looked.append((group, trees))
        else:
            left_out[group.name] = f"{group.files[0]} has no tree with entries"
    if not looked and left_out and len(left_out) == len(groups):
        raise DataError(f"no file with events: {next(iter(left_out.values()))}")
    return looked, left_out


def _first_with_entries(group: FileGroup) -> list[TreeSummary]:
    for file in group.files:
        trees = [tree for tree in explore([file]) if tree.entries and (tree.numeric or tree.jagged)]
        if trees:
            return trees
    return []


def _common_tree(looked: Sequence[tuple[FileGroup, list[TreeSummary]]]) -> str:
    """Return the name of the likeliest tree, of those that most samples have."""
    all_trees = [tree for _, trees in looked for tree in trees]
    all_trees = [tree for tree in all_trees if not is_parquet(tree.file)] or all_trees
    owners = {tree.name: sum(tree.name in {t.name for t in trees} for _, trees in looked) for tree in all_trees}
    return min(all_trees, key=lambda tree: (tree.is_beside, -owners[tree.name], tree.rank, -tree.entries)).name


def _labelled(found: Sequence[tuple[FileGroup, TreeSummary]]) -> list[_Source]:
    """Guess the labels: by the names, or else the first sample is signal."""
    kinds = [guessed_kind(group) for group, _ in found]
    if set(kinds) == {"data"}:  # of a folder, rather than of collisions
        kinds = [None] * len(kinds)
    if "signal" not in kinds:
        first = next((number for number, kind in enumerate(kinds) if kind is None), None)
        kinds = ["signal" if number == first else kind for number, kind in enumerate(kinds)]
    return [_Source(group, tree, kind or "background") for (group, tree), kind in zip(found, kinds, strict=True)]


def _described(sources: Sequence[_Source]) -> _Source:
    """Return the sample by which the head of the file goes: the first that is no data and has the likeliest weight."""
    return min(sources, key=lambda source: (source.label == "data", _weight(source.tree) is None))


def _weight(tree: TreeSummary) -> str | None:
    """Return the expression of the weight that its name speaks for, or None."""
    return next((candidate.expression for candidate in tree.weights if candidate.nominal), None)


def _head(tree: TreeSummary, others: Sequence[TreeSummary], name: str) -> list[str]:
    weight = _weight(tree)
    offers = ", ".join(f"{w.expression} ({w.negative_fraction:.1%} negative)" for w in tree.weights[:_MOST_NAMED])
    written = _quoted(f"{PLACEHOLDER}: {_WEIGHT_WANTED}" if weight is None else weight)
    comment = "" if weight is None else "   # CHECK: signed event weight, an expression of branches"
    varied = f"{weight or 'genWeight'} * pad(LHEScaleWeight, 9, 1.0)[:, 8]"
    return [
        "# Written by `hepneg init`. Lines with CHECK are guesses.",
        f"name: {_quoted(name)}",
        f"output: {_quoted(f'results/{name}')}   # relative to this file, as are all paths",
        f"tree: {_quoted(tree.name)}   # TTree or RNTuple; {tree.entries} entries in {_one_line(Path(tree.file).name)}",
        *_other_trees(tree, others),
        "",
        f"weight: {written}{comment}",
        f"# weight candidates: {_one_line(offers) or 'none found by name or by sign'}",
        *_identifier(tree),
        '# selection: "nJet >= 2"           # optional condition',
        "on_nan: error                      # or drop: what a NaN feature does",
        "# task: regression                 # instead of a classification; with a target, and no labels",
        "# target: GenNu_pz                 # what a regression predicts, an expression of branches",
        "# luminosity: 59.7                 # 1/fb; then every sample needs a cross_section in pb",
        "# systematics:                     # alternative signed weights, a yardstick for `hepneg check`",
        f"#   scale_up: {_quoted(varied)}",
        "",
    ]


def _identifier(tree: TreeSummary) -> list[str]:
    lines = []
    if tree.identifier:
        note = "; rows that share it share a fold" if tree.repeats else ""
        chosen = ", ".join(map(_flow, tree.identifier))
        lines.append(f"event_id: [{chosen}]   # CHECK: integers that identify an event{note}")
    lists = [f"{as_expression(name)}[:, 0]" for name in tree.jagged if identifier_kind(name) is not None]
    named = _one_line(", ".join([*tree.event_ids, *lists][:_MOST_NAMED]))
    return [*lines, f"# identifier candidates: {named or 'none; file name and entry number are used'}"]


def _other_trees(tree: TreeSummary, others: Sequence[TreeSummary]) -> list[str]:
    """Name the trees that were not taken, the largest first."""
    if not others:
        return []
    ordered = sorted(others, key=lambda other: -other.entries)
    named = ", ".join(f"{_quoted(other.name)} ({other.entries} entries)" for other in ordered[:_MOST_TREES])
    largest = all(other.entries <= tree.entries for other in others)
    taken = "the largest tree was taken" if largest else "this tree was taken for its name and branches"
    return [f"# CHECK: {taken}; there are also {named}{', …' if len(others) > _MOST_TREES else ''}"]


def _samples(sources: Sequence[_Source], left_out: dict[str, str], folder: Path) -> list[str]:
    return [
        "samples:                           # CHECK the labels, which are guessed from the names",
        *(_sample(source, folder) for source in sources),
        *_missing_classes(sources),
        *(f"  # left out: {_one_line(name)}: {_one_line(reason)}" for name, reason in left_out.items()),
        "  # cross_section: 832.0 (pb) and sum_of_weights: (before any selection) may be added to each",
        "",
    ]


def _sample(source: _Source, folder: Path) -> str:
    written = [_as_written(file, folder) for file in source.group.written]
    files = _flow(written[0]) if len(written) == 1 else f"[{', '.join(map(_flow, written))}]"
    return f"  {_quoted(source.group.name)}: {{label: {source.label}, files: {files}}}"


def _missing_classes(sources: Sequence[_Source]) -> list[str]:
    labels = {source.label for source in sources}
    missing = [label for label in ("signal", "background") if label not in labels]
    return [
        f"  # CHECK: no sample was taken for {label}; a classifier needs one, inspect and check do not"
        for label in missing
    ]


def _as_written(file: str, folder: Path) -> str:
    """Return a path as the configuration should have it; one given as absolute stays so."""
    if is_remote(file) or Path(file).is_absolute():
        return file
    return Path(os.path.relpath(file, folder)).as_posix()


def _features(tree: TreeSummary, shared: Sequence[TreeSummary]) -> list[str]:
    """List the branches that all samples have: those with one number per event, or else the first elements of lists."""
    common = [name for name in tree.numeric if all(name in other.numeric for other in shared)]
    reasons = {name: reason for other in shared for name, reason in (other.no_features or {}).items()}
    weights = {candidate.name for other in shared for candidate in other.weights}
    identifiers = {name for other in shared for name in other.event_ids}
    reasons |= {name: "a weight" for name in common if name in weights and name not in reasons}
    reasons |= {name: "an identifier" for name in common if name in identifiers and name not in reasons}
    good = [name for name in common if name not in reasons]
    lists = _lists(shared)
    taken, unreadable = _first_readable(shared, good)
    leading, unreadable_lists = ([], []) if taken else _first_readable(shared, lists)
    reasons |= dict.fromkeys(unreadable, "cannot be read")
    active = [*map(_entry, taken), *map(_leading, leading)]
    lists = [name for name in lists if name not in unreadable_lists]
    others = [*(_entry(name) for name in good if name not in reasons), *map(_leading, lists)]
    if active:
        lines = ["features:                          # CHECK: leave out truth, identifiers and what is not modelled"]
        lines += [f"  - {entry}" for entry in active]
    else:
        lines = [f"features: [{_flow(f'{PLACEHOLDER}: {_FEATURES_WANTED}')}]"]
    lines += [f"  # - {entry}" for entry in others if entry not in active]
    left = [name for name in common if name in reasons]
    lines += [f"  # - {_entry(name)}   # {_reason(reasons[name])}" for name in left]
    return [*lines, ""]


def _first_readable(shared: Sequence[TreeSummary], names: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the first branches that can be read in all samples, as many as a starter takes, and those before them
    that cannot."""
    taken: list[str] = []
    unreadable: list[str] = []
    for start in range(0, len(names), _MOST_FEATURES):
        block = readable = names[start : start + _MOST_FEATURES]
        for tree in shared:
            readable = readable_branches(tree, readable)
        taken += readable
        unreadable += [name for name in block if name not in readable]
        if len(taken) >= _MOST_FEATURES:
            break
    return taken[:_MOST_FEATURES], unreadable


def _leading(name: str) -> str:
    return f"{_quoted(f'leading_{name}')}: {_quoted(as_expression(name) + '[:, 0]')}"


def _lists(shared: Sequence[TreeSummary]) -> list[str]:
    """Return the lists of numbers that all samples have, without truth and weights."""
    common = (name for name in shared[0].jagged if all(name in other.jagged for other in shared))
    return [name for name in common if no_feature(name, ()) is None]


def _reason(reason: str) -> str:
    return "truth, by its name" if reason == "truth" else reason


def _training() -> list[str]:
    defaults = Training.of(objective=DEFAULT_OBJECTIVES["classification"]).model_dump(mode="json")
    text = yaml.safe_dump({"training": defaults}, sort_keys=False, default_flow_style=None, allow_unicode=True)
    others = ", ".join(name for name in SCHEMES.names() if name != defaults["scheme"]["name"])
    scheme = f"  scheme: {{name: {defaults['scheme']['name']}}}"
    text = text.replace(scheme, f"{scheme}   # chosen by what held-out events say; or {others}")
    return ["# All of this may be left out: these are the defaults.", *text.rstrip().splitlines()]


def _entry(name: str) -> str:
    if as_expression(name) == name:
        return _quoted(name)
    return f"{_quoted(name)}: {_quoted(as_expression(name))}"


def _one_line(text: str) -> str:
    return visible(" ".join(text.split()))


def _flow(text: str) -> str:
    """Return a YAML scalar as it stands between brackets or braces."""
    return yaml.safe_dump([text], default_flow_style=True, allow_unicode=True, width=10_000).strip()[1:-1]


def _quoted(text: str) -> str:
    """Return a YAML scalar for a string, quoted only where it must be."""
    if _PLAIN_SCALAR.fullmatch(text) and text.lower() not in _YAML_WORDS:
        return text  # the library takes a tenth of a millisecond, and wide trees have thousands of names
    return yaml.safe_dump(text, default_flow_style=True, allow_unicode=True, width=10_000).removesuffix("...\n").strip()
