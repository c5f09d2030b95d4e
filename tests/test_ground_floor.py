"""Errors, hashing, events, output, progress: what everything else stands on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats

import hepneg
from hepneg._core.estimate import Estimate
from hepneg._core.hashing import assign_folds, hash_events, uniform_events
from hepneg._core.json_values import JsonResult, json_fields, json_ready
from hepneg._core.output import atomic_path, make_folder, write_json
from hepneg._core.progress import SILENT
from hepneg._core.terminal import RichProgress, terminal_progress
from hepneg.errors import DataError, OutputError, nearest_names
from hepneg.events import EventTable

ids = hnp.arrays(np.uint64, st.integers(1, 50), elements=st.integers(0, 2**64 - 1))


@pytest.mark.parametrize(
    ("name", "known", "hint"),
    [
        ("lep_tp", ["lep_pt", "met"], "; did you mean 'lep_pt'?"),
        ("LEP_PT", ["lep_pt"], "; did you mean 'lep_pt'?"),
        ("zzz", ["a", "b"], "; known: a, b"),
        ("zzz", [str(i) for i in range(100, 120)], "; known: 100, 101, 102, 103, 104, 105, 106, 107, …"),
        ("zzz", [], ""),
    ],
)
def test_nearest_names(name: str, known: list[str], hint: str) -> None:
    assert nearest_names(name, known) == hint


@pytest.mark.parametrize(
    ("estimate", "text"),
    [
        (Estimate(0.88124, 0.0012), "0.8812 ± 0.0012"),
        (Estimate(1234.5, 56.0), "1234 ± 56"),
        (Estimate(1.0, 0.0), "1 ± 0"),
        (Estimate(float("nan"), float("nan")), "nan ± nan"),
    ],
)
def test_estimates_show_two_digits_of_their_error(estimate: Estimate, text: str) -> None:
    assert str(estimate) == text
    assert estimate.to_dict() == pytest.approx({"value": estimate.value, "error": estimate.error}, nan_ok=True)


@given(ids, st.integers(-(2**70), 2**70), st.integers(2, 127))
def test_folds_follow_from_the_identifier_alone(event_id: np.ndarray, seed: int, folds: int) -> None:
    whole = assign_folds(event_id, folds, seed)
    assert whole.min() >= 0
    assert whole.max() < folds
    one_by_one = [assign_folds(event_id[i : i + 1], folds, seed)[0] for i in range(len(event_id))]
    assert whole.tolist() == one_by_one


def test_hashes_are_uniform_and_independent_between_streams_and_seeds() -> None:
    event_id = np.arange(20_000, dtype=np.uint64)
    u = uniform_events(event_id, 1, "a")
    assert stats.kstest(u, "uniform").pvalue > 1e-4
    for other in (uniform_events(event_id, 1, "b"), uniform_events(event_id, 2, "a"), np.roll(u, 1)):
        assert abs(np.corrcoef(u, other)[0, 1]) < 4 / np.sqrt(len(u))
    counts = np.bincount(assign_folds(event_id, 5, 3), minlength=5)
    assert stats.chisquare(counts).pvalue > 1e-4


def test_large_identifiers_are_not_rounded() -> None:
    near = np.array([2**63 + 1, 2**63 + 2], dtype=np.uint64)
    assert len(set(hash_events(near, 1, "fold").tolist())) == 2
    signed = np.array([-1, 5], dtype=np.int64)
    assert np.array_equal(hash_events(signed, 1, "fold"), hash_events(signed.view(np.uint64), 1, "fold"))
    assert np.array_equal(hash_events(signed.astype(np.int32), 1, "f"), hash_events(signed, 1, "f"))


def test_every_column_of_an_identifier_counts() -> None:
    first = np.array([[1, 2], [1, 3], [2, 2]], dtype=np.int64)
    assert len(set(hash_events(first, 1, "fold").tolist())) == 3
    assert not np.array_equal(hash_events(first, 1, "fold"), hash_events(first[:, ::-1], 1, "fold"))


def test_no_events_have_no_hashes() -> None:
    assert len(hash_events(np.empty(0, dtype=np.int64), 1, "fold")) == 0
    assert len(assign_folds(np.empty((0, 2), dtype=np.int64), 5, 1)) == 0


def test_folds_out_of_range_are_a_programming_error() -> None:
    with pytest.raises(ValueError, match="from 2 to 127, not 1"):
        assign_folds(np.arange(3), 1, 0)


def small_table() -> EventTable:
    return EventTable.from_arrays(
        [[1, 2], [3, 4], [5, 6]], [1, -1, 2], ["signal", "background", "signal"], sample=["tt", "wj", "tt"]
    )


def test_an_event_table_cannot_be_changed() -> None:
    table = small_table()
    for column in (table.features, table.weight, table.label, table.sample, table.event_id):
        with pytest.raises(ValueError, match="read-only"):
            column[0] = 0
    with pytest.raises(AttributeError):
        table.weight = np.zeros(3)  # type: ignore[misc]


def test_an_event_table_does_not_alias_its_input() -> None:
    weight = np.ones(3)
    table = EventTable.from_arrays(np.zeros((3, 1)), weight, [0, 1, 1])
    weight[0] = 5
    assert table.weight[0] == 1


def test_views_of_an_event_table() -> None:
    table = small_table()
    assert table.sample_names == ("tt", "wj")
    assert table.feature("x1").tolist() == [2, 4, 6]
    assert table.of_sample("tt").weight.tolist() == [1, 2]
    assert (table.label_of_sample("tt"), table.label_of_sample("wj")) == ("signal", "background")
    assert table.select(table.weight > 0).event_id.tolist() == table.event_id[[0, 2]].tolist()
    assert all(column.flags.c_contiguous for column in table.select(np.array([2, 0])).features.T)
    assert repr(table).startswith("EventTable(3 events, 33.3% with negative weight")


def test_tables_are_joined_sample_by_sample() -> None:
    table = small_table()
    joined = EventTable.concatenate([table, table.of_sample("wj")])
    assert len(joined) == 4
    assert joined.sample_names == ("tt", "wj")
    assert joined.of_sample("wj").weight.tolist() == [-1, -1]
    other = EventTable.from_arrays([[1.0]], [1], [1])
    with pytest.raises(DataError, match="different features"):
        EventTable.concatenate([table, other])
    with pytest.raises(DataError, match="no tables"):
        EventTable.concatenate([])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"label": [0, 1, 2]}, "1 labels are neither signal .* at entry 2"),
        ({"label": ["signal", "sig", "data"]}, "label: 'data' is no label of a class"),
        ({"weight": [1, np.nan, np.inf]}, "2 NaN or infinite values in 'weight', at entries 1, 2"),
        ({"features": [[1, 2], [np.nan, 4], [5, 6]]}, "1 NaN or infinite values in 'x0', at entry 1"),
        ({"weight": [1, 2]}, r"weight has shape \(2,\), but there are 3 events"),
        ({"event_id": [1.0, 2.0, 3.0]}, "event_id must be integers, not float64"),
        ({"feature_names": ["a"]}, r"features have shape \(3, 2\), but 1 feature names"),
        ({"feature_names": ["a", "a"]}, "feature names repeat"),
        (
            {"features": {"a": [1, 2, 3]}},
            r"features is a dict, not an array; give np\.column_stack.* feature_names=list\(columns\)",
        ),
        (
            {"features": [["a", "b"]] * 3},
            "features cannot be turned into an array of numbers: could not convert string",
        ),
        ({"features": [[1, 2], [3], [4, 5]]}, "features cannot be turned into an array of numbers: .*inhomogeneous"),
        ({"weight": {"w": 1}}, "weight is a dict, not an array; give an array"),
        ({"weight": 1.0}, r"weight has shape \(\), but there are 3 events"),
        ({"weight": ["a", "b", "c"]}, "weight cannot be turned into an array of numbers"),
        ({"label": {"a": 1}}, "label is a dict"),
        ({"label": 1}, "label has shape"),
        ({"event_id": {"a": 1}}, "event_id is a dict"),
        ({"event_id": 7}, r"event_id has shape \(\)"),
        ({"sample": ["tt", None, 3]}, "sample must be a name for each event"),
        ({"feature_names": 5}, "feature_names must be a list of names, not 5"),
        ({"feature_names": "ab"}, "feature_names must be a list of names, not 'ab'"),
        ({"feature_names": ["a", 1]}, "feature_names must be text, not 1"),
        ({"target": object()}, "target cannot be turned into an array of numbers"),
    ],
)
def test_unusable_columns_are_refused(change: dict[str, object], message: str) -> None:
    columns = {"features": [[1, 2], [3, 4], [5, 6]], "weight": [1, -1, 2], "label": [1, 0, 1]} | change
    with pytest.raises(DataError, match=message) as caught:
        EventTable.from_arrays(**columns)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)


def test_unknown_samples_and_features_offer_near_ones() -> None:
    with pytest.raises(DataError, match="no sample 'wjj'; did you mean 'wj'"):
        small_table().of_sample("wjj")
    with pytest.raises(DataError, match="no feature 'x9'; "):
        small_table().feature("x9")


def test_json_is_plain_and_without_nan() -> None:
    payload = {"a": np.float32(0.5), "b": np.array([1, 2]), "c": (float("nan"), np.inf), "d": {"e": np.bool_(True)}}
    assert json_ready(payload) == {"a": 0.5, "b": [1, 2], "c": [None, None], "d": {"e": True}}


@dataclass(frozen=True)
class Part:
    edges: np.ndarray
    names: tuple[str, ...]


@dataclass(frozen=True)
class Whole(JsonResult):
    auc: Estimate
    part: Part
    rows: dict[int, Estimate]
    missing: Estimate


def test_a_result_gives_its_fields_and_estimates_two_numbers() -> None:
    whole = Whole(
        Estimate(0.5, 0.1),
        Part(np.array([0.0, np.inf]), ("a", "b")),
        {1: Estimate(2.0, np.nan)},
        Estimate(np.nan, np.nan),
    )
    expected = {
        "auc": 0.5,
        "auc_error": 0.1,
        "part": {"edges": [0.0, None], "names": ["a", "b"]},
        "rows": {"1": {"value": 2.0, "error": None}},
        "missing": None,
        "missing_error": None,
    }
    assert list(whole.to_dict().items()) == list(expected.items())
    assert json_ready([whole]) == [expected]
    assert list(json_fields(whole, "missing", "auc", errors_last=True)) == [
        "missing",
        "auc",
        "missing_error",
        "auc_error",
    ]


def test_a_file_is_whole_or_as_before(tmp_path: Path) -> None:
    path = write_json(tmp_path / "deep" / "result.json", {"a": 1})
    with pytest.raises(RuntimeError), atomic_path(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert json.loads(path.read_text()) == {"a": 1}
    assert [entry.name for entry in path.parent.iterdir()] == ["result.json"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_one_clear_line(tmp_path: Path) -> None:
    final = tmp_path / "result.json"
    with pytest.raises(OutputError, match="cannot write .*result.json: No space left on device"):  # noqa: SIM117
        with atomic_path(final), Path("/dev/full").open("w") as full:
            full.write("x")
            full.flush()
    assert not final.exists()


def test_an_unwritable_folder_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot create the output folder .*; choose another with `output:`"):
        make_folder(tmp_path / "file" / "results", "`output:`")
    with pytest.raises(OutputError, match=r"cannot create the output folder .*file: it is a file; choose another$"):
        make_folder(tmp_path / "file")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_folder_is_one_clear_line(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(OutputError, match="permission denied"):
        make_folder(tmp_path)


def test_progress_is_silent_without_a_terminal() -> None:
    assert terminal_progress(quiet=True) is SILENT
    with SILENT as progress:
        progress.task("x", 3).advance(note="y")


def test_progress_on_a_terminal_can_be_used_again() -> None:
    progress = RichProgress()
    for _ in range(2):
        with progress:
            progress.task("reading", 2).advance(1, "note")


PUBLIC = [
    "ClassEvaluation",
    "Classifier",
    "Collection",
    "Comparison",
    "Config",
    "EpochRecord",
    "Estimate",
    "Evaluation",
    "EventTable",
    "FigureLook",
    "Friends",
    "HepnegError",
    "HepnegWarning",
    "ModelInputs",
    "Refinement",
    "RegressionEvaluation",
    "Regressor",
    "SeveralTargets",
    "ShapeReport",
    "SignedClassifier",
    "Stack",
    "WeightReport",
    "__version__",
    "apply_model",
    "check_shapes",
    "columnar",
    "compare",
    "evaluate",
    "export_onnx",
    "grade_of_distance",
    "load_config",
    "load_model",
    "losses",
    "make_stack",
    "metrics",
    "plots",
    "read",
    "refine",
    "response_histogram",
    "summarize_weights",
    "train",
    "train_regressor",
]


def test_the_public_names_are_these() -> None:
    """Others rely on these names: removing one is a breaking change."""
    assert dir(hepneg) == PUBLIC
    assert sorted([*hepneg.__all__, "SignedClassifier"]) == PUBLIC  # that one needs an extra
    for name in PUBLIC:
        assert getattr(hepneg, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = hepneg.nothing


def test_importing_hepneg_loads_nothing_heavy() -> None:
    heavy = ("torch", "matplotlib", "scipy", "uproot", "awkward", "hist", "sklearn", "rich", "pydantic")
    code = f"import sys, hepneg, hepneg.cli; print([name for name in {heavy!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_version_is_that_of_the_package() -> None:
    from importlib.metadata import version

    assert hepneg.__version__ == version("hepneg")
