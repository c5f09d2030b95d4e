"""Is each sign modelled well on its own? Sign-split closure, and the shape check on a response trained with |w|."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, Unpack

import numpy as np
from numpy.typing import ArrayLike

from hepneg._core.arrays import BoolArray, FloatArray
from hepneg._core.class_names import require_two_classes
from hepneg._core.estimate import Estimate
from hepneg._core.formatting import p_value
from hepneg._core.json_values import JsonResult, json_object
from hepneg._core.progress import SILENT, Progress
from hepneg._core.tables import html_table
from hepneg.binning.quantile_bins import quantile_bins
from hepneg.config import Settings
from hepneg.errors import DataError
from hepneg.events import EventTable
from hepneg.metrics.auc import auc_of
from hepneg.metrics.calibration import Calibration, calibration_curve_of, residual_chi2
from hepneg.metrics.scored import column_of, scored_events
from hepneg.shapes.shape_check import check_shapes
from hepneg.shapes.shape_report import ShapeReport
from hepneg.shapes.shape_tests.holm import weighted_holm

__all__ = ["PartClosure", "ResidualTest", "SignSplitClosure", "check_response_shapes", "sign_split_closure"]

Part = Literal["positive", "negative", "combined"]

LEVEL = 0.01
_BINS = 10
_SIGNS: tuple[Part, Part] = ("positive", "negative")
# The signed events have larger errors than those of one sign, so that equal misfits would give a smaller χ².
_MOSTLY = 2.0
_BATCHES_AN_EPOCH = 40


@dataclass(frozen=True, slots=True)
class ResidualTest(JsonResult):
    """Does Σ w(label − response) vanish in bins of a feature?

    Attributes:
        chi2: of the bins, with their covariance.
        degrees: of freedom.
        p_value: for a response that is given.
        p_adjusted: the same after Holm's correction over the features and the response.
    """

    chi2: float
    degrees: int
    p_value: float
    p_adjusted: float


@dataclass(frozen=True, eq=False, slots=True, repr=False)
class PartClosure:
    """How well the response of a classifier trained with \\|w\\| fits events that it has not seen.

    Attributes:
        part: ``positive`` or ``negative``: trained and evaluated with \\|w\\| of events of that sign only;
            ``combined``: trained with \\|w\\| of all events and evaluated with their signed weights.
        entries: events.
        auc: held-out.
        calibration: held-out.
        tests: of the residuals, by feature; ``response`` is that of the calibration.
    """

    part: Part
    entries: int
    auc: Estimate
    calibration: Calibration
    tests: dict[str, ResidualTest]

    @property
    def closes(self) -> bool:
        """Whether no test finds mismodelling at 1 %, corrected for their number."""
        return not self.mismodelled

    @property
    def mismodelled(self) -> list[str]:
        """Names of the tests that fail, the worst first."""
        failed = [(test.p_value, name) for name, test in self.tests.items() if test.p_adjusted < LEVEL]
        return [name for _, name in sorted(failed)]

    @property
    def worst(self) -> tuple[str, float]:
        """Name and χ² per degree of freedom of the test that is furthest off."""
        ratios = {name: test.chi2 / test.degrees for name, test in self.tests.items() if test.degrees}
        name = max(ratios, key=lambda test: ratios[test])
        return name, ratios[name]

    def __repr__(self) -> str:
        outcome = "closes" if self.closes else f"mismodelled in {', '.join(self.mismodelled)}"
        return f"PartClosure({self.part}: {outcome}; AUC {self.auc}, {self.entries} events)"

    def to_dict(self) -> dict[str, Any]:
        """Return the figures as plain numbers and lists."""
        names = ("closes", "mismodelled", "entries", "auc", "calibration", "tests")
        return json_object({name: getattr(self, name) for name in names})


@dataclass(frozen=True, eq=False, slots=True, repr=False)
class SignSplitClosure:
    """Positive and negative events modelled apart, and together by a classifier trained with \\|w\\|.

    Attributes:
        parts: by name: ``positive``, ``negative``, ``combined``.
        response: the shape check of the held-out response of ``combined``; see :func:`check_response_shapes`.
    """

    parts: dict[Part, PartClosure]
    response: ShapeReport

    @property
    def conclusion(self) -> str:
        """What follows, in one sentence."""
        alone = [name for name in _SIGNS if not self.parts[name].closes]
        (feature, combined), apart = self.parts["combined"].worst, max(self.parts[name].worst[1] for name in _SIGNS)
        if alone and combined > _MOSTLY * apart:
            return (
                f"The {' and the '.join(alone)} events are modelled to within a χ² of {apart:.1f} per bin on their "
                f"own, the signed events miss a response trained with |w| by {combined:.1f} in {feature}: the "
                "combination of the signs is at fault most of all, and a scheme that models the sign is needed."
            )
        if alone:
            return (
                f"The classifier does not model the {' and the '.join(alone)} events on their own: its features, size "
                "or training are at fault before any question of signs."
            )
        if self.parts["combined"].closes:
            return "Each sign is modelled well on its own, and a response trained with |w| fits the signed events too."
        return (
            "Each sign is modelled well on its own, but a response trained with |w| does not fit the signed events: "
            "the combination of the signs is at fault, and a scheme that models the sign is needed."
        )

    def __repr__(self) -> str:
        lines = [f"  {part}" for part in self.parts.values()]
        lines += [f"  response of {name}: {own.verdict}: {own.reason}" for name, own in self.response.samples.items()]
        return "\n".join([f"SignSplitClosure: {self.conclusion}", *lines])

    def _repr_html_(self) -> str:
        rows = [
            (name, part.entries, part.auc, p_value(part.calibration.p_value), ", ".join(part.mismodelled) or "none")
            for name, part in self.parts.items()
        ]
        header = ("events", "entries", "AUC", "calibration p", "mismodelled")
        return html_table(header, rows, self.conclusion) + self.response._repr_html_()

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain numbers, strings and lists."""
        response = {name: getattr(self.response, name) for name in ("verdict", "alpha", "samples")}
        content = {"conclusion": self.conclusion, "parts": self.parts, "response": response}
        return json_object({"schema_version": 1, **content})


