"""How Sphinx makes the manual's site: pages and notebooks as they are stored, the reference from the docstrings."""

import sys
import tomllib
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "_sphinx"))
PROJECT = tomllib.loads((HERE.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]

project = PROJECT["name"]
author = PROJECT["authors"][0]["name"]
copyright = author
release = version = PROJECT["version"]
source_url = PROJECT["urls"]["Source"]

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinxcontrib.mermaid",
    "broken_links",
    "reference_pages",
    "source_links",
]
root_doc = "index"
exclude_patterns = ["README.md", "_sphinx", "_build"]

nb_execution_mode = "off"  # the stored outputs are shown; the tests execute the notebooks
nb_merge_streams = True
myst_heading_anchors = 4
myst_fence_as_directive = ["mermaid"]
suppress_warnings = ["ref.python"]  # a name in an annotation that two rooms have

autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
autodoc_type_aliases = {
    name: name for name in ("ArrayLike", "BoolArray", "FloatArray", "IndexArray", "InfluenceFunction")
}
napoleon_use_ivar = True
napoleon_use_rtype = False
napoleon_numpy_docstring = False
python_maximum_signature_line_length = 90
add_module_names = False
toc_object_entries = False

html_theme = "furo"
html_title = f"hepneg {release}"
html_copy_source = False
html_show_copyright = False
html_theme_options = {"footer_icons": [{"name": "Source", "url": source_url, "html": "Source", "class": ""}]}
