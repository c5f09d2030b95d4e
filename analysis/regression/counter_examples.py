"""Targets that are known to be wrong: dropped, ignored, or made to repel the prediction.

    python analysis/regression/counter_examples.py             ten geometries, two figures
    python analysis/regression/counter_examples.py --quick     a few seconds' worth, to see that it runs

Of all targets 40 % are mistaken, and half of these are marked. The error is the root mean square of prediction − truth
over independent points, in the target's unit.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from regression_toys import Float, MistakenToy, SignedToy

import hepneg
from hepneg.learning.adamw import AdamW
from hepneg.learning.batches import ShuffledBatches
from hepneg.learning.loop import train_epoch
from hepneg.learning.task import MARGIN
from hepneg.losses import EventLoss, ReciprocalLoss, SignedSquaredLoss, SquaredLoss
from hepneg.networks.perceptron import Perceptron
from hepneg.networks.regression_network import RegressionNetwork, TargetScaling
from hepneg.objectives.rows import event_table
from hepneg.objectives.target_loss import TargetLoss
from hepneg.plots.legend import add_legend
from hepneg.plots.save_figure import save
from hepneg.plots.style import NEUTRAL, Drawn, colour_of, in_print_style, new_figure

REACHES = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
NO_RANGE = {"activation": "clipped", "low": -1e9, "high": 1e9}
"""An output without a range worth the name, to see what the range is good for."""


@dataclass(frozen=True)
class Setup:
    """What is measured.

    Attributes:
        events: of each training.
        test_points: to judge on.
        unmarked: share of the events that are mistakes without a mark.
        settings: of the training, for all alike.
        epochs: of the training without early stopping.
    """

    events: int = 4000
    test_points: int = 20_000
    unmarked: float = 0.2
    settings: Mapping[str, Any] = field(default_factory=lambda: {"folds": 2, "batch_size": 256})
    epochs: int = 150


@dataclass(frozen=True)
class Geometry:
    """What one geometry gave: errors by method, by reach with and without a range, and whether all kept their bound."""

    error: dict[str, float]
    with_range: list[float]
    without_range: list[float]
    in_bounds: bool


def measure(seed: int, setup: Setup) -> Geometry:
    """Train every method on one geometry."""
    toy = MistakenToy.make(seed, unmarked=setup.unmarked)
    events = toy.sample(np.random.default_rng([seed, 3]), setup.events)
    x = np.random.default_rng([seed, 4]).normal(size=(setup.test_points, events.features.shape[1]))
    truth, inside = toy.a(x), []

    def error(table: hepneg.EventTable, objective: Any, **network: Any) -> float:
        regressor = hepneg.train_regressor(table, "absolute", objective=objective, network=network, **setup.settings)
        if regressor.bounds:
            low, high = regressor.bounds
            far = regressor.prediction(4 * x)
            inside.append(bool(low <= far.min() and far.max() <= high))
        return float(np.sqrt(np.mean((regressor.prediction(x) - truth) ** 2)))

    grade = np.asarray(events.grade)
    unmarked = replace(events, grade=None)
    errors = {
        "ignore the marks": error(unmarked, "squared"),
        "drop the marked": error(unmarked.select(grade > 0), "squared"),
        "signed_squared": error(events, "signed_squared"),
        "reciprocal": error(events, "reciprocal"),
    }
    reached = [{"name": "signed_squared", "reach": reach} for reach in REACHES]
    bounded = [error(events, objective) for objective in reached]
    free = [error(events, objective, output=NO_RANGE) for objective in reached]
    return Geometry(errors, bounded, free, all(inside))


def overtrain(events: hepneg.EventTable, event_loss: EventLoss, output: str, epochs: int) -> tuple[Float, Float]:
    """Train without early stopping; return loss and largest |prediction − mean| in standard deviations, by epoch."""
    grade = np.asarray(events.grade)
    target = events.required_target()
    scaling = TargetScaling.of(target[grade > 0, None])
    network = RegressionNetwork(Perceptron(), events.features.shape[1], output=output)
    (low, high, spread) = (np.array(part) for part in (scaling.low, scaling.high, scaling.spread))
    ends = (low - MARGIN * spread, high + MARGIN * spread)
    network.initialise(torch.Generator().manual_seed(1), events.features, scaling, ends)
    rows = event_table(events.features, network.standardise(target[:, None])[:, 0], grade)
    optimizer = AdamW(network.parameters(), 3e-3)
    average = [parameter.detach().clone() for parameter in network.parameters()]
    batches, rng, features = ShuffledBatches(events.weight, 128), np.random.default_rng(1), rows[:, :-2]
    losses, largest = [], []
    for epoch in range(epochs):
        index = [torch.from_numpy(batch) for batch in batches.epoch(rng)]
        first = epoch * batches.count
        losses.append(
            train_epoch(network, optimizer, average, rows, index, loss=TargetLoss(event_loss), first_step=first)
        )
        with torch.inference_mode():
            largest.append(float(network.standardised(features).abs().max()))
    return np.array(losses), np.array(largest)


RUNS: dict[str, tuple[EventLoss, str]] = {
    "naive: Σ y(t − p)²": (SquaredLoss(), "linear"),
    "signed_squared, no range": (SignedSquaredLoss(), "linear"),
    "signed_squared": (SignedSquaredLoss(), "tanh"),
    "reciprocal": (ReciprocalLoss(), "tanh"),
}
NAIVE_WEIGHTS = "naive, on weights with f = 0.3"


def signed_as_graded(seed: int, events: int) -> hepneg.EventTable:
    """Draw signed events, with the sign as a grade and weights of 1."""
    table = SignedToy.make(seed).sample(np.random.default_rng(6), events)
    return replace(table, weight=np.ones(events), grade=table.weight.copy())


@in_print_style
def plot_runs(runs: Mapping[str, tuple[Float, Float]]) -> Drawn:
    """Draw largest prediction and training loss by epoch, without early stopping."""
    layout = new_figure(panels=1)
    axes, panel = layout.main, layout.panels[0]
    artists = {}
    for position, (name, (loss, largest)) in enumerate(runs.items()):
        epoch, style = (
            np.arange(1, len(loss) + 1),
            {"color": colour_of(position), "ls": ("-", "--", "-.", ":", "-")[position]},
        )
        artists[name] = [*axes.plot(epoch, largest, label=name, **style), *panel.plot(epoch, loss, **style)]
    axes.set_yscale("log")
    axes.set(ylabel="Largest |p − mean| [sd of target]")
    panel.set_yscale("symlog", linthresh=1.0)
    panel.set_yticks([-1e8, -1e4, 0.0], minor=False)
    panel.minorticks_off()
    panel.axhline(0.0, color=NEUTRAL, lw=0.8)
    panel.set(xlabel="Epoch, no early stopping", ylabel="Training\nloss")
    add_legend(axes, headroom=0.5)
    return Drawn(layout.figure, (axes, panel), artists)


@in_print_style
def plot_reach(geometries: Sequence[Geometry]) -> Drawn:
    """Draw the error by reach, with and without a range of the output, against dropping and ignoring."""
    layout = new_figure()
    axes, artists = layout.main, {}
    parts = (("with_range", "signed_squared"), ("without_range", "signed_squared, no range of the output"))
    for position, (attribute, label) in enumerate(parts):
        values = np.array([getattr(geometry, attribute) for geometry in geometries])
        mean, error = values.mean(axis=0), values.std(axis=0, ddof=min(1, len(values) - 1)) / np.sqrt(len(values))
        style: dict[str, Any] = {"color": colour_of(position), "ls": ("-", "--")[position], "marker": "os"[position]}
        artists[attribute] = axes.errorbar(REACHES, mean, yerr=error, label=label, ms=4, **style)
    for position, name in enumerate(("ignore the marks", "drop the marked"), start=2):
        level = float(np.mean([geometry.error[name] for geometry in geometries]))
        artists[name] = axes.axhline(level, color=colour_of(position), ls=(":", "-.")[position - 2], label=name)
    axes.set_xscale("log", base=2)
    axes.set(xlabel="Reach a of a counter-example [sd of target]", ylabel="Error: rms of prediction − truth")
    axes.set_ylim(bottom=0.0)
    add_legend(axes, headroom=0.4)
    return Drawn(layout.figure, (axes,), artists)


def table(geometries: Sequence[Geometry]) -> str:
    """Return the errors as a Markdown table, with the paired difference to dropping."""
    lines = ["| | error | error − that of dropping, paired |", "|---|---|---|"]
    dropped = np.array([geometry.error["drop the marked"] for geometry in geometries])
    for name in geometries[0].error:
        values = np.array([geometry.error[name] for geometry in geometries])
        lines.append(f"| {name} | {_mean(values)} | {_mean(values - dropped)} |")
    kept = all(geometry.in_bounds for geometry in geometries)
    return "\n".join([*lines, "", f"All predictions within their bounds: {'yes' if kept else 'NO'}."])


def _mean(values: Float) -> str:
    error = values.std(ddof=1) / np.sqrt(len(values)) if len(values) > 1 else float("nan")
    return f"{values.mean():.3f} ± {error:.3f}"


QUICK = Setup(400, 500, settings={"folds": 2, "batch_size": 64, "epochs": 2}, epochs=3)


def main(arguments: Sequence[str] | None = None) -> list[Geometry]:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=list(range(1, 11)), help="of the geometries")
    parser.add_argument("--unmarked", type=float, default=0.2, help="share of the events that are unmarked mistakes")
    parser.add_argument("--figures", type=Path, default=Path(__file__).parent / "figures", help="folder of the figures")
    parser.add_argument("--quick", action="store_true")
    chosen = parser.parse_args(arguments)
    setup = replace(QUICK if chosen.quick else Setup(), unmarked=chosen.unmarked)
    seeds = chosen.seeds[:1] if chosen.quick else chosen.seeds
    geometries = [measure(seed, setup) for seed in seeds]
    print(table(geometries))
    events = MistakenToy.make(seeds[0]).sample(np.random.default_rng(5), setup.events // 4)
    runs = {name: overtrain(events, loss, output, setup.epochs) for name, (loss, output) in RUNS.items()}
    signed = signed_as_graded(seeds[0], setup.events // 4)
    runs[NAIVE_WEIGHTS] = overtrain(signed, SquaredLoss(), "linear", setup.epochs)
    for name, (loss, largest) in runs.items():
        print(f"{name}: loss {loss[-1]:.3g}, largest prediction {largest[-1]:.3g} sd after {setup.epochs} epochs")
    save(plot_runs(runs).figure, chosen.figures / "counter_examples_runs")
    save(plot_reach(geometries).figure, chosen.figures / "counter_examples_reach")
    return geometries


if __name__ == "__main__":
    main()
