"""The command line: what it writes, what it prints, and one clear line with exit code 1 where the input is unusable."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import uproot
import yaml
from conftest import HUNG, toy_columns, toy_config

from hepneg.cli.group import COMMANDS, cli, main
from hepneg.config import load_config

Run = Callable[..., "Result"]


class Result:
    """What a command printed and how it ended."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the command line in this process."""

    def call(*arguments: object) -> Result:
        with warnings.catch_warnings(), pytest.raises(SystemExit) as leaving:
            main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Result(int(leaving.value.code or 0), captured.out, captured.err)

    return call


def read_json(path: Path) -> Any:
    return json.loads(path.read_text())


def change(path: Path, **keys: Any) -> Path:
    """Replace top-level keys of a configuration."""
    path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text()) | keys, sort_keys=False))
    return path


def test_the_main_job_leaves_the_promised_files(run: Run, toy_analysis: Path) -> None:
    done = run("run", toy_analysis)
    assert done.code == 0, done.err
    output = toy_analysis.parent / "results" / "toy"
    inspection, shapes, metrics = (read_json(output / f"{name}.json") for name in ("inspect", "check", "metrics"))
    keys = {"entries", "selected", "sum_weights", "sum_abs_weights", "negative_fraction", "n_eff", "dilution"}
    for sample in ("sig", "bkg"):
        assert keys <= set(inspection["samples"][sample])
        assert inspection["samples"][sample]["entries"] == 3000
        assert shapes["samples"][sample]["verdict"] in ("compatible", "different", "inconclusive")
        assert {"p_value", "total_variation"} <= set(shapes["samples"][sample]["features"]["x0"])
        assert isinstance(shapes["samples"][sample]["negative_regions"], list)
        assert {"auc", "auc_error", "p_value", "importance"} <= set(shapes["samples"][sample]["multivariate"])
    assert shapes["recommended_schemes"]
    assert {"scheme", "auc", "auc_error", "loss", "loss_error"} <= set(metrics)
    assert metrics["scheme"] == "auto"
    assert metrics["chosen"] == read_json(output / "model" / "model.json")["choice"]["scheme"]
    assert f"{metrics['chosen']} was chosen: {metrics['reason']}" in done.out
    assert 0.6 < metrics["auc"] < 1
    with uproot.open(output / "histograms.root") as file:
        assert sum(file["response_sig"].values()) == pytest.approx(inspection["samples"]["sig"]["sum_weights"])
    assert (output / "model" / "weights.safetensors").is_file()
    assert not (output / "checkpoint").exists()
    for stem in (
        "weights",
        "shapes",
        "shapes_multivariate",
        "shape_sig_x0",
        "overview_sig",
        "response",
        "response_bkg_components",
        "roc",
        "calibration",
    ):
        assert (output / "plots" / f"{stem}.png").stat().st_size > 5000
        assert not (output / "plots" / f"{stem}.pdf").exists()
    assert not [path for path in output.rglob("*") if ".part" in path.name]
    files = [line for line in done.out.splitlines() if line.endswith((".png", ".json", ".html", ".root"))]
    assert any(line.endswith("response.png") for line in files)
    assert files[-1].endswith("report.html")
    assert (output / "report.html").stat().st_size > 100_000
    assert f"{metrics['auc']:.3f}" in done.out.split("Response under")[1]


@pytest.mark.usefixtures("undrawn")
def test_the_steps_alone_give_what_the_main_job_gives(run: Run, toy_analysis: Path) -> None:
    for command in ("inspect", "check", "train", "plot"):
        assert run(command, toy_analysis, "--quiet").code == 0
    output = toy_analysis.parent / "results" / "toy"
    steps = {path.name: path.read_bytes() for path in output.glob("*.*") if path.name != "timing.json"}
    steps["model/model.json"] = (output / "model" / "model.json").read_bytes()
    again = run("run", toy_analysis, "--set", "output=again", "--quiet")
    assert (again.code, again.out) == (0, "")
    assert {"metrics.json", "histograms.root", "check.json"} <= set(steps)
    for name, content in steps.items():
        assert (toy_analysis.parent / "again" / name).read_bytes() == content, name
    seconds = read_json(output / "timing.json")["train"]
    assert set(seconds) == {"fold 0", "fold 1"}
    assert all(value > 0 for value in seconds.values())


