"""Print the lowest versions that pyproject.toml allows, as constraints for pip.

That of torch is left to constraints.txt, unless `torch` is said: old builds for CPUs are not on every index.
"""

import sys
import tomllib
from pathlib import Path

root = Path(__file__).parents[1]
dependencies = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
lowest = [dependency.replace(">=", "==") for dependency in dependencies]
if "torch" not in sys.argv:
    tested = (root / "constraints.txt").read_text(encoding="utf-8").splitlines()
    lowest = [line for line in lowest if not line.startswith("torch==")]
    lowest += [line for line in tested if line.startswith("torch==")]
sys.stdout.write("\n".join(lowest) + "\n")
