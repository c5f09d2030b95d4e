"""Classifier and refinement on arrays of records, and the parts that passes over the events are made of."""

from __future__ import annotations

import pickle
import subprocess
import sys
from functools import reduce
from itertools import pairwise
from operator import add
from pathlib import Path
from typing import TYPE_CHECKING, Any

import awkward as ak
import numpy as np
import pytest
from columnar_events import columns_of, expected_logit, make_analysis, make_model
from conftest import _write_ntuple
from hypothesis import given, settings
from hypothesis import strategies as st

import hepneg
from hepneg import columnar
from hepneg.columnar.event_columns import read_chunk
from hepneg.errors import DataError
from hepneg.ntuples import read_chunks
from hepneg.shapes import plan_bins
from hepneg.shapes.two_passes import EmptyDraw, EmptySums

if TYPE_CHECKING:
    from collections.abc import Sequence


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> hepneg.Config:
    return make_analysis(tmp_path_factory.mktemp("columnar"), _write_ntuple)


@pytest.fixture(scope="module")
def classifier(config: hepneg.Config) -> hepneg.Classifier:
    return make_model(config, config.folder / "model")


@pytest.fixture(scope="module")
def columns() -> dict[str, Any]:
    return columns_of(0.5, 77, first_id=100_000)


def flat(columns: dict[str, Any]) -> ak.Array:
    """Records with fields called as the branches."""
    return ak.zip(columns, depth_limit=1)


def gathered(columns: dict[str, Any]) -> ak.Array:
    """The same as NanoEvents have them: x0, x1, x2 and jet_pt are fields of collections."""
    plain = {name: columns[name] for name in ("event", "genWeight")}
    jets, numbers = ak.zip({"pt": columns["jet_pt"]}), ak.zip({name: columns[f"x{name}"] for name in "012"})
    return ak.zip({**plain, "jet": jets, "x": numbers}, depth_limit=1)


def from_file(events: ak.Array, **metadata: Any) -> ak.Array:
    """Attach metadata as coffea does."""
    return ak.with_parameter(events, "metadata", metadata)


def test_flat_records_give_what_the_networks_give(classifier: hepneg.Classifier, columns: dict[str, Any]) -> None:
    expected = expected_logit(classifier, columns, held_out=False)
    assert 0 < np.isnan(expected).sum() < len(expected)
    np.testing.assert_allclose(columnar.logit(classifier, flat(columns)), expected, rtol=1e-5, atol=1e-6)
    response = columnar.response(classifier, flat(columns))
    np.testing.assert_allclose(response, 1 / (1 + np.exp(-expected)), rtol=1e-5)


def test_selected_events_get_what_they_get_among_all(classifier: hepneg.Classifier, columns: dict[str, Any]) -> None:
    events, whole = flat(columns), columnar.logit(classifier, flat(columns))
    mask = np.asarray(ak.num(columns["jet_pt"]) >= 2)
    order = np.random.default_rng(1).permutation(len(events))[:200]
    for chosen in (mask, order, slice(5, None, 3)):
        found = columnar.logit(classifier, events[chosen])
        np.testing.assert_allclose(found, whole[chosen], rtol=1e-5, atol=1e-6)
    twice = events[mask][ak.num(events[mask].jet_pt) >= 3]
    many = np.asarray(ak.num(columns["jet_pt"]) >= 3)
    np.testing.assert_allclose(columnar.logit(classifier, twice), whole[many], rtol=1e-5, atol=1e-6)


def test_a_model_folder_will_do(config: hepneg.Config, classifier: hepneg.Classifier, columns: dict[str, Any]) -> None:
    events = flat(columns)
    assert np.array_equal(
        columnar.logit(config.folder / "model", events), columnar.logit(classifier, events), equal_nan=True
    )


