"""Weight schemes side by side: the same events, the same folds, the same signed evaluation."""

from __future__ import annotations

import time
import warnings
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Unpack, cast

import numpy as np

from hepneg._core.class_names import TWO_CLASSES
from hepneg._core.estimate import Estimate
from hepneg._core.json_values import json_fields, json_object
from hepneg._core.progress import SILENT, Progress
from hepneg._core.tables import html_table
from hepneg.config import Settings, Training
from hepneg.errors import ConfigError, HepnegWarning, TrainingError
from hepneg.evaluation.class_evaluation import ClassEvaluation
from hepneg.evaluation.classification import Evaluation
from hepneg.events import EventTable
from hepneg.metrics import Calibration, Influence, ScoredEvents, auc_of
from hepneg.metrics.class_scores import ClassScores
from hepneg.metrics.class_separation import mean_auc_of
from hepneg.metrics.negative_share import NegativeShare
from hepneg.models.classifier import Classifier
from hepneg.models.training import train_posed
from hepneg.schemes import Scheme, as_scheme, make_scheme, require_task
from hepneg.schemes.fold_training import FoldTraining, pose_training
from hepneg.studies.recommendation import (
    SIGNIFICANT,
    Doubt,
    HeldOut,
    doubt_of,
    recommended,
    standings,
    total_error,
    training_noise,
)

if TYPE_CHECKING:
    from distributed import Client

__all__ = [
    "DEFAULT_SCHEMES",
    "Comparison",
    "SchemeResult",
    "compare",
    "compare_posed",
    "make_schemes",
    "pose_comparison",
]

DEFAULT_SCHEMES = ("absolute", "positive", "signed", "paired", "refined", "auto")


@dataclass(frozen=True, eq=False)
class SchemeResult:
    """The result of one scheme.

    Attributes:
        evaluation: signed, on held-out events.
        auc_difference: its AUC minus that of the recommended scheme, paired on the same events; of several classes the
            mean of each against all others.
        loss_difference: its signed loss minus that of the recommended scheme, paired, in nats.
        loss_noise: what that difference owes to the chance of the trainings, one standard deviation, from the spread
            over the folds; the error of the difference is that of the events alone.
        brier_difference: its signed Brier score minus that of the recommended scheme, paired.
        at_bound: share of Σ|w| whose log-odds are within a tenth of the largest.
        seconds: of training; of folds that were jobs of their own, the sum.
        message: what the user should know about its training, or an empty string.
    """

    evaluation: Evaluation | ClassEvaluation
    auc_difference: Estimate
    loss_difference: Estimate
    loss_noise: float
    brier_difference: Estimate
    at_bound: float
    seconds: float
    message: str

    @property
    def calibration(self) -> str:
        """χ² of the calibration and the number of its bins, of several classes their sums, as text."""
        return f"{self.calibration_chi2:.0f}/{self.calibration_degrees}"

    @property
    def calibration_chi2(self) -> float:
        """χ² of the calibration, of several classes their sum."""
        return sum(part.chi2 for part in self._calibrations())

    @property
    def calibration_degrees(self) -> int:
        """Number of bins behind it."""
        return sum(part.degrees for part in self._calibrations())

    def _calibrations(self) -> tuple[Calibration, ...]:
        found = self.evaluation.calibration
        return (found,) if isinstance(found, Calibration) else tuple(found.values())

    def to_dict(self) -> dict[str, Any]:
        """Return the figures of the scheme, JSON-ready."""
        return {
            "chosen": self.evaluation.chosen,
            "chosen_because": self.evaluation.reason,
            **json_fields(self.evaluation, "auc", "loss", "brier"),
            **json_fields(self, "auc_difference", "loss_difference", "loss_noise", "brier_difference", "at_bound"),
            "calibration_chi2": self.calibration_chi2,
            "calibration_degrees": self.calibration_degrees,
            "negative_bins": sum(row.negative_bins for row in self.evaluation.samples),
            "seconds": self.seconds,
            "message": self.message,
        }


