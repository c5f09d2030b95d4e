"""Other tools on the same signed events, with their own defaults.

LightGBM and XGBoost take part where they are installed (`pip install lightgbm xgboost`). XGBoost refuses negative
weights; it gets |w|, the positive events alone, and refined weights.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

import hepneg
from hepneg import EventTable

Float = NDArray[np.float64]
Weighting = Callable[[EventTable], Float]


def refined(events: EventTable) -> Float:
    """Refined weights by networks that have not seen the event, with the default settings."""
    return hepneg.refine(events).held_out_weight(events)


WEIGHTINGS: Mapping[str, Weighting] = {
    "signed": lambda events: np.array(events.weight),
    "absolute": lambda events: np.abs(events.weight),
    "positive": lambda events: np.maximum(events.weight, 0.0),
    "refined by hepneg": refined,
}
NON_NEGATIVE = tuple(name for name in WEIGHTINGS if name != "signed")


def _models(seed: int) -> dict[str, tuple[Any, tuple[str, ...]]]:
    """Every tool with the weightings that it is trained under."""
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.neural_network import MLPClassifier

    both = ("signed", "absolute")
    models: dict[str, tuple[Any, tuple[str, ...]]] = {
        "HistGradientBoosting": (HistGradientBoostingClassifier(random_state=seed), (*both, "positive")),
        "MLPClassifier": (MLPClassifier(random_state=seed), both),
        "MLPClassifier, early stopping": (MLPClassifier(random_state=seed, early_stopping=True), (*both, "positive")),
    }
    if find_spec("lightgbm"):
        from lightgbm import LGBMClassifier

        models["LightGBM"] = (LGBMClassifier(random_state=seed, n_jobs=1, verbose=-1), (*both, "positive"))
    if find_spec("xgboost"):
        from xgboost import XGBClassifier

        models["XGBoost"] = (XGBClassifier(random_state=seed, n_jobs=1), NON_NEGATIVE)
    return models


def peer_logits(events: EventTable, features: NDArray[np.float32], seed: int) -> dict[str, Float]:
    """Train every peer under every weighting it can take and return its log-odds at ``features``, by name."""
    models = _models(seed)
    needed = {name for _, names in models.values() for name in names}
    weights = {name: _balanced(weigh(events), events.label) for name, weigh in WEIGHTINGS.items() if name in needed}
    found = {}
    for name, (model, weightings) in models.items():
        for weighting in weightings:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of training that has not converged
                model.fit(np.asarray(events.features), events.label, sample_weight=weights[weighting])
                probability = model.predict_proba(features)[:, 1]
            clipped = np.clip(probability.astype(np.float64), 1e-6, 1 - 1e-6)
            found[f"{name}, {weighting}"] = np.log(clipped / (1 - clipped))
    return found


def _balanced(weight: Float, label: NDArray[np.int8]) -> Float:
    """Scale both labels to the same sum, so that the log-odds are those of equal priors."""
    sums = np.bincount(label, weights=weight)
    return np.asarray(weight * (0.5 * len(weight) / sums)[label])
