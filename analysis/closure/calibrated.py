"""What the calibration of the response does on toys whose log-odds are known exactly.

    python analysis/closure/calibrated.py                            ten geometries, three schemes
    python analysis/closure/calibrated.py --events 1000 --seeds 1 2
    python analysis/closure/calibrated.py --quick                    seconds, to see that it runs

One training gives both responses, before and after. The excess cross-entropy is that over the exact optimum on
independent events, of a single network (mean over the folds) and of the mean of all of them; χ² per bin is that of the
held-out events of the training. The constants of the calibration were chosen on the seeds 101 to 103.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from measure import QUICK, toy_parser
from toys import Toy, excess_loss

import hepneg
from hepneg.evaluation.classification import Evaluation
from hepneg.networks.calibrated_network import CalibratedNetwork
from hepneg.networks.inference import network_logits

SCHEMES = ("absolute", "signed", "refined")


@dataclass(frozen=True)
class Change:
    """A figure before and after the calibration."""

    before: float
    after: float


def measure(toy: Toy, seed: int, events: int, scheme: str, settings: dict[str, Any]) -> dict[str, Change]:
    """Train once, and return single excess, excess of the mean, χ² per bin and AUC."""
    table = toy.sample(np.random.default_rng([seed, 1]), events)
    test = toy.sample_unsigned(np.random.default_rng([seed, 2]), 20_000).features
    exact = toy.exact_logit(test)
    model = hepneg.train(table, scheme, **settings)
    after = np.array([network_logits(network, test) for network in model.networks])
    before = np.array(
        [network_logits(network.network, test) for network in model.networks if isinstance(network, CalibratedNetwork)]
    )
    evaluation = Evaluation.of_model(model, table)
    was = evaluation.before_calibration
    if was is None:
        raise ValueError("no response of this scheme was calibrated")
    pair = was.calibration, evaluation.calibration
    return {
        "excess of one network": Change(
            *(float(np.mean([excess_loss(z, exact) for z in zs])) for zs in (before, after))
        ),
        "excess of the mean": Change(*(excess_loss(zs.mean(axis=0), exact) for zs in (before, after))),
        "χ² per bin": Change(*(part.chi2 / part.degrees for part in pair)),
        "AUC": Change(was.auc.value, evaluation.auc.value),
    }


def table(found: dict[str, list[dict[str, Change]]]) -> str:
    """Return means over the geometries as a Markdown table, with the worst change of an excess."""
    lines = ["| scheme | figure | before | after | mean change | largest | rises |", "|---|---|---|---|---|---|---|"]
    for scheme, geometries in found.items():
        for name in geometries[0]:
            before, after = (np.array([getattr(own[name], when) for own in geometries]) for when in ("before", "after"))
            unit, scale = (" (10⁻³ nats)", 1e3) if name.startswith("excess") else ("", 1.0)
            change = scale * (after - before)
            lines.append(
                f"| {scheme} | {name}{unit} | {scale * before.mean():.4g} | {scale * after.mean():.4g} | "
                f"{change.mean():+.3g} | {change.max():+.3g} | {np.count_nonzero(change > 0)} of {len(change)} |"
            )
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> dict[str, list[dict[str, Change]]]:
    chosen = toy_parser(__doc__, events=4000, schemes=SCHEMES).parse_args(arguments)
    seeds, events = (chosen.seeds[:1], 1500) if chosen.quick else (chosen.seeds, chosen.events)
    found: dict[str, list[dict[str, Change]]] = {scheme: [] for scheme in chosen.schemes}
    for seed in seeds:
        toy = Toy.make(seed, shapes=chosen.shapes, negative_fraction=chosen.negative_fraction)
        for scheme, own in found.items():
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", hepneg.HepnegWarning)  # a runaway loss shows in the table
                own.append(measure(toy, seed, events, scheme, QUICK if chosen.quick else {}))
        print(f"geometry {seed} done", flush=True)
    print(table(found))
    return found


if __name__ == "__main__":
    main()
