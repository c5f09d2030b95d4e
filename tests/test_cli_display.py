"""What the command line shows: JSON alone, timings, colours on a terminal only; citation, completion and examples."""

from __future__ import annotations

import json
import logging
import os
import pty
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from conftest import HUNG
from friend_models import save_model, small_classifier

from hepneg._core.citation import bibtex
from hepneg.cli.group import COMMANDS, cli, main
from hepneg.schemes import scheme_names

ROOT = Path(__file__).parents[1]
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def call(*arguments: object) -> tuple[int, str, str]:
        with warnings.catch_warnings(), pytest.raises(SystemExit) as leaving:
            main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return int(leaving.value.code or 0), out, err

    return call


def document(result: tuple[int, str, str]) -> dict[str, Any]:
    code, out, err = result
    assert code == 0, err
    return dict(json.loads(out))


@pytest.mark.usefixtures("undrawn")
def test_json_is_the_result_and_nothing_else(run: Run, toy_analysis: Path) -> None:
    output = toy_analysis.parent / "results" / "toy"
    for command, name in {"inspect": "inspect", "train": "metrics", "plot": "metrics"}.items():
        shown = document(run(command, toy_analysis, "--json", "--set", "training.scheme.name=absolute"))
        files = [Path(path) for path in shown.pop("files")]
        assert shown == json.loads((output / f"{name}.json").read_text())
        assert output / f"{name}.json" in files
        assert all(path.exists() for path in files)
    page = document(run("report", toy_analysis, "--json", "--quiet"))
    assert {"hepneg check", "hepneg compare"} <= set(page["missing"])
    assert page["files"] == [str(output / "report.html")]


@pytest.mark.usefixtures("undrawn")
def test_json_of_the_long_commands(run: Run, toy_analysis: Path) -> None:
    output = toy_analysis.parent / "results" / "toy"
    quick = ("--set", "training.scheme.name=absolute", "--set", "training.epochs=1")
    everything = document(run("run", toy_analysis, "--json", *quick))
    for step, name in {"inspect": "inspect", "check": "check", "train": "metrics"}.items():
        assert everything[step] == json.loads((output / f"{name}.json").read_text())
    compared = document(run("compare", toy_analysis, "--json", "--schemes", "absolute,positive", *quick))
    del compared["files"]
    for scheme in compared["schemes"].values():
        del scheme["seconds"]  # in a file of its own
    assert compared == json.loads((output / "compare.json").read_text())
    closed = document(run("closure", toy_analysis, "--json", *quick))
    del closed["files"]
    assert closed == json.loads((output / "closure.json").read_text())
    refined = document(run("refine", toy_analysis, "--json", "-o", toy_analysis.parent / "refined", *quick))
    assert {Path(path).name for path in refined["files"]} == {"refine.json", "sig.hepneg.root", "bkg.hepneg.root"}
    assert set(refined["samples"]) == {"sig", "bkg"}


def test_json_of_apply_and_export(run: Run, toy_analysis: Path, tmp_path: Path) -> None:
    pytest.importorskip("onnxscript")
    model = save_model(small_classifier(2), tmp_path / "model")
    for kept in (False, True):
        made = document(run("apply", model, toy_analysis.parent / "sig.root", "-o", tmp_path / "out", "--json"))
        assert (made["entries"], made["files"][0]["kept"]) == (3000, kept)
    target = tmp_path / "model.onnx"
    assert document(run("export", model, "-o", target, "--json"))["files"] == [str(target)]


def test_an_error_leaves_the_standard_output_empty(run: Run, tmp_path: Path) -> None:
    code, out, err = run("inspect", tmp_path / "none.yaml", "--json")
    assert (code, out) == (1, "")
    assert err.startswith("error: ")


def test_verbose_says_what_is_read_and_how_long_it_takes(run: Run, toy_analysis: Path) -> None:
    before = logging.getLogger("hepneg").level
    code, out, err = run("inspect", toy_analysis, "--verbose")
    assert code == 0
    assert "n_eff" in out
    assert len(re.findall(r"reading \S*sig.root: 3000 entries, 6 branches", err)) == 2
    assert re.search(r"^\d\d:\d\d:\d\d two passes over the files: \d+\.\d\d s$", err, flags=re.MULTILINE)
    assert re.search(r" inspect: \d+\.\d\d s$", err, flags=re.MULTILINE)
    assert run("inspect", toy_analysis)[2] == ""
    assert logging.getLogger("hepneg").level == before
    assert run("inspect", toy_analysis, "--verbose", "--quiet")[0] == 2


