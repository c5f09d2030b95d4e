"""The notebooks run without error or warning, and what is stored in them is fit to be read on a code host."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from conftest import HUNG, copy_example

nbformat = pytest.importorskip("nbformat", reason="reading notebooks takes nbformat: pip install 'hepneg[notebooks]'")

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nbformat import NotebookNode

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "notebooks"
EXAMPLE = Path("analysis") / "ttbar_wjets"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))

LARGEST = 400_000  # bytes
# A slash that starts a path of at least two parts (not one between two words, nor a closing tag), or a drive letter.
ABSOLUTE_PATH = re.compile(r"(?<![\w<./:])/\w[\w.-]*/\w|\b[A-Za-z]:\\\w")
NEEDS = {"4_columnar": ("coffea", "distributed")}
# The kernel warns about itself while it shuts down; as an error that would keep it from doing so.
STRICT = "import warnings\n\nwarnings.simplefilter('error')\nwarnings.filterwarnings('ignore', module='ipykernel')"

pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="the notebooks are in the repository only")
each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def read_notebook(path: Path) -> NotebookNode:
    return nbformat.read(path, as_version=4)


def outputs(notebook: NotebookNode) -> Iterator[Any]:
    for cell in notebook.cells:
        yield from cell.get("outputs", [])


def texts(notebook: NotebookNode) -> Iterator[str]:
    """Give what a reader sees as text: sources, printed lines and representations, but no pictures."""
    for cell in notebook.cells:
        yield cell.source
    for output in outputs(notebook):
        yield output.get("text", "")
        yield from (text for kind, text in output.get("data", {}).items() if kind.startswith("text/"))


def written_to_stderr(notebook: NotebookNode) -> list[str]:
    return [output.text for output in outputs(notebook) if output.output_type == "stream" and output.name == "stderr"]


def execute(notebook: NotebookNode, folder: Path) -> None:
    """Run all cells in ``folder``; an error in a cell, or a warning that it does not catch, is raised here."""
    from nbclient import NotebookClient

    where = {"metadata": {"path": folder}}
    NotebookClient(notebook, timeout=HUNG, kernel_name="python3", resources=where).execute()


def test_there_are_notebooks() -> None:
    assert len(NOTEBOOKS) >= 3


@pytest.mark.slow
@pytest.mark.real
@each_notebook
def test_it_runs_without_error_or_warning(path: Path, tmp_path: Path) -> None:
    pytest.importorskip("nbclient", reason="running notebooks takes nbclient: pip install 'hepneg[notebooks]'")
    pytest.importorskip("ipykernel", reason="running notebooks takes ipykernel: pip install 'hepneg[notebooks]'")
    for package in NEEDS.get(path.stem, ()):
        pytest.importorskip(package, reason=f"this notebook takes {package}: pip install 'hepneg[coffea]'")
    copy_example(tmp_path / EXAMPLE, every=12)
    folder = tmp_path / FOLDER.name
    folder.mkdir()
    notebook = read_notebook(path)
    notebook.cells.insert(0, nbformat.v4.new_code_cell(STRICT))
    execute(notebook, folder)
    assert written_to_stderr(notebook) == []


def test_a_warning_in_a_notebook_is_found(tmp_path: Path) -> None:
    nbclient = pytest.importorskip("nbclient", reason="running notebooks takes nbclient")
    pytest.importorskip("ipykernel", reason="running notebooks takes ipykernel")
    sources = [STRICT, "import warnings\n\nwarnings.warn('look here')"]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
    with pytest.raises(nbclient.exceptions.CellExecutionError, match="UserWarning.*: look here"):
        execute(notebook, tmp_path)


@each_notebook
def test_it_is_stored_as_executed_in_order(path: Path) -> None:
    code = [cell for cell in read_notebook(path).cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))


@each_notebook
def test_its_stored_outputs_hold_no_errors_and_no_warnings(path: Path) -> None:
    notebook = read_notebook(path)
    assert [output.evalue for output in outputs(notebook) if output.output_type == "error"] == []
    assert written_to_stderr(notebook) == []


@each_notebook
def test_it_names_no_absolute_paths(path: Path) -> None:
    found = [match.group() for text in texts(read_notebook(path)) for match in ABSOLUTE_PATH.finditer(text)]
    assert found == []


@each_notebook
def test_it_is_small(path: Path) -> None:
    assert path.stat().st_size <= LARGEST


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("/var/folders/ipykernel_1/2.py:3: UserWarning", True),
        ("PosixPath('/home/someone/model')", True),
        (r"C:\Users\someone", True),
        ("results/model", False),
        ("../analysis/ttbar_wjets/analysis.yaml", False),
        ("<td>80/20</td></tr>", False),
        ("https://arxiv.org/abs/0905.4221", False),
        ("Share of Σw / 0.025", False),
    ],
)
def test_absolute_paths_are_told_from_other_slashes(text: str, found: bool) -> None:
    assert bool(ABSOLUTE_PATH.search(text)) is found