@pytest.mark.usefixtures("undrawn")
def test_compare_writes_the_contract_and_recommends(run: Run, toy_analysis: Path) -> None:
    done = run("compare", toy_analysis, "--schemes", "absolute, signed")
    assert done.code == 0, done.err
    data = read_json(toy_analysis.parent / "results" / "toy" / "compare.json")
    assert set(data["schemes"]) == {"absolute", "signed"}
    assert f"Recommended: {data['recommended']}" in done.out
    assert run("compare", toy_analysis, "--schemes", "absolut").code == 1


@pytest.mark.parametrize(
    ("schemes", "part"),
    [
        ("foo", "unknown scheme 'foo'; known: absolute"),
        ("absolute,absolute", "name each scheme once"),
    ],
)
def test_compare_refuses_schemes_before_it_reads(run: Run, toy_analysis: Path, schemes: str, part: str) -> None:
    (toy_analysis.parent / "sig.root").unlink()  # reading would end with another message
    assert_one_line(run("compare", toy_analysis, "--schemes", schemes), part)
    assert not (toy_analysis.parent / "results").exists()


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_on_events_or_models_share_their_options(command: str) -> None:
    found = cli.get_command(None, command)  # type: ignore[arg-type]
    assert found is not None
    shared = {"--json", "--verbose", "--quiet"}
    options = {name for parameter in found.params for name in parameter.opts}
    assert options & shared == (set() if command in {"init", "schema", "completion"} else shared)


@pytest.mark.usefixtures("undrawn")
def test_the_configured_scheme_need_not_be_compared(run: Run, toy_analysis: Path) -> None:
    own = ("--set", "training.scheme={name: signed, logit_bound: 3.0}")
    done = run("compare", toy_analysis, "--schemes", "absolute", *own)
    assert done.code == 0, done.err


def test_set_overrides_a_key(run: Run, toy_analysis: Path) -> None:
    done = run("train", toy_analysis, "--set", "training.scheme.name=positive")
    metrics = read_json(toy_analysis.parent / "results" / "toy" / "metrics.json")
    assert (metrics["scheme"], metrics["chosen"], metrics["reason"]) == ("positive", "positive", "")
    assert "Largest |log-odds|" in done.out
    assert "was chosen" not in done.out


def test_schema_and_help_of_every_command(run: Run) -> None:
    schema = json.loads(run("schema").out)
    assert {"weight", "samples", "features", "training"} <= set(schema["properties"])
    for command in COMMANDS:
        shown = run(command, "--help")
        assert shown.code == 0
        assert command == "schema" or "Example: hepneg" in shown.out
    assert set(cli.list_commands(None)) == set(COMMANDS)  # type: ignore[arg-type]


def test_init_writes_a_configuration_that_works(run: Run, toy_analysis: Path) -> None:
    folder = toy_analysis.parent
    target = folder / "starter.yaml"
    assert run("init", folder / "sig.root", folder / "bkg.root", "-o", target).code == 0
    config = load_config(target)
    assert (config.name, config.output) == ("starter", folder / "results" / "starter")
    assert config.weight.text == "genWeight"
    assert config.event_id == ("event",)
    assert run("inspect", target, "--quiet").code == 0
    refused = run("init", folder / "sig.root", "-o", target)
    assert (refused.code, refused.out) == (1, "")
    assert "exists already" in refused.err


def assert_one_line(result: Result, *parts: str) -> None:
    """The contract of unusable input: exit code 1, nothing on stdout, one line on stderr (warnings apart)."""
    assert result.code == 1
    assert result.out == ""
    lines = [line for line in result.err.splitlines() if not line.startswith("warning:")]
    assert len(lines) == 1, result.err
    assert lines[0].startswith("error: ")
    for part in parts:
        assert part in lines[0]


def write_root(path: Path, columns: dict[str, Any]) -> None:
    with uproot.recreate(path) as file:
        file.mktree("Events", {name: column.dtype for name, column in columns.items()})
        file["Events"].extend(columns)


def flat_toy(**changes: Any) -> dict[str, Any]:
    columns = toy_columns(600, 1.0, 3)
    del columns["jet_pt"]
    return columns | changes


