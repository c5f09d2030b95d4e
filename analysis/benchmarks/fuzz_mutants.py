"""How `fuzz.py` changes bytes, configurations, options and expressions; the same seed gives the same mutants."""

from __future__ import annotations

import copy
import datetime as dt
import json
import random
from collections.abc import Iterator
from typing import Any

import yaml

VALUES = (
    *(
        None,
        True,
        False,
        0,
        -1,
        1,
        2,
        10**30,
        -(10**30),
        10**400,
        1.5,
        float("inf"),
        -float("inf"),
        float("nan"),
        1e308,
        1e-320,
    ),
    *(
        "",
        "x",
        "nan",
        "../../x",
        "/etc/passwd",
        "a" * 10_000,
        "\0",
        "é",
        "\u202e",
        "{{7*7}}",
        "$(id)",
        "%s",
        "[]",
        "null",
        "1e5",
    ),
    *('__import__("os")', "x + ", "jet_pt", "9**9**9 * x", "x" * 300, "~nosuchuser/a", "1²3.root", "[/b]", "$\\frac{$"),
    *(
        [],
        {},
        [1],
        ["a"],
        [None],
        [[]],
        [{}],
        {"a": 1},
        {"name": "x"},
        {"name": None},
        {"name": []},
        {"a": {"b": {"c": 1}}},
    ),
    *([["a", "b"]], [{"a": 1, "b": 2}], [True], list(range(1000)), {str(i): i for i in range(100)}, b"bytes"),
    *(dt.date(2026, 1, 1), dt.datetime(2026, 1, 1)),
)
SNIPPETS = (
    *(
        b"\t",
        b"\0",
        b"\xff",
        b"&a ",
        b"*a ",
        b"!!python/object:os.x ",
        b"!x ",
        b"%",
        b"|",
        b">",
        b"-",
        b"? ",
        b": ",
        b"#",
        b'"',
        b"'",
    ),
    *(
        b"[",
        b"{",
        b"\r",
        b"\xc2\x85",
        b"---\n",
        b"...\n",
        b"<<: ",
        b"\xe2\x80\xa8",
        b"!<tag:yaml.org,2002:python/name:os.system> ",
    ),
    *(b'!!float ""', b"!!bool maybe ", b"!!timestamp foo ", b"&a [*a]", b"[" * 5000, b"!!binary x", b"!!set {a, b}"),
)
TEXTS = (
    *(
        "",
        "null",
        "~",
        "[",
        "{",
        "*a",
        "&a [*a]",
        "!!python/object/apply:os.system [id]",
        "inf",
        ".inf",
        "-1",
        "1e400",
        "9" * 5000,
    ),
    *(
        "a: b: c",
        "[1,2",
        '"',
        "\t",
        "\0",
        "x" * 100_000,
        "[" * 3000,
        "{a: " * 2000,
        "<<: 1",
        "|",
        ">\n a",
        "2026-01-01",
        "!!int x",
    ),
    *(
        "!!timestamp x",
        "&x [&y [*x,*y]]",
        "absolute",
        "../../etc",
        "\ud800",
        '!!float ""',
        "!!bool maybe",
        "0o777",
        "1:30:00",
    ),
)
KEYS = (
    "a",
    "",
    ".",
    "..",
    "a.",
    "=",
    "samples.new.files",
    "features.0",
    "training.scheme.name.x",
    "__class__",
    "folder",
    "a b",
    "\0",
    "ü",
)


def bytes_of_a_file(original: bytes, rng: random.Random) -> bytes:
    """Change a file as disks, transfers and bad intent do."""
    data, length = bytearray(original), len(original)
    place, run = rng.randrange(length), rng.choice([1, 4, 16, 256, 4096])
    how = rng.choice(
        [
            "bit",
            "bit",
            "byte",
            "byte",
            "zero",
            "ones",
            "noise",
            "cut",
            "head",
            "tail",
            "tail",
            "twice",
            "less",
            "number",
        ]
    )
    if how == "bit":
        data[place] ^= 1 << rng.randrange(8)
    elif how in {"byte", "head", "tail"}:
        near = {
            "byte": place,
            "head": rng.randrange(min(700, length)),
            "tail": length - 1 - rng.randrange(min(12_000, length)),
        }
        data[near[how]] = rng.randrange(256)
    elif how in {"zero", "ones", "noise"}:
        stop = min(length, place + run)
        data[place:stop] = {
            "zero": bytes(stop - place),
            "ones": b"\xff" * (stop - place),
            "noise": rng.randbytes(stop - place),
        }[how]
    elif how == "cut":
        del data[place:]
    elif how == "twice":
        data[place:place] = data[place : place + rng.randrange(1, 50)]
    elif how == "less":
        del data[place : place + rng.randrange(1, 50)]
    else:
        start = max(0, length - 4 - rng.randrange(min(length, 12_000)))
        number = rng.choice([0x7FFFFFFF, 0xFFFFFFFF, 0x80000000, 1, 0x10000000])
        data[start : start + 4] = number.to_bytes(4, rng.choice(["big", "little"]))
    return bytes(data)


