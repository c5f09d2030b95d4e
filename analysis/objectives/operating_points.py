"""Operating points of plain and of balanced cross-entropy on held-out events: real events, and a toy of 1 : 100."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import hepneg
from hepneg.metrics import OperatingPoint, auc, operating_point

REAL = Path(__file__).parents[1] / "ttbar_wjets" / "analysis.yaml"
PLAIN: dict[str, Any] = {"name": "cross_entropy"}
BALANCED: dict[str, Any] = {"name": "balanced_cross_entropy"}
WISHES: tuple[dict[str, Any], ...] = (
    PLAIN,
    BALANCED,
    {**BALANCED, "ratio": 0.8},
    {**BALANCED, "sensitivity": 0.9},
)


def toy(signal: int, background: int, seed: int) -> hepneg.EventTable:
    """Return two labels with different shapes in four features, a tenth of the weights negative where x₀ is large."""
    rng = np.random.default_rng(seed)
    count, label = signal + background, np.repeat([1, 0], [signal, background])
    features = rng.normal(size=(count, 4))
    features[label == 1] = 0.6 * features[label == 1] + np.array([1.0, 0.5, 0.0, 0.0])
    features[:, 3] = np.where(label == 1, rng.exponential(1.0, count), rng.exponential(1.6, count))
    negative = rng.random(count) < 0.2 / (1 + np.exp(-features[:, 0]))
    ids = np.arange(len(label))
    return hepneg.EventTable.from_arrays(features, np.where(negative, -1.0, 1.0), label, event_id=ids)


def real_points(
    schemes: Sequence[str], wishes: Sequence[dict[str, Any]], quick: bool, seed: int
) -> Iterator[tuple[str, OperatingPoint, Any]]:
    """Yield, for each scheme and objective, the operating point and the AUC by cross-validation."""
    overrides = ["training.folds=2", "training.epochs=3"] if quick else []
    config = hepneg.load_config(REAL, overrides)
    events = hepneg.read(config)
    if quick:
        events = events.select(np.arange(0, len(events), 4))
    settings = config.training.model_dump(exclude={"scheme", "objective"}) | {"seed": seed}
    for scheme in schemes:
        for wish in wishes:
            classifier = hepneg.train(events, scheme, objective=wish, **settings)
            logit = classifier.held_out_logit(events)
            found = operating_point(logit, events.label, events.weight, 0.0)
            yield _row("tt̄, W + jets", scheme, wish), found, auc(logit, events.label, events.weight)


def toy_points(
    schemes: Sequence[str], wishes: Sequence[dict[str, Any]], quick: bool, seed: int
) -> Iterator[tuple[str, OperatingPoint, Any]]:
    """Yield the same for the toy, whose operating points are measured on fresh events, as many of either label."""
    scale = 50 if quick else 1
    events, fresh = toy(10_000 // scale, 1_000_000 // scale, seed), toy(200_000 // scale, 200_000 // scale, 2)
    settings: dict[str, Any] = {"folds": 3, "network": {"hidden": [32, 32]}, "seed": seed}
    settings |= {"batch_size": 512, "epochs": 3} if quick else {"batch_size": 4096, "epochs": 8}
    for scheme in schemes:
        for wish in wishes:
            logit = hepneg.train(events, scheme, objective=wish, **settings).logit(fresh.features)
            found = operating_point(logit, fresh.label, fresh.weight, 0.0)
            yield _row("toy, 1 : 100", scheme, wish), found, auc(logit, fresh.label, fresh.weight)


def _row(sample: str, scheme: str, wish: dict[str, Any]) -> str:
    asked = ", ".join(f"{key} {value:g}" for key, value in wish.items() if key != "name")
    if wish["name"] == BALANCED["name"]:
        asked = f"balanced, {asked or 'ratio 1'}"
    return f"| {sample} | {scheme} | {asked or 'plain'} |"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a few events and epochs, to see that it works")
    parser.add_argument("--samples", nargs="+", choices=("real", "toy"), default=("real", "toy"))
    parser.add_argument("--schemes", nargs="+", default=("refined", "signed"))
    parser.add_argument("--seed", type=int, default=1, help="of the trainings, and of the toy's events")
    parser.add_argument("--wishes", type=int, default=len(WISHES), help="how many of the objectives, plain first")
    options = parser.parse_args()
    print("| sample | scheme | cross-entropy | sensitivity | specificity | ratio | AUC |\n" + "|---" * 7 + "|")
    for points in (real_points, toy_points):
        if points.__name__.removesuffix("_points") not in options.samples:
            continue
        for row, found, area in points(options.schemes, WISHES[: options.wishes], options.quick, options.seed):
            print(f"{row} {found.sensitivity} | {found.specificity} | {found.ratio} | {area} |", flush=True)


if __name__ == "__main__":
    main()
