"""The steps of an analysis on any executor: what to run, and what to make of the outputs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from functools import reduce
from operator import add
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from hepneg.columnar.generated import generator_sums
from hepneg.columnar.processors import ChunkProcessor, GeneratorSumsProcessor, ResponseProcessor, SampleResponse
from hepneg.config import Config
from hepneg.errors import DataError
from hepneg.ntuples import require_distinct_files, require_selected, scale_factor
from hepneg.ntuples.columns import Needs
from hepneg.ntuples.files import sample_files
from hepneg.shapes.two_passes import Accumulated, Part, SampleSums, in_two_passes

if TYPE_CHECKING:
    import hist

    from hepneg.friends.plan import HeldOut

__all__ = ["accumulate", "fileset", "response_histogram", "with_generator_sums"]

Run: TypeAlias = "Callable[[Any], Mapping[str, Any]]"
"""Runs a processor over all events of an analysis and returns its merged output, by sample."""


def fileset(config: Config, *, tree: str | None = None) -> dict[str, dict[str, Any]]:
    """Return the files of an analysis as coffea takes them: a dataset for each sample.

    The branches that the analysis needs are named for ``preload``: they are read together, not one at a time.

    Args:
        config: the analysis.
        tree: name of the tree; left out, that of the analysis.

    Raises:
        DataError: a pattern matches no file, or a file belongs to two samples.
    """
    require_distinct_files(config)
    views = {sample: config.for_sample(sample) for sample in config.samples}
    return {
        sample: {
            "files": dict.fromkeys(sample_files(config, sample), tree if tree is not None else view.tree),
            "preload": _read_together(view),
        }
        for sample, view in views.items()
    }


def _read_together(config: Config) -> list[str]:
    """Name the branches behind an analysis, and the counters that lists of NanoAOD have; others are not looked for."""
    branches = Needs.of(config).used_by
    return [*branches, *dict.fromkeys(f"n{branch.partition('_')[0]}" for branch in branches if "_" in branch)]


def accumulate(config: Config, run: Run, *, systematics: bool = False, seed: int = 1) -> Accumulated:
    """Collect all that the weight summary and the shape check need, in two passes.

    The first pass draws a subsample of each sample, from which the bins are planned; the second fills them. Subsample
    and counts are the same to the last bit whatever runs them, and as those of
    :func:`hepneg.shapes.two_passes.accumulate`; sums agree to rounding. Samples with a cross section are normalised by
    the generator's sums that their files hold, which are read here.

    Args:
        config: the analysis.
        run: runs a processor over all events: ``lambda processor: runner(fileset(config), processor)``.
        systematics: whether to look at the systematic variations of the weight too.
        seed: of the subsample.

    Returns:
        Sums with ``weight_report()`` and ``shape_report()``.

    Raises:
        DataError: unusable events, or the selection keeps nothing of a sample.

    Warns:
        HepnegWarning: a sample has no negative weights; generator's sums that differ from Σw of the events.
    """

    normalised = generator_sums(config)

    def once(empty: Callable[[str], Part], varied: bool) -> dict[str, Part]:
        found = run(ChunkProcessor(config, empty, varied))
        parts: dict[str, Any] = {sample: found.get(sample) or empty(sample) for sample in config.samples}
        return normalised(parts) if all(isinstance(part, SampleSums) for part in parts.values()) else parts

    return in_two_passes(config, once, systematics=systematics, seed=seed)


def response_histogram(
    config: Config, run: Run, model: str | Path, *, bins: int | Sequence[float] = 40, held_out: HeldOut = "auto"
) -> hist.Hist[Any]:
    """Fill the response of all events with signed weights, scaled to cross section and luminosity.

    Args:
        config: the analysis; its features must be those of the model.
        run: runs a processor over all events.
        model: folder of the model, where every worker can read it.
        bins: how many of equal width in [0, 1], or increasing edges.
        held_out: which network an event gets, as in :func:`hepneg.columnar.logit`.

    Returns:
        The axes ``sample`` × ``sign`` × ``response``, as :func:`hepneg.response_histogram` has them. The same chunks
        give the same histogram on any executor; with other chunks a network's last bit may move an event that is on
        the edge of a bin.

    Raises:
        DataError: unusable events, a model that cannot be read, or the selection keeps nothing of any sample.
    """
    normalised = generator_sums(config)
    found: Mapping[str, SampleResponse] = run(ResponseProcessor(config, model, bins, held_out))
    for sample in config.samples:
        require_selected(config, sample, selected=int(sample in found), entries=0)
    known = normalised(found)
    parts = [known[name].histogram * scale_factor(config, name, known[name].sum_weights_all) for name in config.samples]
    total: hist.Hist[Any] = reduce(add, parts)
    return total


def with_generator_sums(config: Config, run: Run) -> Config:
    """Return the configuration with ``sum_of_weights`` of each sample from the ``Runs`` trees of NanoAOD.

    The other steps of this room read these sums themselves, file by file; here workers do. It is Σ
    of the generator weights of all generated events, which a skimmed ``Events`` tree does not know, and normalises any
    weight expression that begins with the generator weight. A sample whose ``sum_of_weights`` is given keeps it.

    Args:
        config: the analysis.
        run: runs a processor over all runs: ``lambda processor: runner(fileset(config, tree="Runs"), processor)``,
            where the runner has the ``BaseSchema``.

    Raises:
        DataError: a sample has no ``Runs`` trees, or its sum is not positive.
    """
    sums: Mapping[str, Fraction] = run(GeneratorSumsProcessor(config))
    samples = {}
    for name, sample in config.samples.items():
        given = sample.sum_of_weights
        total = given if isinstance(given, float) else float(sums.get(name, 0))
        if not total * (sample.cross_section or 1.0) > 0:
            raise DataError(
                f"sample {name!r}: the generator weights in its Runs trees sum to {total:g}; give the sum over all "
                f"generated events as `samples.{name}.sum_of_weights`"
            )
        samples[name] = sample.model_copy(update={"sum_of_weights": total})
    return config.model_copy(update={"samples": samples})
