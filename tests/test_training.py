"""Training: refusals, determinism, resuming, guards, and what the schemes learn where the truth is known."""

from __future__ import annotations

import json
import threading
import warnings
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from ctrl_c import CtrlCAfter
from safetensors import SafetensorError
from safetensors.torch import save_file

from hepneg._core.hashing import assign_folds
from hepneg._core.interruption import Interrupted, stoppable
from hepneg.config import Training
from hepneg.errors import ConfigError, DataError, HepnegWarning, OutputError, TrainingError
from hepneg.events import EventTable
from hepneg.learning import pool as pool_module
from hepneg.learning.checkpoint import FoldCheckpoint
from hepneg.learning.divergence import divergence_message
from hepneg.learning.history import EpochRecord, FoldHistory
from hepneg.learning.pool import choose_device
from hepneg.metrics import auc
from hepneg.models.classifier import Classifier
from hepneg.models.training import train
from hepneg.objectives.rows import balanced_weight
from hepneg.schemes import make_scheme

FAST = {"folds": 2, "epochs": 4, "batch_size": 128, "network": {"hidden": [8, 8]}}


def toy(seed: int = 0, n: int = 1200, f: float = 0.2, gap: float = 1.0) -> EventTable:
    rng = np.random.default_rng(seed)
    label = np.arange(n) % 2
    features = rng.normal(size=(n, 3)) + gap * label[:, None]
    weight = np.where(rng.random(n) < f, -1.0, 1.0)
    return EventTable.from_arrays(features, weight, label, feature_names=["a", "b", "c"], event_id=np.arange(n))


def same(first: Classifier, second: Classifier, events: EventTable) -> bool:
    return np.array_equal(first.held_out_logit(events), second.held_out_logit(events))


@pytest.mark.parametrize(
    "scheme", ["absolute", "positive", "signed", "paired", "refined", "combined", "mixture", "signed_target"]
)
def test_each_scheme_separates_and_is_the_same_again_for_a_seed(scheme: str) -> None:
    events = toy()
    classifier, again = (train(events, scheme, **FAST) for _ in range(2))
    assert same(classifier, again, events)
    area = auc(classifier.held_out_logit(events), events.label, events.weight)
    assert area.value > 0.5 + 5 * area.error
    assert not same(classifier, train(events, scheme, **FAST, seed=2), events)


def test_the_number_of_cores_does_not_change_the_result(monkeypatch: pytest.MonkeyPatch) -> None:
    events = toy()
    results = []
    for cores in (1, 2):
        monkeypatch.setattr(pool_module, "cores", lambda cores=cores: cores)
        results.append(train(events, "signed", **FAST))
    assert same(*results, events)
    assert torch.get_num_threads() >= 1


def test_the_order_of_events_does_not_change_their_folds() -> None:
    events = toy()
    shuffled = events.select(np.random.default_rng(0).permutation(len(events)))
    folds = dict(zip(events.event_id.tolist(), assign_folds(events.event_id, 5, 1).tolist(), strict=True))
    assert [folds[i] for i in shuffled.event_id.tolist()] == assign_folds(shuffled.event_id, 5, 1).tolist()


def test_labels_are_balanced_to_equal_sums_of_weights() -> None:
    weight = np.array([1.0, 2.0, -0.5, 7.0])
    target = np.array([0, 1, 1, 1], dtype=np.int8)
    balanced = balanced_weight(weight, target)
    assert balanced[target == 0].sum() == pytest.approx(2.0)
    assert balanced[target == 1].sum() == pytest.approx(2.0)


