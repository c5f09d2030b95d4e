"""The reference: a page for each public name of each room, written from the docstrings when the site is built.

A name's page is that of its shortest address: ``hepneg.train`` and not ``hepneg.models.training.train``. References in
docstrings find it under whichever address they give.
"""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import pkgutil
import re
import shutil
import sys
import textwrap
import types
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sphinx.pycode import ModuleAnalyzer

import hepneg

if TYPE_CHECKING:
    from docutils import nodes
    from sphinx.addnodes import pending_xref
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

FOLDER = "reference"
CLASS_OPTIONS = (
    ":members:",
    ":inherited-members: BaseModel, BaseEstimator, ClassifierMixin, Exception, Module, ProcessorABC, dict, tuple",
    ":exclude-members: get_metadata_routing, set_fit_request, set_score_request",
)
"""What a class shows; methods of its bases elsewhere are documented there."""
LONGEST_VALUE = 200
HIDDEN = {"cli", "__main__"}
"""Rooms without functions for others."""


@dataclasses.dataclass(frozen=True)
class Name:
    """A public name: its address, and what it stands for."""

    address: str
    value: Any

    @property
    def directive(self) -> str:
        """The directive that documents it."""
        if inspect.isclass(self.value):
            return "autoexception" if issubclass(self.value, Exception) else "autoclass"
        return "autofunction" if inspect.isroutine(self.value) else "data"

    @property
    def text(self) -> str:
        """Its docstring; that of a constant stands below it where it is defined."""
        if self.directive != "data":
            return inspect.getdoc(self.value) or ""
        key = ("", self.address.rpartition(".")[2])
        for module in [
            name for name in sys.modules if name.startswith("hepneg.") and key[1] in vars(sys.modules[name])
        ]:
            found: dict[tuple[str, str], list[str]] = ModuleAnalyzer.for_module(module).find_attr_docs()
            if key in found:
                return "\n".join(found[key])
        return ""

    @property
    def summary(self) -> str:
        """The first sentence of its docstring."""
        first = " ".join(self.text.partition("\n\n")[0].split())
        sentence = re.split(r"(?<=[.:])\s", first)[0]
        return without_bars(first if sentence.count("``") % 2 else sentence)


def without_bars(text: str) -> str:
    """Let ``|w|`` be a magnitude, not a substitution of reStructuredText."""
    return re.sub(r"(``.*?``)|\|", lambda match: match.group(1) or r"\|", text)


def rooms() -> list[types.ModuleType]:
    """Return hepneg and its public rooms, in the order of their names."""
    names = sorted(room.name for room in pkgutil.iter_modules(hepneg.__path__))
    shown = [name for name in names if not name.startswith("_") and name not in HIDDEN]
    return [hepneg, *(importlib.import_module(f"hepneg.{name}") for name in shown)]


def public_names(room: types.ModuleType) -> list[str]:
    """Return what ``__all__`` and ``__dir__`` of a room name, or what a room without them defines; no modules."""
    if hasattr(room, "__all__"):
        names = {*room.__all__, *(dir(room) if "__dir__" in vars(room) else ())}
    else:
        names = {name for name, value in vars(room).items() if getattr(value, "__module__", "") == room.__name__}
    return sorted(
        (name for name in names if name[0] != "_" and not isinstance(getattr(room, name), types.ModuleType)),
        key=str.lower,
    )


def reference() -> dict[str, dict[str, Name]]:
    """Return the names of each room that has any, each with the shortest of its addresses."""
    homes: dict[int, Name] = {}
    found: dict[str, dict[str, Name]] = {}
    for room in rooms():
        values = {name: getattr(room, name) for name in public_names(room)}
        if values:
            found[room.__name__] = {
                name: homes.setdefault(id(value), Name(f"{room.__name__}.{name}", value))
                for name, value in values.items()
            }
    return found