@dataclass(frozen=True, eq=False)
class Comparison:
    """Several schemes on the same signed events.

    Attributes:
        schemes: results by scheme, in the order asked for.
        failures: why a scheme gave none, by scheme.
        recommended: the scheme with the lowest signed loss, or, where a density is negative or cannot be told from it,
            of the lowest signed Brier score (:func:`hepneg.studies.recommendation.recommended`).
        reason: one sentence.
        scored_by: ``loss`` or ``brier``, what the recommendation goes by.
    """

    schemes: Mapping[str, SchemeResult]
    failures: Mapping[str, str]
    recommended: str
    reason: str
    scored_by: str = "loss"

    @property
    def evaluations(self) -> dict[str, Evaluation | ClassEvaluation]:
        """The evaluations by scheme."""
        return {name: result.evaluation for name, result in self.schemes.items()}

    def __repr__(self) -> str:
        return f"Comparison({', '.join(self.schemes)}; {self.reason})"

    def _repr_html_(self) -> str:
        rows = [
            (
                result.evaluation.title,
                result.evaluation.auc,
                result.evaluation.loss,
                result.loss_difference,
                result.brier_difference,
                result.calibration,
                f"{result.seconds:.1f}",
            )
            for result in self.schemes.values()
        ]
        header = (
            "scheme",
            "AUC",
            "loss",
            "loss − recommended",
            "Brier − recommended",
            "calibration χ²/bins",
            "seconds",
        )
        return html_table(header, rows, self.reason)

    def to_dict(self) -> dict[str, Any]:
        """Return what ``compare.json`` holds."""
        return json_object({"schema_version": 1, **json_fields(self)})


@dataclass(frozen=True, eq=False)
class _Trained:
    classifier: Classifier
    held_out: HeldOut
    seconds: float


def make_schemes(
    schemes: Sequence[str | Scheme], parameters: Mapping[str, Mapping[str, Any]] | None = None
) -> dict[str, Scheme]:
    """Return the schemes of a comparison by name, refused here rather than after the events were read.

    Args:
        schemes: their names, or scheme objects.
        parameters: parameters of a scheme, by its name.

    Raises:
        ConfigError: none, one that is unknown, not for classifications or named twice, or parameters of one that is not
            given by its name.
    """
    given, schemes = parameters or {}, [schemes] if isinstance(schemes, (str, Scheme)) else schemes
    named = [scheme for scheme in schemes if isinstance(scheme, str)]
    for name in given:
        if name not in named:
            make_scheme(name)  # an unknown one is offered the nearest
            raise ConfigError(f"parameters are given for {name!r}, which is not compared by its name; known: {named}")
    made = [
        as_scheme({**given.get(scheme, {}), "name": scheme} if isinstance(scheme, str) else scheme)
        for scheme in schemes
    ]
    names = [scheme.name for scheme in made]
    if len(set(names)) < len(names) or not names:
        raise ConfigError(f"name each scheme once, and at least one: {', '.join(names) or 'none given'}")
    for scheme in made:
        require_task(scheme, "classification")
    return dict(zip(names, made, strict=True))


