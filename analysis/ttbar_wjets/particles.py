"""Networks of objects against the default on flat features that hold the same information: paired signed losses.

Usage: python analysis/ttbar_wjets/particles.py [--scheme NAME] [--every N] [--jets N] [NETWORK ...]

The first line is `mlp` with its default settings on the four-vectors and tags of the four hardest jets, the lepton and
the missing momentum; the others take the collections of particles.yaml. All see the same events and folds. `--every N`
takes every N-th event, by its number, and `--jets N` the hardest N jets as flat features.
"""

from __future__ import annotations

import argparse
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np

import hepneg
from hepneg.metrics import log_loss_influence, paired_difference

HERE = Path(__file__).parent
KINDS = ("pt", "eta", "phi", "mass", "btag")


def flat_features(jets: int) -> list[Any]:
    """Return the features of the first line: those of the event, the lepton and so many jets, 0 where there is none."""
    event = ("lep_pt", "lep_eta", "lep_phi", "lep_charge", "met", "met_phi", "mT_W", "nJet")
    return [*event, *({f"jet{i}_{kind}": f"pad(Jet_{kind}, {i}, 0)"} for i in range(jets) for kind in KINDS)]


def read(every: int, **change: Any) -> hepneg.EventTable:
    """Read the events, all or a part of them; their numbers are even."""
    config = hepneg.load_config(HERE / "particles.yaml")
    data = {**config.to_dict(), "selection": f"nJet >= 2 and event % {2 * every} == 0", **change}
    return hepneg.read(hepneg.Config.from_dict(data, HERE))


def measure(events: hepneg.EventTable, scheme: str, **settings: Any) -> tuple[np.ndarray, float]:
    """Train; return the held-out log-odds and the processor seconds."""
    start = time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", hepneg.HepnegWarning)
        classifier = hepneg.train(events, scheme, **settings)
    spent = time.process_time() - start
    return classifier.held_out_logit(events), spent


def main() -> None:
    """Train each network, and print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("networks", nargs="*", default=["deep_sets"], metavar="NETWORK")
    parser.add_argument("--scheme", default="auto")
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--jets", type=int, default=4)
    parser.add_argument("--folds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=12)
    options = parser.parse_args()
    flat = read(options.every, features=flat_features(options.jets), collections={}, training={})
    first, spent = measure(flat, options.scheme, folds=options.folds, seed=1)
    show("mlp, flat", flat, first, first, spent)
    events = read(options.every)
    for network in options.networks:
        settings = {"folds": options.folds, "epochs": options.epochs, "seed": 1, "network": network}
        logit, spent = measure(events, options.scheme, **settings)
        show(network, events, logit, first, spent)


def show(name: str, events: hepneg.EventTable, logit: np.ndarray, first: np.ndarray, spent: float) -> None:
    """Print the signed loss, and its difference from the first."""
    columns = (events.label, events.weight)
    loss = log_loss_influence(logit, *columns).estimate()
    change = paired_difference(log_loss_influence, logit, first, *columns)
    difference = f"Δ {1e4 * change.value:+.1f} ± {1e4 * change.error:.1f} × 10⁻⁴"
    print(f"{name:22s} {len(events)} events, loss {loss}, {difference}, {spent:.0f} s of a processor", flush=True)


if __name__ == "__main__":
    main()