def test_another_model_in_the_same_folder_is_noticed(
    classifier: hepneg.Classifier, columns: dict[str, Any], tmp_path: Path
) -> None:
    folder, events = classifier.save(tmp_path / "model"), flat(columns)
    before = columnar.logit(folder, events)
    turned = hepneg.Classifier(classifier.networks[:2], classifier.inputs, "absolute", {}, 1)
    turned.save(folder)
    assert not np.array_equal(columnar.logit(folder, events), before, equal_nan=True)


def test_collections_of_nanoevents_are_branches(classifier: hepneg.Classifier, columns: dict[str, Any]) -> None:
    inputs = hepneg.ModelInputs(
        {"x0": "x_0", "x1": 'branch("x.1")', "logx2": "log(x_2 + 1)", "jet1_pt": "jet_pt[:, 0]"}, "njet >= 1"
    )
    model = hepneg.Classifier(classifier.networks, inputs, "absolute", {}, 1)
    found = columnar.logit(model, gathered(columns))
    assert np.array_equal(found, columnar.logit(classifier, flat(columns)), equal_nan=True)
    mask = np.asarray(ak.num(columns["jet_pt"]) >= 2)
    np.testing.assert_allclose(columnar.logit(model, gathered(columns)[mask]), found[mask], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("branch", ["x0", "jet_pt"])
def test_where_an_input_is_missing_the_response_is_nan(
    classifier: hepneg.Classifier, columns: dict[str, Any], branch: str
) -> None:
    gone = np.arange(len(columns["x0"])) % 7 == 3
    masked = {**columns, branch: ak.mask(columns[branch], ~gone)}
    whole = columnar.logit(classifier, flat(columns))
    found = columnar.logit(classifier, flat(masked))
    np.testing.assert_allclose(found, np.where(gone, np.nan, whole), rtol=1e-5, atol=1e-6)


def test_a_missing_element_spoils_what_is_made_of_it(classifier: hepneg.Classifier, columns: dict[str, Any]) -> None:
    jets = columns["jet_pt"]
    second = ak.local_index(jets) == 1
    without = flat({**columns, "jet_pt": ak.mask(jets, ~second)})
    whole = columnar.logit(classifier, flat(columns))
    assert np.array_equal(columnar.logit(classifier, without), whole, equal_nan=True)  # only the first is looked at
    first = flat({**columns, "jet_pt": ak.mask(jets, second)})
    assert np.isnan(columnar.logit(classifier, first)).all()


def test_events_of_the_training_are_known_by_their_file(config: hepneg.Config, classifier: hepneg.Classifier) -> None:
    columns = columns_of(1.0, 0, first_id=0)
    known = classifier.inputs.files[0]
    events = from_file(flat(columns), dataset="sig", filename=f"elsewhere/{known.name}", fileuuid=known.uuid)
    held_out = expected_logit(classifier, columns, held_out=True)
    mean = expected_logit(classifier, columns, held_out=False)
    selected = ~np.isnan(mean)
    assert np.abs(held_out - mean)[selected].max() > 1e-3
    np.testing.assert_allclose(columnar.logit(classifier, events), held_out, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(columnar.logit(classifier, events, held_out="never"), mean, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(columnar.logit(classifier, flat(columns)), mean, rtol=1e-5, atol=1e-6)
    always = columnar.logit(classifier, flat(columns), held_out="always")
    np.testing.assert_allclose(always, held_out, rtol=1e-5, atol=1e-6)


def test_refined_weights_are_those_of_the_refinement(config: hepneg.Config) -> None:
    refinement = hepneg.refine(hepneg.read(config), folds=2, epochs=2, members=1, network={"hidden": [8]})
    columns = columns_of(1.0, 0, first_id=0)
    found = columnar.refined_weight(refinement, flat(columns), config, sample="sig")
    table = hepneg.read(config.model_copy(update={"luminosity": None, "samples": unscaled(config)}))
    file = table.select((table.event_id < len(found)) & (table.sample == 0))
    expected = np.full(len(found), np.nan)
    expected[file.event_id.astype(np.intp)] = refinement.held_out_weight(file)
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    assert np.nanmin(found) >= 0
    again = columnar.refined_weight(pickle.loads(pickle.dumps(refinement)), flat(columns), config, sample="sig")  # noqa: S301
    assert np.array_equal(again, found, equal_nan=True)


def unscaled(config: hepneg.Config) -> dict[str, Any]:
    """The samples without cross sections, whose weights stay raw."""
    return {name: sample.model_copy(update={"cross_section": None}) for name, sample in config.samples.items()}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"x0": None}, r"no branch 'x0', which feature 'x0' needs; known: event, genWeight, x1, x2, jet_pt"),
        ({"x0": ["a"]}, "branch 'x0', which feature 'x0' needs, holds string; only numbers and lists of numbers"),
        ({"x0": [[1.0, 2.0]]}, "expression 'x0' gives a list for each event"),
        ({"jet_pt": ["a"]}, "branch 'jet_pt', which .* needs, holds string"),
    ],
)
def test_one_clear_line_says_what_is_wrong_with_the_events(
    classifier: hepneg.Classifier, columns: dict[str, Any], change: dict[str, Any], message: str
) -> None:
    (name, value), n = next(iter(change.items())), len(columns["x0"])
    kept = {key: column for key, column in columns.items() if key != name}
    events = flat(kept if value is None else {**kept, name: ak.Array(value * n)})
    with pytest.raises(DataError, match=message) as raised:
        columnar.logit(classifier, events)
    assert "\n" not in str(raised.value)


