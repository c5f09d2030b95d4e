"""Response preference, bounded outputs and activity regularisation where every input can be enumerated."""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from levels import Float, Levels, frontier, levels
from torch import nn

import hepneg
from hepneg._core.log_odds import sigmoid
from hepneg.losses.preference_loss import MARGIN
from hepneg.networks.inference import network_logits
from hepneg.objectives.response_preference import ResponsePreference
from hepneg.plots.style import COLOURS, NEUTRAL, Drawn, empty_figure, in_print_style

LOW = 0.8
SHARES = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6)
PRICES = (0.1, 0.2, 0.4, 0.8)
DEFAULT = ResponsePreference()
FIGURES = Path(__file__).parent / "figures"


@dataclass(frozen=True)
class Point:
    """One network, judged on all cells.

    Attributes:
        wanted: share that was asked for; NaN where none was.
        price: of the preference.
        share: of the input space with a response of at least LOW.
        cross_entropy: exact, in nats.
        lowest: response of any cell.
        highest: response of any cell.
    """

    wanted: float
    price: float
    share: float
    cross_entropy: float
    lowest: float
    highest: float


def points(space: Levels, events: hepneg.EventTable, epochs: int, **settings: Any) -> Iterator[Point]:
    """Train two networks and judge each on all cells."""
    objective = settings.get("objective", {})
    network = {"hidden": [32, 32], **settings.pop("network", {})}
    settings = {"folds": 2, "epochs": epochs, **settings, "network": network}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", hepneg.HepnegWarning)  # a missed share is in the table
        classifier = hepneg.train(events, "absolute", **settings)
    for trained in classifier.networks:
        response = sigmoid(network_logits(trained, space.cells))
        wanted, price = objective.get("share", np.nan), objective.get("price", DEFAULT.price)
        found = space.share(response, LOW), space.cross_entropy(response)
        yield Point(wanted, price, *found, float(response.min()), float(response.max()))


def surrogate_optimum(space: Levels) -> tuple[Float, Float]:
    """Return share and cross-entropy of the best responses for the smooth surrogate, by its price, (P,) each."""
    logit = np.linspace(-6, 6, 1201)
    response = sigmoid(logit)
    loss = -0.5 * (np.outer(space.signal, np.log(response)) + np.outer(space.background, np.log1p(-response)))
    depth, temperature = logit - np.log(LOW / (1 - LOW)), DEFAULT.temperature
    margin = MARGIN * temperature
    prices = np.concatenate([-np.geomspace(1.0, 0.01, 60), np.geomspace(0.01, 1.0, 60)])
    best = []
    for price in prices:
        soft = sigmoid((np.minimum(depth, margin) if price > 0 else np.maximum(depth, -margin)) / temperature)
        best.append(response[np.argmin(loss - price * space.mass[:, None] * soft, axis=1)])
    shares, losses = np.array([(space.share(y, LOW), space.cross_entropy(y)) for y in best]).T
    return shares, losses


def shifted(space: Levels) -> tuple[Float, Float]:
    """Return share and cross-entropy where a constant is added to the exact log-odds, (P,) each."""
    logit = np.log(space.signal / space.background)
    moved = [sigmoid(logit + amount) for amount in np.linspace(-2.5, 3.0, 200)]
    shares, losses = np.array([(space.share(y, LOW), space.cross_entropy(y)) for y in moved]).T
    return shares, losses


