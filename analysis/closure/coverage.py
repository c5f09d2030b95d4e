"""Do the intervals of the metrics hold the truth as often as they claim? Run: python analysis/closure/coverage.py
[--quick]

Signal N(1, 1) against background N(0, 1), log-normal |w| (σ = 0.3), signs that do not depend on x: the truth is known.
`--candidates`: 1, 2 and 4 rows of each event, which share identifier and weight, and most of x; and 4 of which the
first is signal and the others background: rows of one event in both labels.
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
from hepneg.metrics import auc_interval_of, confidence_interval

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


Case = tuple[int, float, int, bool]
"""Events, negative fraction, rows of an event, and whether they are of both labels."""
COMMON = 0.8  # share of the variance of x that the rows of an event have in common


def toy(rng: np.random.Generator, case: Case):
    n, fraction, rows, both = case
    label = np.repeat(rng.integers(0, 2, n), rows)
    weight = np.where(rng.random(n) < fraction, -1.0, 1.0) * np.exp(rng.normal(0.0, 0.3, n))
    x, event = rng.normal(0.0, 1.0, n), np.repeat(np.arange(n), rows)
    if rows > 1:
        x = np.sqrt(COMMON) * x[event] + np.sqrt(1.0 - COMMON) * rng.normal(0.0, 1.0, n * rows)
        label = np.tile(np.arange(rows) == 0, n).astype(int) if both else label
    return metrics.scored_events(x + label, label, weight[event], event_id=event)


def influences(events: metrics.ScoredEvents) -> dict[str, metrics.Influence]:
    one = metrics.log_loss_of(events.with_score(events.score - 0.5))
    other = metrics.log_loss_of(events.with_score(TILT * (events.score - 0.5)))
    return {"AUC": metrics.auc_of(events), "log-loss": one, "difference of log-losses": one - other}


def covered(rng: np.random.Generator, case: Case) -> dict[tuple[str, float], list[bool]] | None:
    """For one toy, whether each interval holds the truth; None where a label has Σw ≤ 0 and nothing is defined."""
    events = toy(rng, case)
    label, weight = events.code, events.weight
    if min(weight[label == 1].sum(), weight[label == 0].sum()) <= 0:
        return None
    found = {}
    for (name, part), level in product(influences(events).items(), LEVELS):
        error, truth = part.estimate().error, TRUTH[name]
        found[f"{name}, ± error", level] = [abs(part.value - truth) < norm.isf(0.5 - 0.5 * level) * error]
        interval = (
            auc_interval_of(events, level=level)
            if name == "AUC"
            else confidence_interval(part, label, weight, level=level)
        )
        found[f"{name}, interval", level] = [interval.low <= truth <= interval.high]
    curve = metrics.calibration_curve_of(events.with_score(1.0 / (1.0 + np.exp(0.5 - events.score))))
    for level in LEVELS:
        inside = np.abs(curve.observed - curve.expected) < norm.isf(0.5 - 0.5 * level) * curve.difference_error
        found["calibration bins, ± error", level] = inside.tolist()
        found["calibration χ²", level] = [curve.p_value > 1.0 - level]
    return found


def measure(case: Case, toys: int, seed: int) -> dict[tuple[str, float], tuple[int, int]]:
    """Count (inside, all) over the toys."""
    rng = np.random.default_rng(seed)
    counts = defaultdict(lambda: [0, 0])
    made = 0
    while made < toys:
        found = covered(rng, case)
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


def heading(case: Case) -> str:
    n, fraction, rows, both = case
    return f"n = {n}, f = {fraction}" + (f", {rows} rows an event{', of both labels' * both}" if rows > 1 else "")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--toys", type=int, default=1000)
    parser.add_argument("--quick", action="store_true", help="100 toys of 1000 events")
    parser.add_argument("--candidates", action="store_true", help="1, 2 and 4 rows of an event")
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    warnings.simplefilter("ignore")
    sizes = (1000,) if chosen.quick else (1000, 20_000)
    toys = 100 if chosen.quick else chosen.toys
    cases = [(n, f, 1, False) for n, f in product(sizes, (0.0, 0.3, 0.45))]
    if chosen.candidates:
        cases = [(1000, 0.3, rows, both) for rows, both in ((1, False), (2, False), (4, False), (4, True))]
    columns = [measure(case, toys, chosen.seed + i) for i, case in enumerate(cases)]
    print("| interval | level | " + " | ".join(map(heading, cases)) + " |")
    print("|---" * (len(cases) + 2) + "|")
    for name, level in columns[0]:
        rates = " | ".join(cell(*column[name, level], level) for column in columns)
        print(f"| {name} | {100 * level:.0f} % | {rates} |")
    print(f"\n{toys} toys each; bold: outside the 99 % band")


if __name__ == "__main__":
    main()
