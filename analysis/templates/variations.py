"""Time of templates with many weight variations, in units of the time that bare uproot takes to read the columns.

Run: python analysis/templates/variations.py [--events 10000000] [--variations 200]

One file, one pass, one thread; both times are of the same run, the columns are float32 in a TTree with ZSTD.
"""

from __future__ import annotations

import argparse
import tempfile
import time
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
    with uproot.recreate(path, compression=uproot.ZSTD(3)) as file:
        tree = file.mktree("Events", types)
        for start in range(0, events, STEP):
            number = min(STEP, events - start)
            weight = np.where(rng.random(number) < 0.3, -1.0, 1.0)
            varied = {name: (weight * rng.normal(1.0, 0.05, number)).astype(np.float32) for name in names}
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
        start = time.perf_counter()
        for name in config.samples:
            with uproot.open(Path(folder) / f"{name}.root") as file:
                for _ in file["Events"].iterate(library="np", step_size=STEP):
                    pass
        read = time.perf_counter() - start
        make_templates(config)
        whole = time.perf_counter() - start - read
        print(f"reading {read:.1f} s, templates {whole:.1f} s: {whole / read:.2f} times")


if __name__ == "__main__":
    main()
