"""Is the bias where the target is negative compatible with zero, when nine targets in ten are not negative?

    python analysis/regression/negative_targets.py             ten geometries
    python analysis/regression/negative_targets.py --quick     a few seconds' worth, to see that it runs

Signed events with f = 0.3, one regression a(x) for all of them, and P(t ≥ 0) = 0.9. The bias is the signed mean of
prediction − target over the held-out events with a(x) < 0, which is a region of the features: one of the target would
be biased for the exact a(x) as well.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

import numpy as np
from regression_toys import SignedToy

import hepneg

OBJECTIVES = ("squared", "huber", "quantile")
SHARE = 0.1
"""Wanted share of negative targets."""


def measure(seed: int, events: int, settings: dict[str, Any]) -> dict[str, hepneg.Estimate]:
    """Return the bias in the negative region by objective."""
    rng = np.random.default_rng([seed, 6])
    trial = SignedToy.make(seed, displaced=False).sample(rng, 20_000).required_target()
    toy = SignedToy.make(seed, displaced=False, constant=-float(np.quantile(trial, SHARE)))
    table = toy.sample(rng, events)
    region = toy.a(table.features.astype(np.float64)) < 0
    found = {}
    for objective in OBJECTIVES:
        regressor = hepneg.train_regressor(table, "refined", objective=objective, **settings)
        prediction = regressor.held_out_prediction(table)[region]
        found[objective] = hepneg.metrics.bias(prediction, table.required_target()[region], table.weight[region])
    return found


def table_of(measured: Sequence[dict[str, hepneg.Estimate]]) -> str:
    """Return mean bias, its error, and the χ² of the single biases against zero, as a Markdown table."""
    lines = ["| objective | mean bias | χ² of the biases / geometries |", "|---|---|---|"]
    for objective in OBJECTIVES:
        value, error = np.array([(one[objective].value, one[objective].error) for one in measured]).T
        mean = hepneg.Estimate(float(value.mean()), float(np.sqrt((error**2).sum())) / len(value))
        lines.append(f"| {objective} | {mean} | {np.square(value / error).sum():.1f} / {len(value)} |")
    return "\n".join(lines)


QUICK: dict[str, Any] = {"folds": 2, "epochs": 2, "network": {"hidden": [8]}, "batch_size": 128}


def main(arguments: Sequence[str] | None = None) -> list[dict[str, hepneg.Estimate]]:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=list(range(1, 11)), help="of the geometries")
    parser.add_argument("--quick", action="store_true")
    chosen = parser.parse_args(arguments)
    events, settings, seeds = 10_000, {"folds": 3}, chosen.seeds
    if chosen.quick:
        events, settings, seeds = 1000, QUICK, seeds[:1]
    measured = []
    for seed in seeds:
        measured.append(measure(seed, events, settings))
        print(f"geometry {seed} done", flush=True)
    print(table_of(measured))
    return measured


if __name__ == "__main__":
    main()
