"""Classes by any name: in tables, configurations, and the steps that know of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import uproot
from conftest import toy_columns

import hepneg
import hepneg.friends
from hepneg import workflow
from hepneg._core.class_names import TWO_CLASSES
from hepneg.config import Config
from hepneg.errors import ConfigError, DataError, HepnegError
from hepneg.events import DATA, EventTable
from hepneg.ntuples import read

THREE = ("ttbar", "wjets", "single_top")
Write = Callable[..., Path]


def table(labels: list[str], **columns: Any) -> EventTable:
    rng = np.random.default_rng(len(labels))
    return EventTable.from_arrays(rng.normal(size=(len(labels), 2)), np.ones(len(labels)), labels, **columns)


@pytest.fixture(scope="module")
def analysis(tmp_path_factory: pytest.TempPathFactory) -> Config:
    """Three classes in files of their own, one of them of two samples."""
    from conftest import _write_ntuple

    folder = tmp_path_factory.mktemp("three")
    samples = {}
    for number, name in enumerate(["tt", "wj", "st_s", "st_t"]):
        columns = toy_columns(600, number, number, first_id=1000 * number, negative_fraction=0.2)
        _write_ntuple(folder / f"{name}.root", columns)
        samples[name] = {"label": THREE[min(number, 2)], "files": f"{name}.root"}
    data = {"weight": "genWeight", "event_id": "event", "samples": samples, "features": ["x0", "x1"]}
    data["training"] = {"folds": 2, "epochs": 2, "network": {"hidden": [8]}}
    return Config.from_dict(data, folder)


# Names and codes


def test_signal_and_background_keep_their_codes_in_any_order() -> None:
    for labels in (["signal", "background"], ["background", "signal"], ["signal", "signal"]):
        events = table(labels)
        assert events.classes == TWO_CLASSES == ("background", "signal")
        assert events.label.tolist() == [TWO_CLASSES.index(name) for name in labels]


def test_other_classes_are_in_the_order_of_their_first_appearance() -> None:
    events = table(["wjets", "ttbar", "wjets", "single_top"])
    assert events.classes == ("wjets", "ttbar", "single_top")
    assert events.label.tolist() == [0, 1, 0, 2]
    assert events.sample_names == events.classes
    assert [events.label_of_sample(name) for name in events.sample_names] == list(events.classes)
    objects = np.array(["wjets", "ttbar", "wjets", "single_top"], dtype=object)
    assert EventTable.from_arrays(np.zeros((4, 1)), np.ones(4), objects).classes == events.classes


def test_a_shuffled_table_has_the_same_folds_whatever_the_codes() -> None:
    labels = np.repeat(THREE, 50)
    features = np.resize(np.arange(15.0), (150, 1))  # rows of equal features, told apart by their labels
    events = EventTable.from_arrays(features, np.ones(150), labels)
    order = np.random.default_rng(1).permutation(150)
    shuffled = EventTable.from_arrays(features[order], np.ones(150), labels[order])
    assert shuffled.classes != events.classes

    def rows(one: EventTable) -> set[tuple[Any, ...]]:
        names = np.array(one.classes)[one.label]
        return set(zip(one.features[:, 0].tolist(), names.tolist(), one.folds(5, 1).tolist(), strict=True))

    assert rows(events) == rows(shuffled)


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (["signal", "ttbar"], "two classes are signal and background, or have other names both"),
        (["TTbar", "ttbar", "w"], "differ in upper and lower case alone"),
        (["ttbar", "w+jets"], "'w\\+jets' is no label of a class: letters, digits and _"),
        (["ttbar", "data"], "'data' is no label of a class"),
        (["signal", "backgruond"], "did you mean 'background'"),
        (["Signal", "background"], "did you mean 'signal'"),
        ([f"c{number}" for number in range(101)], "there are 101 labels"),
    ],
)
def test_labels_that_are_no_classes(labels: list[str], expected: str) -> None:
    with pytest.raises(DataError, match=expected):
        table(labels)


def test_names_near_to_signal_with_a_number_are_classes() -> None:
    assert table(["signal_1", "signal_2"]).classes == ("signal_1", "signal_2")


def test_joined_and_selected_tables_know_the_classes() -> None:
    first, second = table(["ttbar", "wjets"]), table(["single_top", "ttbar", "ttbar"])
    joined = EventTable.concatenate([first, second])
    assert joined.classes == THREE
    assert [joined.classes[code] for code in joined.label] == ["ttbar", "wjets", "single_top", "ttbar", "ttbar"]
    assert joined.select(joined.label == 1).classes == THREE
    with pytest.raises(DataError, match="the tables to join: the labels are"):
        EventTable.concatenate([first.select(np.array([0])), table(["signal", "signal"])])


# Configurations and files


def test_the_classes_of_a_configuration_are_those_of_its_samples(analysis: Config) -> None:
    assert analysis.classes == THREE
    events = read(analysis)
    assert events.classes == THREE
    assert [events.label_of_sample(name) for name in events.sample_names] == [*THREE, "single_top"]


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ({"a": "signal", "b": "fakes"}, "two classes are signal and background, or have other names both"),
        ({"a": "w jets", "b": "ttbar"}, "samples.a.label: 'w jets' is no label of a class"),
        ({"a": "ttbar", "b": None}, "'samples.b.label' is missing: signal or background, or the name of a class"),
    ],
)
def test_labels_of_a_configuration_that_are_no_classes(labels: dict[str, str | None], expected: str) -> None:
    samples = {name: {"label": label, "files": f"{name}.root"} for name, label in labels.items()}
    with pytest.raises(ConfigError, match=expected):
        Config.from_dict({"weight": "w", "features": ["x"], "samples": samples})


def test_data_are_no_class(tmp_path: Path, write_ntuple: Write, analysis: Config) -> None:
    write_ntuple(tmp_path / "obs.root", toy_columns(50, 0, 9, first_id=9000))
    samples = {"obs": {"label": "data", "files": str(tmp_path / "obs.root")}}
    samples |= {name: part.model_dump(exclude_none=True) for name, part in analysis.samples.items()}
    with_data = Config.from_dict({**analysis.to_dict(), "samples": samples}, analysis.folder)
    assert with_data.classes == THREE
    observed = read(with_data, data=True)
    assert (observed.label == DATA).all()
    assert observed.label_of_sample("obs") == "data"


def test_inspect_and_check_go_by_sample_and_label(analysis: Config) -> None:
    weights = workflow.inspect(analysis).result
    assert tuple(weights.labels) == THREE
    assert weights.labels["single_top"].selected == 1200
    assert weights.to_dict()["batch_risk"].keys() == set(THREE)
    assert hepneg.summarize_weights(read(analysis)).labels["wjets"].selected == 600
    shapes = workflow.check(analysis).result
    assert tuple(shapes.samples) == ("tt", "wj", "st_s", "st_t")
    assert shapes.to_dict()["recommended_schemes"]


def test_refine_learns_the_signs_of_each_sample(analysis: Config) -> None:
    events = read(analysis)
    refinement = hepneg.refine(events, folds=2, epochs=1, network={"hidden": [8]})
    assert dict(refinement.labels) == {"tt": "ttbar", "wj": "wjets", "st_s": "single_top", "st_t": "single_top"}
    names = np.array(events.sample_names)[events.sample]
    labels = np.array(events.classes)[events.label]
    assert (refinement.weight(events.features, events.weight, labels, names) >= 0).all()
    with pytest.raises(DataError, match="the single_top has 2 samples"):
        refinement.weight(events.features, events.weight, labels)


def test_a_command_for_two_classes_says_so_before_it_reads_events(analysis: Config) -> None:
    with pytest.raises(HepnegError, match="`hepneg closure` knows the classes signal and background alone"):
        workflow.closure(analysis)


def test_metrics_of_two_classes_refuse_a_table_of_three(analysis: Config) -> None:
    events = read(analysis)
    with pytest.raises(HepnegError, match="knows the classes signal and background alone"):
        hepneg.metrics.ScoredEvents.of_table(events, np.zeros(len(events)))


def test_refined_weights_of_any_class_go_beside_its_files(analysis: Config, tmp_path: Path) -> None:
    found = hepneg.friends.refine_files(analysis, tmp_path)
    assert dict(found.refinement.labels)["st_t"] == "single_top"
    for name, sample in (("tt", 0), ("st_t", 3)):
        with uproot.open(tmp_path / f"{name}.hepneg.root") as file:
            weight = file["hepneg"]["hepneg_weight"].array(library="np")
        events = read(analysis)
        assert (weight >= 0).all()
        assert weight.sum() == pytest.approx(events.weight[events.sample == sample].sum())
