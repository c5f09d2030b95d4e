"""Reading validated chunks against bare `uproot.iterate` of the same branches: `python reading.py`.

Writes 10^6 events with 20 float32 features, a weight and an event number into a temporary folder, as TTree and as
RNTuple, then times in turn, in one process: uproot alone with its default arguments, hepneg's chunks, and the whole
table in memory. Prints the median of the paired ratios with their quartiles, and the ratio of the
best times, which other work on the machine disturbs least. The files are in the page cache.
"""

from __future__ import annotations

import argparse
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import uproot

from hepneg.config import Config
from hepneg.errors import HepnegWarning
from hepneg.ntuples import read, read_chunks


def rounded(values: np.ndarray) -> np.ndarray:
    """Round to 12 mantissa bits, as analysis ntuples are."""
    bits = values.astype(np.float32).view(np.uint32)
    return ((bits + np.uint32(0x400)) & np.uint32(0xFFFFF800)).view(np.float32)


def make_columns(events: int, features: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(1)
    columns = {
        f"x{i}": rounded(rng.exponential(50, events) if i % 2 else rng.normal(0, 1.5, events)) for i in range(features)
    }
    columns["genWeight"] = np.where(rng.random(events) < 0.25, -371, 371).astype(np.float32)
    columns["event"] = np.arange(events, dtype=np.uint64)
    return columns


def write(path: Path, kind: str, columns: dict[str, np.ndarray], cluster: int) -> None:
    with uproot.recreate(path, compression=uproot.ZSTD(3)) as file:
        make = file.mktree if kind == "ttree" else file.mkrntuple
        tree = make("Events", {name: column.dtype for name, column in columns.items()})
        for start in range(0, len(columns["event"]), cluster):
            tree.extend({name: column[start : start + cluster] for name, column in columns.items()})


def bare(path: Path, names: list[str]) -> None:
    for _ in uproot.iterate({path: "Events"}, filter_name=names):
        pass


def chunks(config: Config) -> None:
    for _ in read_chunks(config, "sample"):
        pass


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def compare(reference: Callable[[], object], others: dict[str, Callable[[], object]], rounds: int) -> None:
    for work in (reference, *others.values()):
        work()  # imports and the page cache
    times = np.array([[seconds(work) for work in (reference, *others.values())] for _ in range(rounds)])
    print(f"  uproot.iterate  {np.median(times[:, 0]):.3f} s")
    for name, column in zip(others, times[:, 1:].T, strict=True):
        low, middle, high = np.quantile(column / times[:, 0], [0.25, 0.5, 0.75])
        best = column.min() / times[:, 0].min()
        print(
            f"  {name:<15} {np.median(column):.3f} s   ratio {middle:.2f} (quartiles {low:.2f} to {high:.2f}), "
            f"best against best {best:.2f}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--features", type=int, default=20)
    parser.add_argument("--cluster", type=int, default=100_000, help="entries in a basket or cluster")
    parser.add_argument("--rounds", type=int, default=15)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore", HepnegWarning)
    columns = make_columns(arguments.events, arguments.features)
    with tempfile.TemporaryDirectory() as folder:
        for kind in ("ttree", "rntuple"):
            path = Path(folder) / f"{kind}.root"
            write(path, kind, columns, arguments.cluster)
            config = Config.from_dict(
                {
                    "weight": "genWeight",
                    "event_id": "event",
                    "samples": {"sample": {"label": "signal", "files": str(path)}},
                    "features": [f"x{i}" for i in range(arguments.features)],
                }
            )
            print(f"{kind}: {arguments.events} events × {arguments.features} features")
            others = {"read_chunks": lambda c=config: chunks(c), "read": lambda c=config: read(c)}
            compare(lambda p=path: bare(p, list(columns)), others, arguments.rounds)


if __name__ == "__main__":
    main()
