"""Is a negative density found that is there? Run: python analysis/closure/found.py [--toys 5] [--events 20000]

By `hepneg.check_shapes` and by `hepneg.refine`, on toys of published_toys.py: the core of gauss_negative with 18.8 % of
Σ|w|, alone and turned into a direction between four features; both labels of the plane. Of each of the three ways to
find one (intervals of a feature, boxes of several, ĝ < 0 of networks) a line says with which p-value, and what Σw is in
its cuts in as many events that nothing was found with. Without cuts nothing of that kind was found.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from published_toys import LINES, Plane

import hepneg
from hepneg import EventTable
from hepneg.binning.negative_intervals import NegativeRegion
from hepneg.shapes.negative.learnt_region import LearntRegion
from hepneg.shapes.negative.pair_cells import Cut, NegativeBox, events_inside

FEATURES = 4
GAUSS = next(line for line in LINES if line.name == "gauss_negative")


@dataclass(frozen=True)
class Found:
    """What one way found: p-value, and the cuts, any of which holds; none where nothing was found."""

    way: str
    p_value: float = 1.0
    cuts: tuple[tuple[Cut, ...], ...] = ()

    def columns(self, fresh: EventTable) -> str:
        """Return p-value, Σw over its error and share of Σ|w| of other events inside the cuts."""
        if not self.cuts:
            return f"{self.way} | – | –"
        inside = np.any([events_inside(fresh, each) for each in self.cuts], axis=0)
        weight = fresh.weight[inside]
        share = np.abs(weight).sum() / np.abs(fresh.weight).sum()
        error = np.sqrt((weight**2).sum())
        return f"{self.way} | {self.p_value:.1g} | {weight.sum():.0f} ± {error:.0f} ({100 * share:.1f} %)"


def gauss(seed: int, n: int, features: int = 1) -> EventTable:
    rng = np.random.default_rng([seed, n])
    x, weight = GAUSS.sample(rng, n)
    others = rng.normal(size=(n, features - 1))
    turned = np.column_stack([x, others]) @ turn(features)
    return EventTable.from_arrays(turned, weight, np.ones(n), event_id=np.arange(n))


def turn(features: int) -> np.ndarray:
    """An orthogonal matrix whose first row gives all features the same part."""
    first = np.ones((features, 1)) / np.sqrt(features)
    basis = np.linalg.qr(np.column_stack([first, np.eye(features)[:, 1:]]))[0].T
    return np.asarray(basis * np.sign(basis[0, 0]))


def plane(seed: int, n: int) -> EventTable:
    return Plane().sample(np.random.default_rng([seed, n]), n)


TOYS = {
    "gauss_negative": gauss,
    f"gauss_negative in {FEATURES} features": partial(gauss, features=FEATURES),
    "plane": plane,
}


def by_check(events: EventTable, seed: int) -> Iterator[tuple[str, Found]]:
    for name, sample in hepneg.check_shapes(events, seed=seed).samples.items():
        for found in ways(sample.negative_regions, sample.negative_boxes, sample.learnt_region):
            yield name, found


def by_refine(events: EventTable, seed: int) -> Iterator[tuple[str, Found]]:
    for name, density in hepneg.refine(events, seed=seed).negative.items():
        for found in ways(density.intervals, density.boxes, density.learnt):
            yield name, found


def ways(
    intervals: Sequence[NegativeRegion], boxes: Sequence[NegativeBox], learnt: LearntRegion | None
) -> Iterator[Found]:
    if intervals:
        cuts = tuple((Cut(one.feature, one.low, one.high),) for one in intervals)
        yield Found("intervals", min(one.p_value for one in intervals), cuts)
    if boxes:
        yield Found("boxes", min(box.p_value for box in boxes), tuple(box.cuts for box in boxes))
    if learnt is not None:
        yield Found("ĝ < 0", learnt.selected.p_value, tuple(box.cuts for box in learnt.boxes))
    elif not intervals and not boxes:
        yield Found("nothing")


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--toys", type=int, default=5)
    parser.add_argument("--events", type=int, default=20_000, help="of each label")
    parser.add_argument("--seed", type=int, default=1, help="of the first toy")
    parser.add_argument("--kinds", nargs="+", default=list(TOYS), choices=list(TOYS))
    chosen = parser.parse_args(arguments)
    warnings.simplefilter("ignore", hepneg.HepnegWarning)
    print("| toy | seed | sample | by | way | p-value | Σw in the cuts, other events (share of Σ\\|w\\|) |")
    print("|---" * 7 + "|")
    for kind in chosen.kinds:
        for seed in range(chosen.seed, chosen.seed + chosen.toys):
            events, fresh = (TOYS[kind](one, chosen.events) for one in (seed, seed + 1_000_000))
            for by, find in (("check", by_check), ("refine", by_refine)):
                for sample, found in find(events, seed):
                    own = fresh.select(fresh.sample == fresh.sample_names.index(sample))
                    print(f"| {kind} | {seed} | {sample} | {by} | {found.columns(own)} |", flush=True)


if __name__ == "__main__":
    main()
