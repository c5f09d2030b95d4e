"""Σw of all generated events, which files keep beside the events that a skim has left: looked up before events are run.

A few bytes of each file are read here, not on the workers: executors hand out no chunk of a file without events, whose
generated events count all the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction

from hepneg.config import Config
from hepneg.errors import DataError
from hepneg.ntuples.files import sample_files
from hepneg.ntuples.generator_sums import GeneratorSums

_THREADS = 8
"""Files opened at a time; most of it is waiting, above all for addresses."""


def look_up_sums(config: Config) -> dict[str, GeneratorSums]:
    """Read the generator's sums of the samples that are normalised by such, as :func:`hepneg.read` does.

    Raises:
        DataError: a file cannot be read, has no such tree although the configuration names it, or only some files of a
            sample have one.
    """
    wanted = {name: sums for name in config.samples if (sums := GeneratorSums.of(config, name)) is not None}
    with ThreadPoolExecutor(_THREADS, thread_name_prefix="hepneg-sums") as pool:
        for name, sums in wanted.items():
            for found in pool.map(sums.sum_of, sample_files(config, name)):
                sums.add(found, Fraction(0), 0, Fraction(1))
    return {name: sums for name, sums in wanted.items() if _holds_sums(sums)}


def _holds_sums(sums: GeneratorSums) -> bool:
    if sums.generated and sums.files_without:
        raise DataError(
            f"sample {sums.sample!r}: {sums.files_without} of its files have no {' and '.join(sums.generated)}; give "
            f"the sum over all generated events as `samples.{sums.sample}.sum_of_weights`"
        )
    return bool(sums.generated)


def normalising_sum(known: Mapping[str, GeneratorSums], sample: str, events: Fraction, entries: int) -> Fraction:
    """Return what normalises a sample: the generator's sum where it is known, or that of its events.

    Args:
        known: as :func:`look_up_sums`.
        sample: its name.
        events: Σ of the raw weights of its events before the selection.
        entries: how many these are.

    Raises:
        DataError: the weights of the events are in another unit than the generator's.

    Warns:
        HepnegWarning: the two sums differ.
    """
    if sample not in known:
        return events
    sums = known[sample]
    sums.counted, sums.events = events, (sums.events[0], entries if sums.events[0] else 0)
    return sums.generated_total()
