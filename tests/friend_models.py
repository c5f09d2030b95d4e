"""Small trained models for the tests of friend files and of the export."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import torch
from conftest import toy_columns

from hepneg._core.hashing import assign_folds
from hepneg.events import EventTable
from hepneg.models.classifier import Classifier, ModelInputs
from hepneg.models.training import train
from hepneg.ntuples.identity import identify_file

FEATURES = {"x0": "x0", "logx2": "log(x2 + 1)", "jet1_pt": "jet_pt[:, 0]"}
SELECTION = "len(jet_pt) >= 1"


def feature_matrix(columns: Mapping[str, Any]) -> np.ndarray:
    """The features by hand, (n, 3) float32."""
    first = ak.to_numpy(ak.fill_none(ak.firsts(columns["jet_pt"]), 0.0))
    return np.column_stack([columns["x0"], np.log(columns["x2"].astype(np.float64) + 1), first]).astype(np.float32)


def small_classifier(folds: int = 3, seed: int = 1) -> Classifier:
    """Train for two epochs on the features above; the networks of the folds differ."""
    parts = [toy_columns(600, shift, seed + number) for number, shift in enumerate((1.0, 0.0))]
    features = np.concatenate([feature_matrix(part) for part in parts])
    weight = np.concatenate([part["genWeight"] for part in parts])
    table = EventTable.from_arrays(features, weight, np.repeat([1, 0], 600), feature_names=list(FEATURES))
    network = {"hidden": [8, 8]}
    return train(table, "absolute", folds=folds, epochs=2, network=network, seed=seed, learning_rate=0.03)


def save_model(
    classifier: Classifier,
    folder: Path,
    *,
    files: Sequence[Path] = (),
    event_id: Sequence[str] = ("event",),
    **inputs: Any,
) -> Path:
    """Save a classifier as if it had been trained on some files."""
    known = tuple(identify_file(str(path)) for path in files)
    full = ModelInputs(FEATURES, SELECTION, tuple(event_id), "Events", "genWeight", known)
    return replace(classifier, inputs=replace(full, **inputs)).save(folder)


def expected_logit(
    classifier: Classifier, columns: Mapping[str, Any], *, held_out: bool, ids: np.ndarray
) -> np.ndarray:
    """The log-odds by hand, (n,), NaN for events without jets."""
    features = feature_matrix(columns)
    with torch.inference_mode():
        each = np.stack([network(torch.from_numpy(features)).numpy() for network in classifier.networks])
    own = assign_folds(ids, classifier.folds, classifier.seed)
    logit = each[own, np.arange(len(features))] if held_out else each.mean(axis=0)
    return np.where(ak.to_numpy(ak.num(columns["jet_pt"])) >= 1, logit, np.nan)
