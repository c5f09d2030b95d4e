"""The evaluation of several classes: areas, confusion, calibration and figures, all signed, from events to the page."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from class_toys import NAMES, class_events, exact_log_probability
from conftest import _write_ntuple, toy_columns

import hepneg
from hepneg import workflow
from hepneg._core.log_odds import class_log_odds, sigmoid
from hepneg.config import Config
from hepneg.errors import ConfigError, DataError
from hepneg.evaluation.class_evaluation import ClassEvaluation
from hepneg.evaluation.stack_pass import fill_stacks
from hepneg.events.class_order import in_class_order
from hepneg.metrics import auc, auc_influence
from hepneg.metrics.calibration import calibration_curve_of
from hepneg.metrics.class_scores import ClassScores
from hepneg.metrics.class_separation import (
    against_rest,
    confusion_of,
    mean_auc_of,
    one_versus_one_of,
    one_versus_rest_of,
    part_versus_rest,
)
from hepneg.metrics.influence import Influence
from hepneg.templates import make_templates

THREE = NAMES[:3]


def scores(classes: int = 3, events: int = 400, seed: int = 1) -> ClassScores:
    table = class_events(classes, events, seed)
    exact = exact_log_probability(table.features, classes)
    return ClassScores(exact, table.label, table.weight, table.classes)


# Metrics


def test_pairs_are_the_binary_metrics_of_their_events() -> None:
    events = scores()
    chosen = events.code != 1
    score = events.log_probability[:, 2] - events.log_probability[:, 0]
    binary = auc_influence(score[chosen], events.code[chosen] == 2, events.weight[chosen])
    found = one_versus_one_of(events, 2, 0)
    assert found.value == pytest.approx(binary.value, rel=1e-12)
    assert found.estimate().error == pytest.approx(binary.estimate().error, rel=1e-12)
    assert one_versus_one_of(events, 0, 2).value == pytest.approx(found.value, rel=1e-12)


def test_against_the_rest_is_the_mean_of_the_pairs_with_the_same_score() -> None:
    events = scores(4)
    odds = class_log_odds(events.log_probability)[:, 1]
    pairs = []
    for other in (0, 2, 3):
        chosen = (events.code == 1) | (events.code == other)
        pairs.append(auc(odds[chosen], events.code[chosen] == 1, events.weight[chosen]).value)
    assert one_versus_rest_of(events, 1).value == pytest.approx(np.mean(pairs), rel=1e-12)
    scored = against_rest(events, 1)
    assert auc(scored.score, scored.code, scored.weight).value == pytest.approx(np.mean(pairs), rel=1e-9)


def test_two_classes_have_one_area() -> None:
    events = scores(2)
    one = one_versus_one_of(events, 0, 1)
    for other in (one_versus_rest_of(events, 0), one_versus_rest_of(events, 1), mean_auc_of(events)):
        assert other.value == pytest.approx(one.value, rel=1e-12)
        assert other.estimate().error == pytest.approx(one.estimate().error, rel=1e-9)


def estimates_of(events: ClassScores) -> list[float]:
    return [
        one_versus_rest_of(events, 0).value,
        mean_auc_of(events).value,
        one_versus_one_of(events, 1, 2).value,
        *confusion_of(events)[0].ravel(),
    ]


def test_errors_are_the_spread_over_repeated_samples() -> None:
    found = np.array([estimates_of(scores(3, 150, seed)) for seed in range(120)])
    events = scores(3, 150, 1000)
    errors = [
        one_versus_rest_of(events, 0).estimate().error,
        mean_auc_of(events).estimate().error,
        one_versus_one_of(events, 1, 2).estimate().error,
        *confusion_of(events)[1].ravel(),
    ]
    # The spread of 120 samples is known to 6.5 %, the error of one sample to some 10 %: four standard deviations.
    assert np.asarray(errors) == pytest.approx(found.std(axis=0, ddof=1), rel=0.48)


def test_rows_of_one_event_count_as_one() -> None:
    events = scores(3, 200)
    twice = ClassScores(
        np.repeat(events.log_probability, 2, axis=0),
        np.repeat(events.code, 2),
        np.repeat(events.weight, 2) / 2,
        THREE,
        np.repeat(np.arange(600), 2),
    )
    for measure in (lambda one: one_versus_rest_of(one, 1), mean_auc_of, lambda one: one_versus_one_of(one, 0, 2)):
        first, second = (measure(one) for one in (events, twice))
        assert isinstance(second, Influence)
        assert second.value == pytest.approx(first.value, rel=1e-9)
        assert second.estimate().error == pytest.approx(first.estimate().error, rel=1e-9)
    for one, other in zip(confusion_of(events), confusion_of(twice), strict=True):
        np.testing.assert_allclose(other, one, rtol=1e-9)


def test_the_confusion_of_exact_knowledge_is_the_identity() -> None:
    events = scores()
    sure = np.full((len(events.code), 3), -50.0)
    sure[np.arange(len(sure)), events.code] = 0.0
    share, error = confusion_of(replace(events, log_probability=sure))
    assert share == pytest.approx(np.eye(3), abs=1e-12)
    assert error == pytest.approx(np.zeros((3, 3)), abs=1e-12)
    assert confusion_of(events)[0].sum(axis=1) == pytest.approx(np.ones(3))


def test_a_class_without_a_positive_sum_is_named() -> None:
    events = scores()
    turned = replace(events, weight=np.where(events.code == 1, -1.0, events.weight))
    with pytest.raises(DataError, match="the wjets weights sum to -400: no metric is defined"):
        mean_auc_of(turned)
    part = replace(events, weight=np.where(np.arange(1200) < 100, -1.0, events.weight))
    assert np.isnan(part_versus_rest(part, np.arange(1200) < 100).value)


def test_codes_follow_the_order_of_the_model() -> None:
    events = class_events(3, 5)
    other = in_class_order(events, ("single_top", "ttbar", "wjets", "diboson"))
    assert [other.classes[code] for code in other.label] == [events.classes[code] for code in events.label]
    with pytest.raises(DataError, match="there are events of single_top, and the classifier knows ttbar, wjets"):
        in_class_order(events, ("ttbar", "wjets"))


# From files to the page


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Config:
    """An analysis of three classes and four samples with all its results."""
    folder = tmp_path_factory.mktemp("three")
    samples = {}
    for number, name in enumerate(["tt", "wj", "st_s", "st_t"]):
        columns = toy_columns(800, number, number, first_id=1000 * number, negative_fraction=0.15)
        _write_ntuple(folder / f"{name}.root", columns)
        samples[name] = {"label": THREE[min(number, 2)], "files": f"{name}.root"}
    data = {"weight": "genWeight", "event_id": "event", "samples": samples, "features": ["x0", "x1"]}
    data["training"] = {"scheme": "refined", "folds": 2, "epochs": 8, "network": {"hidden": [8]}, "batch_size": 128}
    config = Config.from_dict(data, folder)
    workflow.run(config)
    return config


def test_metrics_hold_what_is_known_of_each_class(finished: Config) -> None:
    metrics = json.loads((finished.output / "metrics.json").read_text())
    assert metrics["classes"] == list(THREE)
    assert metrics["scheme"] == "refined"
    assert 0.6 < metrics["auc"] < 1
    assert metrics["auc_error"] > 0
    assert metrics["loss"] + 5 * metrics["loss_error"] < np.log(3)
    assert [(pair["first"], pair["second"]) for pair in metrics["one_versus_one"]] == [
        ("ttbar", "wjets"),
        ("ttbar", "single_top"),
        ("wjets", "single_top"),
    ]
    for name in THREE:
        assert sum(share["value"] for share in metrics["confusion"][name].values()) == pytest.approx(1)
        assert metrics["calibration"][name]["degrees"] > 0
    assert {name: row["label"] for name, row in metrics["samples"].items()} == {
        "tt": "ttbar",
        "wj": "wjets",
        "st_s": "single_top",
        "st_t": "single_top",
    }
    assert metrics["response"].keys() == set(THREE)


def test_responses_hold_all_signed_weights(finished: Config) -> None:
    model = hepneg.load_model(finished.output / "model")
    evaluation = hepneg.evaluate(model, hepneg.read(finished))
    assert isinstance(evaluation, ClassEvaluation)
    sums = {row.sample: row.sum_weights.value for row in evaluation.samples}
    for name in THREE:
        net = evaluation.of_class("single_top", name)
        assert net.values(flow=True).sum() == pytest.approx(sums["st_s"] + sums["st_t"])
    assert len(evaluation.histograms()) == 3 * 4 * 3 + 3 * 4
    assert repr(evaluation).startswith("ClassEvaluation(refined; ttbar, wjets, single_top; mean AUC ")
    assert "single_top" in evaluation._repr_html_()


def test_there_are_figures_of_each_node_and_a_page(finished: Config) -> None:
    drawn = {path.stem for path in (finished.output / "plots").glob("*.png")}
    nodes = {f"response_of_{name}{scale}" for name in THREE for scale in ("", "_log")}
    nodes |= {f"overtraining_of_{name}" for name in THREE}
    assert nodes | {"confusion", "class_calibration", "learning_curves"} <= drawn
    page = (finished.output / "report.html").read_text()
    texts = ["Response of wjets to events held out and trained on", "corrected for the number of tests"]
    texts += ["Each class against all others", "Each two classes", "by the most probable class", "mean AUC"]
    for text in texts:
        assert text in page


def test_plot_evaluates_the_model_again(finished: Config, undrawn: None) -> None:
    before = (finished.output / "metrics.json").read_bytes()
    workflow.plot(finished)
    assert (finished.output / "metrics.json").read_bytes() == before


def test_other_orders_of_the_samples_give_the_same_evaluation(finished: Config) -> None:
    model = hepneg.load_model(finished.output / "model")
    turned = Config.from_dict(
        {**finished.to_dict(), "samples": dict(reversed(finished.to_dict()["samples"].items()))}, finished.folder
    )
    assert turned.classes == THREE[::-1]
    first, second = (hepneg.evaluate(model, hepneg.read(config)) for config in (finished, turned))
    assert isinstance(first, ClassEvaluation)
    assert isinstance(second, ClassEvaluation)
    assert second.loss.value == pytest.approx(first.loss.value, rel=1e-12)
    assert second.confusion == pytest.approx(first.confusion)


# Overtraining


def test_halves_are_complete_and_tests_are_corrected_for_their_number(finished: Config) -> None:
    metrics = json.loads((finished.output / "metrics.json").read_text())["overtraining"]
    assert metrics.keys() == set(THREE)
    tests = [metrics[name][events] for name in THREE for events in ("own", "others")]
    for test, total in zip(tests, (1, 2) * 3, strict=True):  # each class has the weight 1
        halves = sum(sum(test[part]["values"]) for part in ("held_out", "trained"))
        assert halves == pytest.approx(total)
    p_values = np.array([test["p_value"] for test in tests])
    adjusted = np.array([test["p_adjusted"] for test in tests])
    assert adjusted.min() == pytest.approx(min(1, 6 * p_values.min()))
    assert (adjusted >= p_values).all()


def test_overtraining_of_a_node_is_seen() -> None:
    events = class_events(3, 600)
    exact = exact_log_probability(events.features, 3)
    fair = ClassScores(exact, events.label, events.weight, THREE)
    own = np.zeros((len(events), 3))
    own[np.arange(len(events)), events.label] = 1.0
    known = np.exp(exact) * (1 + 4 * own)
    learnt = np.log(known / known.sum(axis=1, keepdims=True))
    for trained, seen in ((fair, False), (replace(fair, log_probability=learnt), True)):
        evaluation = ClassEvaluation.of_scores(events, fair, trained=trained, scheme="toy")
        for node in evaluation.overtraining.values():
            assert (node.own_p_adjusted < 0.05) == seen  # the least that 500 permutations and 6 tests allow is 0.012
    drawn = hepneg.plots.plot_overtraining(evaluation, "wjets")
    assert "adjusted" in " ".join(text.get_text() for text in drawn.figure.legends[0].get_texts())
    with pytest.raises(DataError, match="name one of the classes ttbar, wjets, single_top as `node`, not None"):
        hepneg.plots.plot_overtraining(evaluation)


# Stacks of nodes, and probabilities from branches

GIVEN = {
    "ttbar": "1 / (1 + exp(x0))",
    "wjets": "0.25 / (1 + exp(-x0))",
    "single_top": "0.75 / (1 + exp(-x0))",
}


def changed(config: Config, **more: Any) -> Config:
    return Config.from_dict({**config.to_dict(), **more}, config.folder)


def with_data(config: Config, **more: Any) -> Config:
    samples = {**config.to_dict()["samples"], "obs": {"label": "data", "files": "wj.root"}}
    plots = {"blind": "response_ttbar > 0.5", "bins": 10, "variables": [], **more.pop("plots", {})}
    return changed(config, samples=samples, regions={"SR": "x0 > 0"}, plots=plots, **more)


@pytest.mark.parametrize("response", [None, {"probabilities": GIVEN}], ids=["trained", "given"])
def test_data_are_stacked_in_the_response_of_each_node(
    finished: Config, undrawn: None, tmp_path: Path, response: Any
) -> None:
    config = with_data(finished, response=response, plots={"nodes": ["ttbar", "single_top"]})
    shutil.copytree(finished.output / "model", tmp_path / "model")
    config = config.model_copy(update={"output": tmp_path})
    assert {"metrics.json", "stacks.json", "stacks.root"} <= {path.name for path in workflow.plot(config).files}
    stacks = json.loads((tmp_path / "stacks.json").read_text())["stacks"]
    named = {(stack["quantity"], stack["region"]): stack for stack in stacks}
    assert named.keys() == {(f"response_{node}", region) for node in ("ttbar", "single_top") for region in ("", "SR")}
    events = hepneg.read(finished)
    if response is None:
        own = hepneg.load_model(finished.output / "model").held_out_response(events)[:, 0]
    else:
        own = 1 / (1 + np.exp(events.features[:, 0].astype(np.float64)))
    for region, kept in (("", np.ones(len(own), bool)), ("SR", events.features[:, 0] > 0)):
        stack = named["response_ttbar", region]
        for code, sample in enumerate(events.sample_names):
            mine = kept & (events.sample == code)
            expected, _ = np.histogram(own[mine], np.linspace(0, 1, 11), weights=events.weight[mine])
            np.testing.assert_allclose(stack["samples"][sample]["values"], expected, atol=1e-9)
        assert [count is None for count in stack["data"]] == [False] * 5 + [True] * 5  # blinded where it decides alone
        assert named["response_single_top", region]["left_out"] == "response_ttbar > 0.5"
    if response is not None:
        counts = np.histogram(own[events.sample == 1], np.linspace(0, 1, 11))[0]
        assert named["response_ttbar", ""]["data"][:5] == counts[:5].tolist()


def test_probabilities_of_branches_are_evaluated_and_drawn(finished: Config, tmp_path: Path) -> None:
    config = with_data(finished, response={"probabilities": GIVEN}, plots={"nodes": ["wjets"]})
    config = config.model_copy(update={"output": tmp_path})
    outcome = workflow.evaluate(config)
    assert {"stack_response_wjets.png", "stack_SR_response_wjets.png"} <= {path.name for path in outcome.files}
    x = hepneg.read(finished).features[:, 0].astype(np.float64)
    given = np.column_stack([1 / (1 + np.exp(x)), 0.25 / (1 + np.exp(-x)), 0.75 / (1 + np.exp(-x))])
    expected = hepneg.evaluate(hepneg.read(finished), response=given)
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    assert metrics["scheme"] == "external"
    assert metrics["loss"] == pytest.approx(expected.loss.value, rel=1e-6)
    page = workflow.report(config).result.html
    assert "Response of wjets in SR (without response_ttbar &gt; 0.5): all samples stacked and data" in page


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"response": "x0"}, "`response` is one number, and the labels are ttbar, wjets, single_top: write"),
        ({"response": {"probabilities": {"ttbar": "x0"}}}, "are of ttbar, and the labels are ttbar, wjets, single_top"),
        ({"response": {"logit": "x0", "probabilities": GIVEN}}, "give an expression of the probability of signal, or"),
        ({"plots": {"nodes": ["tbar"]}}, "`plots.nodes`: no class 'tbar'; did you mean 'ttbar'"),
    ],
)
def test_what_names_no_class_is_refused(finished: Config, more: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message) as refused:
        changed(finished, **more)
    assert "\n" not in str(refused.value)


def test_probabilities_that_do_not_sum_to_one_are_refused(finished: Config, undrawn: None, tmp_path: Path) -> None:
    odd = {"probabilities": {**GIVEN, "wjets": "0.5 / (1 + exp(-x0))"}}
    config = with_data(finished, response=odd).model_copy(update={"output": tmp_path})
    for step in (workflow.evaluate, fill_stacks):
        with pytest.raises(DataError, match="sum to 1 for each event; normalise them first"):
            step(config)


# Templates of nodes

EDGES = [0.0, 0.35, 0.5, 1.0]


def of_templates(config: Config, **templates: Any) -> Config:
    binning = {"edges": EDGES}
    return with_data(config, templates={"binning": binning, "negative_bins": "keep", **templates})


def folded(values: np.ndarray, weight: np.ndarray) -> np.ndarray:
    return np.histogram(values, EDGES, weights=weight)[0]


@pytest.mark.parametrize("response", [None, {"probabilities": GIVEN}], ids=["trained", "given"])
def test_templates_are_in_the_response_of_a_node(finished: Config, response: Any) -> None:
    found = make_templates(of_templates(changed(finished, response=response), node="wjets"))
    assert found.title == "Response: wjets"
    assert found.labels == {"tt": "background", "wj": "signal", "st_s": "background", "st_t": "background"}
    events = hepneg.read(finished)
    if response is None:
        own = hepneg.load_model(finished.output / "model").held_out_response(events)[:, 1]
    else:
        own = 0.25 / (1 + np.exp(-events.features[:, 0].astype(np.float64)))
    for code, sample in enumerate(events.sample_names):
        mine = (events.sample == code) & (events.features[:, 0] > 0)
        expected = folded(own[mine], events.weight[mine])
        np.testing.assert_allclose(found.regions["SR"].samples[sample].content, expected, atol=1e-9)


def test_the_most_probable_class_divides_each_region(finished: Config, tmp_path: Path) -> None:
    total = "(1 + exp(x0) + exp(x1))"
    given = {"ttbar": f"1 / {total}", "wjets": f"exp(x0) / {total}", "single_top": f"exp(x1) / {total}"}
    config = changed(finished, response={"probabilities": given})
    config = of_templates(config, node="most_probable", signal="single_top")
    config = changed(config, regions={"even": "event % 2 == 0", "odd": "event % 2 == 1"})
    config = config.model_copy(update={"output": tmp_path})
    found = workflow.templates(config).result
    assert list(found.regions) == [f"{region}_{node}" for region in ("even", "odd") for node in THREE]
    assert [name for name, label in found.labels.items() if label == "signal"] == ["st_s", "st_t"]
    events = hepneg.read(config)
    x = np.exp(events.features.astype(np.float64))
    responses = np.column_stack([np.ones(len(x)), x[:, 0], x[:, 1]]) / (1 + x.sum(axis=1))[:, None]
    for name, part in found.regions.items():
        region, _, node = name.partition("_")
        kept = (events.event_id.ravel() % 2 == (region == "odd")) & (responses.argmax(axis=1) == THREE.index(node))
        for code, sample in enumerate(events.sample_names):
            mine = kept & (events.sample == code)
            expected = folded(responses.max(axis=1)[mine], events.weight[mine])
            np.testing.assert_allclose(part.samples[sample].content, expected, atol=1e-9)
        data = kept & (events.sample == 1)  # the data are the events of W + jets
        np.testing.assert_allclose(part.observed, folded(responses.max(axis=1)[data], np.ones(data.sum())))
    assert "even_single_top" in (tmp_path / "templates" / "datacard.txt").read_text()


@pytest.mark.parametrize(
    ("templates", "message"),
    [
        ({}, "`templates.node` is missing: name the class whose response is the variable, one of ttbar, wjets"),
        ({"node": "most_probable"}, "`templates.signal` is missing: name the class whose strength is fitted, one of"),
        ({"node": "tbar"}, "`templates.node`: no class 'tbar'; did you mean 'ttbar'"),
        ({"node": "ttbar", "signal": "w"}, "`templates.signal`: no class 'w'"),
    ],
)
def test_templates_without_a_node_or_a_signal_are_refused(
    finished: Config, templates: dict[str, str], message: str
) -> None:
    with pytest.raises(ConfigError, match=message) as refused:
        make_templates(of_templates(finished, **templates))
    assert "\n" not in str(refused.value)


def test_the_exact_probabilities_are_calibrated() -> None:
    events = class_events(3, 8000)
    exact = ClassScores(exact_log_probability(events.features, 3), events.label, events.weight, THREE)
    for code in range(3):
        scored = against_rest(exact, code)
        part = calibration_curve_of(scored.with_score(sigmoid(scored.score)))
        assert part.p_value > 1e-4


# Schemes side by side


def test_schemes_are_compared_on_the_same_events(finished: Config, undrawn: None) -> None:
    comparison = workflow.compare(finished, ["absolute", "refined"]).result
    best = comparison.schemes[comparison.recommended]
    assert (best.loss_difference.value, best.loss_difference.error) == (0, 0)
    other = next(part for name, part in comparison.schemes.items() if name != comparison.recommended)
    gap = other.evaluation.loss.value - best.evaluation.loss.value
    assert other.loss_difference.value == pytest.approx(gap)
    assert 0 < other.loss_difference.error < other.evaluation.loss.error
    content = json.loads((finished.output / "compare.json").read_text())
    assert content["schemes"]["refined"]["calibration_degrees"] > 3
    drawn = hepneg.plots.plot_comparison(comparison)
    titles = [axes.get_xlabel().split(" −")[0] for axes in drawn.axes]
    assert titles == [*["Response of the own class"] * 2, "AUC", "loss [nats]"]
    assert {text.get_text() for text in drawn.figure.legends[0].get_texts()} >= set(THREE)
    page = workflow.report(finished).result.html
    assert "Net response of each class to its own events under each scheme" in page


def test_two_classes_by_other_names_compare_as_signal_and_background() -> None:
    two = class_events(2, 500)
    names = np.array(["background", "signal"])[two.label]
    binary = hepneg.EventTable.from_arrays(two.features, two.weight, names, event_id=two.event_id)
    settings = {"folds": 2, "epochs": 2, "network": {"hidden": [8]}}
    first, second = (hepneg.compare(events, ["absolute", "refined"], **settings) for events in (two, binary))
    assert first.recommended == second.recommended
    for name, one in first.schemes.items():
        other = second.schemes[name]
        for figure in ("auc_difference", "loss_difference", "brier_difference"):
            mine, theirs = getattr(one, figure), getattr(other, figure)
            assert mine.value == pytest.approx(theirs.value, rel=1e-6, abs=1e-12)
            assert mine.error == pytest.approx(theirs.error, rel=1e-6, abs=1e-12)
        assert one.loss_noise == pytest.approx(other.loss_noise, rel=1e-6, abs=1e-12)
        assert one.evaluation.auc.value == pytest.approx(other.evaluation.auc.value, rel=1e-9)


# Probabilities from elsewhere


def test_probabilities_from_elsewhere_are_evaluated_alike(finished: Config) -> None:
    model, events = hepneg.load_model(finished.output / "model"), hepneg.read(finished)
    own = hepneg.evaluate(model, events)
    given = hepneg.evaluate(events, response=model.held_out_response(events), scheme="elsewhere")
    assert isinstance(given, ClassEvaluation)
    assert given.scheme == given.chosen == "elsewhere"
    assert given.loss.value == pytest.approx(own.loss.value, rel=1e-9)
    assert given.auc.error == pytest.approx(own.auc.error, rel=1e-9)


@pytest.mark.parametrize(
    ("response", "message"),
    [
        (np.full(15, 0.5), "the response has shape .15,., but there are 15 events of the classes ttbar, wjets, single"),
        (np.full((15, 3), 0.5), "lie in .0, 1. and sum to 1 for each event; normalise them first"),
        (np.full((15, 3), np.nan), "lie in .0, 1. and sum to 1 for each event"),
    ],
)
def test_what_is_no_probability_of_classes(response: np.ndarray, message: str) -> None:
    with pytest.raises(DataError, match=message):
        hepneg.evaluate(class_events(3, 5), response=response)


def test_exact_zeros_are_moved_and_counted() -> None:
    events = class_events(3, 5, signed=False)
    sure = np.eye(3)[events.label]
    with pytest.warns(hepneg.HepnegWarning, match="30 probabilities are exactly 0") as warned:
        found = hepneg.evaluate(events, response=sure)
    assert warned[0].filename == __file__
    assert found.loss.value == pytest.approx(0, abs=1e-12)
    with pytest.raises(DataError, match="knows the classes signal and background alone"):
        hepneg.evaluate(events, logit=np.zeros(15))
