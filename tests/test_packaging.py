"""What is published: the README as PyPI shows it, the recipe, the steps of CI, the citation."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
GITHUB = ROOT / ".github"
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PROJECT = SETTINGS["project"]
CONDA_NAMES = {"matplotlib": "matplotlib-base", "torch": "pytorch"}

in_repository = pytest.mark.skipif(not GITHUB.is_dir(), reason="it is in the repository only")


def versions(requirements: list[str]) -> dict[str, str]:
    """The lowest version by name."""
    return dict(re.split(r"\s*>=", requirement.lower()) for requirement in requirements)


def test_nothing_on_the_page_of_pypi_is_relative() -> None:
    hook = SETTINGS["tool"]["hatch"]["metadata"]["hooks"]["fancy-pypi-readme"]
    (fragment,) = hook["fragments"]
    text = (ROOT / fragment["path"]).read_text(encoding="utf-8")
    relative = re.findall(r"\]\((?!http|#)[^)]*\)", text)
    for substitution in hook["substitutions"]:
        text = re.sub(substitution["pattern"], substitution["replacement"], text)
    assert len(relative) > 10
    assert re.findall(r"\]\((?!https://|#)[^)]*\)", text) == []
    assert re.findall(r"!\[[^]]*\]\((\S*?)\)", text) == [
        f"{PROJECT['urls']['Source']}/raw/main/analysis/ttbar_wjets/figures/comparison.png"
    ]
    targets = re.findall(r"/(?:blob|raw)/main/([^)#]*)", text)
    assert [target for target in targets if not (ROOT / target).exists()] == []


def test_the_source_distribution_has_what_the_commands_of_the_readme_need() -> None:
    included = SETTINGS["tool"]["hatch"]["build"]["targets"]["sdist"]["include"]
    assert [name for name in included if not (ROOT / name).exists()] == []
    assert {"constraints.txt", "analysis", "tests", "hepneg", "README.md"} <= set(included)


@in_repository
def test_the_recipe_asks_for_what_the_package_asks_for() -> None:
    recipe = yaml.safe_load((GITHUB / "recipe.yaml").read_text(encoding="utf-8"))
    assert recipe["context"]["version"] == PROJECT["version"]
    wanted = {CONDA_NAMES.get(name, name): lowest for name, lowest in versions(PROJECT["dependencies"]).items()}
    asked = versions([one for one in recipe["requirements"]["run"] if not one.startswith("python ")])
    assert asked == wanted
    host = versions([one for one in recipe["requirements"]["host"] if ">=" in one])
    assert host == versions(SETTINGS["build-system"]["requires"])


@in_repository
def test_tox_and_the_workflow_run_the_steps_of_ci() -> None:
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    steps = re.findall(r"^(\w+)\(\) \{$", script, flags=re.MULTILINE)
    assert set(SETTINGS["tool"]["tox"]["env_list"]) == set(steps) - {"develop"}
    workflow = yaml.safe_load((GITHUB / "workflows" / "ci.yml").read_text(encoding="utf-8"))
    matrix = workflow["jobs"]["steps"]["strategy"]["matrix"]["step"]
    assert set(matrix) == set(steps) - {"develop", "tests"}
    python = {row.rpartition(":: ")[2] for row in PROJECT["classifiers"] if re.search(r":: 3\.\d+$", row)}
    assert set(workflow["jobs"]["test"]["strategy"]["matrix"]["python-version"]) == python


def test_the_citation_is_of_this_project() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == PROJECT["version"]
    assert citation["license"] == PROJECT["license"]
    assert citation["repository-code"] == PROJECT["urls"]["Source"]
    assert {"abstract", "keywords", "authors", "date-released"} <= citation.keys()
