"""Do the intervals of the metrics hold the truth as often as they claim? Run: python analysis/closure/coverage.py
[--quick]

Signal N(1, 1) against background N(0, 1), log-normal |w| (σ = 0.3), signs that do not depend on x: the truth is known.
"""

from __future__ import annotations

import argparse
import warnings
from collections import defaultdict
from itertools import product

import numpy as np
from scipy.integrate import trapezoid
from scipy.stats import binom, norm

from hepneg import metrics
from hepneg.metrics import auc_interval, confidence_interval

GRID = np.linspace(-9.0, 10.0, 40_001)
TILT = 1.4
LEVELS = (0.6827, 0.95)


def true_loss(tilt: float) -> float:
    logit = tilt * (GRID - 0.5)
    terms = norm.pdf(GRID, 1.0) * np.logaddexp(0, -logit) + norm.pdf(GRID) * np.logaddexp(0, logit)
    return 0.5 * trapezoid(terms, GRID)


TRUTH = {
    "AUC": norm.cdf(np.sqrt(0.5)),
    "log-loss": true_loss(1.0),
    "difference of log-losses": true_loss(1.0) - true_loss(TILT),
}


def toy(rng: np.random.Generator, n: int, fraction: float):
    label = rng.integers(0, 2, n)
    weight = np.where(rng.random(n) < fraction, -1.0, 1.0) * np.exp(rng.normal(0.0, 0.3, n))
    return rng.normal(label, 1.0), label, weight


def influences(x, label, weight) -> dict[str, metrics.Influence]:
    one = metrics.log_loss_influence(x - 0.5, label, weight)
    other = metrics.log_loss_influence(TILT * (x - 0.5), label, weight)
    return {
        "AUC": metrics.auc_influence(x, label, weight),
        "log-loss": one,
        "difference of log-losses": metrics.Influence(one.value - other.value, one.contribution - other.contribution),
    }


def covered(rng: np.random.Generator, n: int, fraction: float) -> dict[tuple[str, float], list[bool]] | None:
    """For one toy, whether each interval holds the truth; None where a label has Σw ≤ 0 and nothing is defined."""
    x, label, weight = toy(rng, n, fraction)
    if min(weight[label == 1].sum(), weight[label == 0].sum()) <= 0:
        return None
    found = {}
    for (name, part), level in product(influences(x, label, weight).items(), LEVELS):
        error, truth = part.estimate().error, TRUTH[name]
        found[f"{name}, ± error", level] = [abs(part.value - truth) < norm.isf(0.5 - 0.5 * level) * error]
        args = (label, weight)
        interval = (
            auc_interval(x, *args, level=level) if name == "AUC" else confidence_interval(part, *args, level=level)
        )
        found[f"{name}, interval", level] = [interval.low <= truth <= interval.high]
    curve = metrics.calibration_curve(1.0 / (1.0 + np.exp(0.5 - x)), label, weight)
    for level in LEVELS:
        inside = np.abs(curve.observed - curve.expected) < norm.isf(0.5 - 0.5 * level) * curve.difference_error
        found["calibration bins, ± error", level] = inside.tolist()
    return found


def measure(n: int, fraction: float, toys: int, seed: int) -> dict[tuple[str, float], tuple[int, int]]:
    """Count (inside, all) over the toys."""
    rng = np.random.default_rng(seed)
    counts = defaultdict(lambda: [0, 0])
    made = 0
    while made < toys:
        found = covered(rng, n, fraction)
        if found is None:
            continue
        made += 1
        for key, inside in found.items():
            counts[key][0] += sum(inside)
            counts[key][1] += len(inside)
    return {key: (inside, every) for key, (inside, every) in counts.items()}


def cell(inside: int, every: int, level: float) -> str:
    low, high = binom.interval(0.99, every, level)
    text = f"{100 * inside / every:.1f}"
    return text if low <= inside <= high else f"**{text}**"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--toys", type=int, default=1000)
    parser.add_argument("--quick", action="store_true", help="100 toys of 1000 events")
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    warnings.simplefilter("ignore")
    sizes = (1000,) if chosen.quick else (1000, 20_000)
    toys = 100 if chosen.quick else chosen.toys
    cases = list(product(sizes, (0.0, 0.3, 0.45)))
    columns = [measure(n, f, toys, chosen.seed + i) for i, (n, f) in enumerate(cases)]
    print("| interval | level | " + " | ".join(f"n = {n}, f = {f}" for n, f in cases) + " |")
    print("|---" * (len(cases) + 2) + "|")
    for name, level in columns[0]:
        rates = " | ".join(cell(*column[name, level], level) for column in columns)
        print(f"| {name} | {100 * level:.0f} % | {rates} |")
    print(f"\n{toys} toys each; bold: outside the 99 % band")


if __name__ == "__main__":
    main()
