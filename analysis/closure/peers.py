"""Other tools on the same signed events, with their own defaults."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hepneg import EventTable

Float = NDArray[np.float64]
Weighting = Callable[[Float], Float]

WEIGHTS: Mapping[str, Weighting] = {"signed": np.array, "absolute": np.abs}


def _models(seed: int) -> dict[str, Any]:
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.neural_network import MLPClassifier

    models: dict[str, Any] = {
        "HistGradientBoosting": HistGradientBoostingClassifier(random_state=seed),
        "MLPClassifier": MLPClassifier(random_state=seed),
        "MLPClassifier, early stopping": MLPClassifier(random_state=seed, early_stopping=True),
    }
    if find_spec("lightgbm"):
        from lightgbm import LGBMClassifier

        models["LightGBM"] = LGBMClassifier(random_state=seed, n_jobs=1, verbose=-1)
    return models


def peer_logits(events: EventTable, features: NDArray[np.float32], seed: int) -> dict[str, Float]:
    """Train every peer under every weighting and return its log-odds at ``features``, by name."""
    found = {}
    for weighting, transform in WEIGHTS.items():
        weight = _balanced(transform(events.weight), events.label)
        for name, model in _models(seed).items():
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of training that has not converged
                model.fit(np.asarray(events.features), events.label, sample_weight=weight)
                probability = model.predict_proba(features)[:, 1]
            clipped = np.clip(probability, 1e-6, 1 - 1e-6)
            found[f"{name}, {weighting}"] = np.log(clipped / (1 - clipped))
    return found


def _balanced(weight: Float, label: NDArray[np.int8]) -> Float:
    """Scale both labels to the same sum, so that the log-odds are those of equal priors."""
    sums = np.bincount(label, weights=weight)
    return np.asarray(weight * (0.5 * len(weight) / sums)[label])