def test_a_dataset_that_is_no_sample_is_refused(config: hepneg.Config, columns: dict[str, Any]) -> None:
    with pytest.raises(DataError, match="no sample 'signal_1' in the configuration.*metadata as `sample`"):
        read_chunk(config, from_file(flat(columns), dataset="signal_1", filename="a.root"))
    sample, _ = read_chunk(config, from_file(flat(columns), dataset="signal_1", sample="sig", filename="a.root"))
    assert sample == "sig"


def test_entries_identify_events_only_before_any_cut(config: hepneg.Config, columns: dict[str, Any]) -> None:
    without = config.model_copy(update={"event_id": ()})
    n = len(columns["x0"])
    events = from_file(flat(columns), dataset="sig", filename="a.root", entrystart=10, entrystop=10 + n)
    _, chunk = read_chunk(without, events)
    jets = np.asarray(ak.num(columns["jet_pt"]))
    assert np.array_equal(chunk.event_id[:, 1], 10 + np.flatnonzero(jets >= 1))
    with pytest.raises(DataError, match="entry numbers of these 5 events are not known"):
        read_chunk(without, events[:5])


def test_a_renamed_file_does_not_change_folds_unnoticed(
    config: hepneg.Config, classifier: hepneg.Classifier, columns: dict[str, Any]
) -> None:
    known = classifier.inputs.files[0]
    process = columnar.ResponseProcessor(config.model_copy(update={"event_id": ()}), config.folder / "model")
    place = {"dataset": "sig", "fileuuid": known.uuid, "entrystart": 0, "entrystop": len(columns["x0"])}
    assert list(process(from_file(flat(columns), filename=f"elsewhere/{known.name}", **place))) == ["sig"]
    with pytest.raises(DataError, match=f"was called {known.name} when the model was trained"):
        process(from_file(flat(columns), filename="renamed.root", **place))


def test_a_model_of_other_features_is_refused(
    config: hepneg.Config, classifier: hepneg.Classifier, columns: dict[str, Any]
) -> None:
    fewer = config.model_copy(update={"features": config.features[:2]})
    process = columnar.ResponseProcessor(fewer, config.folder / "model")
    with pytest.raises(
        DataError, match="the analysis has the features x0, x1, but the model in .* takes x0, x1, logx2"
    ):
        process(from_file(flat(columns), dataset="sig"))


