"""How near each scheme comes to the exact E[t|x], in units of what unsigned events would give.

    python analysis/regression/signed_weights.py             ten geometries
    python analysis/regression/signed_weights.py --quick     a few seconds' worth, to see that it runs

The error is the root mean square of prediction − E[t|x] over points of the physical density. The unit is that of a
regression trained in the same way on N(1 − 2f)² events drawn from that density, all with weight +1.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from regression_toys import Float, SignedToy

import hepneg
from hepneg._core.output import write_json
from hepneg.schemes import Scheme
from hepneg.schemes.context import FoldContext
from hepneg.schemes.fold_fit import FoldFit


@dataclass(frozen=True)
class Naive:
    """Signed weights in the squared error, without any guard."""

    name: ClassVar[str] = "naive"
    tasks: ClassVar[tuple[str, ...]] = ("regression",)

    def fit(self, context: FoldContext) -> FoldFit:
        """Train the networks of one fold (see :class:`hepneg.schemes.scheme.Scheme`)."""
        return context.train(context.events.weight)


SCHEMES: tuple[str | Scheme, ...] = ("absolute", "positive", "signed", "refined", Naive())


@dataclass(frozen=True)
class Geometry:
    """What one geometry gave, in the target's unit.

    Attributes:
        seed: of the geometry.
        unit: error of the unsigned regression.
        error: by scheme.
        bias: mean of prediction − E[t|x], by scheme.
        runaways: folds whose loss ran away, by scheme.
    """

    seed: int
    unit: float
    error: dict[str, float]
    bias: dict[str, float]
    runaways: dict[str, int]


def measure(seed: int, events: int, test_events: int, settings: dict[str, Any]) -> Geometry:
    """Train everything on one geometry."""
    toy, rng = SignedToy.make(seed), np.random.default_rng([seed, 1])
    signed = toy.sample(rng, events)
    points = toy.sample_unsigned(np.random.default_rng([seed, 2]), test_events).features
    exact = toy.exact(points)
    effective = round(events * (1 - 2 * toy.negative_fraction) ** 2)
    unsigned = [toy.sample_unsigned(rng, effective) for _ in range(3)]
    units = [_root_mean_square(_train(table, "absolute", settings).prediction(points) - exact) for table in unsigned]
    error, bias, runaways = {}, {}, {}
    for scheme in SCHEMES:
        name = scheme if isinstance(scheme, str) else scheme.name
        regressor = _train(signed, scheme, settings)
        difference = regressor.prediction(points) - exact
        error[name], bias[name] = _root_mean_square(difference), float(difference.mean())
        runaways[name] = sum(bool(history.message) for history in regressor.histories)
    return Geometry(seed, float(np.mean(units)), error, bias, runaways)


def _train(events: hepneg.EventTable, scheme: str | Scheme, settings: dict[str, Any]) -> hepneg.Regressor:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", hepneg.HepnegWarning)  # a runaway loss shows in the table
        return hepneg.train_regressor(events, scheme, **settings)


def _root_mean_square(values: Float) -> float:
    return float(np.sqrt(np.mean(values**2)))


def table(geometries: Sequence[Geometry]) -> str:
    """Return the measurements as a Markdown table."""
    seeds = " | ".join(str(geometry.seed) for geometry in geometries)
    lines = [
        f"| | error / unit | spread | bias | folds that ran away | {seeds} |",
        "|---" * (5 + len(geometries)) + "|",
    ]
    for name in geometries[0].error:
        ratios = np.array([geometry.error[name] / geometry.unit for geometry in geometries])
        bias = np.array([geometry.bias[name] for geometry in geometries])
        spread, bias_error = (values.std(ddof=1) if len(values) > 1 else float("nan") for values in (ratios, bias))
        away = sum(geometry.runaways[name] for geometry in geometries)
        every = " | ".join(f"{ratio:.2f}" for ratio in ratios)
        mean_bias = f"{bias.mean():+.3f} ± {bias_error / np.sqrt(len(bias)):.3f}"
        lines.append(f"| {name} | {ratios.mean():.2f} | {spread:.2f} | {mean_bias} | {away} | {every} |")
    unit = np.mean([geometry.unit for geometry in geometries])
    return "\n".join([*lines, "", f"Unit: {unit:.3f} on average."])


QUICK: dict[str, Any] = {"folds": 2, "epochs": 2, "network": {"hidden": [8]}, "batch_size": 256}


def main(arguments: Sequence[str] | None = None) -> list[Geometry]:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=10_000, help="signed events")
    parser.add_argument("--seeds", type=int, nargs="+", default=list(range(1, 11)), help="of the geometries")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("-o", "--output", type=Path, help="write all figures as JSON")
    chosen = parser.parse_args(arguments)
    events, test, settings, seeds = chosen.events, 50_000, {"folds": 3}, chosen.seeds
    if chosen.quick:
        events, test, settings, seeds = 1500, 1000, QUICK, seeds[:1]
    geometries = []
    for seed in seeds:
        geometries.append(measure(seed, events, test, settings))
        print(f"geometry {seed} done", flush=True)
    print(table(geometries))
    if chosen.output:
        write_json(chosen.output, {"geometries": [vars(geometry) for geometry in geometries]})
    return geometries


if __name__ == "__main__":
    main()
