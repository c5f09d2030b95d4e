"""Σw of all generated events, which files keep beside the events that a skim has left: looked up before events are run.

A few bytes of each file are read here, not on the workers: executors hand out no chunk of a file without events, whose
generated events count all the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from fractions import Fraction
from typing import Any, Protocol, TypeVar

from hepneg.config import Config
from hepneg.errors import DataError
from hepneg.ntuples.files import sample_files
from hepneg.ntuples.generator_sums import GeneratorSums

_THREADS = 8
"""Files opened at a time; most of it is waiting, above all for addresses."""


class SampleSum(Protocol):
    """What a pass makes of one sample, a dataclass with a field ``sum_weights_all``."""

    @property
    def sum_weights_all(self) -> Fraction:
        """Σ of the raw weights before the selection, exact."""

    @property
    def entries(self) -> int:
        """Events before the selection."""


Part = TypeVar("Part", bound=SampleSum)


def generator_sums(config: Config) -> Callable[[Mapping[str, Part]], dict[str, Part]]:
    """Look the generator's sums up, and return what puts them in the place of Σw of the events, by sample.

    Raises:
        DataError: a file cannot be read, has no such tree although the configuration names it, or only some files of a
            sample have one; later, the weights of the events are in another unit than the generator's.

    Warns:
        HepnegWarning: later, the two sums differ.
    """
    known = _look_up_sums(config)

    def normalised(parts: Mapping[str, Part]) -> dict[str, Part]:
        return {name: _with_sum(known[name], part) if name in known else part for name, part in parts.items()}

    return normalised


def _with_sum(sums: GeneratorSums, part: Any) -> Any:
    sums.counted, sums.events = part.sum_weights_all, (sums.events[0], part.entries if sums.events[0] else 0)
    return replace(part, sum_weights_all=sums.generated_total())


def _look_up_sums(config: Config) -> dict[str, GeneratorSums]:
    """Read the generator's sums of the samples that are normalised by such, as :func:`hepneg.read` does."""
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