def on_terminal(*arguments: object) -> str:
    """What a command shows on standard error if that is a terminal."""
    leader, follower = pty.openpty()
    # A shell that wants no colours says so; the terminal here does.
    env = {name: value for name, value in os.environ.items() if name != "NO_COLOR"} | {"TERM": "xterm-256color"}
    command = [sys.executable, "-m", "hepneg", *map(str, arguments)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=follower, env=env) as running:
        os.close(follower)
        shown = b""
        try:
            while part := os.read(leader, 4096):
                shown += part
        except OSError:  # what Linux says when the last writer has gone
            pass
        running.wait(timeout=HUNG)
    os.close(leader)
    return shown.decode()


def through_pipe(*arguments: object) -> str:
    command = [sys.executable, "-m", "hepneg", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False).stderr


def test_colours_are_for_terminals(tmp_path: Path) -> None:
    asked = ("inspect", tmp_path / "none.yaml")
    assert "\x1b[31merror:" in on_terminal(*asked)
    assert "\x1b" not in through_pipe(*asked)
    assert through_pipe(*asked).startswith("error: ")


def test_progress_is_for_terminals(toy_analysis: Path) -> None:
    asked = ("inspect", toy_analysis, "--json", "--no-figures")
    assert "reading sig" in on_terminal(*asked)
    assert through_pipe(*asked) == ""


def test_cite_is_the_entry_of_the_citation_file(run: Run) -> None:
    code, out, err = run("--cite")
    assert (code, err) == (0, "")
    facts = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert out == bibtex()
    assert out.startswith("@misc{hepneg,\n")
    assert out.count("{") == out.count("}")
    for part in (facts["title"], f"version {facts['version']}", f"year = {str(facts['date-released'])[:4]}"):
        assert part in out
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert facts["version"] == settings["project"]["version"]
    wheel = settings["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert wheel["force-include"] == {"CITATION.cff": "hepneg/CITATION.cff"}


def complete(shell: str, *words: str, env: dict[str, str] | None = None) -> list[str]:
    """What the shell is told when the last word is to be completed."""
    asked = {
        "_HEPNEG_COMPLETE": f"{shell}_complete",
        "COMP_WORDS": shlex.join(words) if words[-1] else shlex.join(words[:-1]) + " ",
        "COMP_CWORD": words[-1] if shell == "fish" else str(len(words) - 1),
    }
    command = [sys.executable, "-m", "hepneg"]
    done = subprocess.run(command, env=os.environ | asked, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def test_commands_schemes_and_files_are_completed() -> None:
    assert complete("bash", "hepneg", "re") == ["plain,report", "plain,refine"]
    assert complete("bash", "hepneg", "compare", "--schemes", "absolute,p") == [
        f"plain,absolute,{name}" for name in scheme_names() if name.startswith("p")
    ]
    assert complete("bash", "hepneg", "train", "analysis") == ["file,analysis"]
    assert complete("bash", "hepneg", "apply", "model", "nt") == ["file,nt"]
    assert complete("bash", "hepneg", "apply", "--held-out", "al") == ["plain,always"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_for_a_shell(run: Run, shell: str, tmp_path: Path) -> None:
    code, out, err = run("completion", shell)
    assert (code, err) == (0, "")
    assert f"_HEPNEG_COMPLETE={shell}_complete" in out
    if shutil.which(shell):
        (tmp_path / "script").write_text(out)
        assert subprocess.run([shell, "-n", tmp_path / "script"], check=False).returncode == 0


def test_bash_completes_with_the_script(run: Run, tmp_path: Path) -> None:
    """The function of the script in a real bash, with a `hepneg` on the path."""
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("there is no bash here")
    starter = tmp_path / "hepneg"
    starter.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m hepneg "$@"\n')
    starter.chmod(0o755)
    asks = 'COMP_WORDS=(hepneg ins); COMP_CWORD=1; _hepneg_completion hepneg; echo "${COMPREPLY[@]}"'
    script = f"{run('completion', 'bash')[1]}\n{asks}"
    env = os.environ | {"PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run([bash, "-c", script], env=env, capture_output=True, text=True, check=False)
    assert done.stdout.splitlines() == ["inspect"]


@pytest.mark.parametrize("name", COMMANDS)
def test_the_example_of_every_command_can_be_typed(run: Run, name: str) -> None:
    shown = " ".join(run(name, "--help")[1].split())
    (example,) = re.findall(r"Example: (hepneg .*?) Options:", shown)
    words = shlex.split(example)
    assert words[1] == name
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    command.make_context(name, words[2:])  # parses; raises UsageError where it cannot


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
@pytest.mark.parametrize(
    "arguments", [["schema"], ["--cite"], ["init", "sig.root"], ["inspect", "analysis.yaml", "--json"]]
)
def test_an_output_that_cannot_be_printed_gives_one_line(toy_analysis: Path, arguments: list[str]) -> None:
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "hepneg", *arguments]
        done = subprocess.run(
            command, cwd=toy_analysis.parent, stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert done.returncode == 1
    assert done.stderr == "error: cannot write the output: No space left on device\n"
