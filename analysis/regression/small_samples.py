"""Small samples on which a straight line is right, or nearly: how far is a regression from weighted least squares?

    python analysis/regression/small_samples.py              20 toys of each kind
    python analysis/regression/small_samples.py --quick      two toys of the first, to see that it runs

Signed weights ±1 that depend on nothing (f = 0.2), noise of 1. The error is the root mean square of prediction − E[t|x]
on other events, over the toys; the bias that of the fifth of the events with the lowest E[t|x]. "Without the line" is
the same network begun at the mean of the target, as it was before it learnt what a straight line leaves.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from unittest.mock import patch

import numpy as np
from regression_toys import Float

import hepneg
from hepneg.networks.regression_network import RegressionNetwork

FRACTION = 0.2


@dataclass(frozen=True)
class Kind:
    """How toys are drawn: line, or curved (a sine and a square beside it); log-normal or normal features."""

    name: str
    events: int
    features: int
    scheme: str = "refined"

    def __str__(self) -> str:
        return f"{self.name}, {self.events} events, {self.features} features, `{self.scheme}`"

    def draw(self, rng: np.random.Generator, n: int) -> Float:
        """Return features, (n, F)."""
        x = rng.normal(size=(n, self.features))
        return np.exp(0.7 * x) if self.name == "log-normal features" else x

    def mean(self, x: Float, slope: Float) -> Float:
        """Return E[t|x], (n,)."""
        curve = 0.5 * np.sin(2 * x[:, 0]) + 0.4 * x[:, 1] ** 2 if self.name == "curved" else 0.0
        return np.asarray(x @ slope + curve)


KINDS = (
    Kind("line", 1000, 5),
    Kind("line", 1000, 5, "absolute"),
    Kind("line", 1000, 5, "signed"),
    Kind("line", 1000, 20),
    Kind("log-normal features", 1000, 5),
    Kind("curved", 1000, 5),
    Kind("curved", 10_000, 5),
)


def measure(kind: Kind, seed: int) -> dict[str, tuple[float, float]]:
    """Return mean squared error and bias where E[t|x] is low, of one toy, by method."""
    rng = np.random.default_rng([seed, kind.events, kind.features, 7])
    slope = rng.normal(size=kind.features)
    slope /= np.linalg.norm(slope)
    x, there = kind.draw(rng, kind.events), kind.draw(rng, 5000)
    target = kind.mean(x, slope) + rng.normal(size=kind.events)
    weight = np.where(rng.random(kind.events) < FRACTION, -1.0, 1.0)
    events = hepneg.EventTable.from_arrays(x, weight, target=target, event_id=np.arange(kind.events))
    truth, found = kind.mean(there, slope), {}
    for name, change in (("network", nullcontext()), ("without the line", patch.object(RegressionNetwork, "fit_line"))):
        with change:
            found[name] = hepneg.train_regressor(events, kind.scheme, folds=3).prediction(there) - truth
    found["least squares"] = least_squares(x, target, weight, there) - truth
    low = truth < np.quantile(truth, 0.2)
    return {name: (float(np.mean(miss**2)), float(miss[low].mean())) for name, miss in found.items()}


def least_squares(x: Float, target: Float, weight: Float, there: Float) -> Float:
    """Return the prediction of the straight line of least Σw(t − line)²."""
    design, elsewhere = (np.column_stack([np.ones(len(part)), part]) for part in (x, there))
    return np.asarray(elsewhere @ np.linalg.solve(design.T @ (weight[:, None] * design), design.T @ (weight * target)))


def row(kind: Kind, toys: Sequence[dict[str, tuple[float, float]]]) -> str:
    """Return a line of the table: errors, with that of their root mean square over the toys, and biases."""
    cells = []
    for name in toys[0]:
        square, bias = np.array([toy[name] for toy in toys]).T
        rms = np.sqrt(square.mean())
        error = square.std(ddof=1) / np.sqrt(len(toys)) / (2 * rms) if len(toys) > 1 else np.nan
        cells.append(f"{rms:.3f} ± {error:.3f} ({bias.mean():+.3f})")
    return f"| {kind} | {' | '.join(cells)} |"


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--toys", type=int, default=20)
    parser.add_argument("--seed", type=int, default=101, help="of the first toy")
    parser.add_argument("--quick", action="store_true")
    chosen = parser.parse_args(arguments)
    kinds, toys = (KINDS[:1], 2) if chosen.quick else (KINDS, chosen.toys)
    warnings.simplefilter("ignore", hepneg.HepnegWarning)  # a signed loss that runs away
    print("| error (bias where E[t\\|x] is low) | network | without the line | least squares |\n|---|---|---|---|")
    for kind in kinds:
        print(row(kind, [measure(kind, seed) for seed in range(chosen.seed, chosen.seed + toys)]), flush=True)


if __name__ == "__main__":
    main()
