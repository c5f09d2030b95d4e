"""A training in one process, as jobs of one fold each and on a Dask cluster of this machine: `python folds.py`.

On the example, or on the configuration that is given, each command in a process of its own. Printed are processor and
wall-clock seconds, and what follows for many machines: the whole training in one process, divided by the longest fold
and the collecting, if each fold has a core of its own. Processor time is hardly disturbed by other work on the machine;
that of a command holds its workers'. All ways must leave the same bytes, which is checked.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from hepneg.config import load_config

EXAMPLE = Path(__file__).parents[1] / "ttbar_wjets" / "analysis.yaml"


def measured(config: str, overrides: list[str], *options: str) -> tuple[float, float]:
    """Train, and return processor and wall-clock seconds."""
    settings = [argument for override in overrides for argument in ("--set", override)]
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run([sys.executable, "-m", "hepneg", "train", config, "--quiet", *settings, *options], check=True)
    after, wall = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter() - started
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, wall


def row(what: str, processor: float, wall: float) -> None:
    print(f"| {what} | {processor:.0f} | {wall:.0f} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("config", nargs="?", default=str(EXAMPLE))
    parser.add_argument("--set", dest="overrides", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--jobs", type=int, nargs="*", default=[1, 2], help="processes of the cluster")
    options = parser.parse_args()
    folds = load_config(options.config, options.overrides).training.folds
    with tempfile.TemporaryDirectory() as folder:

        def train(output: str, *more: str) -> tuple[float, float]:
            return measured(options.config, [*options.overrides, f"output={folder}/{output}"], *more)

        print("| | processor seconds | wall-clock seconds |\n|---|---|---|")
        whole = train("whole")
        row("one process", *whole)
        parts = [train("parts", "--fold", str(fold)) for fold in range(folds)]
        for fold, part in enumerate(parts):
            row(f"`--fold {fold}`", *part)
        collected = train("parts", "--collect")
        row("`--collect`", *collected)
        for jobs in options.jobs:
            row(f"`--jobs {jobs}`", *train(f"jobs_{jobs}", "--jobs", str(jobs)))
        weights = [path.read_bytes() for path in sorted(Path(folder).glob("*/model/weights.safetensors"))]
        longest = max(processor for processor, _ in parts)
        print(f"\n{len(weights)} models, {len(set(weights))} different")
        print(f"with a core for each fold: {whole[0] / (longest + collected[0]):.1f} times as fast as one core")


if __name__ == "__main__":
    main()