BAD_CONFIG = {
    "missing file": ({"samples": {"sig": {"label": "signal", "files": "no.root"}}}, ["no.root", "sig"]),
    "missing tree": ({"tree": "Event"}, ["Event", "did you mean 'Events'"]),
    "missing branch": ({"features": ["x00"]}, ["x00", "did you mean 'x0'"]),
    "unknown key": ({"featurs": ["x0"]}, ["unknown key 'featurs'; did you mean 'features'"]),
    "unknown deep key": ({"training": {"fold": 3}}, ["unknown key 'training.fold'; did you mean 'folds'"]),
    "unknown scheme": ({"training": {"scheme": "abslute"}}, ["unknown scheme 'abslute'; did you mean 'absolute'"]),
    "empty selection": ({"selection": "x0 > 1e6"}, ["x0 > 1e6", "none of 3000 entries"]),
    "a jagged feature": ({"features": ["jet_pt"]}, ["jet_pt"]),
    "dunder": ({"features": [{"a": "x0.__class__"}]}, ["features.0", "x0.__class__"]),
    "unknown function": ({"selection": "open(x0)"}, ["selection", "open"]),
    "an import": ({"weight": "__import__('os')"}, ["weight", "__import__"]),
}


@pytest.mark.parametrize("command", ["inspect", "check", "train"])
@pytest.mark.parametrize("case", BAD_CONFIG)
def test_unusable_configurations(run: Run, toy_analysis: Path, case: str, command: str) -> None:
    keys, parts = BAD_CONFIG[case]
    assert_one_line(run(command, change(toy_analysis, **keys)), *parts)


def test_a_configuration_that_is_not_there(run: Run, tmp_path: Path) -> None:
    assert_one_line(run("run", tmp_path / "none.yaml"), "cannot read the configuration", "none.yaml")


@pytest.mark.parametrize("command", ["inspect", "train"])
@pytest.mark.parametrize(
    ("content", "parts"),
    [(b"hello, this is no ROOT file", ["sig.root", "not a ROOT file"]), (None, ["sig.root", "truncated"])],
)
def test_files_that_are_no_root_files(
    run: Run, toy_analysis: Path, command: str, content: bytes | None, parts: list[str]
) -> None:
    path = toy_analysis.parent / "sig.root"
    path.write_bytes(path.read_bytes()[:3000] if content is None else content)
    assert_one_line(run(command, toy_analysis), *parts)


@pytest.mark.parametrize("command", ["inspect", "train"])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_weights_that_are_no_numbers(run: Run, toy_analysis: Path, command: str, value: float) -> None:
    weight = np.ones(600, dtype=np.float32)
    weight[[7, 11]] = value
    write_root(toy_analysis.parent / "sig.root", flat_toy(genWeight=weight))
    result = run(command, change(toy_analysis, features=["x0"]))
    assert_one_line(result, "sig.root", "NaN or infinite in 2 of the 600 entries", "at entries 7, 11")


def test_features_that_are_no_numbers_stop_or_are_dropped(run: Run, toy_analysis: Path) -> None:
    x0 = np.zeros(600, dtype=np.float32)
    x0[[3, 5]] = np.nan
    write_root(toy_analysis.parent / "sig.root", flat_toy(x0=x0))
    config = change(toy_analysis, features=["x0", "x1"])
    assert_one_line(run("inspect", config), "'x0'", "3, 5", "on_nan: drop")
    assert run("inspect", config, "--set", "on_nan=drop", "--quiet").code == 0
    selected = read_json(toy_analysis.parent / "results" / "toy" / "inspect.json")["samples"]["sig"]["selected"]
    assert selected == 598


@pytest.mark.parametrize(
    ("weight", "part"),
    [(-np.ones(600), "which is not positive"), (np.resize([1.0, -1.0, 1.01], 600), "compatible with 0")],
)
def test_a_label_without_a_positive_sum(run: Run, toy_analysis: Path, weight: np.ndarray, part: str) -> None:
    if part == "compatible with 0":
        weight = np.append(np.resize([1.0, -1.0], 598), [1.0, 1.0])
    write_root(toy_analysis.parent / "sig.root", flat_toy(genWeight=weight))
    assert_one_line(run("train", change(toy_analysis, features=["x0", "x1"])), "signal", part)


def test_one_weight_that_carries_a_sample_is_named(run: Run, toy_analysis: Path) -> None:
    weight = np.ones(600, dtype=np.float32)
    weight[17] = 1e6
    write_root(toy_analysis.parent / "sig.root", flat_toy(genWeight=weight))
    config = change(toy_analysis, features=["x0", "x1"])
    shown = run("inspect", config)
    assert "Outliers in sig: the largest weight, 1e+06, is 99.9% of Σ|w|" in shown.out
    assert "Outliers in bkg" not in shown.out
    assert_one_line(run("train", config), "compatible with 0", "one weight of 1e+06 is 99.9% of Σ|w|", "`selection:`")