def yaml_of(config: dict[str, Any], rng: random.Random) -> bytes:
    """Replace or remove a key of a configuration, or change its text."""
    if rng.random() < 0.6:
        changed = _changed(config, rng)
        try:
            return yaml.safe_dump(changed).encode()
        except yaml.YAMLError:
            return b""
    text = bytearray(yaml.safe_dump(config, sort_keys=False).encode())
    for _ in range(rng.choice([1, 1, 2, 5, 20])):
        place = rng.randrange(len(text))
        how = rng.randrange(4)
        if how == 0:
            text[place] = rng.randrange(256)
        elif how == 1:
            text[place:place] = rng.choice(SNIPPETS)
        elif how == 2:
            del text[place : place + rng.randrange(1, 30)]
        else:
            text[place:place] = text[place : place + rng.randrange(1, 60)]
        text = text or bytearray(b"a")
    return bytes(text)


def json_of(original: bytes, rng: random.Random) -> bytes:
    """Replace or remove a value of a JSON document, or change its bytes."""
    if rng.random() < 0.3:
        return bytes_of_a_file(original, rng)
    return json.dumps(_changed(json.loads(original), rng), default=str).encode()


def override_of(config: dict[str, Any], rng: random.Random) -> str:
    """Return a value of ``--set``."""
    keys = [".".join(map(str, path)) for path in _paths(config) if path]
    value = rng.choice([*TEXTS, *map(str, VALUES)])
    return rng.choice(["{0}={1}"] * 20 + ["{0}", "{1}", "={1}"]).format(rng.choice([*keys, *keys, *KEYS]), value)


def expression_of(names: list[str], rng: random.Random) -> str:
    """Return an expression, sometimes with letters changed."""
    text = _expression(names, rng, rng.randrange(1, 6))
    if rng.random() < 0.5:
        return text
    letters = list(text)
    for _ in range(rng.randrange(1, 4)):
        place = rng.randrange(len(letters) + 1)
        letters[place : place + rng.randrange(2)] = rng.choice(
            "()[]:,+-*/%<>=!&|~.'\" \\\n\t0123456789eEjxlambda_\0²\ud800"
        )
    return "".join(letters)


def _expression(names: list[str], rng: random.Random, depth: int) -> str:
    if depth <= 0 or rng.random() < 0.18:
        numbers = ["0", "1", "-1", "2.5", "1e308", "1e-308", "1e999", str(2**64 - 1), "9" * 23, "True", "pi"]
        return rng.choice([*names, *names, *numbers])
    a, b, c = (_expression(names, rng, depth - 1) for _ in range(3))
    index = rng.choice(["0", "1", "-1", "5", ":2", "1:", "2:1", "99999999999"])
    one = rng.choice(
        [
            "sqrt",
            "exp",
            "log",
            "abs",
            "round",
            "isnan",
            "sign",
            "sum",
            "min",
            "max",
            "mean",
            "any",
            "all",
            "len",
            "count",
        ]
    )
    two = rng.choice(["arctan2", "hypot", "minimum", "maximum", "delta_phi"])
    operator = rng.choice(["+", "-", "*", "/", "//", "%", "**", "&", "|", "<", ">=", "==", "!=", "and", "or"])
    return rng.choice(
        [
            f"({a} {operator} {b})",
            f"({rng.choice(['not ', '-', '+', '~'])}{a})",
            *(
                f"{a}[:, {index}]",
                f"{a}[{b}]",
                f"{one}({a})",
                f"{two}({a}, {b})",
                f"where({a}, {b}, {c})",
                f"clip({a}, {b}, {c})",
            ),
            f"max({a}, default={rng.choice(['1', '1e999', 'True', '9' * 20])})",
            f"pad({a}, {rng.choice(['0', '-1', '3'])}, {rng.choice(['-1', '1e999', 'True', '9' * 20])})",
        ]
    )


def _changed(data: Any, rng: random.Random) -> Any:
    path = rng.choice([path for path in _paths(data) if path])
    return _without(data, path) if rng.random() < 0.15 else _put(data, path, rng.choice(VALUES))


def _paths(data: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    for key in data if isinstance(data, dict) else range(len(data)) if isinstance(data, list) else ():
        yield from _paths(data[key], (*path, key))


def _put(data: Any, path: tuple[Any, ...], value: Any) -> Any:
    if not path:
        return value
    data = copy.copy(data)
    data[path[0]] = _put(data[path[0]], path[1:], value)
    return data


def _without(data: Any, path: tuple[Any, ...]) -> Any:
    data = copy.deepcopy(data)
    inner = data
    for key in path[:-1]:
        inner = inner[key]
    del inner[path[-1]]
    return data
