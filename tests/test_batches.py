"""Every batch of every epoch has a positive sum for each label, whatever the weights."""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hepneg._core.interruption import Interrupted, stop_if_asked, stoppable
from hepneg.errors import TrainingError
from hepneg.learning.batches import Batches, CellBatches, Epoch, ShuffledBatches, StratifiedBatches
from hepneg.schemes import paired_cells as cells_module
from hepneg.schemes.paired_cells import nearest_cells, standardised
from hepneg.schemes.paired_line import links_along

Sample = tuple[np.ndarray, np.ndarray, np.ndarray]


def hostile_sample(seed: int, n: int, f: float, spread: float) -> Sample:
    """Spread weights, a negative share f by number, and negative events that cluster where few others are."""
    rng = np.random.default_rng(seed)
    label = np.arange(n) % 2
    negative = rng.random(n) < f
    weight = rng.lognormal(0, spread, n) * np.where(negative, -1, 1)
    features = rng.normal(size=(n, 3)) * np.where(negative, 0.1, 1.0)[:, None]
    for code in (0, 1):  # lift a label whose sum came out negative by chance, by its largest positive event
        members = np.flatnonzero(label == code)
        deficit = 1.0 - weight[members].sum()
        if deficit > 0:
            weight[members[weight[members].argmax()]] += deficit
    return features, weight, label.astype(np.int8)


def cells_of(features: np.ndarray, weight: np.ndarray, label: np.ndarray) -> np.ndarray:
    cell = np.full(len(weight), -1)
    for code in (0, 1):
        members = np.flatnonzero(label == code)
        local = nearest_cells(features[members], weight[members])
        cell[members] = np.where(local >= 0, members[local], -1)
    return cell


def assert_sums_positive(batches: Batches, weight: np.ndarray, label: np.ndarray, seed: int) -> None:
    rng = np.random.default_rng(seed)
    for _ in range(3):
        epoch = batches.epoch(rng)
        assert len(epoch) == batches.count
        assert sorted(epoch.order) == list(np.flatnonzero(weight))  # every event once
        for index in epoch:
            for code in (0, 1):
                assert weight[index][label[index] == code].sum() > 0


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    n=st.integers(40, 1500),
    f=st.sampled_from([0.0, 0.1, 0.3, 0.45]),
    spread=st.sampled_from([0.0, 1.0, 2.0]),
    batch_size=st.sampled_from([16, 64, 256]),
)
def test_every_batch_of_both_flavours_sums_to_something_positive(
    seed: int, n: int, f: float, spread: float, batch_size: int
) -> None:
    features, weight, label = hostile_sample(seed, n, f, spread)
    assert_sums_positive(StratifiedBatches(weight, label, batch_size), weight, label, seed)
    assert_sums_positive(CellBatches(cells_of(features, weight, label), label, batch_size), weight, label, seed)


def test_random_batches_of_the_same_sample_do_not_have_the_property() -> None:
    """The guarantee is not empty: plain shuffling breaks it on the hostile sample."""
    _, weight, label = hostile_sample(1, 4000, 0.45, 1.0)
    epoch = ShuffledBatches(weight, 64).epoch(np.random.default_rng(0))
    sums = [weight[index][label[index] == 1].sum() for index in epoch]
    assert min(sums) < 0


def test_stratified_batches_have_the_samples_own_share_of_negative_events() -> None:
    rng = np.random.default_rng(3)
    n = 20_000
    weight = np.where(rng.random(n) < 0.3, -1.0, 1.0)
    label = (rng.random(n) < 0.4).astype(np.int8)
    batches = StratifiedBatches(weight, label, 500)
    assert batches.count == 40
    for index in batches.epoch(rng):
        for code in (0, 1):
            inside, overall = label[index] == code, label == code
            expected = (weight[overall] < 0).sum() / batches.count
            assert abs((weight[index][inside] < 0).sum() - expected) < 1


