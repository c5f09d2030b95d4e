"""Do the errors of sums of refined weights hold the truth? Run: python analysis/closure/refined_sums.py [--toys 30]

One label of N events in three normal features, log-normal |w|, mean sign 0.1 + 0.7 σ(2x₀ + x₁): where x₀ is low, hardly
any sign survives. The sums of refined weights in six regions of x₀ are compared with the exact ones.
"""

from __future__ import annotations

import argparse
import warnings

import numpy as np

from hepneg import EventTable, refine
from hepneg.signs.refined_weight import refined_sums

QUANTILES = [0.1, 0.3, 0.5, 0.7, 0.9]


def mean_sign(x: np.ndarray) -> np.ndarray:
    return 0.1 + 0.7 / (1.0 + np.exp(-2.0 * x[:, 0] - x[:, 1]))


def toy(n: int, seed: int) -> EventTable:
    rng = np.random.default_rng([77, seed])
    x, magnitude = rng.normal(size=(n, 3)), np.exp(0.5 * rng.normal(size=n) - 0.125)
    weight = np.where(rng.random(n) < 0.5 * (1.0 + mean_sign(x)), magnitude, -magnitude)
    return EventTable.from_arrays(x, weight, np.zeros(n, int), event_id=np.arange(n))


def pulls(n: int, seed: int, edges: np.ndarray, truth: np.ndarray) -> dict[str, np.ndarray]:
    """What the sums of one toy are off by, over three errors."""
    events = toy(n, seed)
    learnt = refine(events, folds=3, seed=seed + 1)
    weight, place = learnt.held_out_weight(events), np.searchsorted(edges, events.features[:, 0])
    sums, errors = refined_sums(weight, learnt.weight_error(events.features, events.weight, events.label), place, 6)
    return {
        "√(Σv² + (Σδ)²), documented": (sums - n * truth) / errors,
        "√Σv²": (sums - n * truth) / np.sqrt(np.bincount(place, weight**2, 6)),
        "√Σw², of the signed weights": (sums - n * truth) / np.sqrt(np.bincount(place, events.weight**2, 6)),
        "bias, %": 100.0 * (sums / (n * truth) - 1.0),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--toys", type=int, default=30)
    parser.add_argument("--events", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=0, help="of the first toy")
    chosen = parser.parse_args()
    warnings.simplefilter("ignore")
    x = np.random.default_rng(1).normal(size=(400_000, 3))
    edges = np.quantile(x[:, 0], QUANTILES)
    truth = np.bincount(np.searchsorted(edges, x[:, 0]), mean_sign(x), 6) / len(x)
    seeds = range(chosen.seed, chosen.seed + chosen.toys)
    toys = [pulls(chosen.events, seed, edges, truth) for seed in seeds]
    print("| coverage of 68 % | " + " | ".join(f"region {i + 1}" for i in range(6)) + " | all |\n" + "|---" * 8 + "|")
    for name in toys[0]:
        values = np.array([toy[name] for toy in toys])
        shown = values.mean(axis=0) if name.startswith("bias") else 100.0 * np.mean(np.abs(values) < 1.0, axis=0)
        print(f"| {name} | " + " | ".join(f"{one:.0f}" for one in (*shown, shown.mean())) + " |")


if __name__ == "__main__":
    main()
