"""Damaged files, configurations, options, expressions and models: each must be taken or be refused in one line.

    python analysis/benchmarks/fuzz.py                    1000 mutants of each kind; hours
    python analysis/benchmarks/fuzz.py --mutants 60       a look
    python analysis/benchmarks/fuzz.py --kinds set --seed 2 --keep faults

Every mutant is met in a process of its own, with 20 s of the processor and 2 GB beyond what it has. A fault is a
traceback, a hang, a death, more memory than that, or a message of several lines. The exit code is 1 where there is any.
"Changed" are mutants of a file without checksums that read to other numbers, which no reader can see; they are no
fault.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import resource
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import fuzz_mutants as mutants
import numpy as np

MOST_SECONDS, MOST_BYTES = 20, 2 * 2**30  # of the processor; of memory
LONGEST_WAIT = 600  # seconds by the clock
ENTRIES = 600
ROOT_KINDS = ("ttree-zlib", "ttree-zstd", "ttree-lz4", "ttree-none", "rntuple-zlib", "rntuple-none")
KINDS = (*ROOT_KINDS, "configuration", "set", "expression", "model")
GOOD = ("same", "changed", "accepted", "refused")

Attempt = Callable[[], str]


@dataclass(frozen=True)
class Outcome:
    """What one mutant did: one of the words in :data:`GOOD`, or a fault, with its message."""

    kind: str
    message: str


def attempt(work: Attempt) -> Outcome:
    """Do some work in a process of its own and say how it ended."""
    reading, writing = os.pipe()
    process = os.fork()
    if process == 0:
        os.close(reading)
        _limit()
        os.write(writing, json.dumps(_describe(work))[:60_000].encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        answer = pipe.read()
    _, status, used = os.wait4(process, 0)
    if not answer:
        number = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
        return Outcome("hang" if number in (signal.SIGXCPU, signal.SIGALRM) else "death", f"signal {number}")
    kind, message = json.loads(answer)
    if kind in GOOD and used.ru_maxrss * 1024 > _resident() + MOST_BYTES:
        return Outcome("memory", f"{used.ru_maxrss // 1024} MB")
    return Outcome(kind, message)


def _limit() -> None:
    held = int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    resource.setrlimit(resource.RLIMIT_AS, (held + MOST_BYTES, held + MOST_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    silent = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silent, 2)
    resource.setrlimit(resource.RLIMIT_CPU, (MOST_SECONDS, MOST_SECONDS + 5))  # a busy machine is no hang,
    signal.alarm(LONGEST_WAIT)  # but what waits for nothing uses no processor


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _describe(work: Attempt) -> tuple[str, str]:
    from hepneg.errors import HepnegError

    try:
        return work(), ""
    except HepnegError as error:
        told = str(error)
        return ("refused" if len(told.splitlines()) == 1 and len(told) < 2000 else "lines"), told[:3000]
    except BaseException:  # noqa: BLE001 - whatever it is, it is a fault
        return "traceback", traceback.format_exc()[-3000:]


def columns(seed: int) -> dict[str, Any]:
    """Return toy events as an ntuple has them."""
    import awkward as ak

    rng = np.random.default_rng(seed)
    lengths = rng.integers(0, 4, ENTRIES)
    return {
        "event": np.arange(ENTRIES, dtype=np.uint64) + np.uint64(ENTRIES * seed),
        "genWeight": rng.choice([1.0, 1.0, 1.0, -1.0], ENTRIES).astype(np.float32),
        "x": rng.normal(seed, 1, ENTRIES).astype(np.float32),
        "count": rng.integers(0, 9, ENTRIES).astype(np.int32),
        "jet_pt": ak.unflatten(rng.exponential(40, lengths.sum()).astype(np.float32), lengths),
    }


def write_file(path: Path, kind: str, compression: str, seed: int) -> None:
    """Write a small ntuple of several baskets or clusters."""
    import awkward as ak
    import uproot

    levels = {"zlib": uproot.ZLIB(4), "zstd": uproot.ZSTD(3), "lz4": uproot.LZ4(4), "none": None}
    data = columns(seed)
    with uproot.recreate(path, compression=levels[compression]) as file:
        if kind == "ttree":
            types = {name: c.type.content if isinstance(c, ak.Array) else c.dtype for name, c in data.items()}
            tree = file.mktree("Events", types)
        else:
            tree = file.mkrntuple("Events", ak.zip(data, depth_limit=1)[:0])
        for start in range(0, ENTRIES, 200):
            tree.extend({name: column[start : start + 200] for name, column in data.items()})


def configuration() -> dict[str, Any]:
    """Return an analysis that uses most keys."""
    samples = {
        name: {"label": label, "files": f"{name}.root"} for name, label in (("a", "signal"), ("b", "background"))
    }
    return {
        "name": "fuzz",
        "output": "out",
        "tree": "Events",
        "weight": "genWeight",
        "event_id": "event",
        "selection": "count >= 1",
        "on_nan": "error",
        "samples": samples,
        "systematics": {"up": "1.1 * genWeight"},
        "features": ["x", {"leading": "jet_pt[:, 0]"}, {"ht": "sum(jet_pt)"}],
        "training": {
            "scheme": {"name": "absolute"},
            "objective": {"name": "cross_entropy"},
            "folds": 2,
            "epochs": 1,
            "batch_size": 128,
            "seed": 1,
            "network": {"hidden": [4], "activation": "silu"},
            "device": "cpu",
        },
    }


def file_attempts(folder: Path, kind: str, rng: random.Random) -> Iterator[tuple[bytes, Attempt]]:
    """Yield mutants of a ROOT file and what reads them: `read`, the sums of `check`, and `init`."""
    from hepneg.config import Config
    from hepneg.ntuples import read, starter_config
    from hepneg.shapes.two_passes import accumulate

    layout, compression = kind.split("-")
    for seed, name in enumerate("ab"):
        write_file(folder / f"{name}.root", layout, compression, seed)
    target, config = folder / "a.root", Config.from_dict(configuration(), folder)
    original = target.read_bytes()

    def result() -> str:
        events = read(config)
        digest = hashlib.sha256()
        for array in (events.features, events.weight, events.event_id):
            digest.update(np.ascontiguousarray(array).tobytes())
        accumulate(config).weight_report(batch_size=64)
        starter_config([target], folder)
        return digest.hexdigest()

    expected = result()
    while True:
        mutant = mutants.bytes_of_a_file(original, rng)
        target.write_bytes(mutant)
        yield mutant, lambda: "same" if result() == expected else "changed"


def configuration_attempts(folder: Path, _: str, rng: random.Random) -> Iterator[tuple[bytes, Attempt]]:
    """Yield mutants of a configuration and what loads them."""
    path = _whole_configuration(folder)
    while True:
        mutant = mutants.yaml_of(configuration(), rng)
        path.write_bytes(mutant)
        yield mutant, lambda: _load(path, [])


def set_attempts(folder: Path, _: str, rng: random.Random) -> Iterator[tuple[bytes, Attempt]]:
    """Yield values of ``--set`` and what loads a configuration with them."""
    path = _whole_configuration(folder)
    while True:
        override = mutants.override_of(configuration(), rng)
        yield override.encode(errors="surrogatepass"), lambda given=override: _load(path, [given])


def _whole_configuration(folder: Path) -> Path:
    import yaml

    path = folder / "analysis.yaml"
    path.write_text(yaml.safe_dump(configuration()))
    _load(path, [])  # what it imports is imported once, and not in every process
    return path


def _load(path: Path, overrides: list[str]) -> str:
    from hepneg.config import load_config

    config = load_config(path, overrides)
    json.dumps(config.to_dict())
    repr(config)
    return "accepted"


def expression_attempts(folder: Path, _: str, rng: random.Random) -> Iterator[tuple[bytes, Attempt]]:
    """Yield expressions and what evaluates them."""
    from hepneg.expressions import Expression

    data = columns(1)
    del folder

    def evaluate(text: str) -> str:
        expression = Expression(text)
        if expression.branches - set(data):
            return "accepted"
        values = expression.evaluate(data)
        assert values.shape == (ENTRIES,)  # noqa: S101
        assert values.dtype.kind in "biuf"  # noqa: S101
        return "accepted"

    while True:
        text = mutants.expression_of(list(data), rng)
        yield text.encode(errors="surrogatepass"), lambda given=text: evaluate(given)


def model_attempts(folder: Path, _: str, rng: random.Random) -> Iterator[tuple[bytes, Attempt]]:
    """Yield mutants of the two files of a model, and what loads and applies them."""
    import torch

    from hepneg.config import Config
    from hepneg.friends import apply_model
    from hepneg.models.loading import load_model
    from hepneg.models.model import ModelInputs
    from hepneg.models.training import train
    from hepneg.ntuples import read

    torch.set_num_threads(1)
    for seed, name in enumerate("ab"):
        write_file(folder / f"{name}.root", "ttree", "zstd", seed)
    config = Config.from_dict(configuration(), folder)
    settings = config.training.model_dump(exclude={"scheme"})
    model = train(read(config), "absolute", inputs=ModelInputs.from_config(config), **settings).save(folder / "model")
    originals = {path: path.read_bytes() for path in sorted(model.iterdir())}

    def use() -> str:
        load_model(model)
        apply_model(model, [folder / "a.root"], Path(tempfile.mkdtemp(dir=folder)))
        return "accepted"

    while True:
        for path, content in originals.items():
            path.write_bytes(content)
        path = rng.choice(list(originals))
        mutant = (
            mutants.json_of(originals[path], rng)
            if path.suffix == ".json"
            else mutants.bytes_of_a_file(originals[path], rng)
        )
        path.write_bytes(mutant)
        yield mutant, use


MAKERS = {
    **dict.fromkeys(ROOT_KINDS, file_attempts),
    "configuration": configuration_attempts,
    "set": set_attempts,
    "expression": expression_attempts,
    "model": model_attempts,
}


def fuzz(kind: str, number: int, seed: int, keep: Path | None) -> Counter[str]:
    """Try so many mutants of a kind and count how they ended; faults are kept and shown."""
    rng, count = random.Random(f"{kind} {seed}"), Counter[str]()  # noqa: S311 - no secret
    with tempfile.TemporaryDirectory() as folder:
        attempts = MAKERS[kind](Path(folder), kind, rng)
        for position in range(number):
            mutant, work = next(attempts)
            outcome = attempt(work)
            count[outcome.kind] += 1
            if outcome.kind not in GOOD:
                print(f"{kind} {position}: {outcome.kind}\n{outcome.message}", file=sys.stderr, flush=True)
                if keep is not None:
                    keep.mkdir(parents=True, exist_ok=True)
                    (keep / f"{kind}-{seed}-{position}").write_bytes(mutant)
    return count


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mutants", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kinds", nargs="+", default=KINDS, choices=KINDS)
    parser.add_argument("--keep", type=Path, help="folder for mutants that are faults")
    chosen = parser.parse_args()
    warnings.simplefilter("ignore")
    faults = 0
    print(
        "| mutants of | same or accepted | changed | refused in one line | faults | seconds "
        "|\n|---|---|---|---|---|---|"
    )
    for kind in chosen.kinds:
        started = time.monotonic()
        count = fuzz(kind, chosen.mutants, chosen.seed, chosen.keep)
        bad = sum(number for word, number in count.items() if word not in GOOD)
        faults += bad
        row = (
            count["same"] + count["accepted"],
            count["changed"],
            count["refused"],
            bad,
            round(time.monotonic() - started),
        )
        print(f"| {kind} | {' | '.join(map(str, row))} |", flush=True)
    return int(faults > 0)


if __name__ == "__main__":
    sys.exit(main())