def test_stratified_batches_grow_when_large_weights_need_it() -> None:
    """One event carries most of a label: the other batches could not stay positive, so there are fewer of them."""
    weight = np.array([-1.0] * 100 + [150.0] + [0.1] * 99 + [1.0] * 200)
    label = np.array([0] * 200 + [1] * 200, dtype=np.int8)
    batches = StratifiedBatches(weight, label, 20)
    assert batches.count == 1
    assert_sums_positive(batches, weight, label, 0)


def test_equal_weights_are_dealt_anew_in_each_epoch() -> None:
    weight, label = np.ones(1000), np.arange(1000, dtype=np.int64) % 2
    batches = StratifiedBatches(weight, label.astype(np.int8), 100)
    rng = np.random.default_rng(0)
    first, second = (next(iter(batches.epoch(rng))) for _ in range(2))
    assert set(first) != set(second)


@pytest.mark.parametrize("cells", [False, True])
def test_a_label_without_a_positive_sum_is_refused(cells: bool) -> None:
    weight = np.array([1.0, -1.0, 1.0, 1.0])
    label = np.array([0, 0, 1, 1], dtype=np.int8)
    with pytest.raises(TrainingError, match="sum to 0: no .* can have a positive sum"):
        if cells:
            nearest_cells(np.zeros((2, 1)), weight[:2])
        else:
            StratifiedBatches(weight, label, 2)


def test_events_of_weight_zero_never_enter_a_batch() -> None:
    weight = np.array([0.0, 1.0, 2.0, 0.0, -0.5, 1.0, 1.0, 1.0])
    label = np.array([0, 0, 0, 1, 1, 1, 1, 1], dtype=np.int8)
    cell = cells_of(np.arange(8.0)[:, None], weight, label)
    for batches in (ShuffledBatches(weight, 3), StratifiedBatches(weight, label, 3), CellBatches(cell, label, 3)):
        assert sorted(batches.epoch(np.random.default_rng(0)).order) == [1, 2, 4, 5, 6, 7]


def test_batches_are_the_same_for_the_same_generator() -> None:
    _, weight, label = hostile_sample(5, 500, 0.3, 1.0)

    def order() -> np.ndarray:
        return StratifiedBatches(weight, label, 50).epoch(np.random.default_rng(9)).order

    assert np.array_equal(order(), order())


def test_an_epoch_iterates_over_its_batches() -> None:
    epoch = Epoch(np.arange(5), np.array([0, 2, 5]))
    assert [list(index) for index in epoch] == [[0, 1], [2, 3, 4]]


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), n=st.integers(20, 400), f=st.sampled_from([0.1, 0.3, 0.45]))
def test_cells_have_positive_sums_and_one_label(seed: int, n: int, f: float) -> None:
    features, weight, label = hostile_sample(seed, n, f, 1.0)
    cell = cells_of(features, weight, label)
    sums = np.bincount(cell, weights=weight, minlength=n)[np.unique(cell)]
    assert (sums > 0).all()
    assert all(len(set(label[cell == c])) == 1 for c in np.unique(cell))


def test_a_negative_event_takes_its_nearest_positive_event() -> None:
    features = np.array([[0.0], [0.1], [5.0], [5.2], [9.0]])
    weight = np.array([-1.0, 1.5, 1.5, -1.0, 1.0])
    cell = nearest_cells(features, weight)
    assert cell[0] == cell[1]
    assert cell[2] == cell[3]
    assert len({cell[0], cell[2], cell[4]}) == 3  # the last positive event is nobody's partner


def booleans(rng: np.random.Generator, negative: np.ndarray) -> np.ndarray:
    return rng.integers(0, 2, (len(negative), 2)).astype(float)


def booleans_of_the_sign(rng: np.random.Generator, negative: np.ndarray) -> np.ndarray:
    return np.stack([negative, rng.random(len(negative)) < 0.5], axis=1).astype(float)


def region_of_its_own(rng: np.random.Generator, negative: np.ndarray) -> np.ndarray:
    return np.asarray(rng.normal(size=(len(negative), 3)) + 10.0 * negative[:, None])


