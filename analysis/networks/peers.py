"""Networks side by side under one scheme: signed loss on held-out events, paired with the first, and processor time.

Usage: python analysis/networks/peers.py [--config FILE] [--scheme NAME] [--seeds N] NETWORK [NETWORK ...]

A NETWORK is a name, or a mapping as in `training.network`: 'mlp' '{name: tabular, bins: 8}'; with other settings of the
training a mapping as in `training`: '{network: {name: tabular, bins: 0}, epochs: 24}'. All see the same folds.
The error of a difference is that of the events; the spread over seeds is printed as well, for it is the noise of the
training.
"""

from __future__ import annotations

import argparse
import time
import warnings
from pathlib import Path

import numpy as np
import yaml

import hepneg
from hepneg.metrics import log_loss_influence, paired_difference

EXAMPLE = Path(__file__).parents[1] / "ttbar_wjets" / "analysis.yaml"


def main() -> None:
    """Train each network under each seed, and print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("networks", nargs="+", metavar="NETWORK")
    parser.add_argument("--config", type=Path, default=EXAMPLE)
    parser.add_argument("--scheme", default="combined")
    parser.add_argument("--seeds", type=int, default=1)
    options = parser.parse_args()
    events = hepneg.read(hepneg.load_config(options.config))
    first = None
    for text in options.networks:
        wanted = yaml.safe_load(text)
        settings = wanted if "network" in wanted else {"network": wanted}
        runs = [measure(events, settings, options.scheme, seed) for seed in range(1, options.seeds + 1)]
        first = first or runs
        show(text, events, runs, first)


def measure(events: hepneg.EventTable, settings: dict, scheme: str, seed: int) -> tuple[np.ndarray, float]:
    """Train one network; return the held-out log-odds of the events, and the processor seconds."""
    start = time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", hepneg.HepnegWarning)
        classifier = hepneg.train(events, scheme=scheme, seed=seed, **settings)
    spent = time.process_time() - start
    return classifier.held_out_logit(events), spent


def show(text: str, events: hepneg.EventTable, runs: list, first: list) -> None:
    """Print one network."""
    columns = (events.label, events.weight)
    pairs = [(run, reference) for (run, _), (reference, _) in zip(runs, first, strict=True)]
    differences = [paired_difference(log_loss_influence, *pair, *columns) for pair in pairs]
    values = 1e4 * np.array([difference.value for difference in differences])
    error = 1e4 * np.mean([difference.error for difference in differences])
    spread = f", spread over seeds {values.std(ddof=1):.1f}" if len(values) > 1 else ""
    ratio = sum(spent for _, spent in runs) / sum(spent for _, spent in first)
    loss = np.mean([log_loss_influence(run, *columns).value for run, _ in runs])
    change = f"Δ {values.mean():+6.1f} ± {error:.1f} × 10⁻⁴{spread}"
    print(f"{text:40s} loss {loss:.5f}  {change}  time × {ratio:.2f}", flush=True)


if __name__ == "__main__":
    main()
