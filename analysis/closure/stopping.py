"""By what should a training on signed weights stop: the signed log-loss, or the signed Brier score?

    python analysis/closure/stopping.py                        seeds 1 to 5, four toys
    python analysis/closure/stopping.py --config a.yaml        events of an analysis instead, a training for each seed
    python analysis/closure/stopping.py --quick                seconds, to see that it runs

Where a density is negative the signed log-loss has no minimum: the epoch with the lowest one may be the one that sent
most log-odds to their bound. Two trainings of each toy, the same but for the validation loss. Toys whose densities are
positive (toys.py, strong and mild) are judged by the cross-entropy in excess of the exact optimum; those with a
negative part (gauss_negative of published_toys.py in x, with two more features and a wide positive background, and the
plane) by the Brier score in excess of the best response in [0, 1], with the exact densities in the place of signs:
neither measure has the noise of signs. ``bound`` is the share of Σ|w| within a tenth of the largest |log-odds|. With
a configuration the score is that of held-out events, with their signs.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from kept import Kept
from measure import QUICK
from numpy.typing import NDArray
from published_toys import LINES, Plane, normal
from torch import nn
from toys import Toy, excess_loss

import hepneg
from hepneg._core.estimate import Estimate
from hepneg._core.log_odds import sigmoid
from hepneg.config import Task
from hepneg.metrics import ScoredEvents
from hepneg.metrics.class_scores import output_brier, unscored
from hepneg.networks.inference import network_logits
from hepneg.objectives.label_loss import LabelLoss
from hepneg.objectives.objective import register
from hepneg.objectives.rows import LossGradient
from hepneg.objectives.validation_loss import ValidationLoss
from hepneg.studies.recommendation import standings

Float = NDArray[np.float64]

SCHEMES = {
    "signed": {"name": "signed"},
    "nearest": {"name": "paired", "flavour": "nearest"},
    "absolute": {"name": "absolute"},
}
STOPS = {"log-loss": "cross_entropy", "Brier": "stopped_by_brier"}
GAUSS = next(line for line in LINES if line.name == "gauss_negative")
WIDE = 1.5
TEST_EVENTS = 100_000


class StoppedByBrier(LabelLoss):
    """The cross-entropy, with the Brier score as validation loss."""

    def direct(self) -> LossGradient | None:
        return LabelLoss().direct()

    def validation_loss(self, events: hepneg.EventTable, weight: Float) -> ValidationLoss:
        known = unscored(events, weight)

        def brier(network: nn.Module) -> Estimate:
            logit = network_logits(network, events.inputs)
            score = output_brier(known.with_score(np.nan_to_num(logit))).estimate()
            return score if np.isfinite(logit).all() else Estimate(float("nan"), score.error)

        return brier


@register
@dataclass(frozen=True)
class BrierObjective:
    """Cross-entropy, stopped by the Brier score."""

    name: ClassVar[str] = "stopped_by_brier"
    task: ClassVar[Task] = "classification"
    probability: ClassVar[bool] = True
    several_classes: ClassVar[bool] = True

    def make_loss(self) -> LabelLoss:
        """Return a new loss."""
        return StoppedByBrier()


@dataclass(frozen=True, eq=False)
class Case:
    """A toy: its signed events, points of ½(h₀ + h₁) to judge at, and what a log-odds there is worth."""

    events: hepneg.EventTable
    points: Float
    excess: Callable[[Float], float]


def positive(seed: int, n: int, shapes: str) -> Case:
    toy = Toy.make(seed, shapes=shapes, negative_fraction=0.3)
    points = toy.sample_unsigned(np.random.default_rng([seed, 2]), TEST_EVENTS // 2).features
    return Case(
        toy.sample(np.random.default_rng([seed, 1]), n),
        points,
        partial(excess_loss, exact=toy.exact_logit(points)),
    )


def gauss(seed: int, n: int) -> Case:
    def draw(part: int, size: int) -> tuple[Float, Float]:
        rng = np.random.default_rng([seed, part])
        x, weight = GAUSS.sample(rng, size)
        first = np.concatenate([WIDE * rng.normal(size=size), x])
        return np.column_stack([first, rng.normal(size=(2 * size, 2))]), np.concatenate([np.ones(size), weight])

    (x, weight), (points, _) = draw(1, n), draw(2, TEST_EVENTS // 2)
    line = points[:, 0]
    plus, minus = 0.8 * normal(line, 1.0), 0.2 * normal(line, GAUSS.width)
    background = normal(line, WIDE)
    size = 0.5 * (background + plus + minus)
    excess = partial(excess_brier, background / size, (plus - minus) / 0.6 / size)
    events = hepneg.EventTable.from_arrays(x, weight, np.repeat([0, 1], n), event_id=np.arange(2 * n))
    return Case(events, points, excess)


def plane(seed: int, n: int) -> Case:
    toy = Plane()
    points = toy.sample(np.random.default_rng([seed, 2]), TEST_EVENTS // 2).features.astype(np.float64)
    size = 0.5 * sum(absolute_density(toy, points, label) for label in (0, 1))
    ratios = (toy.density(points, label) / size for label in (0, 1))
    return Case(toy.sample(np.random.default_rng([seed, 1]), n), points, partial(excess_brier, *ratios))


def absolute_density(toy: Plane, points: Float, label: int) -> Float:
    x, y = points[:, 0] - toy.shift * label, points[:, 1]
    wide, narrow = (normal(x, width) * normal(y, width) for width in (toy.wide, toy.narrow))
    return np.asarray((2 * wide + narrow) / 3)


def excess_brier(background: Float, signal: Float, logit: Float) -> float:
    """Return the Brier score above that of the best response in [0, 1], densities given in units of the points'."""

    def score(response: Float) -> Float:
        return 0.5 * (signal * (1 - response) ** 2 + background * response**2)

    total = background + signal
    inner = np.clip(signal / np.where(total > 0, total, 1.0), 0.0, 1.0)
    best = np.where(total > 0, inner, signal > background)  # where both are negative the score is concave
    return float(np.mean(score(sigmoid(logit)) - score(best)))


