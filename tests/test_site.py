"""The site of the manual: every public name gets a page by itself, every page of the manual is in the contents.

Building it is a step of CI, with warnings as errors and links checked.
"""

from __future__ import annotations

import importlib
import inspect
import re
import types
from pathlib import Path

import pytest

import hepneg

MANUAL = Path(__file__).parents[1] / "notebooks"
pytestmark = pytest.mark.skipif(not MANUAL.is_dir(), reason="the manual is in the repository only")
pytest.importorskip("sphinx", reason="the site takes Sphinx: pip install 'hepneg[docs]'")
pytest.importorskip("coffea", reason="the reference takes coffea: pip install 'hepneg[coffea]'")


@pytest.fixture(scope="module")
def pages() -> types.ModuleType:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(MANUAL / "_sphinx")
        return importlib.import_module("reference_pages")


@pytest.fixture(scope="module")
def links() -> types.ModuleType:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(MANUAL / "_sphinx")
        return importlib.import_module("broken_links")


@pytest.fixture(scope="module")
def files(pages: types.ModuleType, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What the generator writes, by the name of the file."""
    source = tmp_path_factory.mktemp("source")
    pages.write_reference(types.SimpleNamespace(srcdir=source, env=types.SimpleNamespace()))
    return {path.stem: path.read_text(encoding="utf-8") for path in (source / pages.FOLDER).iterdir()}


def test_every_public_name_has_a_page_and_a_place_on_that_of_its_room(files: dict[str, str]) -> None:
    rooms = {"hepneg": hepneg} | {
        f"hepneg.{path.stem}": importlib.import_module(f"hepneg.{path.stem}")
        for path in Path(hepneg.__file__).parent.iterdir()
        if (path.suffix == ".py" or (path / "__init__.py").is_file()) and path.stem[0] != "_" and path.stem != "cli"
    }
    missing = []
    for room, module in rooms.items():
        for name in getattr(module, "__all__", ()):
            value = getattr(module, name)
            if isinstance(value, types.ModuleType):
                missing += [name] if value.__name__ not in files else []
            elif name[0] != "_":
                listed = re.search(rf"^:py:obj:`{name} <(hepneg\.[\w.]+)>`$", files.get(room, ""), flags=re.MULTILINE)
                missing += [] if listed and listed[1] in files else [f"{room}.{name}"]
    assert missing == []
    assert {"hepneg.train", "hepneg.metrics.auc", "hepneg.sklearn.signed_auc", "hepneg.SignedClassifier"} <= set(files)


def test_every_public_function_and_class_says_what_it_does(pages: types.ModuleType) -> None:
    found = {name.address: name for names in pages.reference().values() for name in names.values()}
    assert [address for address, name in found.items() if inspect.isroutine(name.value) and not name.summary] == []
    assert [address for address, name in found.items() if inspect.isclass(name.value) and not name.summary] == []


def test_every_page_of_the_manual_is_in_the_contents() -> None:
    (contents,) = re.findall(r":caption: Manual\n.*?\n\n(.*?)```", (MANUAL / "index.md").read_text(), flags=re.DOTALL)
    pages = {path.stem for ending in ("*.md", "*.ipynb") for path in MANUAL.glob(ending)}
    assert sorted(contents.split()) == sorted(pages - {"index", "README"})


def test_broken_links_are_found(links: types.ModuleType, tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "a.html").write_text("<p id=here><a href='sub/b.html#there'></a><a href='https://x.org/y'></a>")
    (tmp_path / "sub" / "b.html").write_text("<p id=there><a href='../a.html#gone'></a><img src='no.png'>")
    assert list(links.broken(tmp_path)) == [("sub/b.html", "../a.html#gone"), ("sub/b.html", "no.png")]


@pytest.mark.parametrize(
    ("text", "safe"),
    [("Σ|w| of ``|w|``", r"Σ\|w\| of ``|w|``"), ("no bars", "no bars"), ("``a`` |x| ``b``", r"``a`` \|x\| ``b``")],
)
def test_magnitudes_are_no_substitutions(pages: types.ModuleType, text: str, safe: str) -> None:
    assert pages.without_bars(text) == safe
