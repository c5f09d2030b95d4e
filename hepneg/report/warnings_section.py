"""Warnings about the results of all steps, one sentence each."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

from hepneg._core.formatting import estimate, p_value, with_p
from hepneg.report.class_tables import has_classes, node_tests
from hepneg.report.regression_section import by_target, is_regression
from hepneg.report.results import Data, Results

__all__ = ["result_warnings", "training_warnings"]

_RISK = 1e-3
"""Probability of a batch with Σw ≤ 0 that is worth a remark: with some 100 batches, one in ten epochs has one."""
_IMPROBABLE = 0.01
"""p-value of calibration or overtraining that is worth a remark."""

_MANY_ERRORS = 3.0
"""Deviation of a quantile's share, in standard errors, that is worth a remark."""


def result_warnings(results: Results) -> tuple[str, ...]:
    """Return one sentence for each warning, in the order of the steps."""
    warnings: list[str] = [*_mismatches(results)]
    if results.weights is not None:
        warnings += _of_weights(results.weights)
    if results.evaluation is not None:
        warnings += _of_schemes(results, results.evaluation)
        warnings += _of_training(results.evaluation)
        warnings += _of_signs((results.model or {}).get("health") or {})
        warnings += (_of_prediction if is_regression(results.evaluation) else _of_response)(results.evaluation)
    return tuple(warnings)


def training_warnings(evaluation: Data) -> tuple[str, ...]:
    """Return one sentence for each warning about a training, what it has warned of itself left out.

    Args:
        evaluation: content of ``metrics.json``.
    """
    rest = _of_prediction(evaluation) if is_regression(evaluation) else _of_learning(evaluation)
    return (*_of_epochs(evaluation), *rest)


def _mismatches(results: Results) -> Iterator[str]:
    """Name results of other samples, features or schemes than the configuration's: they are of an earlier run."""
    samples, features = set(results.config.samples), set(results.config.feature_names)
    of_samples = {
        "inspect": results.weights,
        "check": results.shapes,
        "closure": results.closure["response"] if results.closure else None,
        "plot": results.evaluation,
    }
    for command, data in of_samples.items():
        if data is not None and set(data["samples"]) != samples:
            yield _again(command, "samples", data["samples"])
    for name, shapes in (results.shapes or {"samples": {}})["samples"].items():
        if shapes["features"] and set(shapes["features"]) != features:
            yield _again("check", f"features of {name}", shapes["features"])
            break
    if results.evaluation is not None and is_regression(results.evaluation) != (results.config.task == "regression"):
        yield f"The results of hepneg train are not of a {results.config.task}: run it again."
    if results.model is not None and set(results.model["feature_names"]) != features:
        yield _again("train", "features", results.model["feature_names"])


def _again(command: str, what: str, names: Mapping[str, object] | list[str]) -> str:
    return (
        f"The results of hepneg {command} are of other {what} than the configuration's ({', '.join(names)}): "
        "run it again."
    )


def _of_weights(report: Data) -> Iterator[str]:
    for name, summary in report["samples"].items():
        if summary["outliers"]:
            yield (
                f"A handful of events carries {name}: its ten largest weights "
                f"hold {summary['largest_share_abs']:.1%} of Σ|w|."
            )
    for label, risk in report["batch_risk"].items():
        if risk is not None and risk > _RISK:
            yield (
                f"A random batch of {report['batch_size']} events has Σw ≤ 0 for {label} with probability "
                f"{p_value(risk)}: take larger batches, or a scheme whose batches cannot."
            )


def _of_schemes(results: Results, evaluation: Data) -> Iterator[str]:
    trained = evaluation["scheme"]
    chosen = evaluation.get("chosen", trained)  # a regression chooses nothing
    if trained != results.config.training.scheme.name:
        wanted = results.config.training.scheme.name
        yield f"The model was trained under the scheme {trained}, but the configuration asks for {wanted}."
    if is_regression(evaluation):
        return
    if results.shapes is not None and chosen not in results.shapes["recommended_schemes"]:
        schemes = ", ".join(results.shapes["recommended_schemes"])
        yield f"The shapes speak against the scheme {chosen}, under which the model was trained: prefer {schemes}."
    if results.comparison is not None and results.comparison["recommended"] not in {trained, chosen}:
        yield (
            f"The comparison recommends the scheme {results.comparison['recommended']}; the model was "
            f"trained under {trained}."
        )