TOYS = {
    "strong": partial(positive, shapes="strong"),
    "mild": partial(positive, shapes="mild"),
    "gauss_negative": gauss,
    "plane": plane,
}


def trained(
    events: hepneg.EventTable, scheme: str, stop: str, seed: int, settings: dict[str, Any]
) -> hepneg.Classifier:
    return hepneg.train(events, SCHEMES[scheme], objective={"name": STOPS[stop]}, seed=seed, **settings)


def on_toy(kind: str, scheme: str, stop: str, seed: int, n: int, settings: dict[str, Any]) -> list[float]:
    case = TOYS[kind](seed, n)
    model = trained(case.events, scheme, stop, seed, settings)
    logit = model.logit(case.points)
    return [1e3 * case.excess(logit), 100 * at_bound(model, case.events), epochs(model)]


def on_events(events: hepneg.EventTable, scheme: str, stop: str, seed: int, settings: dict[str, Any]) -> list[float]:
    model = trained(events, scheme, stop, seed, settings)
    score = output_brier(ScoredEvents.of_table(events, model.output_of_fold(events)))
    return [1e3 * score.value, 100 * at_bound(model, events), epochs(model)]


def at_bound(model: hepneg.Classifier, events: hepneg.EventTable) -> float:
    scored = ScoredEvents.of_table(events, model.output_of_fold(events))
    return standings({"": scored})[""].at_bound


def epochs(model: hepneg.Classifier) -> float:
    return float(np.mean([history.best_epoch for history in model.histories]))


def line(kind: str, scheme: str, found: dict[str, list[list[float]]]) -> str:
    """Return a row: means of both ways to stop, and the difference of what they are worth, paired by seed."""
    log, brier = (np.array(found[stop]) for stop in STOPS)
    gap = brier[:, 0] - log[:, 0]
    error = gap.std(ddof=1) / np.sqrt(len(gap)) if len(gap) > 1 else float("nan")
    (one, one_bound, one_epoch), (two, two_bound, two_epoch) = log.mean(axis=0), brier.mean(axis=0)
    return (
        f"| {kind} | {scheme} | {one:.2f} | {two:.2f} | {gap.mean():+.2f} ± {error:.2f} | {one_bound:.1f} | "
        f"{two_bound:.1f} | {one_epoch:.1f} | {two_epoch:.1f} |"
    )


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kinds", nargs="+", default=list(TOYS), choices=list(TOYS))
    parser.add_argument("--schemes", nargs="+", default=["signed"], choices=list(SCHEMES))
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3, 4, 5])
    parser.add_argument("--events", type=int, default=5000, help="of each label of a toy")
    parser.add_argument("--folds", type=int, default=2)
    parser.add_argument("--config", type=Path, help="an analysis whose events are taken in the place of toys")
    parser.add_argument("--keep", type=Path, help="file with a line for each training, added to where it is there")
    parser.add_argument("--quick", action="store_true")
    chosen = parser.parse_args(arguments)
    kinds, seeds, n, settings = chosen.kinds, chosen.seeds, chosen.events, {"folds": chosen.folds}
    if chosen.quick:
        seeds, n, settings = seeds[:1], 1000, QUICK
    events = hepneg.read(hepneg.load_config(chosen.config)) if chosen.config else None
    warnings.simplefilter("ignore", hepneg.HepnegWarning)
    kept = Kept(chosen.keep)
    print("| events | scheme | log-loss | Brier | difference | bound, log-loss | Brier | epoch, log-loss | Brier |")
    print("|---" * 9 + "|")
    for kind in [str(chosen.config)] if events is not None else kinds:
        for scheme in chosen.schemes:
            found: dict[str, list[list[float]]] = {stop: [] for stop in STOPS}
            for seed in seeds:
                for stop in STOPS:
                    how = (
                        partial(on_toy, kind, scheme, stop, seed, n, settings)
                        if events is None
                        else partial(on_events, events, scheme, stop, seed, settings)
                    )
                    found[stop].append(kept.of(kind, scheme, stop, seed, n, settings["folds"], measure=how))
            print(line(kind, scheme, found), flush=True)


if __name__ == "__main__":
    main()
