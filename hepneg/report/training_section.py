"""The section on how the training went."""

from __future__ import annotations

from typing import Any

from hepneg._core.figure_names import overtraining_stem
from hepneg._core.formatting import count, percent, significant, with_p
from hepneg.config import DEFAULT_OBJECTIVES
from hepneg.report.blocks import Block, Facts, Figure, Gallery, Items, NotRun, Section, Text
from hepneg.report.class_tables import has_classes, node_tests
from hepneg.report.regression_section import is_regression
from hepneg.report.result_tables import fold_table, sign_network_table
from hepneg.report.results import Data, Results
from hepneg.schemes.scheme import scheme_title

__all__ = ["training_section"]

_COMMAND = "hepneg train"

_STOPPED_BY = {
    "absolute": "that under |w|",
    "factorised": "that of the density network, under |w|",
    "combined": "that of the density network, under |w|",
    "refined": "that under refined weights",
    "mixture": "that of four classes, under |w|",
    "signed_target": "a squared error under |w|",
}
_NOT_SIGNED = "it says when to stop, and is not to be compared with the signed loss of held-out events."

_SIGN_LEGEND = (
    "ĝ is the local mean sign that the scheme has learnt, of each sample, or of a label's samples together where they "
    "share one, evaluated on held-out events. Where the density is "
    "negative, ĝ is clipped at zero; where the networks can tell no smaller mean sign, it is lifted to their floor, "
    "which held-out events set, so that a large share there says little of the density. Both are shares of Σ|w|. The "
    "closure Σ|w|ĝ / Σw is 1 for a perfect ĝ, and χ² compares the signs with ĝ in bins of ĝ and the signed with the "
    "refined distribution of each feature; of the feature with the worst χ², the least and the largest closure "
    "of a bin are given."
)


def training_section(results: Results) -> Section:
    """Show the scheme, the network, each fold's training, and the response to events seen and not seen."""
    if results.evaluation is None:
        return Section("training", "Training", (NotRun(_COMMAND),))
    blocks: list[Block] = [Facts(_settings(results.model, results.evaluation))]
    histories = results.evaluation["histories"]
    if histories:
        blocks.append(fold_table(histories, "" if is_regression(results.evaluation) else " (nats)"))
        chosen = results.evaluation.get("chosen", results.evaluation["scheme"])
        if chosen in _STOPPED_BY:
            blocks.append(Text(f"The validation loss is {_STOPPED_BY[chosen]}; {_NOT_SIGNED}"))
    messages = tuple(f"Fold {history['fold']}: {history['message']}" for history in histories if history["message"])
    if messages:
        blocks.append(Items("Messages", messages))
    if results.model is not None and results.model.get("health"):
        blocks += _health(results.model["health"])
    blocks.append(Gallery(_figures(results)))
    return Section("training", "Training", tuple(blocks))


def _settings(model: Data | None, evaluation: Data) -> tuple[tuple[str, str], ...]:
    if model is None:
        return (("scheme", scheme_title(evaluation["scheme"], evaluation.get("chosen", evaluation["scheme"]))),)
    name = str(model["scheme"]["name"])
    scheme = {**model["scheme"], "name": scheme_title(name, model["choice"].get("scheme", name))}
    training = model["training"]
    return (
        ("scheme", _named(scheme)),
        ("objective", _named(training.get("objective") or {"name": DEFAULT_OBJECTIVES["classification"]})),
        ("folds", f"{model['folds']['number']}, by the hash of the event identifier, seed {model['folds']['seed']}"),
        ("network", _network(training["network"])),
        ("batches", f"{count(training['batch_size'])} events"),
        ("learning rate", f"{training['learning_rate']:g}"),
        ("features", count(len(model["feature_names"]))),
    )


def _network(network: Data) -> str:
    if "hidden" not in network or "activation" not in network:
        return _named({"name": "", **network})
    return f"{' × '.join(map(str, network['hidden']))}, {network['activation']}"


def _named(choice: Data) -> str:
    """Say a scheme or an objective with the parameters that are set."""
    parameters = ", ".join(
        f"{key} {_plain(value)}" for key, value in choice.items() if key != "name" and value is not None
    )
    return f"{choice['name']} ({parameters})" if parameters else str(choice["name"])


def _plain(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _figures(results: Results) -> tuple[Figure, ...]:
    overtraining = _overtraining(results, results.evaluation or {})
    histories = (results.evaluation or {"histories": []})["histories"]
    follows = any(epoch.get("running") for history in histories for epoch in history["epochs"])
    running = (results.figure("running_rates"),) if follows else ()
    return (results.figure("learning_curves"), *running, *overtraining)


def _overtraining(results: Results, evaluation: Data) -> list[Figure]:
    tests = evaluation.get("overtraining", {})
    if has_classes(evaluation):
        found = list(node_tests(evaluation))
        return [
            results.figure(
                overtraining_stem(node),
                "overtraining_of_node",
                node=node,
                p_values=", ".join(f"{who} {with_p(p_value)}" for name, who, p_value in found if name == node),
            )
            for node in tests
        ]
    p_values = ", ".join(f"{label} {with_p(test['p_value'])}" for label, test in tests.items())
    return [results.figure("overtraining", p_values=p_values)] if tests else []


def _health(health: Data) -> list[Block]:
    """Show the largest log-odds, and what the sign networks did to each sample, where the scheme has such networks."""
    facts = [("batches with Σ of training weights ≤ 0", percent(health["negative_batches"]))]
    if health["largest_logit"] is not None:
        facts.insert(0, ("largest |log-odds|", significant(health["largest_logit"])))
    blocks: list[Block] = [Facts(tuple(facts))]
    if health["samples"]:
        blocks += [sign_network_table(health), Text(_SIGN_LEGEND)]
    return blocks