def _of_training(evaluation: Data) -> Iterator[str]:
    histories = evaluation["histories"]
    for history in histories:
        if history["message"]:
            yield f"Fold {history['fold']}: {history['message']}."
    yield from _of_epochs(evaluation)
    if not is_regression(evaluation):
        yield from _of_learning(evaluation)
    for node, who, adjusted in node_tests(evaluation):
        if adjusted is not None and adjusted < _IMPROBABLE:
            yield (
                f"The response of the node {node} to {who} differs between those held out and trained on "
                f"({with_p(adjusted)}, corrected for the number of tests)."
            )
    for label, test in {} if has_classes(evaluation) else evaluation.get("overtraining", {}).items():
        if test["p_value"] is not None and test["p_value"] < _IMPROBABLE:
            yield (
                f"The response of the {label} differs between events held out and trained on "
                f"({with_p(test['p_value'])})."
            )


def _of_epochs(evaluation: Data) -> Iterator[str]:
    histories = evaluation["histories"]
    cut = sum(history["stopped"] == "epochs" and _still_falling(history["epochs"]) for history in histories)
    if cut:
        yield (
            f"{cut} of {len(histories)} folds had not stopped improving when the epochs ran out: raise training.epochs."
        )


def _still_falling(epochs: Sequence[Data]) -> bool:
    """Tell whether the last quarter of the epochs, at small learning rates, gained more than the loss is known to."""
    before, last = epochs[-1 - max(1, len(epochs) // 4) :][0], epochs[-1]
    gain: float = before["validation_loss"] - last["validation_loss"]
    return len(epochs) == 1 or bool(gain > last["validation_error"])


def _of_learning(evaluation: Data) -> Iterator[str]:
    """Warn where the signed loss is not below that of equal probabilities for every event."""
    classes = len(evaluation.get("classes", (0, 1)))
    loss, error = evaluation["loss"], evaluation["loss_error"]
    if loss is not None and error is not None and loss + _MANY_ERRORS * error >= math.log(classes):
        yield (
            f"The signed loss, {estimate(loss, error)} nats, is not below that of a response that tells nothing "
            f"(ln {classes} = {math.log(classes):.4f})."
        )


def _of_signs(health: Data) -> Iterator[str]:
    """Name the samples whose signs in held-out events are not those that were learnt."""
    from scipy.special import chdtrc

    for name, closure in health.get("samples", {}).items():
        test = closure["calibration"]
        p = float(chdtrc(test["ndf"], test["chi2"])) if test["chi2"] is not None and test["ndf"] else 1.0
        if p < _IMPROBABLE:
            yield (
                f"The learnt mean sign of {name} is not that of its held-out events: χ² {test['chi2']:.0f} for "
                f"{test['ndf']} bins, {with_p(p)}."
            )


def _of_prediction(evaluation: Data) -> Iterator[str]:
    for name, part in by_target(evaluation).items():
        yield from _of_target(part, f" of {name}" if name else "")


def _of_target(evaluation: Data, of: str) -> Iterator[str]:
    profile = evaluation["by_prediction"]
    mean = evaluation["objective"] == "squared"
    if mean and profile["p_value"] is not None and profile["p_value"] < _IMPROBABLE:
        yield (
            f"The prediction{of} is biased in bins of itself: χ² {profile['chi2']:.0f} for {profile['degrees']} bins, "
            f"{with_p(profile['p_value'])}."
        )
    for row in evaluation["quantiles"]:
        q, below, error = row["probability"], row["below"], row["below_error"]
        if abs(below - q) > _MANY_ERRORS * error:
            yield f"A share of {estimate(below, error)} of the targets{of} lies below the predicted {q:g} quantile."


def _of_response(evaluation: Data) -> Iterator[str]:
    calibration = evaluation["calibration"]
    parts = calibration if has_classes(evaluation) else {"": calibration}
    for name, part in parts.items():
        if part["p_value"] is not None and part["p_value"] < _IMPROBABLE:
            yield (
                f"The response{name and ' of '}{name} is not calibrated within its errors: χ² {part['chi2']:.0f} for "
                f"{part['degrees']} bins, {with_p(part['p_value'])}."
            )
    for name, row in evaluation["samples"].items():
        if row["negative_bins"]:
            number = row["negative_bins"]
            yield f"The response of {name} has {number} bin{'' if number == 1 else 's'} with Σw < 0."
