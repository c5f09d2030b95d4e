"""Toy events with jets for the tests of collections and of the networks that take them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import awkward as ak
import numpy as np
import torch
import yaml
from conftest import toy_columns
from torch import nn

import hepneg
from hepneg.networks import Standardise

JETS = {"pt": "jet_pt", "eta": "jet_eta", "phi": "jet_phi"}
NETWORKS = (
    {"name": "deep_sets", "width": 8, "summed": 4, "bins": 2},
    {"name": "particle_transformer", "width": 8, "heads": 2, "layers": 1, "bins": 2},
)


@dataclass(frozen=True)
class Sums:
    """The mean of the scaled objects beside the features: a network as a user writes it."""

    name: ClassVar[str] = "sums"

    def build(self, inputs: int, outputs: int, collections: Any) -> nn.Module:
        """Return a new module."""
        return _Sums(inputs, outputs, {name: len(one.features) for name, one in collections.items()})


class _Sums(nn.Module):
    def __init__(self, inputs: int, outputs: int, sizes: dict[str, int]) -> None:
        super().__init__()
        self.event = Standardise(inputs)
        self.scale = nn.ModuleDict({name: Standardise(size, of=name) for name, size in sizes.items()})
        self.out = nn.Linear(inputs + sum(sizes.values()), outputs)

    def forward(self, features, objects):
        parts = [self.event(features)]
        for name, (values, mask) in objects.items():
            parts.append((self.scale[name](values) * mask[..., None]).sum(dim=1))
        return self.out(torch.cat(parts, dim=1))


def jet_columns(events: int, shift: float, seed: int, **more: Any) -> dict[str, Any]:
    """The columns of :func:`conftest.toy_columns` with angles and a tag of the jets, and a charge."""
    columns, rng = toy_columns(events, shift, seed, **more), np.random.default_rng(seed + 100)
    lengths = ak.num(columns["jet_pt"])
    jets = int(ak.sum(lengths))
    lists = {
        "jet_eta": rng.normal(0.5 * shift, 1.0, jets).astype(np.float32),
        "jet_phi": rng.uniform(-3.1, 3.1, jets).astype(np.float32),
        "jet_tag": (rng.random(jets) < 0.2 + 0.3 * shift).astype(np.int32),
    }
    columns |= {name: ak.unflatten(values, lengths) for name, values in lists.items()}
    return {**columns, "charge": rng.choice(np.array([-1, 1], dtype=np.int32), events)}


def jet_collection(columns: dict[str, Any], most: int = 3) -> hepneg.Collection:
    """The jets of some columns, their tag a category."""
    lists = {name: columns[branch] for name, branch in JETS.items()} | {"tag": columns["jet_tag"]}
    return hepneg.Collection.from_lists(lists, most=most, categories={"tag": [0, 1]})


def jet_table(events: int = 400, **table: Any) -> hepneg.EventTable:
    """Signal and background with jets, a charge and one more feature."""
    parts = [jet_columns(events, shift, seed) for seed, shift in enumerate((1.0, 0.0))]
    joined = {name: np.concatenate([part[name] for part in parts]) for name in ("x0", "charge", "genWeight")}
    jets = hepneg.Collection.concatenate([jet_collection(part) for part in parts])
    return hepneg.EventTable.from_arrays(
        np.column_stack([joined["x0"], joined["charge"]]),
        joined["genWeight"],
        np.repeat([1, 0], events),
        feature_names=["x0", "charge"],
        event_id=np.arange(2 * events),
        **{"collections": {"jets": jets}, "categories": {"charge": [-1, 1]}, **table},
    )


def jet_analysis(folder: Path, write: Any, *, events: int = 400, network: Any = NETWORKS[0], **change: Any) -> Path:
    """Write two files and an ``analysis.yaml`` with a collection; return its path."""
    for number, (name, shift) in enumerate((("sig", 1.0), ("bkg", 0.0))):
        write(folder / f"{name}.root", jet_columns(events, shift, number, first_id=number * events))
    data: dict[str, Any] = {
        "weight": "genWeight",
        "event_id": "event",
        "samples": {
            "sig": {"label": "signal", "files": "sig.root"},
            "bkg": {"label": "background", "files": "bkg.root"},
        },
        "features": ["x0", {"charge": {"categories": [-1, 1]}}],
        "collections": {
            "jets": {
                "features": [
                    *({k: v} for k, v in JETS.items()),
                    {"tag": {"expression": "jet_tag", "categories": [0, 1]}},
                ],
                "most": 3,
            },
        },
        "training": {"folds": 2, "epochs": 2, "network": network, "batch_size": 128, "scheme": "refined"},
    }
    path = folder / "analysis.yaml"
    path.write_text(yaml.safe_dump({**data, **change}, sort_keys=False))
    return path