def test_missing_values_do_not_get_into_sums(config: hepneg.Config, columns: dict[str, Any]) -> None:
    masked = {**columns, "x0": ak.mask(columns["x0"], columns["x0"] > 0)}
    with pytest.raises(DataError, match=r"events have no value \(None\).*ak.fill_none"):
        read_chunk(config, from_file(flat(masked), dataset="sig"))


def test_records_give_the_chunks_that_files_give(config: hepneg.Config) -> None:
    (chunk, *_) = read_chunks(config, "sig")
    sample, other = read_chunk(config, from_file(flat(columns_of(1.0, 0, first_id=0)), dataset="sig"))
    assert sample == "sig"
    for name in ("features", "weight", "event_id"):
        assert np.array_equal(getattr(chunk, name), getattr(other, name))
    assert (chunk.entries, chunk.sum_weights_all) == (other.entries, other.sum_weights_all)


def merged(config: hepneg.Config, pieces: Sequence[ak.Array], processor: Any) -> Any:
    return reduce(add, (processor(from_file(piece, dataset="sig"))["sig"] for piece in pieces))


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(0, 2500), max_size=6), st.randoms(use_true_random=False))
def test_parts_do_not_depend_on_chunks_and_order(
    config: hepneg.Config, columns: dict[str, Any], cuts: list[int], random: Any
) -> None:
    events = flat(columns)
    edges = [0, *sorted(cuts), len(events)]
    pieces = [events[low:high] for low, high in pairwise(edges)]
    random.shuffle(pieces)
    draws = columnar.SubsampleProcessor(config, seed=3)
    whole, parts = merged(config, [events], draws), merged(config, pieces, draws)
    assert (whole.entries, whole.dropped) == (parts.entries, parts.dropped)
    assert np.array_equal(whole.subsample.result().features, parts.subsample.result().features)
    sums = columnar.SumsProcessor(config, plan_bins([whole.subsample.result().features], config.feature_names))
    whole, parts = merged(config, [events], sums), merged(config, pieces, sums)
    assert whole.sum_weights_all == parts.sum_weights_all
    assert np.array_equal(np.concatenate(whole.weights.sums.count), np.concatenate(parts.weights.sums.count))
    np.testing.assert_allclose(parts.weights.power_sums, whole.weights.power_sums, rtol=1e-12)


def test_parts_of_other_seeds_or_bins_do_not_merge(config: hepneg.Config, columns: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="same size and seed"):
        EmptyDraw(1)("a") + EmptyDraw(2)("a")
    plan = plan_bins([np.arange(8, dtype=np.float32)[:, None]], ["x"])
    with pytest.raises(ValueError, match="same bins"):
        EmptySums(plan)("a") + EmptySums()("a")


def test_a_plan_travels_lightly_and_arrives_whole(config: hepneg.Config) -> None:
    rng = np.random.default_rng(5)
    spiked = np.where(rng.random(20_000) < 0.3, 0.25, rng.normal(size=20_000)).astype(np.float32)
    features = np.column_stack([spiked, rng.exponential(size=20_000), rng.integers(0, 6, 20_000)]).astype(np.float32)
    plan = plan_bins([features], ["a", "b", "c"])
    packed = pickle.dumps(plan)
    again = pickle.loads(packed)  # noqa: S301
    assert len(packed) < 0.1 * sum(bins.table.nbytes for bins in plan.features)
    assert again.same_as(plan)
    for one, other, column in zip(plan.features, again.features, features.T, strict=True):
        assert one.table.dtype == other.table.dtype
        assert np.array_equal(one.codes(column), other.codes(column))
        assert np.array_equal(one.edges, other.edges)


def test_the_room_opens_without_heavy_libraries() -> None:
    code = "import sys, hepneg.columnar; print([m for m in ('torch', 'coffea', 'matplotlib') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