@pytest.mark.parametrize(
    ("weight", "label", "message"),
    [
        ([1.0] * 8, [1] * 8, "there are no background events: a classifier needs both labels"),
        ([1.0] * 4 + [-1.0] * 4, [1, 1, 1, 1, 0, 0, 0, 0], "background weights sum to -4 ± 2, which is not positive"),
        ([1.0] * 4 + [1.0, 1.0, -1.0, 1.0], [1] * 4 + [0] * 4, "background .* compatible with 0: generate more"),
    ],
)
def test_labels_without_a_density_are_refused(weight: list[float], label: list[int], message: str) -> None:
    # Fifty copies of the signal alone, so that it is the background that is refused.
    events = EventTable.from_arrays(np.zeros((len(weight) + 50, 1)), weight + [1.0] * 50, label + [1] * 50)
    with pytest.raises(TrainingError, match=message):
        train(events, "signed", **FAST)


def test_a_fold_without_a_density_is_refused_with_its_number() -> None:
    events = EventTable.from_arrays(np.zeros((24, 1)), np.ones(24), np.arange(24) % 2, event_id=np.arange(24))
    with pytest.raises(TrainingError, match=r"fold \d+, .* events: .*use fewer folds or more events"):
        train(events, "absolute", folds=100, network={"hidden": [2]})


