"""A toy analysis for the tests of columnar code: two samples in several files, and a model trained on them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
from conftest import toy_columns, toy_config

import hepneg
from hepneg._core.hashing import assign_folds
from hepneg.events import EventTable

EVENTS = 2500  # in each file


def columns_of(shift: float, seed: int, first_id: int) -> dict[str, Any]:
    """Toy events whose weights differ in magnitude, so that sums are rounded."""
    columns = toy_columns(EVENTS, shift, seed, first_id=first_id)
    spread = np.random.default_rng(seed).lognormal(0.0, 0.5, EVENTS).astype(np.float32)
    return {**columns, "genWeight": columns["genWeight"] * spread}


def make_analysis(folder: Path, write: Callable[..., Path]) -> hepneg.Config:
    """Write two files a sample, and return the analysis."""
    for number, (name, shift) in enumerate((("sig", 1.0), ("bkg", 0.0))):
        for part in range(2):
            seed = 2 * number + part
            write(folder / f"{name}_{part}.root", columns_of(shift, seed, first_id=seed * EVENTS))
    data = toy_config() | {
        "selection": "len(jet_pt) >= 1",
        "luminosity": 2.0,
        "samples": {
            "sig": {"label": "signal", "files": "sig_*.root", "cross_section": 3.0},
            "bkg": {"label": "background", "files": "bkg_*.root", "cross_section": 5.0},
        },
    }
    return hepneg.Config.from_dict(data, folder)


def make_model(config: hepneg.Config, folder: Path) -> hepneg.Classifier:
    """Train for two epochs on the analysis, with networks that differ, and save it."""
    settings: Mapping[str, Any] = {"folds": 3, "epochs": 2, "network": {"hidden": [8, 8]}, "learning_rate": 0.03}
    inputs = hepneg.ModelInputs.from_config(config)
    classifier = hepneg.train(hepneg.read(config), "absolute", inputs=inputs, **settings)
    classifier.save(folder)
    return classifier


def expected_logit(classifier: hepneg.Classifier, columns: Mapping[str, Any], *, held_out: bool) -> np.ndarray:
    """The log-odds by hand, (n,), NaN for events without jets."""
    jets = ak.num(columns["jet_pt"])
    first = ak.to_numpy(ak.fill_none(ak.firsts(columns["jet_pt"]), 0.0))
    logx2 = np.log(columns["x2"].astype(np.float64) + 1)
    features = np.column_stack([columns["x0"], columns["x1"], logx2, first]).astype(np.float32)
    names = classifier.feature_names
    label = np.arange(len(features)) % 2
    table = EventTable.from_arrays(features, label, label, event_id=columns["event"], feature_names=names)
    assert set(assign_folds(table.event_id, classifier.folds, classifier.seed)) == {0, 1, 2}
    logit = classifier.held_out_logit(table) if held_out else classifier.logit(features)
    return np.where(np.asarray(jets) >= 1, logit, np.nan)