def name_page(name: Name) -> str:
    """Return the page of one name."""
    room, _, short = name.address.rpartition(".")
    lines = [":orphan:", "", short, "=" * len(short), "", f".. currentmodule:: {room}", ""]
    if name.directive == "data":
        value = "" if len(shown := repr(name.value)) > LONGEST_VALUE or " at 0x" in shown else f"   :value: {shown}"
        return "\n".join(
            [*lines, f".. py:data:: {short}", value, "", textwrap.indent(without_bars(name.text), "   "), ""]
        )
    options = [f"   {option}" for option in CLASS_OPTIONS if inspect.isclass(name.value)]
    return "\n".join([*lines, f".. {name.directive}:: {short}", *options, ""])


def room_page(room: str, names: dict[str, Name]) -> str:
    """Return the page of a room: its docstring, and its names with what they are."""
    listed = [f":py:obj:`{short} <{name.address}>`\n   {name.summary or '…'}" for short, name in names.items()]
    return "\n".join([room, "=" * len(room), "", f".. automodule:: {room}", "   :no-members:", "", *listed, ""])


def write_reference(app: Sphinx) -> None:
    """Write the pages into the folder ``reference`` of the sources; pages of names that are gone are removed."""
    folder = Path(app.srcdir) / FOLDER
    found = reference()
    app.env.hepneg_addresses = {id(name.value): name.address for names in found.values() for name in names.values()}  # type: ignore[attr-defined]
    pages = {f"{room}.rst": room_page(room, names) for room, names in found.items()}
    every = {name.address: name for names in found.values() for name in names.values()}
    pages |= {f"{address}.rst": name_page(name) for address, name in every.items()}
    listed = "\n".join(f"   {room}" for room in found)
    pages["index.rst"] = f"Reference\n=========\n\n.. toctree::\n   :maxdepth: 1\n\n{listed}\n"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for file, text in pages.items():
        (folder / file).write_text(text, encoding="utf-8")


def keep_bars(_app: Sphinx, _what: str, _name: str, _value: Any, _options: Any, lines: list[str]) -> None:
    """Apply :func:`without_bars` to a docstring."""
    lines[:] = [without_bars(line) for line in lines]


def addressed(target: str) -> Any:
    """Return what a dotted name stands for, or None."""
    parts = target.split(".")
    for end in range(len(parts), 0, -1):
        try:
            value = importlib.import_module(".".join(parts[:end]))
            for part in parts[end:]:
                value = getattr(value, part)
        except (ImportError, AttributeError):
            continue
        return value
    return None


def find_elsewhere(app: Sphinx, env: BuildEnvironment, node: pending_xref, inner: nodes.Node) -> nodes.Node | None:
    """Lead a reference by another address of a public name to that name's page."""
    if node.get("refdomain") != "py" or not node["reftarget"].startswith("hepneg."):
        return None
    address = env.hepneg_addresses.get(id(addressed(node["reftarget"])))  # type: ignore[attr-defined]
    domain = env.get_domain("py")
    if address is None or address not in domain.objects:  # type: ignore[attr-defined]
        return None
    return domain.resolve_xref(env, node["refdoc"], app.builder, "obj", address, node, inner)  # type: ignore[arg-type]


def name_aliases(
    app: Sphinx, what: str, name: str, obj: Any, options: Any, signature: str | None, returns: str | None
) -> tuple[str | None, str | None]:
    """Write the names of types that stand for a union: in a union with others Sphinx writes how it refers to them."""
    plain = (text and re.sub(r"TypeAliasForwardRef\('(\w+)'\)", r"\1", text) for text in (signature, returns))
    return next(plain), next(plain)


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect to Sphinx."""
    app.connect("builder-inited", write_reference)
    app.connect("autodoc-process-docstring", keep_bars)
    app.connect("autodoc-process-signature", name_aliases)
    app.connect("missing-reference", find_elsewhere)
    return {"parallel_read_safe": False, "parallel_write_safe": True}