def compare(
    events: EventTable,
    schemes: Sequence[str | Scheme] = DEFAULT_SCHEMES,
    *,
    progress: Progress = SILENT,
    checkpoint: str | Path | None = None,
    parameters: Mapping[str, Mapping[str, Any]] | None = None,
    client: Client | None = None,
    **settings: Unpack[Settings],
) -> Comparison:
    """Train several schemes on the same folds and evaluate them on the same held-out events, with signed weights.

    Differences between schemes are paired: what the schemes have in common cancels event by event, so they are known
    far better than the figures themselves.

    Args:
        events: signed events of two labels or more.
        schemes: their names, or scheme objects.
        progress: shows a bar for each fold.
        checkpoint: folder with a subfolder for each scheme; see :func:`hepneg.train`.
        parameters: parameters of a scheme that is given by its name, by that.
        client: a ``distributed.Client``: its workers train all folds of all schemes side by side, with the same result;
            left out, the cores of this machine do, one scheme after the other.
        settings: fields of :class:`hepneg.config.Training`, the same for all schemes.

    Raises:
        ConfigError: an unknown scheme or setting, a scheme named twice, or parameters of one that is not compared.
        DataError: a scheme for signal and background alone where there are other labels.
        TrainingError: no scheme could be trained.
    """
    posed = pose_comparison(events, schemes, parameters=parameters, **settings)
    return compare_posed(events, posed, progress=progress, checkpoint=checkpoint, client=client)


def pose_comparison(
    events: EventTable,
    schemes: Sequence[str | Scheme] = DEFAULT_SCHEMES,
    *,
    parameters: Mapping[str, Mapping[str, Any]] | None = None,
    **settings: Unpack[Settings],
) -> dict[str, FoldTraining]:
    """Return what :func:`compare` trains, by scheme, for folds that are trained by themselves.

    Raises:
        ConfigError: as :func:`compare` does.
        DataError: a scheme for signal and background alone where there are other labels.
    """
    compared = make_schemes(schemes, parameters)
    Training.refuse(settings, ["scheme"], "compare takes its schemes as `schemes`")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", HepnegWarning)
        posed = pose_training(events, next(iter(compared.values())), **settings)
    return {name: posed.under(scheme) for name, scheme in compared.items()}


def compare_posed(
    events: EventTable,
    posed: Mapping[str, FoldTraining],
    *,
    progress: Progress = SILENT,
    checkpoint: str | Path | None = None,
    client: Client | None = None,
) -> Comparison:
    """Compare what :func:`pose_comparison` poses of these events; arguments and errors as for :func:`compare`."""
    if client is None:
        return _compare(events, posed, Path(checkpoint) if checkpoint else None, progress)
    from hepneg.schemes.cluster import train_on_cluster

    with nullcontext(checkpoint) if checkpoint else TemporaryDirectory() as kept:
        train_on_cluster({Path(kept) / name: one for name, one in posed.items()}, client, progress=progress)
        return _compare(events, posed, Path(kept), SILENT)


def _compare(
    events: EventTable, posed: Mapping[str, FoldTraining], checkpoint: Path | None, progress: Progress
) -> Comparison:
    trained: dict[str, _Trained] = {}
    failures: dict[str, str] = {}
    for name, one in posed.items():
        started = time.monotonic()
        folder = checkpoint / name if checkpoint else None
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", HepnegWarning)  # a divergence is in the table
                classifier = cast(Classifier, train_posed(events, one, progress=progress, checkpoint=folder))
        except TrainingError as error:
            failures[name] = str(error)
            continue
        output, seconds = classifier.output_of_fold(events), time.monotonic() - started + one.seconds_elsewhere(folder)
        if np.isfinite(output).all():
            two = events.classes == TWO_CLASSES
            scored = ScoredEvents.of_table(events, output) if two else ClassScores.of_table(events, output)
            trained[name] = _Trained(classifier, scored, seconds)
        else:
            failures[name] = "the training diverged: some log-odds are not finite"
    if not trained:
        raise TrainingError(f"no scheme could be trained: {next(iter(failures.values()))}")
    return _side_by_side(events, trained, failures)