@pytest.mark.parametrize("f", [0.3, 0.45])
@pytest.mark.parametrize("features", [booleans, booleans_of_the_sign, region_of_its_own])
def test_crowded_events_are_matched_in_a_few_queries(
    monkeypatch: pytest.MonkeyPatch, features: Callable[..., np.ndarray], f: float
) -> None:
    """By distance alone a round would grant eight claims a place, and there would be thousands of rounds."""
    rng, looks = np.random.default_rng(4), [0]
    negative = rng.random(60_000) < f
    weight = np.where(negative, -1.0, 1.0)
    search = cells_module._nearest

    def counted(tree: object, place: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        looks[0] += k * len(place)
        assert looks[0] < 80 * len(weight)
        return search(tree, place, k)

    monkeypatch.setattr(cells_module, "_nearest", counted)
    cell = nearest_cells(features(rng, negative), weight)
    _, number, size = np.unique(cell, return_inverse=True, return_counts=True)
    assert cell.min() >= 0
    assert np.bincount(number, weights=weight).min() > 0
    assert size.max() < 50  # a cell that held most of a label would leave one batch


def test_events_with_the_same_features_are_matched_first() -> None:
    rng = np.random.default_rng(6)
    weight = np.where(rng.random(4000) < 0.2, -1.0, 1.0)
    features = booleans(rng, weight < 0)
    assert np.array_equal(features[nearest_cells(features, weight)], features)


def test_ordinary_features_are_matched_by_distance_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cells_module, "line_through", None)  # any use would fail
    rng = np.random.default_rng(7)
    features = rng.normal(size=(6000, 4))
    for chance in (0.05, 0.3, 0.45, 0.6 / (1 + np.exp(-3 * features[:, 0]))):
        weight = np.where(rng.random(6000) < chance, -1.0, 1.0)
        nearest_cells(features, weight)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    n=st.integers(20, 2000),
    f=st.sampled_from([0.1, 0.3, 0.45]),
    kinds=st.integers(1, 4),
)
def test_crowded_cells_have_positive_sums(seed: int, n: int, f: float, kinds: int) -> None:
    features, weight, label = hostile_sample(seed, n, f, 1.0)
    features = np.minimum(np.floor(np.abs(features)), kinds - 1)
    cell = cells_of(features, weight, label)
    assert_sums_positive(CellBatches(cell, label, 64), weight, label, seed)


@pytest.mark.parametrize("sparing", [True, False])
@pytest.mark.parametrize("total", [[5.0, -1.0, -1.0, -1.0], [-1.0, -1.0, 1.0, 1.0, 1.0], [0.0, 0.0, 1.0]])
def test_links_help_whom_they_can(total: list[float], sparing: bool) -> None:
    group, sums = np.arange(len(total)), np.array(total)
    first, second = links_along(group, sums, 0.0, sparing=sparing)
    for one, other in zip(first, second, strict=True):
        group[group == group[one]] = group[other]
    merged = np.bincount(group, weights=sums)[np.unique(group)]
    assert len(merged) < len(total)
    assert sparing or merged.min() > 0


def test_a_search_for_neighbours_stops_when_asked() -> None:
    features, weight, _ = hostile_sample(3, 400, 0.3, 0.0)
    stop = threading.Event()
    stop_if_asked()  # nobody listens
    with stoppable(stop):
        nearest_cells(features, weight)
        stop.set()
        with pytest.raises(Interrupted):
            nearest_cells(features, weight)
    nearest_cells(features, weight)


def test_a_long_tail_does_not_squeeze_the_bulk() -> None:
    rng = np.random.default_rng(0)
    column = rng.normal(size=2000)
    column[:5] = 1e6
    bulk = standardised(column[:, None])[5:, 0]
    assert 0.8 < bulk.std() < 1.2
    assert np.array_equal(standardised(np.full((4, 1), 3.0)), np.zeros((4, 1)))
