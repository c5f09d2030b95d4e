"""The page about the configuration has every key, and its examples are configurations."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from hepneg.config import Config, config_schema

PAGE = Path(__file__).parents[1] / "notebooks" / "7_keys.md"
pytestmark = pytest.mark.skipif(not PAGE.is_file(), reason="the pages are in the repository only")


def keys(schema: dict[str, Any]) -> Iterator[str]:
    for part in (schema, *schema["$defs"].values()):
        yield from part.get("properties", {})


def test_every_key_of_the_schema_is_on_the_page() -> None:
    named = set(re.findall(r"`([a-z_]+)`", PAGE.read_text(encoding="utf-8")))
    internal = {"name", "expression"}  # of a feature, a scheme or an objective in its long form
    assert set(keys(config_schema())) - named - internal == set()


def test_the_examples_are_configurations() -> None:
    blocks = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    configs = [Config.from_dict(yaml.safe_load(block)) for block in blocks]
    assert len(configs) == 4
    assert list(configs[0].data) == ["observed"]
    assert configs[0].training.folds == 2
