"""What the README and the pages of the manual show is what the code does."""

from __future__ import annotations

import re
import runpy
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from conftest import EXAMPLE, copy_example

import hepneg
from hepneg.cli.group import COMMANDS
from hepneg.config import Config, Training
from hepneg.expressions import Expression
from hepneg.expressions.functions import FUNCTIONS
from hepneg.objectives import objective_names
from hepneg.schemes import scheme_names

ROOT = Path(__file__).parents[1]
MANUAL = ROOT / "notebooks"
PAGES = sorted([ROOT / "README.md", *MANUAL.glob("*.md")])
PROSE = [*PAGES, ROOT / "CHANGELOG.md", *sorted((ROOT / "analysis").rglob("README.md"))]
README = (ROOT / "README.md").read_text(encoding="utf-8")
LONGEST_LINE, LONGEST_README = 120, 150

pytestmark = pytest.mark.skipif(not MANUAL.is_dir(), reason="the manual is in the repository only")
each_page = pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)


def page(name: str) -> str:
    return (MANUAL / f"{name}.md").read_text(encoding="utf-8")


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", text, flags=re.DOTALL)


def first_cells(text: str) -> set[str]:
    """The names in the first column of the tables of a page."""
    rows = "\n".join(re.findall(r"^\| (`.*?) \|", text, flags=re.MULTILINE))
    return set(re.findall(r"`(\w+)`", rows))


