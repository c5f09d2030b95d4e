"""From the bytes of ``analysis.yaml`` to plain values: what is no small, plain YAML file is refused in one line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from hepneg._core.input import read_small_text
from hepneg._core.plain_text import unprintable
from hepneg.errors import ConfigError

__all__ = ["PLACEHOLDER", "parse_yaml", "read_yaml_text", "refuse_unfinished"]

PLACEHOLDER = "FILL IN"
"""How a value begins that `hepneg init` could not guess; what is missing follows."""

_MOST_BYTES = 10_000_000
_MOST_NODES = 100_000
_DEEPEST = 64


class _StrictLoader(yaml.SafeLoader):
    """Refuses a key that occurs twice, of which YAML would silently take the last."""


def _mapping(loader: _StrictLoader, node: yaml.MappingNode) -> dict[Any, Any]:
    seen: set[Any] = set()
    for key_node in (key for key, _ in node.value if key.tag != "tag:yaml.org,2002:merge"):
        key = loader.construct_object(key_node, deep=True)
        if not isinstance(key, (str, int, float, bool)):
            raise yaml.constructor.ConstructorError(
                problem="a key must be a plain name", problem_mark=key_node.start_mark
            )
        if key in seen:
            raise yaml.constructor.ConstructorError(
                problem=f"key {key!r} occurs twice", problem_mark=key_node.start_mark
            )
        seen.add(key)
    loader.flatten_mapping(node)
    mapping: dict[Any, Any] = loader.construct_mapping(node, deep=True)
    return mapping


_StrictLoader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def read_yaml_text(path: Path) -> str:
    """Return the text of a configuration.

    Raises:
        ConfigError: it is missing, no regular file, unreadable, larger than 10 MB or not in UTF-8.
    """
    try:
        return read_small_text(path, _MOST_BYTES)
    except OSError as error:
        raise ConfigError(f"cannot read the configuration {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: not a text file in UTF-8; give the path of an analysis.yaml") from None


def parse_yaml(text: str, source: str) -> Any:
    """Return the values of a YAML text.

    Args:
        text: of one document.
        source: what messages call it.

    Raises:
        ConfigError: no YAML, a key that occurs twice, values that do not fit their tags, or more than 100 000 values
            once its aliases are written out.
    """
    loader = _StrictLoader("")
    try:
        loader = _StrictLoader(text)
        node = loader.get_single_node()
        if node is None:
            return None
        if _expanded(node, {}) > _MOST_NODES:
            raise ConfigError(f"{source}: more than {_MOST_NODES} values once its aliases are written out; write fewer")
        return loader.construct_document(node)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        reason = {"but found another document": "a second document begins here; give one"}.get(str(error.problem))
        raise ConfigError(f"{source}{place}: {reason or error.problem or 'not valid YAML'}") from None
    except RecursionError:
        raise ConfigError(
            f"{source}: not valid YAML: nested too deeply, or an alias inside of what it stands for"
        ) from None
    except (yaml.YAMLError, ValueError) as error:
        raise ConfigError(f"{source}: not valid YAML: {' '.join(str(error).split())[:200]}") from None
    except (LookupError, AttributeError, TypeError, ArithmeticError):  # PyYAML's own, of `!!bool maybe` and the like
        raise ConfigError(f"{source}: not valid YAML: a value does not fit its tag (!!…)") from None
    finally:
        loader.dispose()


def _expanded(node: yaml.Node, sizes: dict[int, int | None], depth: int = 0) -> int:
    """Return how many values a node stands for with its aliases written out.

    Raises:
        RecursionError: nested deeper than any configuration, or inside itself.
    """
    if not isinstance(node, yaml.CollectionNode):
        return 1
    known = sizes.setdefault(id(node), None)
    if known is None:
        if depth > _DEEPEST:
            raise RecursionError
        known = 1 + sum(_expanded(child, sizes, depth + 1) for child in _children(node))
        sizes[id(node)] = known
    return known


def _children(node: yaml.CollectionNode) -> Iterator[yaml.Node]:
    for child in node.value:
        if isinstance(child, tuple):
            yield from child
        else:
            yield child


def refuse_unfinished(data: Any, source: str) -> None:
    """Refuse values that are still to be filled in, and text that no file or terminal can hold.

    Raises:
        ConfigError: with the first such key.
    """
    for key, value in _strings(data):
        if value.startswith(PLACEHOLDER):
            what = value.removeprefix(PLACEHOLDER).strip(" :")
            raise ConfigError(f"{source}: '{key}' is still to be filled in: {what}")
        if unprintable(value):
            raise ConfigError(f"{source}: '{key}' holds a character that no name can have: {value!r:.80}")


def _strings(data: Any, path: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(data, str):
        yield path, data
    elif isinstance(data, dict):
        for key, value in data.items():
            inner = f"{path}.{key}" if path else str(key)
            yield from _strings(str(key), inner)
            yield from _strings(value, inner)
    elif isinstance(data, list):
        for item in data:
            yield from _strings(item, path)
