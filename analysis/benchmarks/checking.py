"""The shape check of single features against bare uproot reading the same columns: `python checking.py`.

Writes 10^7 events of one sample with 20 float32 features, a weight and an event number as a TTree into a temporary
folder. Then, turn by turn and each in a process of its own: uproot.iterate over the columns, and all that `hepneg
check` does but for the multivariate part: two passes over the file, the effect sizes, the tests and the verdict. The
progress bars are shown where standard error is a terminal. Prints seconds, seconds of processor time, and the peak
memory.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import uproot
from reading import rounded

STEP = 500_000


def write(path: Path, events: int, features: int) -> None:
    """Write the columns of the reading benchmark, with |w| that varies."""
    rng = np.random.default_rng(1)
    names = [f"x{i}" for i in range(features)]
    types = {"event": "u8", "genWeight": "f4", **dict.fromkeys(names, "f4")}
    with uproot.recreate(path, compression=uproot.ZSTD(1)) as file:
        tree = file.mktree("Events", types)
        for start in range(0, events, STEP):
            n = min(STEP, events - start)
            columns = {
                name: rounded(rng.exponential(50, n) if i % 2 else rng.normal(0, 1.5, n))
                for i, name in enumerate(names)
            }
            weight = (rng.lognormal(0, 0.5, n) * np.where(rng.random(n) < 0.25, -1, 1)).astype("f4")
            tree.extend({"event": np.arange(start, start + n, dtype="u8"), "genWeight": weight, **columns})


def bare(path: Path, features: int) -> None:
    for _ in uproot.iterate({path: "Events"}, filter_name=["event", "genWeight", *(f"x{i}" for i in range(features))]):
        pass


def check(path: Path, features: int) -> None:
    from hepneg._core.terminal import terminal_progress
    from hepneg.config import Config
    from hepneg.shapes import check_sums
    from hepneg.shapes.two_passes import accumulate

    config = Config.from_dict(
        {
            "weight": "genWeight",
            "event_id": "event",
            "samples": {"sample": {"label": "signal", "files": str(path)}},
            "features": [f"x{i}" for i in range(features)],
        }
    )
    with terminal_progress() as progress:
        found = accumulate(config, progress=progress)
    report = check_sums(found.sums, found.subsamples, multivariate=False)
    if report.verdict == "different":
        raise SystemExit("the toys have no difference")


WORK = {"bare": bare, "check": check}


def measure(work: str, path: Path, features: int) -> np.ndarray:
    """Run a piece of work as a process of its own; return its seconds, processor seconds, and peak memory in MB."""
    command = [sys.executable, __file__, "--work", work, "--file", str(path), "--features", str(features)]
    environment = {
        **os.environ,
        "OMP_NUM_THREADS": "1",
    }  # several threads of linear algebra only wait for each other here
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment)
    return np.array(done.stdout.split(), float)


def report_on(work: str, path: Path, features: int) -> None:
    start = time.perf_counter()
    WORK[work](path, features)
    seconds = time.perf_counter() - start
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=10_000_000)
    parser.add_argument("--features", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--work", choices=list(WORK), help=argparse.SUPPRESS)
    parser.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.work:
        report_on(chosen.work, chosen.file, chosen.features)
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "events.root"
        write(path, chosen.events, chosen.features)
        print(f"{chosen.events} events × {chosen.features} features, {path.stat().st_size / 1e9:.2f} GB\n")
        found = {work: np.empty((chosen.rounds, 3)) for work in WORK}
        for number in range(chosen.rounds):
            for work in WORK:
                found[work][number] = measure(work, path, chosen.features)
    print("| | seconds | processor seconds | peak memory, MB |\n|---|---|---|---|")
    for work, figures in found.items():
        print(f"| {work} | " + " | ".join(f"{value:.1f}" for value in np.median(figures, axis=0)[:2]), end=" | ")
        print(f"{figures[:, 2].max():.0f} |")
    ratio = np.median(found["check"][:, :2] / found["bare"][:, :2], axis=0)
    print(f"| ratio | {ratio[0]:.2f} | {ratio[1]:.2f} | |")


if __name__ == "__main__":
    main()
