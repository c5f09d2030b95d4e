"""Kill -9 at random moments of `hepneg apply` over 20 files: `python kill.py [times]`.

Each job is killed at a random moment of the time that a whole one takes, and the next goes on in the same folder; once
all files are finished, another folder is begun. After each kill, every file under its final name must be whole; of
every finished folder, the contents must be those of a run without interruption, and nothing else may be left in it.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
import torch
import uproot

from hepneg.events import EventTable
from hepneg.friends import apply_model
from hepneg.models.classifier import ModelInputs
from hepneg.models.training import train

FILES, ENTRIES = 20, 20_000
NAMES = [f"x{i}" for i in range(6)]


def make_inputs(folder: Path) -> tuple[Path, list[Path]]:
    """Write a model and 20 files."""
    rng = np.random.default_rng(1)
    columns = {name: rng.normal(size=ENTRIES).astype(np.float32) for name in NAMES}
    paths = [folder / f"{number}.root" for number in range(FILES)]
    with uproot.recreate(paths[0]) as file:
        tree = file.mktree("Events", {**dict.fromkeys(NAMES, np.float32), "event": np.uint64})
        tree.extend({**columns, "event": np.arange(ENTRIES, dtype=np.uint64)})
    for path in paths[1:]:
        shutil.copy(paths[0], path)
    features = np.column_stack(list(columns.values()))[:2000]
    label = (features.sum(axis=1) > 0).astype(int)
    events = EventTable.from_arrays(features, np.ones(2000), label, feature_names=NAMES)
    inputs = ModelInputs({name: name for name in NAMES}, None, ("event",), "Events")
    return train(events, "absolute", folds=2, epochs=1, inputs=inputs).save(folder / "model"), paths


def start(model: Path, paths: list[Path], out: Path) -> int:
    """Begin a job in a process of its own and return its number; a fork, which need not import anything again."""
    process = os.fork()
    if process == 0:
        try:
            apply_model(model, paths, out)
        except BaseException:  # noqa: BLE001 - whatever it is, it ends here
            os._exit(1)
        os._exit(0)
    return process


def contents(folder: Path) -> dict[str, bytes]:
    """Return what the files under their final names hold; raises for one that is not whole."""
    found = {}
    for path in sorted(folder.glob("*.hepneg.root")):
        with uproot.open(path) as file:
            columns = file["hepneg"].arrays(library="np")
            if any(len(column) != ENTRIES for column in columns.values()):
                raise SystemExit(f"{path} is not whole")
            note = str(file["hepneg_meta"]).encode()
            found[path.name] = b"".join(column.tobytes() for column in columns.values()) + note
    return found


def main(times: int) -> None:
    torch.set_num_threads(1)
    chance = np.random.default_rng(1)
    with tempfile.TemporaryDirectory() as name, warnings.catch_warnings():
        folder = Path(name)
        model, paths = make_inputs(folder)
        begun = time.monotonic()
        if os.waitpid(start(model, paths, folder / "whole"), 0)[1]:
            raise SystemExit("the job without interruption failed")
        duration, whole = time.monotonic() - begun, contents(folder / "whole")
        kills = finished = 0
        while kills < times:
            out = folder / f"out{finished}"
            process = start(model, paths, out)
            time.sleep(chance.uniform(0, duration))
            os.kill(process, signal.SIGKILL)
            killed = os.WIFSIGNALED(os.waitpid(process, 0)[1])
            kills += killed
            contents(out)
            if kills == times or not killed:
                if os.waitpid(start(model, paths, out), 0)[1]:
                    raise SystemExit("a job after a kill failed")
                if contents(out) != whole or len(list(out.iterdir())) != FILES:
                    raise SystemExit(f"{out} differs from what a job without interruption writes")
                finished += 1
    print(f"{kills} kills; {finished} folders finished, all of them as without a kill")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 50)