def test_an_identifier_that_is_constant_is_what_the_advice_names() -> None:
    events = EventTable.from_arrays(
        np.zeros((400, 1)), np.ones(400), np.arange(400) % 2, event_id=np.ones(400, np.int64)
    )
    with pytest.raises(
        TrainingError, match="the 400 events have 1 different identifier, .* give `event_id:` the branches"
    ):
        train(events, "absolute", folds=2, network={"hidden": [2]})


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"fold": 3}, "unknown setting 'fold'; did you mean 'folds'"),
        ({"folds": 1}, "training: folds: "),
        (
            {"network": {"hiden": [3]}},
            "training: network: network 'mlp' has no parameter 'hiden'; did you mean 'hidden'",
        ),
        ({"device": "tpu"}, "training: device: "),
    ],
)
def test_bad_settings_are_refused(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        train(toy(), "absolute", **settings)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there_is_refused() -> None:
    assert choose_device("auto").type == "cpu"
    with pytest.raises(ConfigError, match="torch finds no GPU; use 'auto' or 'cpu'"):
        choose_device("cuda")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_training_on_a_gpu_is_the_same_again_for_a_seed() -> None:
    events = toy()
    assert same(train(events, "signed", **FAST), train(events, "signed", **FAST), events)


@pytest.mark.parametrize(
    ("scheme", "epochs_before"), [("signed", 2), ("signed", 7), ("combined", 5), ("combined", 17), ("mixture", 4)]
)
def test_an_interrupted_training_resumes_bit_for_bit(tmp_path: Path, scheme: str, epochs_before: int) -> None:
    events, settings = toy(), {**FAST, "epochs": 6}
    whole = train(events, scheme, **settings)
    with pytest.raises(KeyboardInterrupt):
        train(events, scheme, progress=CtrlCAfter(epochs_before), checkpoint=tmp_path, **settings)
    assert any(tmp_path.iterdir())
    resumed = train(events, scheme, checkpoint=tmp_path, **settings)
    for one, other in zip(whole.networks, resumed.networks, strict=True):
        state, state_resumed = one.state_dict(), other.state_dict()
        assert all(torch.equal(state[name], state_resumed[name]) for name in state)
    for one, other in zip(whole.histories, resumed.histories, strict=True):
        assert one.epochs == other.epochs


def test_a_finished_training_is_not_done_again(tmp_path: Path) -> None:
    events = toy()
    first = train(events, "absolute", **FAST, checkpoint=tmp_path)
    epochs = CtrlCAfter(1)  # any further epoch would end it
    assert same(first, train(events, "absolute", **FAST, checkpoint=tmp_path, progress=epochs), events)


def test_a_checkpoint_of_other_events_or_settings_is_not_used(tmp_path: Path) -> None:
    train(toy(0), "absolute", **FAST, checkpoint=tmp_path)
    other = toy(1)
    assert same(train(other, "absolute", **FAST, checkpoint=tmp_path), train(other, "absolute", **FAST), other)


def test_a_damaged_checkpoint_is_as_good_as_none(tmp_path: Path) -> None:
    path = tmp_path / "fold_0.safetensors"
    path.write_bytes(b"not a checkpoint")
    assert FoldCheckpoint(path, "f").load() is None
    for meta in ([1, 2], "text", None, 3, {"fingerprint": "f"}, {"fingerprint": "f", "history": [1]}):
        save_file({"network/w": torch.zeros(1)}, path, metadata={"hepneg": json.dumps(meta)})
        assert FoldCheckpoint(path, "f").load() is None
    events = toy()
    assert same(train(events, "absolute", **FAST, checkpoint=tmp_path), train(events, "absolute", **FAST), events)
    assert FoldCheckpoint(tmp_path / "absent", "f").load() is None


def test_ctrl_c_reaches_the_matching_of_paired_events() -> None:
    events, stop = toy(), threading.Event()
    context = SimpleNamespace(events=events, training=Training.of(**FAST))  # it is not asked to train anything
    stop.set()
    with stoppable(stop), pytest.raises(Interrupted):
        make_scheme("paired", flavour="nearest").fit(context)


def test_a_runaway_loss_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """With few events, no early stopping and a steep start, the signed loss leaves what is possible."""
    rng = np.random.default_rng(1)
    n = 160
    weight = np.where(rng.random(n) < 0.3, -1.0, 1.0)
    events = EventTable.from_arrays(rng.normal(size=(n, 8)), weight, np.arange(n) % 2, event_id=np.arange(n))
    settings = {"folds": 2, "epochs": 200, "patience": 200, "batch_size": 64, "learning_rate": 0.03}
    with pytest.warns(HepnegWarning, match="the signed loss ran away: by epoch"):
        classifier = train(events, "signed", **settings)
    assert {history.stopped for history in classifier.histories} <= {"diverged", "epochs"}  # never by patience
    assert np.abs(classifier.logit(events.features)).max() <= 10.0  # the bound holds all the same
    kept = classifier.histories[0]
    lowest = min(record.validation_loss for record in kept.epochs)
    assert kept.epochs[kept.best_epoch - 1].validation_loss == pytest.approx(lowest, abs=1e-5)


@pytest.mark.parametrize("scheme", ["absolute", "signed", "refined", "mixture"])
def test_a_training_that_diverges_is_told_under_any_scheme(scheme: str) -> None:
    with pytest.warns(
        HepnegWarning, match=r"the training diverged: the validation loss .* lower training\.learning_rate"
    ):
        classifier = train(toy(), scheme, **{**FAST, "epochs": 2, "learning_rate": 1000.0})
    assert all("diverged" in history.message for history in classifier.histories)


def test_a_loss_that_is_no_longer_finite_is_told() -> None:
    with pytest.warns(HepnegWarning, match="no finite loss in epoch 1; an untrained network is kept"):
        classifier = train(toy(), "absolute", **{**FAST, "learning_rate": 1e30})
    assert not classifier.logit(toy().features).any()


@pytest.mark.parametrize("scheme", ["absolute", "signed", "mixture"])
def test_features_that_say_nothing_are_no_divergence(scheme: str) -> None:
    rng = np.random.default_rng(5)
    weight = np.where(rng.random(600) < 0.3, -1.0, 1.0)
    events = EventTable.from_arrays(rng.normal(size=(600, 3)), weight, np.arange(600) % 2)
    classifier = train(events, scheme, **{**FAST, "epochs": 2})
    assert not any(history.message for history in classifier.histories)


@pytest.mark.parametrize(
    ("best", "last", "told"),
    [
        ((0.6931, 1e-9), (0.6932, 1e-9), False),  # features that say nothing
        ((0.6943, 0.0010), (0.7094, 0.0153), False),  # the error at the start of a training is next to none
        ((0.6809, 0.0061), (0.8435, 0.0471), False),  # overfitting, without early stopping
        ((0.6489, 0.0395), (1.1, 0.25), False),  # few events
        ((0.6900, 0.0050), (1.6, 0.1), True),
        ((0.5, 0.05), (4.0, 0.6), True),
    ],
)
def test_overfitting_is_no_runaway(best: tuple[float, float], last: tuple[float, float], told: bool) -> None:
    records = [EpochRecord(number, 0.68, *loss, 3e-3) for number, loss in enumerate((best, last), start=1)]
    message = divergence_message(records, 0, "patience", untrained=0.693, signed=True)
    assert bool(message) is told
    assert ("ran away" in message) is told
    assert divergence_message(records, 0, "patience", untrained=0.693, signed=False) == ""


def test_a_divergence_is_not_told_by_numpy() -> None:
    """Warnings are errors here; those of the package itself are its own account."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", HepnegWarning)
        train(toy(), "refined", **FAST, learning_rate=1e20)


def test_values_beyond_float32_are_refused_in_one_line() -> None:
    events = toy(n=200)
    huge = np.full((2, 3), 1e39)
    with pytest.raises(DataError, match="NaN or infinite values in 'x0'"):
        EventTable.from_arrays(huge, [1.0, 1.0], [0, 1])
    with pytest.raises(DataError, match="2 events have NaN or infinite features"):
        train(events, "absolute", **FAST).logit(huge)
    far = EventTable.from_arrays(events.features, events.weight, target=np.where(np.arange(200) < 5, 1e39, 0.0))
    with pytest.raises(DataError, match="targets are too large for float32"):
        far.with_target_as_feature()


def test_features_without_information_raise_no_alarm() -> None:
    events = toy(2, n=600)
    constant = EventTable.from_arrays(np.ones((600, 3)), events.weight, events.label)
    train(constant, "signed", **{**FAST, "epochs": 12, "patience": 4})  # warnings are errors


def test_settings_reach_the_training() -> None:
    classifier = train(toy(), make_scheme("paired", flavour="stratified"), **{**FAST, "epochs": 2})
    assert classifier.scheme_parameters["flavour"] == "stratified"
    assert {len(history.epochs) for history in classifier.histories} == {2}
    assert classifier.training["network"]["hidden"] == [8, 8]
    assert classifier.folds == 2
    rates = [record.learning_rate for record in classifier.histories[0].epochs]
    assert rates == [0.75 * Training().learning_rate, 0.25 * Training().learning_rate]  # falls linearly, to zero


def test_a_history_survives_its_dictionary() -> None:
    history = FoldHistory(3, (EpochRecord(1, 0.7, 0.69, 0.01, 1e-3),), 1, "epochs", 2.5, "message")
    assert FoldHistory.from_dict(history.to_dict()) == replace(history, seconds=0.0)  # times are in a file of their own


def signs_that_cancel_the_signal(n: int, seed: int) -> EventTable:
    """|w| is the same for both labels everywhere; only the signs tell the physical densities apart.

    x is uniform in [0, 1]; P(w > 0 | x) is 0.6 + 0.3x for signal and 0.9 − 0.3x for background, so the mean sign is
    0.2 + 0.6x and 0.8 − 0.6x: ∫ = ½ for both, and r(x) = (0.2 + 0.6x)/(0.8 − 0.6x).
    """
    rng = np.random.default_rng(seed)
    x, label = rng.random(n), np.arange(n) % 2
    plus = np.where(label == 1, 0.6 + 0.3 * x, 0.9 - 0.3 * x)
    weight = np.where(rng.random(n) < plus, 1.0, -1.0)
    return EventTable.from_arrays(x[:, None], weight, label, feature_names=["x"], event_id=np.arange(n))


@pytest.mark.slow
@pytest.mark.parametrize(
    "scheme", ["signed", "paired", "refined", "factorised", "combined", "mixture", "signed_target"]
)
def test_signed_schemes_learn_what_only_the_signs_tell(scheme: str) -> None:
    """The exact log-odds is known; |w| training cannot see it, signed training must."""
    events = signs_that_cancel_the_signal(40_000, 4)
    x = np.linspace(0.05, 0.95, 10)
    exact = np.log((0.2 + 0.6 * x) / (0.8 - 0.6 * x))
    settings = {"folds": 2, "network": {"hidden": [16, 16]}}
    features = x[:, None].astype(np.float32)
    signed = train(events, scheme, **settings).logit(features)
    blind = train(events, "absolute", **settings).logit(features)
    # Ten cells of 4000 events: the log-odds of a cell is known to about √(2/2000)/0.5 = 0.06; allow three times that.
    assert np.abs(blind).max() < 0.2
    assert np.sqrt(np.mean((signed - exact) ** 2)) < 0.19
    assert np.sqrt(np.mean((blind - exact) ** 2)) > 0.6


def test_a_checkpoint_of_other_samples_is_not_taken_up(tmp_path: Path) -> None:
    rng, n = np.random.default_rng(5), 1200
    x, label = rng.normal(size=(n, 1)), np.arange(n) % 2
    weight = np.where(rng.random(n) < 0.2 + 0.2 * (x[:, 0] > 0), -1.0, 1.0)
    split = np.where(label == 1, "s", np.where(x[:, 0] > 0, "b1", "b2"))
    joined = np.where(label == 1, "s", "b")
    one, two = (EventTable.from_arrays(x, weight, label, sample=sample) for sample in (joined, split))
    settings = {"folds": 2, "epochs": 2, "network": {"hidden": [4]}, "batch_size": 128}
    train(one, "refined", checkpoint=tmp_path, **settings)
    resumed, fresh = train(two, "refined", checkpoint=tmp_path, **settings), train(two, "refined", **settings)
    np.testing.assert_array_equal(resumed.logit(x), fresh.logit(x))


def test_a_disk_that_is_full_for_a_checkpoint_gives_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise SafetensorError("I/O error: No space left on device (os error 28)")

    monkeypatch.setattr("hepneg.networks.weights_file.save_file", full)
    rng = np.random.default_rng(6)
    events = EventTable.from_arrays(rng.normal(size=(400, 1)), np.ones(400), np.arange(400) % 2)
    with pytest.raises(OutputError, match=r"cannot write .*No space left on device"):
        train(events, "absolute", checkpoint=tmp_path, folds=2, epochs=1)
    model = train(events, "absolute", folds=2, epochs=1)
    with pytest.raises(OutputError, match=r"cannot write .*No space left on device"):
        model.save(tmp_path / "model")
    assert not (tmp_path / "model" / "model.json").exists()


def test_callbacks_are_told_every_epoch_of_every_network() -> None:
    told: list[tuple[int, str, EpochRecord]] = []
    classifier = train(toy(), "refined", callbacks=[lambda *epoch: told.append(epoch)], **FAST)
    for history in classifier.histories:
        assert tuple(r for fold, name, r in told if (fold, name) == (history.fold, "refined")) == history.epochs
    assert {name for _, name, _ in told} == {"refined", "signs_sample_0", "signs_sample_1"}


def test_a_callback_ends_a_network_and_a_resumed_training_keeps_to_it(tmp_path: Path) -> None:
    events, settings = toy(), {**FAST, "epochs": 6}

    def after_two(_fold: int, _network: str, record: EpochRecord) -> bool:
        return record.epoch == 2

    ended = train(events, "absolute", callbacks=[after_two], checkpoint=tmp_path, **settings)
    assert {(history.stopped, len(history.epochs)) for history in ended.histories} == {("callback", 2)}
    assert same(ended, train(events, "absolute", checkpoint=tmp_path, **settings), events)
    assert not same(ended, train(events, "absolute", **settings), events)


def test_what_a_callback_raises_ends_the_training() -> None:
    class EnoughError(Exception):
        pass

    def enough(*_: object) -> None:
        raise EnoughError

    with pytest.raises(EnoughError):
        train(toy(), "absolute", callbacks=[enough], **FAST)
