"""What cannot be read is said in one line: bytes, folders, devices, YAML that is none or too much."""

from __future__ import annotations

import lzma
import os
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import awkward as ak
import pytest
import uproot
from conftest import toy_columns, toy_config

from hepneg.config import Config, load_config
from hepneg.errors import ConfigError, DataError
from hepneg.expressions import Expression
from hepneg.models.loading import load_model
from hepneg.ntuples import read
from hepneg.ntuples.damage import refuse_damage
from hepneg.ntuples.files import matching_files, open_file

COMPRESSIONS = {"zlib": uproot.ZLIB(4), "lzma": uproot.LZMA(4), "lz4": uproot.LZ4(4), "zstd": uproot.ZSTD(3)}


def one_line(error: BaseException) -> str:
    assert "\n" not in str(error)
    return str(error)


@pytest.mark.parametrize("kind", ["ttree", "rntuple"])
@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_damaged_blocks_of_every_compression(tmp_path: Path, kind: str, compression: str) -> None:
    path = tmp_path / "a.root"
    columns = {name: column for name, column in toy_columns(4000, 0, 1).items() if name != "jet_pt"}
    with uproot.recreate(path, compression=COMPRESSIONS[compression]) as file:
        (file.mktree if kind == "ttree" else file.mkrntuple)("Events", columns).extend(columns)
    whole = bytearray(path.read_bytes())
    whole[6000:60000] = whole[6000:60000][::-1]
    path.write_bytes(whole)
    keys = {"weight": "genWeight", "event_id": "event", "features": ["x0", "x1"]}
    config = Config.from_dict({**keys, "samples": {"s": {"label": "signal", "files": "a.root"}}}, tmp_path)
    with pytest.raises(DataError) as caught:
        read(config)
    assert one_line(caught.value).startswith("cannot read ")
    assert str(path) in str(caught.value)
    assert "the file is damaged" in str(caught.value)


@pytest.mark.parametrize(
    ("raised", "words"),
    [
        (zlib.error("invalid distance"), "zlib.error: invalid distance; the file is damaged, fetch or write it again"),
        (lzma.LZMAError("corrupt"), "LZMAError: corrupt; the file is damaged, fetch or write it again"),
        (IndexError("out of range"), "IndexError: out of range; the file is damaged, fetch or write it again"),
        (MemoryError(), "it needs more memory than there is"),
        (ValueError("unsupported compression algorithm: b'CS'"), "b'CS'; uproot does not read this"),
        (NotImplementedError("unsplit"), "unsplit; uproot does not read this"),
        (AssertionError(), "AssertionError; the file is damaged, or holds what uproot does not read"),
        (ModuleNotFoundError("no lz4"), "no lz4; install the package that is missing"),
    ],
)
def test_damaged_is_said_only_where_it_is_known(raised: Exception, words: str) -> None:
    with pytest.raises(DataError) as caught, refuse_damage("a.root", "entries"):
        raise raised
    assert words.removeprefix("zlib.") in one_line(caught.value)
    assert caught.value.__cause__ is raised


def test_an_interrupt_is_no_damage() -> None:
    with pytest.raises(KeyboardInterrupt), refuse_damage("a.root", "entries"):
        raise KeyboardInterrupt


def test_a_name_with_other_digits_sorts(tmp_path: Path) -> None:
    for name in ("1²3.root", "10.root", "2.root"):
        (tmp_path / name).touch()
    assert [Path(path).name for path in matching_files("*.root", tmp_path)] == ["1²3.root", "2.root", "10.root"]


@pytest.mark.parametrize(
    ("pattern", "words"),
    [("~nosuchuser/a.root", "write the path in full"), ("x" * 5000, "File name too long")],
)
def test_paths_that_cannot_be_looked_for(tmp_path: Path, pattern: str, words: str) -> None:
    with pytest.raises(DataError, match=words) as caught:
        matching_files(pattern, tmp_path)
    one_line(caught.value)


