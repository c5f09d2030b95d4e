"""Other ways to the neutrino's pz on the same held-out events: `python analysis/neutrino_pz/schemes.py`."""

from __future__ import annotations

from pathlib import Path

import numpy as np

import hepneg
from hepneg.metrics import bias, mean_squared_error, paired_difference, resolution, squared_error_influence

ROWS = (("refined", "squared"), ("absolute", "squared"), ("signed", "squared"), ("refined", "huber"))


def main() -> None:
    config = hepneg.load_config(Path(__file__).parent / "analysis.yaml")
    events = hepneg.read(config)
    settings = config.training.model_dump(exclude={"scheme", "objective"})
    target, weight = events.required_target(), events.weight
    predictions = {"W mass alone": events.feature("pz_W").astype(np.float64)}
    for scheme, objective in ROWS:
        regressor = hepneg.train_regressor(events, scheme, objective=objective, **settings)
        predictions[f"{scheme}, {objective}"] = regressor.held_out_prediction(events)
    first = predictions["refined, squared"]
    print("| | bias (GeV) | resolution (GeV) | root mean squared error (GeV) | MSE − that of refined, squared |")
    print("|---|---|---|---|---|")
    for name, prediction in predictions.items():
        columns = prediction, target, weight
        loss = mean_squared_error(*columns)
        root = hepneg.Estimate(float(np.sqrt(loss.value)), loss.error / (2 * float(np.sqrt(loss.value))))
        paired = paired_difference(squared_error_influence, prediction, first, target, weight)
        print(f"| {name} | {bias(*columns)} | {resolution(*columns)} | {root} | {paired} |", flush=True)


if __name__ == "__main__":
    main()
