"""Sums of weights of all generated events, which files keep beside the events that a skim has left."""

from __future__ import annotations

import logging
import warnings
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hepneg.config import Config
from hepneg.errors import DataError, HepnegWarning, nearest_names
from hepneg.ntuples.exact_sums import exact_sum
from hepneg.ntuples.files import is_tree, open_file, refuse_damage
from hepneg.ntuples.parquet import is_parquet

__all__ = ["KNOWN_SUMS", "GeneratedSum", "GeneratorSums"]

logger = logging.getLogger(__name__)

KNOWN_SUMS = (
    ("Runs", "genEventSumw", "genEventCount"),
    ("Runs", "genEventSumw_", "genEventCount_"),
    ("sumWeights", "totalEventsWeighted", "totalEvents"),
)
"""Trees and branches that are looked for, with the number of events: NanoAOD, its early versions, ATLAS'
AnalysisTop."""
CLOSE = 1e-4
"""Relative difference between two sums of the same weights, which may be rounded to float32."""
MOST_RATIO = 100.0
"""Between the mean weights of the events and of the generator: beyond, they are in different units."""


@dataclass(frozen=True, slots=True)
class GeneratedSum:
    """The generator's sum in one file.

    Attributes:
        where: tree and branch.
        weights: Σw of the generated events.
        events: how many they are; 0 where the file does not say.
    """

    where: str
    weights: Fraction
    events: int = 0


@dataclass
class GeneratorSums:
    """The generator's sums over the files of one sample that are read.

    Attributes:
        sample: its name.
        source: tree and branch that hold them by the configuration; None to look for known ones.
        generated: Σ over the files that hold them, by where they do.
        counted: Σ of the raw weights of the events in all files that are read.
        plain: Σ of the raw weights of the events in files without such a tree.
        files_without: how many these are.
        events: generated, where the files say how many, and entries read.
    """

    sample: str
    source: tuple[str, str] | None = None
    generated: dict[str, Fraction] = field(default_factory=dict)
    counted: Fraction = field(default_factory=Fraction)
    plain: Fraction = field(default_factory=Fraction)
    files_without: int = 0
    events: tuple[int, int] = (0, 0)

    @classmethod
    def of(cls, config: Config, sample: str) -> GeneratorSums | None:
        """Prepare for a sample; None where its Σw is not looked for in trees.

        Raises:
            ConfigError: there is no such sample.
        """
        choice = config.sample(sample)
        given = choice.sum_of_weights
        if choice.cross_section is None or config.luminosity is None or isinstance(given, float) or given == "events":
            return None
        return cls(sample, None if given is None else _split(given))

    def sum_of(self, path: str) -> GeneratedSum | None:
        """Return the generator's sum of one file; None if it has none.

        Raises:
            DataError: the configuration names a tree and branch that it does not have, or the file cannot be read.
        """
        if is_parquet(path):
            return None
        with open_file(path) as file, refuse_damage(path, "the generator's sums of weights"):
            classes = file.classnames(cycle=False)
            for tree, branch, count in ((*self.source, ""),) if self.source else KNOWN_SUMS:
                if is_tree(classes.get(tree, "")) and branch in (names := _branches(file[tree])):
                    events = int(_values(file[tree], count).sum()) if count in names else 0
                    return GeneratedSum(f"{tree}.{branch}", exact_sum(_values(file[tree], branch)), events)
            trees = {name: file[name] for name, kind in classes.items() if is_tree(kind)} if self.source else {}
        if self.source is not None:
            names = [f"{tree}.{branch}" for tree, found in trees.items() for branch in _branches(found)]
            text = ".".join(self.source)
            raise DataError(
                f"{path}: no {text!r}, which `samples.{self.sample}.sum_of_weights` names{nearest_names(text, names)}"
            )
        return None

    def add(self, found: GeneratedSum | None, counted: Fraction, entries: int, share: Fraction) -> None:
        """Add one file.

        Args:
            found: as :meth:`sum_of`.
            counted: Σ of the raw weights of its events.
            entries: that were read.
            share: of its entries that were read; 1 but for a file that turned out damaged on the way.
        """
        self.counted += counted
        if found is None:
            self.plain += counted
            self.files_without += 1
        else:
            self.generated[found.where] = self.generated.get(found.where, Fraction(0)) + found.weights * share
            self.events = (self.events[0] + found.events, self.events[1] + (entries if found.events else 0))

    def generated_total(self) -> Fraction:
        """Return the generator's Σw of the files that hold it, and say where the sample's Σw comes from.

        Raises:
            DataError: the weights of the events are in another unit than the generator's.

        Warns:
            HepnegWarning: it differs from Σw of the events, or only some files hold the generator's sum.
        """
        generated, where = sum(self.generated.values(), Fraction(0)), " and ".join(self.generated)
        if not self.generated:
            return generated
        total = generated + self.plain
        self._check_unit(float(generated), where)
        events, name = float(self.counted), f"sample {self.sample!r}"
        logger.info(
            "%s is normalised to Σw = %g of %s; the weights of its events sum to %g", name, total, where, events
        )
        if self.files_without:
            self._warn(
                f"{self.files_without} of its files have no {where}; the weights of their events stand in for it"
            )
        if abs(events - float(total)) > CLOSE * abs(float(total)):
            self._warn(
                f"it is normalised to Σw = {float(total):g} of {where}, while the weights of the events in its "
                f"files sum to {events:g}, as in a skim; `samples.{self.sample}.sum_of_weights: events` takes the "
                "latter"
            )
        return generated

    def _check_unit(self, generated: float, where: str) -> None:
        """Refuse weights such as ``sign(genWeight)`` beside sums of ``genWeight``: they would be off by orders."""
        number, entries = self.events
        events = float(self.counted - self.plain)
        if not (number and entries and generated and events):
            return
        ratio = abs((events / entries) / (generated / number))
        if not 1 / MOST_RATIO <= ratio <= MOST_RATIO:
            raise DataError(
                f"sample {self.sample!r}: its events have weights of {events / entries:.3g} on average, those of "
                f"{where} {generated / number:.3g}: they are in different units, so {where} cannot normalise them; "
                f"give `samples.{self.sample}.sum_of_weights`, a number or `events`"
            )

    def _warn(self, message: str) -> None:
        warnings.warn(f"sample {self.sample!r}: {message}", HepnegWarning, stacklevel=4)


def _values(tree: Any, branch: str) -> NDArray[np.float64]:
    return np.asarray(tree[branch].array(library="np"), dtype=np.float64).ravel()


def _split(text: str) -> tuple[str, str]:
    tree, _, branch = text.partition(".")
    return tree, branch


def _branches(tree: Any) -> list[str]:
    return [str(name) for name in tree.keys()]  # noqa: SIM118  (a tree is no dictionary)