def test_a_folder_that_cannot_be_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hepneg.ntuples.files.os.access", lambda *_: False)
    with pytest.raises(DataError, match=f"the folder {tmp_path} cannot be read: permission denied"):
        matching_files("*.root", tmp_path)


def make_odd(path: Path, kind: str) -> Path:
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "loop":
        path.symlink_to(path.name)
    elif kind == "folder":
        path.mkdir()
    else:
        path.symlink_to("/dev/zero")
    return path


@pytest.mark.parametrize("kind", ["fifo", "loop", "folder", "device"])
def test_what_is_no_file_is_never_read(tmp_path: Path, kind: str) -> None:
    (tmp_path / "model").mkdir()
    ways: list[tuple[Callable[..., Any], Path, type[Exception]]] = [
        (load_config, tmp_path / "a.yaml", ConfigError),
        (load_model, tmp_path / "model" / "model.json", DataError),
    ]
    for load, path, error in ways:
        make_odd(path, kind)
        with pytest.raises(error) as caught:
            load(path if load is load_config else path.parent)
        assert path.name in one_line(caught.value)
    make_odd(tmp_path / "a.root", kind)
    with pytest.raises(DataError, match=r"cannot read .*a\.root"), open_file(str(tmp_path / "a.root")):
        pass


BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
)
MERGED = "a: &a {x: 1, y: 2}\n" + "".join(
    f"{b}: &{b} {{<<: [{', '.join([f'*{a}'] * 9)}]}}\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (BOMB, "more than 100000 values once its aliases are written out"),
        (MERGED, "more than 100000 values once its aliases are written out"),
        ("a: &a [*a]", "an alias inside of what it stands for"),
        ("[" * 5000, "nested too deeply"),
        ('weight: !!float ""', "a value does not fit its tag"),
        ("weight: !!bool maybe", "a value does not fit its tag"),
        ("weight: !!timestamp foo", "a value does not fit its tag"),
        ("weight: !!python/object/apply:os.system [id]", "could not determine a constructor"),
        ('weight: "a\\0b"', "'weight' holds a character that no name can have"),
    ],
)
def test_yaml_that_is_none_or_too_much(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    assert words in one_line(caught.value)
    with pytest.raises(ConfigError):
        load_config(path, [f"weight={text}"])


@pytest.mark.parametrize("name", ["../../x", "a/b", "..", ".", "x" * 201, "a\nb"])
def test_a_name_that_leaves_the_folder_of_results(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="configuration: name: it names a folder"):
        Config.from_dict(toy_config() | {"name": name}, tmp_path)


@pytest.mark.parametrize("key", ["features", "samples", "systematics"])
def test_names_that_no_file_can_have(tmp_path: Path, key: str) -> None:
    data = toy_config()
    long = "x" * 201
    value = {
        "samples": {long: data["samples"]["sig"]},
        "features": [{long: "x0"}],
        "systematics": {long: "2 * genWeight"},
    }[key]
    with pytest.raises(ConfigError, match="longer than 200 characters"):
        Config.from_dict(data | {key: value}, tmp_path)


def test_a_plain_block_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("a: &a [1, 2]\nb: *a\n")
    with pytest.raises(ConfigError, match="unknown key 'a'"):
        load_config(tmp_path / "a.yaml")


def test_a_number_that_no_column_can_hold() -> None:
    columns = {"jet_pt": ak.Array([[1.0], []])}
    with pytest.raises(DataError, match="expression 'max") as caught:
        Expression("max(jet_pt, default=99999999999999999999)").evaluate(columns)
    one_line(caught.value)


def test_a_message_that_quotes_very_much_is_cut(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("{}")
    with pytest.raises(ConfigError) as caught:
        load_config(tmp_path / "a.yaml", ["x" * 100_000])
    assert len(one_line(caught.value)) < 2000
    assert "write it as key=value" in str(caught.value)
