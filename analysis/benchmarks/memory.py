"""Peak memory of `hepneg inspect` and `hepneg check` on an ntuple that does not fit into it.

    python analysis/benchmarks/memory.py              5 × 10^7 events in two files, 4 features
    python analysis/benchmarks/memory.py 1000000      fewer events

Writes the ntuples (28 bytes an event) into a temporary folder and runs each command as a process of its own.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import uproot

STEP = 1_000_000
CONFIG = """
name: memory
output: results
weight: genWeight
event_id: event
samples:
  signal: {label: signal, files: signal.root}
  background: {label: background, files: background.root}
features: [pt, eta, mass, njets]
"""


def write_sample(path: Path, events: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    types = {"event": "u8", "genWeight": "f4", "pt": "f4", "eta": "f4", "mass": "f4", "njets": "i4"}
    with uproot.recreate(path, compression=uproot.ZSTD(1)) as file:
        tree = file.mktree("Events", types)
        for start in range(0, events, STEP):
            n = min(STEP, events - start)
            tree.extend(
                {
                    "event": np.arange(start, start + n, dtype="u8"),
                    "genWeight": (rng.lognormal(0, 0.5, n) * np.where(rng.random(n) < 0.3, -1, 1)).astype("f4"),
                    "pt": rng.exponential(50, n).astype("f4"),
                    "eta": rng.normal(0, 1.5, n).astype("f4"),
                    "mass": rng.normal(91 - 5 * seed, 10, n).astype("f4"),
                    "njets": rng.poisson(2.5, n).astype("i4"),
                }
            )


def measure(command: str, config: Path) -> tuple[float, float]:
    """Run a command and return its wall-clock seconds and the peak memory in MB of the largest process so far."""
    start = time.perf_counter()
    subprocess.run([sys.executable, "-m", "hepneg", command, str(config), "--quiet"], check=True)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    return time.perf_counter() - start, peak


def main(events: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "analysis.yaml"
        config.write_text(CONFIG)
        for seed, sample in enumerate(("signal", "background")):
            write_sample(Path(folder) / f"{sample}.root", events // 2, seed)
        size = sum(path.stat().st_size for path in Path(folder).glob("*.root")) / 1e9
        print(f"{events} events, {size:.2f} GB on disk\n")
        print("| command | seconds | peak memory so far, MB |")
        print("|---|---|---|")
        for command in ("inspect", "check"):
            seconds, peak = measure(command, config)
            print(f"| hepneg {command} | {seconds:.1f} | {peak:.0f} |", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 50_000_000)
