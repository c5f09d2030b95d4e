"""Fixtures that several test files share: small ntuples and a small analysis."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")  # the workers of pytest share the cores already

import awkward as ak
import hypothesis
import numpy as np
import pytest
import uproot
import yaml

from hepneg._core.plugins import NETWORKS, OBJECTIVES, SCHEMES
from hepneg.config import Config, load_config

# A busy machine is slow: no test is judged by a clock.
hypothesis.settings.register_profile("hepneg", deadline=None, max_examples=50)
hypothesis.settings.load_profile("hepneg")

HUNG = 1800
"""Seconds after which a process counts as hung; no measure of speed."""

EXAMPLE = Path(__file__).parents[1] / "analysis" / "ttbar_wjets"
EVENTS = 3000
HOSTILE = "<script>alert('x')</script> & \"co\""
"""A name for a feature that would do harm in a page that took it for HTML."""

LONG = "transverse_mass_of_the_hardest_lepton_and_the_missing_momentum"
"""A name without a place to break it."""


def wait_for(there: Callable[[], object], running: subprocess.Popen[Any]) -> None:
    """Wait until what a process makes is there, or the process has ended."""
    while not there() and running.poll() is None:
        time.sleep(0.002)


def _write_ntuple(
    path: Path, columns: Mapping[str, Any], kind: str = "ttree", tree: str = "Events", cluster: int | None = None
) -> Path:
    """Write columns (numpy arrays, or awkward arrays of lists) into a new ROOT file, in clusters of so many entries."""
    path.parent.mkdir(parents=True, exist_ok=True)
    n = len(next(iter(columns.values())))
    step = cluster or max(n, 1)
    types = {name: c.type.content if isinstance(c, ak.Array) else c.dtype for name, c in columns.items()}
    with uproot.recreate(path, compression=uproot.ZSTD(3)) as file:
        if kind == "ttree":
            target = file.mktree(tree, types)
        else:
            target = file.mkrntuple(tree, ak.zip(dict(columns), depth_limit=1)[:0])
        for start in range(0, n, step):
            target.extend({name: column[start : start + step] for name, column in columns.items()})
    return path


@pytest.fixture
def write_ntuple() -> Callable[..., Path]:
    """``write_ntuple(path, columns, kind="ttree" | "rntuple", tree="Events", cluster=None)`` returns the path."""
    return _write_ntuple


def copy_example(folder: Path, every: int) -> Path:
    """Copy the real example, with one in so many simulated events, into a new folder; return its configuration.

    What runs on it has the same branches, settings and warnings, in less time.
    """
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns("results", "*_objects.root"))
    for path in (folder / "data" / f"{name}.root" for name in ("ttbar", "wjets")):
        with uproot.open(path) as file:
            kept = file["Events"].arrays()[::every]
        jets = ak.zip({kind: kept[f"Jet_{kind}"] for kind in ("pt", "eta")})
        flat = {name: ak.to_numpy(kept[name]) for name in kept.fields if name != "nJet" and not name.startswith("Jet_")}
        _write_ntuple(path, {**flat, "Jet": jets})
    return folder / "analysis.yaml"


def toy_columns(
    events: int, shift: float, seed: int, *, first_id: int = 0, negative_fraction: float = 0.3
) -> dict[str, Any]:
    """Toy events: two Gaussian features, an exponential one, lists of jets, weights of ±1 with a given share of −1.

    The chance of a negative weight grows with ``x0``, so that the sign depends on the features.
    """
    rng = np.random.default_rng(seed)
    x0 = rng.normal(shift, 1.0, events)
    slope = min(negative_fraction, 0.5 - negative_fraction)
    chance = negative_fraction + slope * np.tanh(x0 - shift)
    lengths = rng.integers(0, 5, events)
    pt = np.sort(rng.exponential(40, lengths.sum()))[::-1] + 25
    return {
        "event": np.arange(first_id, first_id + events, dtype=np.uint64),
        "genWeight": np.where(rng.random(events) < chance, -1.0, 1.0).astype(np.float32),
        "x0": x0.astype(np.float32),
        "x1": rng.normal(-0.5 * shift, 1.0, events).astype(np.float32),
        "x2": (rng.exponential(50, events) * (1 + 0.2 * shift)).astype(np.float32),
        "jet_pt": ak.unflatten(pt.astype(np.float32), lengths),
    }


def toy_config() -> dict[str, Any]:
    """The ``analysis.yaml`` of the toy analysis, as a dictionary."""
    return {
        "name": "toy",
        "weight": "genWeight",
        "event_id": "event",
        "samples": {
            "sig": {"label": "signal", "files": "sig.root"},
            "bkg": {"label": "background", "files": "bkg.root"},
        },
        "features": ["x0", "x1", {"logx2": "log(x2 + 1)"}, {"jet1_pt": "jet_pt[:, 0]"}],
        "training": {"folds": 2, "epochs": 3, "network": {"hidden": [8, 8]}, "batch_size": 256},
    }


@pytest.fixture(scope="session")
def _toy_files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    # The mean sign is 0.4 and more: where it might be 0, the shape check would train many further networks.
    folder, few = tmp_path_factory.mktemp("toy"), {"negative_fraction": 0.15}
    return (
        _write_ntuple(folder / "sig.root", toy_columns(EVENTS, 1.0, 1, **few)),
        _write_ntuple(folder / "bkg.root", toy_columns(EVENTS, 0.0, 2, first_id=EVENTS, **few)),
    )


@pytest.fixture
def toy_analysis(tmp_path: Path, _toy_files: tuple[Path, Path]) -> Path:
    """Write two toy ROOT files (3000 events each, f ≈ 0.15) and ``analysis.yaml``; return the path of the latter."""
    for file in _toy_files:
        shutil.copy(file, tmp_path)
    path = tmp_path / "analysis.yaml"
    path.write_text(yaml.safe_dump(toy_config(), sort_keys=False))
    return path


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """No step draws its figures, which take far longer than toy results: for tests that do not look at figures."""
    from hepneg.plots.figure_writer import FigureWriter, NoFigures

    monkeypatch.setattr(FigureWriter, "draw", NoFigures.draw)


@pytest.fixture
def few_permutations(monkeypatch: pytest.MonkeyPatch) -> None:
    """Features are tested with 199 permutations in place of 1999: as valid at 5 % and 1 %, in a tenth of the time."""
    from hepneg.shapes import shape_check

    few = partial(shape_check.permutation_p_values, permutations=199)
    monkeypatch.setattr(shape_check, "permutation_p_values", few)


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Config:
    """A toy analysis with the results of all steps, its features x0, :data:`HOSTILE` and :data:`LONG`; read only."""
    from hepneg import workflow

    folder = tmp_path_factory.mktemp("finished")
    for name, shift, seed in (("sig", 1.0, 1), ("bkg", 0.0, 2)):
        columns = toy_columns(1500, shift, seed, first_id=10_000 * seed, negative_fraction=0.15)
        _write_ntuple(folder / f"{name}.root", columns)
    data = toy_config() | {"features": ["x0", {HOSTILE: "x1"}, {LONG: "x2"}]}
    data["plots"] = {"formats": ["png", "pdf"], "feature_pages": "all"}
    (folder / "analysis.yaml").write_text(yaml.safe_dump(data, sort_keys=False))
    config = load_config(folder / "analysis.yaml", ["training.epochs=2"])
    workflow.compare(config, ["absolute", "signed"])
    workflow.run(config)
    return config


@pytest.fixture(scope="session")
def client() -> Iterator[Any]:
    """A client of Dask with two workers, which tests may kill: the cluster starts others."""
    distributed = pytest.importorskip("distributed", reason="Dask is not installed: pip install 'hepneg[dask]'")
    settings = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": "127.0.0.1:0"}
    with distributed.LocalCluster(**settings) as cluster, distributed.Client(cluster) as client:
        yield client


@pytest.fixture(autouse=True)
def _what_a_test_registers_is_forgotten() -> Iterator[None]:
    yield
    for registry in (SCHEMES, OBJECTIVES, NETWORKS):
        registry.registered.clear()