def _side_by_side(events: EventTable, trained: Mapping[str, _Trained], failures: Mapping[str, str]) -> Comparison:
    evaluations = {name: _evaluated(own, events) for name, own in trained.items()}
    held_out, classes = {name: own.held_out for name, own in trained.items()}, len(events.classes)
    areas, standing = {name: _area_of(scored) for name, scored in held_out.items()}, standings(held_out)
    doubt = _doubt_of_signs(trained) or doubt_of(held_out)
    best = recommended(standing, bounded=doubt is not None, classes=classes)
    results = {}
    for name, own in trained.items():
        difference = standing[name].loss - standing[best].loss
        fold_of = events.folds(len(own.classifier.networks), own.classifier.seed)
        results[name] = SchemeResult(
            evaluation=evaluations[name],
            auc_difference=(areas[name] - areas[best]).estimate(),
            loss_difference=difference.estimate(),
            loss_noise=training_noise(difference, own.held_out.share, fold_of, classes),
            brier_difference=(standing[name].brier - standing[best].brier).estimate(),
            at_bound=standing[name].at_bound,
            seconds=own.seconds,
            message="; ".join(history.message for history in own.classifier.histories if history.message),
        )
    reason = _reason(results, best) if doubt is None else _reason_in_doubt(results, best, doubt)
    return Comparison(results, dict(failures), best, reason, "loss" if doubt is None else "brier")


def _evaluated(own: _Trained, events: EventTable) -> Evaluation | ClassEvaluation:
    if isinstance(own.held_out, ScoredEvents):
        return Evaluation.of_model(own.classifier, events, held_out=own.held_out)
    return ClassEvaluation.of_model(own.classifier, events, held_out=own.held_out)


def _area_of(scored: HeldOut) -> Influence:
    return auc_of(scored) if isinstance(scored, ScoredEvents) else mean_auc_of(scored)


def _doubt_of_signs(trained: Mapping[str, _Trained]) -> Doubt | None:
    """Look into the health of the schemes that learn signs: what they clip, if that is not clearly positive."""
    for own in trained.values():
        for sample, closure in own.classifier.health.get("samples", {}).items():
            total = Estimate(closure["clipped_sum"], closure["clipped_sum_error"])
            significance = total.value / total.error if total.error > 0 else 0.0
            found = NegativeShare(0, closure["clipped_share"], total, significance, closure["clipped_p_value"])
            if found.doubtful:
                return Doubt(sample, found)
    return None


def _reason(results: Mapping[str, SchemeResult], best: str) -> str:
    """Say in one sentence why a scheme is recommended, and which others are as good within the errors."""
    others = {name: (result.loss_difference, result.loss_noise) for name, result in results.items() if name != best}
    if not others:
        return f"{best} is the only scheme that was trained"
    ties = [name for name, (gap, noise) in others.items() if gap.value <= SIGNIFICANT * total_error(gap, noise)]
    sentence = f"{best} has the lowest signed loss on held-out events"
    if ties:
        return f"{sentence}; {', '.join(ties)} cannot be told from it within {SIGNIFICANT:g} standard deviations"
    runner_up = min(others, key=lambda name: others[name][0].value)
    gap, noise = others[runner_up]
    sure = f"{gap.value / gap.error:.1f} standard deviations of the events"
    return f"{sentence}, ahead of {runner_up} by {gap} nats ({sure}; trainings differ by {noise:.2g} more)"


def _reason_in_doubt(results: Mapping[str, SchemeResult], best: str, doubt: Doubt) -> str:
    """Say why the recommendation does not go by the log-loss, and what it goes by."""
    lowest = min(results, key=lambda name: results[name].evaluation.loss.value)
    others = [f"{name} {result.brier_difference}" for name, result in results.items() if name != best]
    sentence = (
        f"{doubt}: there the signed log-loss has no minimum and proves nothing, so the signed Brier score decides, "
        f"which stays bounded; {best} is taken"
    )
    if others:
        sentence += f" (Brier score less that of {best}: {', '.join(others)})"
    if lowest != best:
        why = "its log-odds lie at their bound" if results[lowest].at_bound > 0.01 else "its Brier score is no better"
        sentence += f"; the lowest log-loss, that of {lowest}, is no reason to take it: {why}"
    return sentence
