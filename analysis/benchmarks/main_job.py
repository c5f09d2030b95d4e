"""Processor and wall time of the main job by step, one commit against another: `python main_job.py OLD NEW`.

OLD and NEW are folders with a checkout each: `git worktree add ../old 21d02c4`. `hepneg check` and `hepneg run` on the
example are done in turn, each in a process of its own that takes hepneg from the checkout, with one thread of linear
algebra. A step's processor time is that of the whole process while the step lasts, so that figures drawn meanwhile by
other processes are not in it: they are in the row `other processes` and in the row of the whole command. The steps
within a step are listed below it.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

EXAMPLE = Path(__file__).parents[1] / "ttbar_wjets" / "analysis.yaml"
COMMANDS = ("check", "run")
WHOLE, OTHERS, START = "whole command", "other processes", "start and imports"
Steps = dict[str, list[float]]
"""Processor and wall seconds by step, in the order in which the steps begin."""


def used(who: int = resource.RUSAGE_SELF) -> float:
    spent = resource.getrusage(who)
    return spent.ru_utime + spent.ru_stime


def time_steps(steps: Steps) -> None:
    """Have the package note what each of its timed steps takes; before anything else of it is imported."""
    from hepneg._core import timing

    @contextmanager
    def timed(what: str) -> Iterator[None]:
        steps.setdefault(what, [0.0, 0.0])
        processor, wall = used(), time.perf_counter()
        yield
        steps[what][0] += used() - processor
        steps[what][1] += time.perf_counter() - wall

    timing.timed = timed


def work(command: str, config: str, output: str) -> None:
    """Do a command as the command line does, and print the steps."""
    steps: Steps = {}
    time_steps(steps)
    from hepneg.cli.group import cli

    cli.main(args=[command, config, "--quiet", "--set", f"output={output}"], standalone_mode=False)
    steps[OTHERS] = [used(resource.RUSAGE_CHILDREN), 0.0]
    steps[WHOLE] = [used(), time.perf_counter()]
    print(json.dumps(steps))


def measure(tree: Path, command: str, config: Path) -> Steps:
    """Do a command in a process of its own, from a checkout."""
    with tempfile.TemporaryDirectory() as output:
        arguments = [sys.executable, __file__, "--work", command, "--config", str(config), "--output", output]
        environment = {**os.environ, "PYTHONPATH": str(tree.resolve()), "OMP_NUM_THREADS": "1"}
        before, start = used(resource.RUSAGE_CHILDREN), time.perf_counter()
        done = subprocess.run(arguments, check=True, stdout=subprocess.PIPE, text=True, env=environment)
    steps: Steps = json.loads(done.stdout.splitlines()[-1])
    inside = steps[command]
    steps[WHOLE] = [used(resource.RUSAGE_CHILDREN) - before, time.perf_counter() - start]
    steps[START] = [steps[WHOLE][k] - inside[k] - steps[OTHERS][k] for k in (0, 1)]
    return steps


def median(rounds: list[Steps]) -> Steps:
    names = dict.fromkeys(name for steps in rounds for name in steps)
    return {
        name: [sorted(steps.get(name, [0.0, 0.0])[k] for steps in rounds)[len(rounds) // 2] for k in (0, 1)]
        for name in names
    }


def table(command: str, old: Steps, new: Steps) -> None:
    print(f"\n`hepneg {command}`\n")
    print("| step | processor seconds, old | new | ratio | wall seconds, old | new |\n|---|---|---|---|---|---|")
    for name in dict.fromkeys([*old, *new]):
        (before, wall), (after, wall_after) = old.get(name, [0.0, 0.0]), new.get(name, [0.0, 0.0])
        ratio = f"{after / before:.2f}" if before > 0.05 else ""
        print(f"| {name} | {before:.1f} | {after:.1f} | {ratio} | {wall:.1f} | {wall_after:.1f} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("trees", type=Path, nargs="*", metavar="TREE", help="checkouts: the old one, then the new one")
    parser.add_argument("--commands", nargs="+", choices=COMMANDS, default=list(COMMANDS))
    parser.add_argument("--config", type=Path, default=EXAMPLE)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--work", choices=COMMANDS, help=argparse.SUPPRESS)
    parser.add_argument("--output", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.work:
        work(chosen.work, str(chosen.config), chosen.output)
        return
    if len(chosen.trees) not in (1, 2):
        parser.error("give one checkout, or an old and a new one")
    for command in chosen.commands:
        found: dict[Path, list[Steps]] = {tree: [] for tree in chosen.trees}
        for _ in range(chosen.rounds):
            for tree in chosen.trees:
                found[tree].append(measure(tree, command, chosen.config))
        medians = [median(rounds) for rounds in found.values()]
        table(command, medians[0], medians[-1])


if __name__ == "__main__":
    main()