@pytest.mark.usefixtures("undrawn")
def test_only_one_label(run: Run, toy_analysis: Path) -> None:
    config = change(toy_analysis, samples={"sig": {"label": "signal", "files": "sig.root"}})
    assert_one_line(run("train", config), "there are no background events: a classifier needs both labels")
    assert run("inspect", config, "--quiet").code == 0
    assert run("check", config, "--quiet").code == 0


@pytest.mark.usefixtures("undrawn")
def test_a_sample_without_negative_weights_works_and_is_named(run: Run, toy_analysis: Path) -> None:
    write_root(toy_analysis.parent / "sig.root", flat_toy(genWeight=np.ones(600, dtype=np.float32)))
    done = run("run", change(toy_analysis, features=["x0", "x1"]))
    assert done.code == 0, done.err
    assert done.err.count("warning: sample 'sig' has no negative weights") == 1


@pytest.mark.usefixtures("undrawn")
def test_collections_that_shapes_and_figures_leave_out_are_named(run: Run, toy_analysis: Path) -> None:
    settings = ["collections={jets: {features: [jet_pt], most: 3}}", "training.network=deep_sets"]
    overrides = [part for one in settings for part in ("--set", one)]
    said = "Shapes and figures are of `features:` alone; they leave out the objects of jets."
    assert said in run("check", toy_analysis, "--no-figures", *overrides).out
    run("report", toy_analysis, *overrides)
    assert said in (toy_analysis.parent / "results" / "toy" / "report.html").read_text(encoding="utf-8")
    assert "leave out" not in run("inspect", toy_analysis, "--no-figures").out


def test_repeated_event_numbers_work_and_are_named(run: Run, toy_analysis: Path) -> None:
    write_root(toy_analysis.parent / "sig.root", flat_toy(event=np.arange(3000, 3600, dtype=np.uint64)))
    path = change(toy_analysis, features=["x0", "x1"])
    done = run("train", path, "--verbose")
    assert done.code == 0, done.err
    assert "warning: event identifiers" not in done.err
    assert done.err.count("event identifiers repeat (600 between samples)") == 1
    assert run("plot", path, "--quiet").err == ""


def test_an_output_that_cannot_be_written(run: Run, toy_analysis: Path) -> None:
    (toy_analysis.parent / "blocked").write_text("a file where a folder should be")
    for command in ("inspect", "check", "train", "run", "compare"):
        result = run(command, toy_analysis, "--set", "output=blocked/results")
        assert_one_line(result, "cannot create the output folder", "blocked/results")


def test_plot_without_a_model(run: Run, toy_analysis: Path) -> None:
    assert_one_line(run("plot", toy_analysis), "no model at", "hepneg train")


def test_plot_refuses_other_folds_inputs_and_labels_than_the_training_had(run: Run, toy_analysis: Path) -> None:
    """The numbers it writes are called held out: they must be."""
    assert run("train", toy_analysis, "--quiet").code == 0
    metrics = toy_analysis.parent / "results" / "toy" / "metrics.json"
    before = metrics.read_bytes()
    data = yaml.safe_load(toy_analysis.read_text())
    swapped = {
        name: {**sample, "label": "signal" if name == "bkg" else "background"}
        for name, sample in data["samples"].items()
    }
    for keys, words in (
        ({"features": ["x0", "x2"]}, ["the features x0, x2", "the model takes x0, x1, logx2"]),
        ({"features": [*data["features"][:3], {"jet1_pt": "jet_pt[:, 1]"}]}, ["'jet1_pt' was 'jet_pt[:, 0]'"]),
        ({"event_id": ["event", "x0"]}, ["were identified by event in the training", "event, x0 now"]),
        ({"event_id": []}, ["the file name and the entry now, which makes other folds"]),
        ({"samples": swapped}, ["the sample 'sig' was signal in the training, and is background now"]),
    ):
        assert_one_line(run("plot", change(toy_analysis, **keys)), *words, "run `hepneg train` again")
        toy_analysis.write_text(yaml.safe_dump(data, sort_keys=False))
    assert metrics.read_bytes() == before


@pytest.mark.usefixtures("undrawn")
def test_plot_says_that_the_selection_is_another(run: Run, toy_analysis: Path) -> None:
    assert run("train", toy_analysis, "--quiet").code == 0
    result = run("plot", change(toy_analysis, selection="x0 > -1"), "--quiet")
    assert result.code == 0
    assert "trained with the selection none, and is judged here with 'x0 > -1'" in result.err


