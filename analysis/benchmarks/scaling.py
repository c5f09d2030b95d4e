"""Throughput over the workers of a Dask cluster on this machine: `python scaling.py --workers 1 2`.

20 flat float32 features in 16 files. Two jobs: the sums of weights by feature, bin and sign (the second pass of the
shape check, where reading dominates), and the response of five networks of 3 × 64 (where the networks do). First a
plain loop over the files without coffea, then clusters of one-thread workers, which have imported everything and read
the model before the clock starts. The rounds go in turn through all of them and the best of each counts, as other work
on the machine only ever adds to a time. Printed are events per second of wall-clock time, the speed-up over one worker,
and events per second of processor time, this process and all workers together, which other work hardly disturbs: where
it stays the same, workers cost each other nothing.
"""

from __future__ import annotations

import argparse
import importlib
import tempfile
import time
import warnings
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import uproot
from coffea.nanoevents import BaseSchema
from coffea.processor import DaskExecutor, Runner
from distributed import Client, LocalCluster

import hepneg
from hepneg import columnar
from hepneg.columnar.event_columns import load_model
from hepneg.ntuples import read_chunks
from hepneg.shapes import BinPlan, plan_bins
from hepneg.weights import WeightAccumulator

FEATURES = [f"x{i}" for i in range(20)]
FILES = 16
CHUNK = 100_000


def make_columns(entries: int, seed: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    columns = {name: rng.normal(seed % 2, 1.0, entries).astype(np.float32) for name in FEATURES}
    # 12 bits of mantissa, as analysis ntuples have.
    columns = {name: (c.view(np.uint32) & np.uint32(0xFFFFF800)).view(np.float32) for name, c in columns.items()}
    weight = np.where(rng.random(entries) < 0.25, -1.0, 1.0) * rng.lognormal(0.0, 0.3, entries)
    event = np.arange(seed * entries, (seed + 1) * entries, dtype=np.uint64)
    return {**columns, "genWeight": weight.astype(np.float32), "event": event}


def make_analysis(folder: Path, entries: int) -> hepneg.Config:
    for number in range(FILES):
        columns = make_columns(entries // FILES, number)
        with uproot.recreate(
            folder / f"{('bkg', 'sig')[number % 2]}_{number}.root", compression=uproot.ZSTD(3)
        ) as file:
            file.mktree("Events", {name: column.dtype for name, column in columns.items()}).extend(columns)
    samples = {
        "sig": {"label": "signal", "files": "sig_*.root"},
        "bkg": {"label": "background", "files": "bkg_*.root"},
    }
    return hepneg.Config.from_dict(
        {"weight": "genWeight", "event_id": "event", "samples": samples, "features": FEATURES}, folder
    )


def make_model(folder: Path) -> Path:
    parts = [make_columns(2000, seed) for seed in (0, 1)]
    features = np.concatenate([np.column_stack([part[name] for name in FEATURES]) for part in parts])
    weight = np.abs(np.concatenate([part["genWeight"] for part in parts]))
    events = hepneg.EventTable.from_arrays(features, weight, np.repeat([0, 1], 2000), feature_names=FEATURES)
    return hepneg.train(events, "absolute", epochs=1).save(folder / "model")


@dataclass(frozen=True)
class Runs:
    """What is timed, and how much processor time the processes behind it have had so far."""

    jobs: dict[str, Callable[[], Any]]
    processor_seconds: Callable[[], float]


def plain_loop(config: hepneg.Config, plan: BinPlan, model: Path) -> Runs:
    classifier = hepneg.Classifier.load(model)

    def sums() -> None:
        for sample in config.samples:
            accumulator = WeightAccumulator(plan)
            for chunk in read_chunks(config, sample, step_size=CHUNK):
                accumulator.fill(chunk.weight, chunk.features, chunk.entries)

    def response() -> None:
        for sample in config.samples:
            for chunk in read_chunks(config, sample, step_size=CHUNK):
                classifier.response(chunk.features)

    return Runs({"sums": sums, "response": response}, time.process_time)


def cluster(stack: ExitStack, number: int, config: hepneg.Config, plan: BinPlan, model: Path) -> Runs:
    settings = {"n_workers": number, "threads_per_worker": 1, "dashboard_address": ":0"}
    client = stack.enter_context(Client(stack.enter_context(LocalCluster(**settings))))
    client.run(prepare, model)
    runner = Runner(DaskExecutor(client=client, status=False), schema=BaseSchema, chunksize=CHUNK)
    files = columnar.fileset(config)
    jobs = {
        "sums": lambda: runner(files, columnar.SumsProcessor(config, plan)),
        "response": lambda: runner(files, columnar.ResponseProcessor(config, model, held_out="never")),
    }
    return Runs(jobs, lambda: time.process_time() + sum(client.run(time.process_time).values()))


def prepare(model: Path) -> None:
    """Import everything and read the model, in a worker."""
    importlib.import_module("coffea.nanoevents")
    load_model(model)


def seconds(runs: Runs, job: str) -> tuple[float, float]:
    """Return the wall-clock and the processor time of a job."""
    spent, start = runs.processor_seconds(), time.perf_counter()
    runs.jobs[job]()
    return time.perf_counter() - start, runs.processor_seconds() - spent


def measure(config: hepneg.Config, model: Path, workers: list[int], rounds: int) -> dict[str, dict[str, list[float]]]:
    """Return the best times of each job on each runner."""
    first = [next(read_chunks(config, sample)).features for sample in config.samples]
    plan = plan_bins(first, FEATURES)
    with ExitStack() as stack:
        runners = {"plain loop": plain_loop(config, plan, model)}
        for number in workers:
            runners[f"{number} worker{'s' * (number > 1)}"] = cluster(stack, number, config, plan, model)
        rows = [
            [[seconds(runs, job) for job in ("sums", "response")] for runs in runners.values()] for _ in range(rounds)
        ]
    best = np.array(rows).min(axis=0).tolist()
    return {name: dict(zip(("sums", "response"), row, strict=True)) for name, row in zip(runners, best, strict=True)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=1_600_000)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2], help="the first one is what ratios refer to")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore", hepneg.HepnegWarning)
    with tempfile.TemporaryDirectory() as name:
        config, model = make_analysis(Path(name), arguments.events), make_model(Path(name))
        best = measure(config, model, arguments.workers, arguments.rounds)
    names = list(best)
    for job in ("sums", "response"):
        print(f"{job}, thousand events")
        for name in names:
            wall, processor = best[name][job]
            ratio = best[names[1]][job][0] / wall
            thousands = arguments.events / 1e3
            print(
                f"  {name:<12} {thousands / wall:6.0f} /s (speed-up {ratio:4.2f})   "
                f"{thousands / processor:6.0f} per processor second"
            )


if __name__ == "__main__":
    main()
