"""Time of templates with many weight variations, in units of the time that bare uproot takes to read the columns.

Run: python analysis/templates/variations.py [--events 10000000] [--variations 200]

Two files, one pass; the columns are float32 in a TTree with ZSTD, 0.7 kB an event. They are read before and after the
templates are made, and the mean counts. On a busy machine the times of the processor say more than those of the clock.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import uproot

from hepneg.config import Config
from hepneg.templates import make_templates

STEP = 100_000


def write(path: Path, events: int, variations: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    names = [f"w{number}" for number in range(variations)]
    types = {"event": np.int64, "score": np.float32, "weight": np.float32, **dict.fromkeys(names, np.float32)}
    with uproot.recreate(path, compression=uproot.ZSTD(1)) as file:
        tree = file.mktree("Events", types)
        for start in range(0, events, STEP):
            number = min(STEP, events - start)
            weight = np.where(rng.random(number) < 0.3, -1.0, 1.0).astype(np.float32)
            varied = {name: weight * (1 + rng.standard_normal(number, np.float32) / 20) for name in names}
            first = {"event": np.arange(start, start + number), "score": rng.random(number), "weight": weight}
            tree.extend({**{key: column.astype(types[key]) for key, column in first.items()}, **varied})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--events", type=int, default=10_000_000)
    parser.add_argument("--variations", type=int, default=200)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for seed, name in enumerate(("signal", "background")):
            write(Path(folder) / f"{name}.root", options.events // 2, options.variations, seed)
        data = {
            "weight": "weight",
            "event_id": "event",
            "response": "score",
            "samples": {name: {"label": name, "files": f"{name}.root"} for name in ("signal", "background")},
            "systematics": {f"s{number}": f"w{number} * 1.0" for number in range(options.variations)},
            "templates": {"binning": {"edges": list(np.linspace(0, 1, 21))}},
        }
        config = Config.from_dict(data, folder)
        before, made, after = timed(bare, config), timed(make_templates, config), timed(bare, config)
        for kind, *seconds in zip(("clock", "processor"), before, made, after, strict=True):
            read = (seconds[0] + seconds[2]) / 2
            print(f"{kind}: reading {read:.1f} s, templates {seconds[1]:.1f} s: {seconds[1] / read:.2f} times")


def bare(config: Config) -> None:
    """Read the columns by uproot alone."""
    for name in config.samples:
        with uproot.open(config.folder / f"{name}.root") as file:
            for _ in file["Events"].iterate(library="np", step_size=STEP):
                pass


def timed(work: Callable[[Config], object], config: Config) -> tuple[float, float]:
    """Return the seconds of the clock and of the processor."""
    clock, processor = time.perf_counter(), time.process_time()
    work(config)
    return time.perf_counter() - clock, time.process_time() - processor


if __name__ == "__main__":
    main()
