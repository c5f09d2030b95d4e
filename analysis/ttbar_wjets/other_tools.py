"""What refined weights are worth to a tool that knows no negative ones: boosted trees on the real events.

    python analysis/ttbar_wjets/other_tools.py           needs xgboost and lightgbm
    python analysis/ttbar_wjets/other_tools.py --quick   small networks, to see that it runs

Five folds, the same for all. The trees of a fold, and the sign networks behind their refined weights, have not seen the
events that judge them. All are judged with the signed weights, and the differences to the first row are paired.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import hepneg
from hepneg._core.hashing import assign_folds
from hepneg.metrics import auc_influence, log_loss_influence, paired_difference
from hepneg.signs.refined_weight import refined_weight

Float = NDArray[np.float64]

FOLDS, SEED = 5, 1
SIZE = {"n_estimators": 300, "learning_rate": 0.05, "max_depth": 4}
QUICK: dict[str, Any] = {"network": {"hidden": [8]}, "epochs": 2}


def xgboost() -> Any:
    from xgboost import XGBClassifier

    return XGBClassifier(**SIZE, n_jobs=1, random_state=SEED)


def lightgbm() -> Any:
    from lightgbm import LGBMClassifier

    return LGBMClassifier(**SIZE, num_leaves=16, n_jobs=1, random_state=SEED, verbose=-1)


MODELS: Mapping[str, Callable[[], Any]] = {"xgboost": xgboost, "lightgbm": lightgbm}


def train_weights(events: hepneg.EventTable, settings: Mapping[str, Any]) -> dict[str, Float]:
    """Return what each weighting trains on, (n, folds): column k is for the trees that do not see fold k."""
    refinement = hepneg.refine(events, folds=FOLDS, seed=SEED, **settings)
    code = events.sample.astype(np.int64)
    refined = [refined_weight(events, signs.at(events.features, code)) for signs in refinement.signs]
    same = {
        "|w|": np.abs(events.weight),
        "w > 0 alone": np.maximum(events.weight, 0.0),
        "w": events.weight,
    }
    return {"refined": np.stack(refined, axis=1), **{name: np.tile(w[:, None], FOLDS) for name, w in same.items()}}


def held_out_logit(make: Callable[[], Any], events: hepneg.EventTable, weight: Float) -> Float:
    """Return log-odds of every event by trees that have not seen it, (n,)."""
    fold_of = assign_folds(events.event_id, FOLDS, SEED)
    features, logit = np.asarray(events.features), np.empty(len(events))
    for fold in range(FOLDS):
        seen = (fold_of != fold) & (weight[:, fold] != 0)
        w, label = weight[seen, fold], events.label[seen]
        balanced = w * (0.5 * len(w) / np.bincount(label, weights=w))[label]
        model = make().fit(features[seen], label, sample_weight=balanced)
        p = np.clip(model.predict_proba(features[fold_of == fold])[:, 1].astype(np.float64), 1e-6, 1 - 1e-6)
        logit[fold_of == fold] = np.log(p / (1 - p))
    return logit


def measure(events: hepneg.EventTable, settings: Mapping[str, Any]) -> dict[str, Float]:
    """Return held-out log-odds by tool and weighting; XGBoost refuses negative weights."""
    weights = train_weights(events, settings)
    return {
        f"{tool}, {name}": held_out_logit(make, events, weight)
        for tool, make in MODELS.items()
        if find_spec(tool)
        for name, weight in weights.items()
        if tool != "xgboost" or (weight >= 0).all()
    }


def table(events: hepneg.EventTable, found: Mapping[str, Float]) -> str:
    """Return the figures as Markdown."""
    lines = ["| trained on | AUC | signed loss (nats) | AUC − first | loss − first |", "|---" * 5 + "|"]
    first, label, weight = next(iter(found.values())), events.label, events.weight
    for name, logit in found.items():
        values = [influence(logit, label, weight).estimate() for influence in (auc_influence, log_loss_influence)]
        differences = [
            "" if logit is first else str(paired_difference(influence, logit, first, label, weight))
            for influence in (auc_influence, log_loss_influence)
        ]
        lines.append(f"| {name} | {values[0]} | {values[1]} | {differences[0]} | {differences[1]} |")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> dict[str, Float]:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    chosen = parser.parse_args(arguments)
    events = hepneg.read(hepneg.load_config(Path(__file__).with_name("analysis.yaml")))
    found = measure(events, QUICK if chosen.quick else {})
    print(table(events, found))
    return found


if __name__ == "__main__":
    main()