@in_print_style
def draw(space: Levels, met: Sequence[Point], plain: Sequence[Point], priced: Sequence[Point]) -> Drawn:
    """Draw the share reached against the share wanted, and the trade-off between share and cross-entropy."""
    figure = empty_figure((9.0, 4.8))
    above = {
        "loc": "lower left",
        "bbox_to_anchor": (0.0, 1.01),
        "fontsize": 8.5,
        "borderaxespad": 0.0,
        "columnspacing": 1.0,
    }
    left, right = figure.subplots(1, 2)
    wanted, reached = np.array([(point.wanted, point.share) for point in met]).T
    left.axline((0, 0), slope=1, color=NEUTRAL, lw=1, label="as wanted")
    left.plot(wanted, reached, "o", color=COLOURS[0], mfc="none", mew=1.4, ms=6, label="trained networks")
    left.axhline(space.share(space.best, LOW), color=COLOURS[1], ls=":", label="exact log-odds, no preference")
    left.set(
        xlabel=f"Wanted share with response ≥ {LOW:g}", ylabel="Share of the input space", xlim=(0, 0.7), ylim=(0, 0.7)
    )
    left.legend(**above)
    curves = (
        (frontier(space, LOW), "-", "exact optimum"),
        (surrogate_optimum(space), "--", "optimum of the surrogate"),
    )
    for ((shares, losses), style, label), colour in zip(curves, (NEUTRAL, COLOURS[2]), strict=True):
        right.plot(shares, losses, style, color=colour, label=label)
    right.plot(*shifted(space), ":", color=COLOURS[1], label="exact log-odds + constant")
    marks = (
        (met, "o", COLOURS[0], "preference, default price"),
        (priced, "s", COLOURS[3], "share 0.6, lower prices"),
        (plain, "*", "black", "plain cross-entropy"),
    )
    for chosen, mark, colour, label in marks:
        at = [point.share for point in chosen], [point.cross_entropy for point in chosen]
        right.plot(*at, mark, color=colour, mfc="none", mew=1.4, ms=9 if mark == "*" else 6, label=label)
    right.set(xlabel=f"Share with response ≥ {LOW:g}", ylabel="Cross-entropy [nats]", xlim=(0, 0.7), ylim=(0.51, 0.75))
    right.legend(**above, ncols=2)
    return Drawn(figure, (left, right), {})


def bounded_rows(space: Levels, events: hepneg.EventTable, epochs: int) -> Iterator[str]:
    """Yield a table row for each bounded output: its extreme responses, its loss and the least loss in the range."""
    low, high = 0.2, 0.8
    least = space.cross_entropy(np.clip(space.best, low, high))
    for activation in ("sigmoid", "tanh", "clipped"):
        output = {"activation": activation, "low": low, "high": high}
        for point in points(space, events, epochs, network={"output": output}):
            ends = f"{point.lowest:.3f} | {point.highest:.3f}"
            yield f"| {activation} | {ends} | {point.cross_entropy:.4f} | {least:.4f} |"


def activity_rows(space: Levels, events: hepneg.EventTable, epochs: int) -> Iterator[str]:
    """Yield a table row for each strength of the activity regularisation of the second hidden layer."""
    for strength in (-0.1, 0.0, 0.1):
        settings = {
            "activity": {"strength": strength, "layers": [2]},
            "network": {"hidden": [32, 32], "activation": "tanh"},
            "calibration": "none",
        }
        for trained in hepneg.train(events, "absolute", folds=2, epochs=epochs, **settings).networks:
            response = sigmoid(network_logits(trained, space.cells))
            body = trained.body
            active = network_logits(nn.Sequential(body.scaling, *list(body.layers)[:4]), space.cells)
            mean = float(space.mass @ np.abs(active).mean(axis=1))
            yield f"| {strength:g} | {mean:.3f} | {space.cross_entropy(response):.4f} |"


def main() -> None:
    """Print the tables and draw the figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a few events and epochs, to see that it works")
    parser.add_argument("-o", "--output", type=Path, default=FIGURES, help="folder of the figure")
    options = parser.parse_args()
    space, epochs = levels(), 2 if options.quick else 60
    events = space.events(4_000 if options.quick else 100_000, 1)

    def preference(share: float, **more: float) -> list[Point]:
        objective = {"name": "response_preference", "share": share, "low": LOW, **more}
        return list(points(space, events, epochs, objective=objective))

    plain = list(points(space, events, epochs))
    met = [point for share in SHARES[:: 6 if options.quick else 1] for point in preference(share)]
    priced = [point for price in PRICES[:: 3 if options.quick else 1] for point in preference(0.6, price=price)]
    shares, losses = frontier(space, LOW)
    print("| wanted | price | share | cross-entropy | exact optimum at this share |\n" + "|---" * 5 + "|")
    for point in (*plain, *met, *priced):
        least = np.interp(point.share, shares, losses)
        asked = f"| {point.wanted:g} | {point.price:g} |" if point.wanted == point.wanted else "| none | |"
        print(f"{asked} {point.share:.3f} | {point.cross_entropy:.4f} | {least:.4f} |")
    print("\n| output in [0.2, 0.8] | lowest | highest | cross-entropy | least in this range |\n" + "|---" * 5 + "|")
    print("\n".join(bounded_rows(space, events, epochs)))
    print("\n| strength | mean activity | cross-entropy |\n" + "|---" * 3 + "|")
    print("\n".join(activity_rows(space, events, epochs)))
    options.output.mkdir(parents=True, exist_ok=True)
    figure = draw(space, met, plain, priced).figure
    figure.savefig(options.output / "preference.png", dpi=150, metadata={"Software": None})


if __name__ == "__main__":
    main()
