"""A few hundred mutants: none may end in a traceback, a hang or with more than 2 GB; `analysis/benchmarks/fuzz.py`
has thousands."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

KINDS = ("configuration", "set", "expression", "ttree-zlib", "ttree-none", "rntuple-zlib")
SCRIPT = Path(__file__).parents[1] / "analysis" / "benchmarks" / "fuzz.py"


@pytest.mark.skipif(sys.platform == "win32", reason="forks")
def test_mutants_are_taken_or_refused_in_one_line() -> None:
    command = [sys.executable, str(SCRIPT), "--mutants", "30", "--seed", "7", "--kinds", *KINDS]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in done.stdout.splitlines()[2:]]
    assert tuple(kind for kind, *_ in rows) == KINDS
    for kind, *counts in rows:
        taken, changed, refused, faults, _ = map(int, counts)
        assert (taken + changed + refused, faults) == (30, 0), kind
        assert taken > 0, kind
        assert refused > 0, kind
