"""Reading ``analysis.yaml``, with keys that the command line overrides."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hepneg.config.analysis import Config
from hepneg.config.yaml_text import parse_yaml, read_yaml_text, refuse_unfinished
from hepneg.errors import ConfigError


def load_config(path: str | Path, overrides: Sequence[str] = ()) -> Config:
    """Read ``analysis.yaml``.

    Args:
        path: the file; relative paths in it are relative to its folder.
        overrides: ``"training.scheme.name=signed"``: a dotted key and a value, which is parsed as YAML.

    Raises:
        ConfigError: the file is missing or unusable; one line that names the file and the key.
    """
    path = Path(path)
    data = parse_yaml(read_yaml_text(path), str(path))
    if not isinstance(data, dict):
        raise ConfigError(
            f"{path}: expected keys such as `weight:` and `samples:`; `hepneg init` writes a starter file"
        )
    for override in overrides:
        data = _override(data, override)
    refuse_unfinished(data, str(path))
    if data.get("name") is None:
        data = {**data, "name": path.stem}  # several configurations in a folder must not share their results
    return Config.from_dict(data, path.parent, source=str(path))


def _override(data: dict[str, Any], override: str) -> dict[str, Any]:
    """Return the data with one dotted key replaced."""
    key, separator, value = override.partition("=")
    parts = [part.strip() for part in key.split(".")]
    if not separator or not all(parts):
        raise ConfigError(f"--set {override!r}: write it as key=value, for instance training.scheme.name=signed")
    replaced: dict[str, Any] = _replaced(data, parts, parse_yaml(value, f"--set {override!r}"), override)
    return replaced


def _replaced(data: Any, parts: Sequence[str], value: Any, override: str) -> Any:
    if not parts:
        return value
    if isinstance(data, str) and len(parts) == 1:
        data = {"name": data}  # the short form of a scheme or an objective
    if data is not None and not isinstance(data, dict):
        raise ConfigError(f"--set {override!r}: {parts[0]!r} is inside something that has no keys; set the whole of it")
    data = dict(data or {})
    data[parts[0]] = _replaced(data.get(parts[0]), parts[1:], value, override)
    return data
