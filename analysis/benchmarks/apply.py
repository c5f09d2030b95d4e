"""Throughput and memory of `hepneg apply`: `python apply.py`.

20 flat features, networks of 3 × 64, five folds. First the networks alone, from arrays in memory on one thread: hepneg,
and the exported graph in onnxruntime at each of several batch sizes. Then whole files, TTree and RNTuple: `hepneg
apply` in a process of its own with its peak memory, and a script of the kind that one writes in a hurry (chunks of
100 000 entries as pandas data frames where pandas is installed, every network on the whole chunk, all results kept in
memory). Times are processor seconds, which other work on the machine disturbs least; of the networks, taken in turns,
the smallest of several rounds counts. With onnxruntime the files' figures contain the preparation of the graph, some
seconds.

`python apply.py --limit` applies a model to 10⁸ entries instead, in a file of one block of 10⁶ repeated, and says how
much memory that takes.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import onnxruntime
import torch
import uproot

from hepneg._core.log_odds import sigmoid
from hepneg.events import EventTable
from hepneg.models.classifier import Classifier, ModelInputs
from hepneg.models.onnx import export_onnx, mean_graph, onnx_output
from hepneg.models.training import train

CHUNK = 65_536
BATCHES = (256, 512, 1024, 2048, 4096, 16_384)
NAMES = [f"x{i}" for i in range(20)]


def make_columns(entries: int, seed: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    columns = {name: rng.normal(50, 15, entries).astype(np.float32) for name in NAMES}
    # 12 bits of mantissa, as analysis ntuples have.
    return {name: (c.view(np.uint32) & np.uint32(0xFFFFF800)).view(np.float32) for name, c in columns.items()}


def write(path: Path, kind: str, entries: int) -> None:
    with uproot.recreate(path, compression=uproot.ZSTD(3)) as file:
        make = file.mktree if kind == "ttree" else file.mkrntuple
        tree = make("Events", {**dict.fromkeys(NAMES, np.dtype(np.float32)), "event": np.dtype(np.uint64)})
        blocks = {start: make_columns(100_000, start) for start in range(0, min(entries, 1_000_000), 100_000)}
        for start in range(0, entries, 100_000):
            event = np.arange(start, min(start + 100_000, entries), dtype=np.uint64)
            block = blocks[start % 1_000_000]
            tree.extend({**{name: column[: len(event)] for name, column in block.items()}, "event": event})


def make_classifier() -> Classifier:
    columns = make_columns(5000, 1)
    features = np.column_stack([columns[name] for name in NAMES])
    label = (features.sum(axis=1) > np.median(features.sum(axis=1))).astype(int)
    events = EventTable.from_arrays(features, np.ones(5000), label, feature_names=NAMES)
    classifier = train(events, "absolute", epochs=1)
    return replace(classifier, inputs=ModelInputs({name: name for name in NAMES}, None, ("event",), "Events"))


def in_onnxruntime(path: Path, features: np.ndarray, batch: int) -> Callable[[], np.ndarray]:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])

    def run() -> np.ndarray:
        starts = range(0, len(features), batch)
        pieces = [np.ascontiguousarray(features[start : start + batch]) for start in starts]
        return np.concatenate([session.run(["logit"], {"features": piece})[0] for piece in pieces])

    return run


def naive(classifier: Classifier, path: Path, target: Path) -> None:
    parts: list[np.ndarray] = []
    library = "pd" if find_spec("pandas") else "np"
    for chunk in uproot.iterate({path: "Events"}, NAMES, step_size=100_000, library=library):
        features = torch.tensor(np.column_stack([chunk[name] for name in NAMES]))
        with torch.no_grad():
            parts.append(np.mean([network(features).numpy() for network in classifier.networks], axis=0))
    logit = np.concatenate(parts)
    with uproot.recreate(target) as file:
        file.mktree("hepneg", {"response": np.float64, "logit": np.float64})
        file["hepneg"].extend({"response": sigmoid(logit.astype(np.float64)), "logit": logit.astype(np.float64)})


def seconds(work: Callable[[], object]) -> float:
    before = time.process_time()
    work()
    return time.process_time() - before


def compare_networks(classifier: Classifier, folder: Path, entries: int, rounds: int) -> None:
    columns = make_columns(entries, 2)
    features = np.asfortranarray(np.column_stack([columns[name] for name in NAMES]))
    graph = export_onnx(classifier, folder / "model.onnx")

    def ours(logit: Callable[[np.ndarray], np.ndarray]) -> None:
        for start in range(0, entries, CHUNK):
            logit(features[start : start + CHUNK])

    fast = onnx_output(mean_graph(classifier))
    work: dict[str, Callable[[], object]] = {"hepneg (torch)": lambda: ours(classifier.logit)}
    work["hepneg (onnxruntime)"] = lambda: ours(fast)
    work |= {f"onnxruntime {batch}": in_onnxruntime(graph, features, batch) for batch in BATCHES}
    taken = [{name: seconds(run) for name, run in work.items()} for _ in range(rounds)]
    times = {name: min(each[name] for each in taken) for name in work}
    best = min(value for name, value in times.items() if name[0] == "o")
    for name, value in times.items():
        print(
            f"  {name:<20} {entries / value / 1e3:7.0f} thousand events/s   {best / value:.2f} of the best onnxruntime"
        )


def compare_files(classifier: Classifier, folder: Path, entries: int) -> None:
    model = classifier.save(folder / "model")
    for kind in ("ttree", "rntuple"):
        path = folder / f"{kind}.root"
        write(path, kind, entries)
        for engine in ("torch", "onnxruntime"):
            spent, peak = apply_apart(model, path, folder / "out", engine)
            print(
                f"  {kind:<8} hepneg ({engine:<11}) {entries / spent / 1e3:5.0f} thousand entries/s, peak {peak:.0f} MB"
            )
        slow = seconds(lambda p=path: naive(classifier, p, folder / "naive.root"))  # type: ignore[misc]
        print(f"  {kind:<8} script in a hurry    {entries / slow / 1e3:5.0f} thousand entries/s")


def apply_apart(model: Path, path: Path, target: Path, engine: str) -> tuple[float, float]:
    """Run `hepneg apply` in a process of its own; return processor seconds and the peak memory in MB."""
    command = [sys.executable, "-c", APPLY, str(model), str(path), str(target), engine]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    spent, peak = map(float, done.stdout.split())
    return spent, peak


def reach_the_limit(classifier: Classifier, folder: Path, entries: int) -> None:
    model, path = classifier.save(folder / "model"), folder / "limit.root"
    write(path, "ttree", entries)
    size = path.stat().st_size / 1e9
    spent, peak = apply_apart(model, path, folder / "out", "torch")
    print(f"{entries} entries ({size:.1f} GB): {entries / spent / 1e3:.0f} thousand entries/s, peak {peak:.0f} MB")


APPLY = """
import resource, sys, time, torch
from hepneg.friends import apply_model
before = time.process_time()
apply_model(sys.argv[1], sys.argv[2:3], sys.argv[3], engine=sys.argv[4])
print(time.process_time() - before, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=200_000, help="for the networks alone")
    parser.add_argument("--entries", type=int, default=2_000_000, help="of each file")
    parser.add_argument(
        "--limit", type=int, nargs="?", const=100_000_000, help="only this many entries, for the memory"
    )
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as name:
        folder, classifier = Path(name), make_classifier()
        if arguments.limit:
            reach_the_limit(classifier, folder, arguments.limit)
            return
        print(f"five networks of {'-'.join(map(str, classifier.training['network']['hidden']))}, one thread:")
        compare_networks(classifier, folder, arguments.events, arguments.rounds)
        print(f"files of {arguments.entries} entries:")
        compare_files(classifier, folder, arguments.entries)


if __name__ == "__main__":
    main()
