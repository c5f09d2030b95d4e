"""How near each scheme comes to the exact log-odds, in units of what unsigned events would give.

    python analysis/closure/measure.py                       ten geometries, strongly different shapes
    python analysis/closure/measure.py --shapes equal        signs that do not depend on the features
    python analysis/closure/measure.py --peers               other tools as well
    python analysis/closure/measure.py --quick               a minute's worth, to see that it runs

The measure is the cross-entropy in excess of the exact optimum on independent events, divided by that of a classifier
that was trained in the same way on N(1 − 2f)² events drawn from the physical densities themselves, all with weight +1.
The price is the number of unsigned events that give the same excess, read off a measured learning curve, over
N(1 − 2f)²: above 1, the scheme gets more out of the events than their effective number promises.
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from peers import peer_logits
from toys import SHAPES, Toy, excess_loss

import hepneg
from hepneg._core.output import write_json

Float = NDArray[np.float64]

SCHEMES = ("absolute", "positive", "signed", "paired", "mixture", "refined", "factorised", "combined", "auto")
CURVE = (0.5, 1.0, 2.0, 4.0)
"""Sizes of the unsigned samples, in units of N(1 − 2f)²."""


@dataclass(frozen=True)
class Setup:
    """What is measured.

    Attributes:
        shapes: equal, mild or strong.
        negative_fraction: f of both labels.
        events: signed events N of each label.
        test_events: independent events of each label to judge on.
        references: unsigned samples of N(1 − 2f)² events that the unit is averaged over.
        schemes: to train.
        peers: train other tools as well.
        settings: of the training, for all alike.
        curve: sizes of the unsigned samples, in units of N(1 − 2f)²; 1 must be among them.
    """

    shapes: str = "strong"
    negative_fraction: float = 0.3
    events: int = 20_000
    test_events: int = 50_000
    references: int = 3
    schemes: Sequence[str] = SCHEMES
    peers: bool = False
    settings: dict[str, Any] | None = None
    curve: tuple[float, ...] = CURVE


@dataclass(frozen=True)
class Geometry:
    """What one geometry gave: excess cross-entropies in nats and seconds, by name, and what ``auto`` took."""

    seed: int
    unit: float
    curve: tuple[float, ...]
    excess: dict[str, float]
    seconds: dict[str, float]
    auto_took: str = ""


def measure(setup: Setup, seed: int) -> Geometry:
    """Train everything on one geometry."""
    toy = Toy.make(seed, shapes=setup.shapes, negative_fraction=setup.negative_fraction)
    rng = np.random.default_rng([seed, 1])
    signed = toy.sample(rng, setup.events)
    test = toy.sample_unsigned(np.random.default_rng([seed, 2]), setup.test_events).features
    exact = toy.exact_logit(test)
    settings = setup.settings or {}
    effective = setup.events * (1 - 2 * setup.negative_fraction) ** 2

    def unsigned(size: float) -> float:
        return excess_loss(
            hepneg.train(toy.sample_unsigned(rng, round(size)), "absolute", **settings).logit(test), exact
        )

    units = [unsigned(effective) for _ in range(setup.references)]
    curve = tuple(float(np.mean(units)) if size == 1 else unsigned(size * effective) for size in setup.curve)
    excess, seconds, auto_took = {}, {}, ""
    for scheme in setup.schemes:
        start = time.perf_counter()
        classifier = hepneg.train(signed, scheme, **settings)
        seconds[scheme] = time.perf_counter() - start
        excess[scheme] = excess_loss(classifier.logit(test), exact)
        auto_took = classifier.chosen if scheme == "auto" else auto_took
    if setup.peers:
        excess |= {name: excess_loss(logit, exact) for name, logit in peer_logits(signed, test, seed).items()}
    return Geometry(seed, float(np.mean(units)), curve, excess, seconds, auto_took)


def price(excess: float, curve: Float) -> float:
    """Return the size of an unsigned sample with this excess, by interpolation between logarithms; ends are limits."""
    return float(np.exp(np.interp(-np.log(excess), -np.log(curve), np.log(CURVE))))


def table(geometries: Sequence[Geometry]) -> str:
    """Return the measurements as a Markdown table."""
    seeds = " | ".join(str(geometry.seed) for geometry in geometries)
    mean_curve = np.mean([np.divide(geometry.curve, geometry.unit) for geometry in geometries], axis=0)
    lines = [
        f"| | mean | spread | price | seconds | {seeds} |",
        "|---" * (5 + len(geometries)) + "|",
    ]
    for name in geometries[0].excess:
        ratios = np.array([geometry.excess[name] / geometry.unit for geometry in geometries])
        spread = ratios.std(ddof=1) if len(ratios) > 1 else float("nan")
        worth = price(float(ratios.mean()), np.minimum.accumulate(mean_curve))
        limit = ">" if worth >= CURVE[-1] else "<" if worth <= CURVE[0] else ""
        took = [geometry.seconds[name] for geometry in geometries if name in geometry.seconds]
        clock = f"{np.mean(took):.1f}" if took else ""
        every = " | ".join(f"{ratio:.2f}" for ratio in ratios)
        lines.append(f"| {name} | {ratios.mean():.2f} | {spread:.2f} | {limit}{worth:.2f} | {clock} | {every} |")
    unit = np.mean([geometry.unit for geometry in geometries])
    lines += ["", f"Unit: {1e3 * unit:.2f}e-3 nats on average; unsigned learning curve at {CURVE} N(1 − 2f)²: "]
    lines[-1] += ", ".join(f"{value:.2f}" for value in mean_curve)
    took = Counter(geometry.auto_took for geometry in geometries if geometry.auto_took)
    if took:
        lines[-1] += "\n`auto` took " + ", ".join(f"{name} {count} ×" for name, count in took.most_common())
    return "\n".join(lines)


QUICK = {"folds": 2, "epochs": 3, "network": {"hidden": [8]}, "batch_size": 256}
"""Settings of a training that takes seconds."""


def quick(setup: Setup) -> Setup:
    """Return a setup that takes seconds and shows nothing but that it runs."""
    return Setup(setup.shapes, setup.negative_fraction, 1500, 2000, 1, setup.schemes, setup.peers, QUICK)


def toy_parser(description: str | None, events: int, schemes: Sequence[str]) -> argparse.ArgumentParser:
    """Return a parser of the options that say which toys are made and what is trained on them."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shapes", choices=list(SHAPES), default="strong")
    parser.add_argument("--negative-fraction", type=float, default=0.3, metavar="F")
    parser.add_argument("--events", type=int, default=events, help="signed events of each label")
    parser.add_argument("--seeds", type=int, nargs="+", default=list(range(1, 11)), help="of the geometries")
    parser.add_argument("--schemes", nargs="+", default=list(schemes))
    parser.add_argument("--quick", action="store_true")
    return parser


def main(arguments: Sequence[str] | None = None) -> list[Geometry]:
    parser = toy_parser(__doc__, events=20_000, schemes=SCHEMES)
    parser.add_argument("--peers", action="store_true", help="train other tools as well")
    parser.add_argument("-o", "--output", type=Path, help="write all figures as JSON")
    chosen = parser.parse_args(arguments)
    setup = Setup(
        chosen.shapes, chosen.negative_fraction, chosen.events, schemes=tuple(chosen.schemes), peers=chosen.peers
    )
    setup, seeds = (quick(setup), chosen.seeds[:1]) if chosen.quick else (setup, chosen.seeds)
    geometries = []
    for seed in seeds:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", hepneg.HepnegWarning)  # a runaway loss shows in the table
            geometries.append(measure(setup, seed))
        print(f"geometry {seed} done", flush=True)
    print(table(geometries))
    if chosen.output:
        write_json(chosen.output, {"setup": vars(setup), "geometries": [vars(geometry) for geometry in geometries]})
    return geometries


if __name__ == "__main__":
    main()
