"""Execute the notebooks of the manual in place: ``python notebooks/_sphinx/execute.py [NAMES…]``.

Times and identifiers of cells are not stored, so that only what a reader sees changes.
"""

from __future__ import annotations

import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient

FOLDER = Path(__file__).parents[1]


def execute(path: Path) -> None:
    """Run all cells of a notebook in its folder, and store what they show."""
    notebook = nbformat.read(path, as_version=4)
    where = {"metadata": {"path": FOLDER}}
    NotebookClient(
        notebook, timeout=600, kernel_name="python3", resources=where, record_timing=False, coalesce_streams=True
    ).execute()
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
    nbformat.write(notebook, path)
    print(path.name)


if __name__ == "__main__":
    for chosen in sys.argv[1:] or sorted(path.stem for path in FOLDER.glob("*.ipynb")):
        execute(FOLDER / f"{chosen}.ipynb")
