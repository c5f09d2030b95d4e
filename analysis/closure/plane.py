"""The signed mixtures in the plane: background times the learnt ratio, against signal.

    python analysis/closure/plane.py                  4 × 10⁶ events of each label
    python analysis/closure/plane.py --quick          seconds, to see that it runs

For x, y and R = √(x² + y²), χ² of Σ w over signal against Σ w r̂ over background, in bins with at least MINIMUM
effective events of either, (Σ|v|)² / Σv² with v the weights that are summed: a bin that hangs on a few events next to a
pole of the ratio tests nothing. Every event is judged by a network that has not seen it.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from published_toys import Plane

import hepneg
from hepneg._core.output import write_json

Float = NDArray[np.float64]

MINIMUM = 100
"""Effective events of either label in a bin."""

AXES = {"x": (-7.0, 7.0), "y": (-7.0, 7.0), "R": (0.0, 8.0)}
BINS = 70
SCHEMES = ("mixture", "signed_target")
FULL: dict[str, Any] = {"folds": 2, "epochs": 16, "patience": 6, "batch_size": 8192, "network": {"hidden": [48, 48]}}
QUICK: dict[str, Any] = {"folds": 2, "epochs": 3, "network": {"hidden": [16]}, "batch_size": 512}


@dataclass(frozen=True)
class Row:
    """χ² and degrees of freedom along each axis."""

    chi2: dict[str, tuple[float, int]]

    def __str__(self) -> str:
        return " | ".join(f"{value / max(ndf, 1):.2f} ({ndf})" for value, ndf in self.chi2.values())


def coordinates(points: Float) -> dict[str, Float]:
    return {"x": points[:, 0], "y": points[:, 1], "R": np.hypot(points[:, 0], points[:, 1])}


def judge(events: hepneg.EventTable, ratio: Float) -> Row:
    """Compare background × ratio with signal; ``ratio`` holds that of the background events."""
    points = events.features.astype(np.float64)
    signal, background = events.label == 1, events.label == 0
    value = events.weight[background] * ratio
    one, other = coordinates(points[signal]), coordinates(points[background])
    return Row(
        {
            axis: _agreement(one[axis], events.weight[signal], other[axis], value, np.linspace(*span, BINS + 1))
            for axis, span in AXES.items()
        }
    )


def _agreement(x: Float, weight: Float, y: Float, value: Float, edges: Float) -> tuple[float, int]:
    sums = [_sums(*pair, edges) for pair in ((x, weight), (y, value))]
    enough = np.logical_and.reduce([(size**2 >= MINIMUM * square) & (square > 0) for _, size, square in sums])
    (found, _, one), (wanted, _, other) = sums
    chi2 = (found - wanted)[enough] ** 2 / (one + other)[enough]
    return float(chi2.sum()), int(enough.sum())


def _sums(x: Float, weight: Float, edges: Float) -> tuple[Float, Float, Float]:
    """Return Σw, Σ|w| and Σw² in bins."""
    signed, size, square = (np.histogram(x, edges, weights=w)[0] for w in (weight, np.abs(weight), weight**2))
    return signed, size, square


def measure(n: int, seed: int, settings: dict[str, Any], schemes: Sequence[str] = SCHEMES) -> dict[str, Row]:
    """Train every scheme and judge it beside the exact ratio."""
    toy = Plane()
    events = toy.sample(np.random.default_rng(seed), n)
    background = events.label == 0
    rows = {"exact": judge(events, toy.ratio(events.features[background]))}
    print("| exact |", rows["exact"], "|", flush=True)
    for scheme in schemes:
        classifier = hepneg.train(events, scheme, seed=seed, **settings)
        rows[scheme] = judge(events, classifier.held_out_density_ratio(events)[background])
        print(f"| {scheme} |", rows[scheme], "|", flush=True)
    return rows


def main(arguments: Sequence[str] | None = None) -> dict[str, Row]:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=4_000_000, help="of each label")
    parser.add_argument("--schemes", nargs="+", default=list(SCHEMES))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("-o", "--output", type=Path, help="write the figures as JSON")
    chosen = parser.parse_args(arguments)
    events, settings = (5000, QUICK) if chosen.quick else (chosen.events, FULL)
    print("| ratio | χ²/ndf in x (ndf) | in y | in R |\n|---|---|---|---|")
    rows = measure(events, chosen.seed, settings, chosen.schemes)
    if chosen.output:
        write_json(chosen.output, {name: row.chi2 for name, row in rows.items()})
    return rows


if __name__ == "__main__":
    main()