def anchors(text: str) -> set[str]:
    """The anchors of a page's headings, as code hosts make them."""
    headings = re.findall(r"^#+ (.*)$", re.sub(r"```.*?```", "", text, flags=re.DOTALL), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


# Form


def test_the_readme_is_read_in_five_minutes() -> None:
    assert len(README.splitlines()) <= LONGEST_README


@pytest.mark.parametrize("path", PROSE, ids=lambda path: str(path.relative_to(ROOT)))
def test_lines_fit_an_editor(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    measured = "analysis" in path.parts  # its tables are printed by scripts, one row for each measurement
    assert [line for line in lines if len(line) > LONGEST_LINE and not (measured and line.startswith("|"))] == []


@each_page
def test_local_links_lead_somewhere(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for target, anchor in re.findall(r"\]\((?!http)([^)#]*)#?([^)]*)\)", text):
        linked = (path.parent / target) if target else path
        assert linked.exists(), target
        if anchor:
            assert anchor in anchors(linked.read_text(encoding="utf-8")), (target, anchor)


def test_every_page_and_notebook_is_linked_in_the_readme() -> None:
    names = {path.name for ending in ("*.md", "*.ipynb") for path in MANUAL.glob(ending)} - {"index.md"}
    assert names == set(re.findall(r"\]\(notebooks/([^)#]+)", README))


# The map


def test_every_room_is_on_the_map() -> None:
    folder = ROOT / "hepneg"
    rooms = {path.name for path in folder.iterdir() if (path / "__init__.py").is_file()}
    rooms |= {path.stem for path in folder.glob("*.py") if not path.stem.startswith("__")}
    assert set(re.findall(r"^- `(\w+)`:", page("0_map"), flags=re.MULTILINE)) == rooms


def test_what_the_map_names_is_there() -> None:
    named = re.findall(r"`(hepneg/[^`]*)`", page("0_map"))
    assert named
    assert [path for path in named if not (ROOT / path).exists()] == []


# Commands and configurations


def test_ci_runs_the_test_command_of_the_readme() -> None:
    (command,) = [block.strip() for block in blocks(README, "bash") if "pytest" in block]
    assert command in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


@each_page
def test_the_commands_exist(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    shown = re.findall(r"^hepneg (\w+) ", "\n".join(blocks(text, "bash")), flags=re.MULTILINE)
    shown += re.findall(r"`hepneg (\w+)\b", text)
    assert set(shown) <= set(COMMANDS)
    assert shown or path not in {ROOT / "README.md", MANUAL / "7_configuration.md"}


@pytest.mark.parametrize("text", [README, page("7_configuration")], ids=["README", "7_configuration"])
def test_the_configuration_is_valid(text: str) -> None:
    (block,) = blocks(text, "yaml")
    config = Config.from_dict(yaml.safe_load(block))
    assert {"lep_pt", "jet1_pt", "dphi"} <= set(config.feature_names)


def test_every_function_of_expressions_is_on_the_page_and_its_examples_are_expressions() -> None:
    text = page("7_expressions")
    written = set(re.findall(r"\w+", " ".join(re.findall(r"`([^`]*)`", text))))
    assert set(FUNCTIONS) | {"pad", "branch"} <= written
    (block,) = blocks(text, "yaml")
    content = yaml.safe_load(block)
    for expression in (
        content["selection"],
        content["weight"],
        *(next(iter(one.values())) for one in content["features"]),
    ):
        assert Expression(expression).branches


def test_every_scheme_is_in_the_table() -> None:
    assert first_cells(page("2_schemes")) == set(scheme_names())


def test_every_objective_of_a_classification_is_in_the_table() -> None:
    text = page("8_objectives")
    assert first_cells(text) == set(objective_names("classification"))
    (example,) = blocks(text, "yaml")
    assert Training.of(**yaml.safe_load(example)["training"]).make_objective("classification").name in text


def test_every_objective_of_a_regression_is_in_the_table() -> None:
    text = page("6_regression_objectives")
    assert first_cells(text) == set(objective_names("regression"))
    (example,) = blocks(text, "yaml")
    assert Config.from_dict(yaml.safe_load(example)).task == "regression"


# Code


@pytest.fixture
def run_script(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[[str], str]:
    """Run a script in its own folder, in this process, where a warning is an error; give what it printed."""

    def run(code: str) -> str:
        script = tmp_path / "script.py"
        script.write_text(code, encoding="utf-8")
        monkeypatch.chdir(tmp_path)
        runpy.run_path(str(script), run_name="__main__")
        return capsys.readouterr().out

    return run


def run_alone(code: str, folder: Path) -> str:
    """Run a script in a process of its own: one that workers of a cluster import, or whose packages warn."""
    script = folder / "script.py"
    script.write_text(code, encoding="utf-8")
    done = subprocess.run([sys.executable, script], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_all_python_examples_are_those_that_are_run() -> None:
    with_python = {path.stem for path in PAGES if blocks(path.read_text(encoding="utf-8"), "python")}
    with_examples = {"2_particles", "2_three_classes", "2_your_own", "4_on_a_cluster", "5_scikit_learn"}
    assert with_python == {"README", *with_examples, "8_callbacks", "8_own_loop"}


@pytest.mark.parametrize("number", [0, 1], ids=["network", "scheme"])
def test_a_network_and_a_scheme_of_ones_own_run(number: int, run_script: Callable[[str], str]) -> None:
    assert run_script(blocks(page("2_your_own"), "python")[number])


@pytest.mark.parametrize("number", [0, 1], ids=["collection", "network"])
def test_particles_run(number: int, run_script: Callable[[str], str]) -> None:
    assert run_script(blocks(page("2_particles"), "python")[number])


def test_the_configuration_with_collections_is_one() -> None:
    (block,) = blocks(page("2_particles"), "yaml")
    assert list(Config.from_dict(yaml.safe_load(block)).collections) == ["jets", "leptons"]
    assert hepneg.load_config(EXAMPLE / "particles.yaml").collections["jets"].most == 8


def test_three_classes_run(run_script: Callable[[str], str]) -> None:
    text = page("2_three_classes")
    configurations, (code,) = (blocks(text, kind) for kind in ("yaml", "python"))
    assert len(configurations) == 2
    for one in configurations:
        assert Config.from_dict(yaml.safe_load(one)).classes == ("ttbar", "wjets", "single_top")
    assert hepneg.load_config(EXAMPLE / "classes.yaml").classes == ("ttbar", "w_1parton", "w_2partons")
    assert run_script(code).startswith("ClassEvaluation(refined; ttbar, wjets, single_top; mean AUC ")


def test_the_pipeline_and_the_search_of_scikit_learn_run(run_script: Callable[[str], str]) -> None:
    pytest.importorskip("sklearn", reason="scikit-learn is not installed: pip install 'hepneg[sklearn]'")
    code = "\n".join(blocks(page("5_scikit_learn"), "python"))
    assert "nan" not in run_script(code)


def test_a_loop_of_ones_own_runs(run_script: Callable[[str], str]) -> None:
    (code,) = blocks(page("8_own_loop"), "python")
    assert "'sensitivity': 0." in run_script(code)


@pytest.mark.parametrize(
    ("number", "package", "kept"),
    [(0, "tensorboard", "runs/events.out.tfevents.*"), (1, "mlflow", "**/model/model.json"), (2, "optuna", None)],
)
def test_a_callback_for_another_tool_runs(number: int, package: str, kept: str | None, tmp_path: Path) -> None:
    pytest.importorskip(package, reason=f"{package} is not installed")
    printed = run_alone(blocks(page("8_callbacks"), "python")[number], tmp_path)
    assert len(list(tmp_path.glob(kept))) >= 1 if kept else "'width'" in printed


@pytest.mark.slow
@pytest.mark.real
@pytest.mark.filterwarnings("ignore:event identifiers repeat")
def test_the_python_tour_runs(tmp_path: Path, run_script: Callable[[str], str]) -> None:
    copy_example(tmp_path / "analysis" / "ttbar_wjets", every=16)
    (code,) = blocks(README, "python")
    run_script(code)
    assert (tmp_path / "results" / "model" / "model.json").is_file()


@pytest.mark.slow
@pytest.mark.real
def test_the_columnar_example_runs(tmp_path: Path) -> None:
    for package in ("coffea", "distributed"):
        pytest.importorskip(package, reason="coffea is not installed: pip install 'hepneg[coffea]'")
    config = hepneg.load_config(copy_example(tmp_path / "analysis" / "ttbar_wjets", every=24))
    events = hepneg.read(config)
    inputs = hepneg.ModelInputs.from_config(config)
    hepneg.train(events, "absolute", inputs=inputs, folds=2, epochs=1).save(tmp_path / "results" / "model")
    (code,) = blocks(page("4_on_a_cluster"), "python")
    code += "    print(histogram.sum().value, sums.weight_report().labels['signal'].selected)\n"
    total, selected = run_alone(code, tmp_path).split()[-2:]
    assert float(total) == pytest.approx(events.weight.sum(), rel=1e-9)
    assert int(selected) == (events.label == 1).sum()
