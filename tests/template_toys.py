"""Toys for templates: a score from elsewhere with a known density, signed weights whose sign depends on it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from conftest import _write_ntuple

SHAPES = {"sig": (3.0, 1.2), "bkg": (1.2, 3.0), "rare": (2.0, 2.0)}
EVENTS = {"sig": 3000, "bkg": 9000, "rare": 1500}


def scores(name: str, events: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Draw scores in (0, 1) and weights, about 30 % of them negative, more of them at high scores."""
    a, b = SHAPES[name]
    score = rng.beta(a, b, events)
    negative = rng.random(events) < np.clip(0.3 + 0.2 * (score - a / (a + b)), 0.0, 0.49)
    return score, np.where(negative, -1.0, 1.0) * rng.gamma(4.0, 0.25, events)


def columns(name: str, *, shift: float = 0.0) -> dict[str, Any]:
    """Return the columns of a sample; ``shift`` moves the log-odds of the same events."""
    number = list(SHAPES).index(name)
    rng = np.random.default_rng(number)
    score, weight = scores(name, EVENTS[name], rng)
    moved = 1.0 / (1.0 + (1.0 - score) / score * np.exp(-shift))
    return {
        "event": np.arange(EVENTS[name], dtype=np.int64) + 100_000 * number,
        "genWeight": weight,
        "bdt": moved,
        "nJet": rng.integers(2, 6, EVENTS[name]).astype(np.int32),
        "up": 1.0 + 0.1 * score,
        "down": 1.0 - 0.1 * score,
    }


def write_toy(folder: Path, **changes: Any) -> Path:
    """Write an analysis of three samples and data with weight, file and normalisation systematics."""
    for name in SHAPES:
        _write_ntuple(folder / f"{name}.root", columns(name))
        for side, shift in (("up", 0.1), ("down", -0.1)):
            _write_ntuple(folder / f"jes_{side}" / f"{name}.root", columns(name, shift=shift))
    rng = np.random.default_rng(9)
    data = {"event": np.arange(4000), "bdt": rng.beta(1.4, 2.6, 4000), "nJet": rng.integers(2, 6, 4000)}
    _write_ntuple(folder / "data.root", {key: column.astype(np.float64) for key, column in data.items()})
    path = folder / "analysis.yaml"
    path.write_text(yaml.safe_dump(config_data() | changes, sort_keys=False))
    return path


def config_data() -> dict[str, Any]:
    """Return the configuration as a dictionary."""
    labels: Mapping[str, str] = {"sig": "signal", "bkg": "background", "rare": "background"}
    return {
        "name": "toy",
        "weight": "genWeight",
        "event_id": "event",
        "samples": {
            **{name: {"label": label, "files": f"{name}.root"} for name, label in labels.items()},
            "observed": {"label": "data", "files": "data.root"},
        },
        "regions": {"SR": "nJet >= 4", "CR": "nJet < 4"},
        "response": "bdt",
        "systematics": {
            "scale_up": "genWeight * up",
            "scale_down": "genWeight * down",
            "jes": {"up": "jes_up/{stem}.root", "down": "jes_down/{sample}.root"},
            "lumi": {"normalisation": 1.016},
            "xsec": {"normalisation": 1.1, "samples": ["bkg"]},
        },
    }
