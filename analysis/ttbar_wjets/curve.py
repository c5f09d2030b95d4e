"""Is the curve of `hepneg.refine` worth having in training? The scheme `refined` with and without it, paired.

Usage: python analysis/ttbar_wjets/curve.py [--epochs N] [--seeds N]

`hepneg.refine` corrects ĝ with a curve over the held-out events of all folds; the scheme `refined` does not. Both have
the same sign networks. On one half of the events one classifier is trained with the weights of the scheme and one with
those of `hepneg.refine`; both are evaluated on the other half, with signed weights. (Held-out events of the same half
would not do: the curve, and the networks of the other folds, have seen their signs.) The halves change with the seed.
"""

from __future__ import annotations

import argparse
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np

import hepneg
from hepneg.metrics import log_loss_influence, paired_difference

HERE = Path(__file__).parent


def main() -> None:
    """Print the agreement of ĝ with the signs under both, and the difference of the losses, for each seed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--seeds", type=int, default=6)
    options = parser.parse_args()
    events = hepneg.read(hepneg.load_config(HERE / "analysis.yaml"))
    values = np.array([one_seed(events, seed, options.epochs).value for seed in range(1, options.seeds + 1)])
    noise = values.std(ddof=1) / np.sqrt(len(values))
    print(f"mean over seeds {values.mean():+.5f} ± {noise:.5f} nats (spread over halves and trainings)")


def one_seed(events: hepneg.EventTable, seed: int, epochs: int) -> hepneg.Estimate:
    """Train both, print a row, and return loss with the curve minus loss without."""
    first = np.random.default_rng(seed).random(len(events)) < 0.5
    half, other = events.select(first), events.select(~first)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", hepneg.HepnegWarning)
        plain = hepneg.train(half, "refined", seed=seed, epochs=epochs)
        refinement = hepneg.refine(half, seed=seed, epochs=epochs)
        positive = replace(half, weight=refinement.held_out_weight(half))
        curved = hepneg.train(positive, "absolute", seed=seed, epochs=epochs)
    logits = (model.logit(other.features) for model in (curved, plain))
    difference = paired_difference(log_loss_influence, *logits, other.label, other.weight)
    agreement = [
        f"{name} χ² {plain.health['samples'][name]['calibration']['chi2']:.1f} → {closure.calibration.chi2:.1f} "
        f"of {closure.calibration.ndf}"
        for name, closure in refinement.closure.items()
    ]
    print(f"seed {seed}: {'; '.join(agreement)}; loss with the curve − without {difference} nats", flush=True)
    return difference


if __name__ == "__main__":
    main()