def sign_split_closure(
    events: EventTable, *, progress: Progress = SILENT, checkpoint: Path | None = None, **settings: Unpack[Settings]
) -> SignSplitClosure:
    """Train on positive events only, on negative events only, and on all with \\|w\\|, and look for mismodelling.

    Args:
        events: signed events of both labels, each with both signs.
        progress: shows a bar for each fold.
        checkpoint: folder with a subfolder for each part; see :func:`hepneg.train`.
        settings: fields of :class:`hepneg.config.Training`: ``folds``, ``seed``, ``epochs``, …; ``batch_size``, left
            out, is a fortieth of the events, 64 to 1024.

    Returns:
        For each the tests on events not trained on: the calibration, and Σ w(label − response) in ten quantile bins of
        each feature. If each sign closes alone and the combination does not, the combination is at fault. With it the
        shape check of the response of the classifier trained on \\|w\\| of all events.

    Raises:
        DataError: a label has no events of one sign, or there are labels other than signal and background.
        TrainingError: there are too few events to train on.

    The p-values are those of a response that is given. A network that has not converged, or has too few events to,
    fails rightly; what it has fitted of the statistical fluctuations of the other folds makes them approximate, so the
    tests ask for p < 0.01 after Holm's correction.
    """
    from hepneg.config.training_settings import Training
    from hepneg.models.training import train

    require_two_classes(events.classes, "the sign-split closure")
    Training.refuse(settings, ["scheme"], "the closure takes |w| alone")
    settings["calibration"] = "none"  # on signed weights it would tell the classifiers of the signs
    parts: dict[Part, PartClosure] = {}
    for part, table, weight in _tables(events):
        # The parts differ in size: each gets enough steps an epoch.
        batch_size = int(np.clip(len(table) // _BATCHES_AN_EPOCH, 64, 1024))
        options: Settings = {"batch_size": batch_size, **settings}
        folder = checkpoint / part if checkpoint else None
        response = train(table, "absolute", progress=progress, checkpoint=folder, **options).held_out_response(table)
        parts[part] = _part_closure(part, table, response, weight)
    # The last part is the combination.
    return SignSplitClosure(parts, check_response_shapes(events, response, seed=options.get("seed", 1)))


def _tables(events: EventTable) -> Iterator[tuple[Part, EventTable, FloatArray]]:
    """Yield each part's name, events, and the weights to evaluate with."""
    masks: tuple[tuple[Part, BoolArray], ...] = (
        ("positive", events.weight > 0),
        ("negative", events.weight < 0),
    )
    for part, mask in masks:
        table = events.select(mask)
        if len(np.unique(table.label)) < 2:
            raise DataError(f"a label has no events of {part} weight: nothing to split by sign")
        table = replace(table, weight=np.abs(table.weight))
        yield part, table, table.weight
    yield "combined", events, events.weight


def _part_closure(part: Part, events: EventTable, response: FloatArray, weight: FloatArray) -> PartClosure:
    scored = scored_events(response, events.label, weight, event_id=events.observation_id)
    calibration = calibration_curve_of(scored)
    tests = {"response": (calibration.chi2, calibration.degrees, calibration.p_value)}
    for name in events.feature_names:
        tests[name] = residual_chi2(scored, quantile_bins(events.feature(name), _BINS))
    adjusted = weighted_holm([p_value for _, _, p_value in tests.values()], [1.0] * len(tests))
    corrected = {name: ResidualTest(*test, p) for (name, test), p in zip(tests.items(), adjusted, strict=True)}
    return PartClosure(part, len(events), auc_of(scored).estimate(), calibration, corrected)


def check_response_shapes(
    events: EventTable, response: ArrayLike, *, alpha: float = 0.05, seed: int = 1
) -> ShapeReport:
    """Compare the response of positive and of negative events, sample by sample.

    Args:
        events: n events.
        response: (n,) of a classifier trained with \\|w\\| (scheme ``absolute``), on events not trained on.
        alpha: probability that a sample without any difference is called different.
        seed: of permutations and subsamples.

    Returns:
        The shape check of one feature, ``response``. Compatible says that the signs do not matter for this classifier
        although features may differ; different says that a response trained with \\|w\\| is biased, and by how much.

    Raises:
        DataError: not one finite number per event.
    """
    values = column_of(events, response, "the response").astype(np.float32)[:, None]
    return check_shapes(replace(events, features=values, feature_names=("response",)), alpha=alpha, seed=seed)
