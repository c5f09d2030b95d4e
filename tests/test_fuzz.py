"""A few hundred mutants: none may end in a traceback, a hang or with more than 2 GB; `analysis/benchmarks/fuzz.py`
has thousands."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / "analysis" / "benchmarks" / "fuzz.py"


@pytest.mark.skipif(sys.platform == "win32", reason="forks")
@pytest.mark.parametrize("kind", ["configuration", "set", "expression", "ttree-zlib", "ttree-none", "rntuple-zlib"])
def test_mutants_are_taken_or_refused_in_one_line(kind: str) -> None:
    command = [sys.executable, str(SCRIPT), "--mutants", "60", "--seed", "7", "--kinds", kind]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    taken, changed, refused, faults, _ = map(int, done.stdout.splitlines()[-1].split("|")[2:-1])
    assert taken + changed + refused == 60
    assert faults == 0
    assert taken > 0
    assert refused > 0
