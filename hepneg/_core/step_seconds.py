"""What the steps of an analysis took, in a file of its own: all others are the same for the same seed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from hepneg._core.input import read_small_text
from hepneg._core.output import write_json


def write_seconds(folder: Path, step: str, seconds: Mapping[str, float]) -> None:
    """Put what a step's trainings took into ``timing.json`` of a folder, beside those of other steps."""
    path = folder / "timing.json"
    steps: dict[str, Any] = {}
    with suppress(OSError, ValueError, RecursionError):
        known = json.loads(read_small_text(path))
        steps = known if isinstance(known, dict) else {}
    write_json(path, {**steps, "schema_version": 1, step: dict(seconds)})
