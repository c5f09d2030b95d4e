"""Results of toys in a file, one JSON line each: a study may be stopped after any of them and taken up again."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any


class Kept:
    """What toys gave, by their keys; without a path it is kept in memory alone.

    Args:
        path: of the JSON lines, ``[key, result]`` each; lines that a stop has cut off are measured again.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path, self.found = path, {}
        if path is not None and path.exists():
            text = path.read_text(encoding="utf-8")
            lines = text[: text.rfind("\n") + 1]
            path.write_text(lines, encoding="utf-8")
            self.found = {tuple(key): result for key, result in map(json.loads, lines.splitlines())}

    def of(self, *key: str | int, measure: Callable[[], Any]) -> Any:
        """Return the result of a toy, measured where it is not there yet."""
        if key not in self.found:
            self.found[key] = measure()
            if self.path is not None:
                with self.path.open("a", encoding="utf-8") as lines:
                    lines.write(json.dumps([key, self.found[key]], ensure_ascii=False) + "\n")
        return self.found[key]
