"""What the README shows is what the code does."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

import hepneg
from hepneg.cli.group import COMMANDS
from hepneg.config import Config, Training
from hepneg.objectives import objective_names
from hepneg.schemes import scheme_names

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)


def test_ci_runs_the_test_command_of_the_readme() -> None:
    (command,) = [block.strip() for block in blocks("bash") if "pytest" in block]
    assert command in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


def test_the_commands_exist() -> None:
    shown = set(re.findall(r"^hepneg (\w+) ", "\n".join(blocks("bash")), flags=re.MULTILINE))
    assert shown
    assert shown <= set(COMMANDS)


def test_the_configuration_is_valid() -> None:
    text = blocks("yaml")[0]
    config = Config.from_dict(yaml.safe_load(text))
    assert config.feature_names == ("lep_pt", "jet1_pt", "central_jets", "dphi")


def test_every_scheme_is_in_the_table() -> None:
    table = README.split("## Which scheme?")[1].split("##")[0]
    assert set(re.findall(r"^\| `(\w+)` \|", table, flags=re.MULTILINE)) == set(scheme_names())


def test_every_objective_of_a_classification_is_in_the_table() -> None:
    table, example = README.split("## Which mistakes to avoid?")[1].split("##")[0], blocks("yaml")[1]
    assert set(re.findall(r"^\| `(\w+)` \|", table, flags=re.MULTILINE)) == set(objective_names("classification"))
    assert Training.of(**yaml.safe_load(example)["training"]).make_objective("classification").name in table


def test_every_objective_of_a_regression_is_in_the_table() -> None:
    section = README.split("## Regression")[1].split("\n## ")[0]
    rows = "\n".join(re.findall(r"^\| (`.*?) \|", section, flags=re.MULTILINE))
    assert set(re.findall(r"`(\w+)`", rows)) == set(objective_names("regression"))
    assert Config.from_dict(yaml.safe_load(blocks("yaml")[2])).task == "regression"


def test_local_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\((?!http)([^)#]+)\)", README):
        assert (ROOT / target).exists(), target


@pytest.mark.slow
@pytest.mark.real
def test_the_python_tour_runs(tmp_path: Path) -> None:
    code, _ = blocks("python")
    example = ROOT / "analysis" / "ttbar_wjets" / "analysis.yaml"
    script = tmp_path / "tour.py"
    script.write_text(code.replace("analysis/ttbar_wjets/analysis.yaml", str(example)), encoding="utf-8")
    done = subprocess.run([sys.executable, script], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "results" / "model" / "model.json").is_file()


@pytest.mark.slow
@pytest.mark.real
def test_the_columnar_example_runs(tmp_path: Path) -> None:
    for package in ("coffea", "distributed"):
        pytest.importorskip(package, reason="coffea is not installed: pip install 'hepneg[coffea]'")
    config = hepneg.load_config(ROOT / "analysis" / "ttbar_wjets" / "analysis.yaml")
    events = hepneg.read(config)
    inputs = hepneg.ModelInputs.from_config(config)
    hepneg.train(events, "absolute", inputs=inputs, folds=2, epochs=1).save(tmp_path / "results" / "model")
    _, code = blocks("python")
    code = code.replace("analysis/ttbar_wjets/analysis.yaml", str(config.folder / "analysis.yaml"))
    code += "    print(histogram.sum().value, found.weight_report().labels['signal'].selected)\n"
    script = tmp_path / "columnar.py"
    script.write_text(code, encoding="utf-8")
    done = subprocess.run([sys.executable, script], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    total, selected = done.stdout.split()[-2:]
    assert float(total) == pytest.approx(events.weight.sum(), rel=1e-9)
    assert int(selected) == (events.label == 1).sum()
