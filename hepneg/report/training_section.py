"""The section on how the training went."""

from __future__ import annotations

from typing import Any

from hepneg._core.formatting import MISSING, count, estimate, p_value
from hepneg.objectives import DEFAULT_OBJECTIVES
from hepneg.report.blocks import (
    Block,
    Cell,
    Column,
    Facts,
    Figure,
    Gallery,
    Items,
    NotRun,
    Section,
    Table,
    Text,
    number,
)
from hepneg.report.health_section import health_blocks
from hepneg.report.regression_section import is_regression
from hepneg.report.results import Data, Results
from hepneg.schemes.titles import scheme_title

__all__ = ["training_section"]

_COMMAND = "hepneg train"
_PLOT = "hepneg plot"

_STOPPED_BY = {
    "absolute": "that under |w|",
    "factorised": "that of the density network, under |w|",
    "combined": "that of the density network, under |w|",
    "refined": "that under refined weights",
    "mixture": "that of four classes, under |w|",
    "signed_target": "a squared error under |w|",
}
_NOT_SIGNED = "it says when to stop, and is not to be compared with the signed loss of held-out events."


def training_section(results: Results) -> Section:
    """Show the scheme, the network, each fold's training, and the response to events seen and not seen."""
    if results.evaluation is None:
        return Section("training", "Training", (NotRun(_COMMAND),))
    blocks: list[Block] = [Facts(_settings(results.model, results.evaluation))]
    histories = results.evaluation["histories"]
    if histories:
        blocks.append(_folds(histories, "" if is_regression(results.evaluation) else " (nats)"))
        chosen = results.evaluation.get("chosen", results.evaluation["scheme"])
        if chosen in _STOPPED_BY:
            blocks.append(Text(f"The validation loss is {_STOPPED_BY[chosen]}; {_NOT_SIGNED}"))
    messages = tuple(f"Fold {history['fold']}: {history['message']}" for history in histories if history["message"])
    if messages:
        blocks.append(Items("Messages", messages))
    if results.model is not None and results.model.get("health"):
        blocks += health_blocks(results.model["health"])
    blocks.append(Gallery(_figures(results)))
    return Section("training", "Training", tuple(blocks))


def _settings(model: Data | None, evaluation: Data) -> tuple[tuple[str, str], ...]:
    if model is None:
        return (("scheme", scheme_title(evaluation["scheme"], evaluation.get("chosen", evaluation["scheme"]))),)
    name = str(model["scheme"]["name"])
    scheme = {**model["scheme"], "name": scheme_title(name, model["choice"].get("scheme", name))}
    training = model["training"]
    network = training["network"]
    return (
        ("scheme", _named(scheme)),
        ("objective", _named(training.get("objective") or {"name": DEFAULT_OBJECTIVES["classification"]})),
        ("folds", f"{model['folds']['number']}, by the hash of the event identifier, seed {model['folds']['seed']}"),
        ("network", f"{' × '.join(str(width) for width in network['hidden'])}, {network['activation']}"),
        ("batches", f"{count(training['batch_size'])} events"),
        ("learning rate", f"{training['learning_rate']:g}"),
        ("features", count(len(model["feature_names"]))),
    )


def _named(choice: Data) -> str:
    """Say a scheme or an objective with the parameters that are set."""
    parameters = ", ".join(
        f"{key} {_plain(value)}" for key, value in choice.items() if key != "name" and value is not None
    )
    return f"{choice['name']} ({parameters})" if parameters else str(choice["name"])


def _plain(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _folds(histories: list[Data], unit: str) -> Table:
    columns = (
        Column("fold", "text"),
        *map(Column, ("epochs", "best epoch", f"best validation loss{unit}")),
        Column("stopped by", "text"),
    )
    return Table(
        "training-folds",
        "Folds, each judged by its validation loss",
        columns,
        tuple(_fold(history) for history in histories),
    )


def _fold(history: Data) -> tuple[Cell, ...]:
    best = next((record for record in history["epochs"] if record["epoch"] == history["best_epoch"]), None)
    loss = best["validation_loss"] if best else None
    return (
        Cell(str(history["fold"])),
        number(count(len(history["epochs"])), len(history["epochs"])),
        number(str(history["best_epoch"]), history["best_epoch"]),
        number(estimate(loss, best["validation_error"]) if best else MISSING, loss),
        Cell(history["stopped"]),
    )


def _figures(results: Results) -> tuple[Figure, ...]:
    tests = (results.evaluation or {}).get("overtraining", {})
    told = ", ".join(f"{label} p = {p_value(test['p_value'])}" for label, test in tests.items())
    curves = results.figure(
        "learning_curves",
        "Validation loss and training objective by epoch.",
        "Learning curve of each fold with error band and best epoch",
        _PLOT,
    )
    seen = results.figure(
        "overtraining",
        f"Response to events held out and trained on; Kolmogorov–Smirnov test: {told}.",
        "Normalised response of signal and background to events held out and trained on, with their ratio",
        _PLOT,
    )
    return (curves, seen) if tests else (curves,)