@pytest.mark.usefixtures("undrawn")
def test_without_event_id_only_the_files_of_the_training_are_held_out(run: Run, toy_analysis: Path) -> None:
    anonymous = change(toy_analysis, event_id=[])
    assert run("train", anonymous, "--quiet").code == 0
    assert run("plot", anonymous, "--quiet").code == 0
    (anonymous.parent / "sig.root").rename(anonymous.parent / "renamed.root")
    data = yaml.safe_load(anonymous.read_text())
    data["samples"]["sig"]["files"] = "renamed.root"
    result = run("plot", change(anonymous, samples=data["samples"]))
    assert_one_line(result, "renamed.root is no file of the training", "without `event_id:`")


def test_usage_errors_exit_with_2(run: Run, toy_analysis: Path) -> None:
    assert run("train").code == 2
    assert run("tran", toy_analysis).code == 2
    assert run("train", toy_analysis, "--nothing").code == 2


# A training that gets a real SIGINT in its fifth epoch, which ends no sooner than the main thread has heeded it.
INTERRUPTED = """
import os, signal, sys, threading
from hepneg.cli import main
from hepneg.learning import loop
train_epoch, epochs, heeded = loop.train_epoch, [], threading.Event()
def heed(*arguments):
    heeded.set()
    signal.default_int_handler(*arguments)
def train_and_interrupt(*arguments, **settings):
    epochs.append(1)
    if len(epochs) == 5:
        os.kill(os.getpid(), signal.SIGINT)
        heeded.wait()
    return train_epoch(*arguments, **settings)
signal.signal(signal.SIGINT, heed)
loop.train_epoch = train_and_interrupt
main(sys.argv[1:])
"""


def test_ctrl_c_keeps_what_is_trained_and_resume_ends_as_if_nothing_had_happened(run: Run, toy_analysis: Path) -> None:
    """A real SIGINT in mid-training; the resumed model equals one that was never interrupted."""
    command = ["train", str(toy_analysis), "--quiet", "--set", "training.epochs=6"]
    assert run(*command, "--set", "output=whole").code == 0
    cut = subprocess.run(
        [sys.executable, "-c", INTERRUPTED, *command, "--set", "output=cut"],
        capture_output=True,
        text=True,
        timeout=HUNG,
        check=False,
    )
    assert cut.returncode == 130
    assert cut.stderr.startswith("error: interrupted; what is trained is kept")
    assert "--resume" in cut.stderr
    checkpoint = toy_analysis.parent / "cut" / "checkpoint" / "train"
    assert list(checkpoint.glob("fold_*.safetensors"))
    assert not (toy_analysis.parent / "cut" / "model").exists()
    assert run(*command, "--set", "output=cut", "--resume").code == 0
    weights = [toy_analysis.parent / name / "model" / "weights.safetensors" for name in ("whole", "cut")]
    assert weights[0].read_bytes() == weights[1].read_bytes()


def test_two_runs_give_the_same_model_byte_for_byte(run: Run, toy_analysis: Path) -> None:
    for output in ("first", "second"):
        assert run("train", toy_analysis, "--set", f"output={output}", "--quiet").code == 0
    first, second = (toy_analysis.parent / name / "model" / "weights.safetensors" for name in ("first", "second"))
    assert first.read_bytes() == second.read_bytes()


def test_the_order_of_files_does_not_change_an_events_fold(run: Run, toy_analysis: Path) -> None:
    """Two files of a sample, in either order: the same events meet the same networks."""
    from hepneg._core.hashing import assign_folds
    from hepneg.ntuples import read

    data = toy_config()
    del data["samples"]["sig"]
    folds = []
    for files in (["bkg.root", "sig.root"], ["sig.root", "bkg.root"]):
        data["samples"]["bkg"]["files"] = files
        config = load_config(change(toy_analysis, **data))
        for step_size in (100, 100_000):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                events = read(config, step_size=step_size)
            table = events.of_sample("bkg")
            folds.append(dict(zip(table.event_id.tolist(), assign_folds(table.event_id, 5, 1).tolist(), strict=True)))
    assert all(other == folds[0] for other in folds[1:])
    assert len(folds[0]) == 6000


def test_root_and_the_console_script_are_the_same(toy_analysis: Path) -> None:
    """The installed command runs, and prints nothing on a clean, quiet run."""
    command = Path(sys.executable).parent / "hepneg"
    if not command.exists():
        pytest.skip("hepneg is not installed beside this Python")
    done = subprocess.run(
        [command, "inspect", toy_analysis, "--quiet"],
        capture_output=True,
        text=True,
        env={**os.environ, "COLUMNS": "80"},
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
