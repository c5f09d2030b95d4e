"""Non-negative weights with the same density, for any tool that cannot take negative ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hepneg._core.formatting import percent
from hepneg._core.hashing import uniform_events
from hepneg._core.output import json_ready
from hepneg._core.progress import SILENT, Progress
from hepneg._core.tables import html_table
from hepneg.config import Training
from hepneg.errors import ConfigError, DataError, nearest_names
from hepneg.events import EventTable, InputLayout
from hepneg.shapes.negative.density import NegativeDensity, negative_density
from hepneg.shapes.negative.learnt_region import learnt_region
from hepneg.signs.pooling import pools, regrouped
from hepneg.signs.refined_weight import LEAST_SIGN, clipped, sum_factors
from hepneg.signs.resampling import LARGEST, ResampledSample, resampled_samples, resampled_weight
from hepneg.signs.sign_closure import SignClosure, sign_closure

if TYPE_CHECKING:
    from hepneg.signs.local_signs import LocalSigns

__all__ = ["UNUSED_SETTINGS", "Refinement", "refine"]

UNUSED_SETTINGS = ("scheme", "objective", "activity")
"""Settings of a training that say how labels or targets are learnt, not signs."""

Float = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Refinement:
    """Learnt local mean signs ĝ(x) and the weights \\|w\\|·max(ĝ, 0) that follow from them.

    Refined weights close for functions of the features that ĝ was learnt from, and of whatever is independent of the
    sign given these; for any other variable they need not.

    Attributes:
        feature_names: inputs of ĝ, in order.
        sample_names: samples with a ĝ of their own.
        labels: label of each sample.
        seed: of the fold rule.
        factors: what brings the refined weights of each sample to its Σw.
        closure: signed against refined weights of the events it was learnt from, held out, by sample. Its χ² knows
            that both are of the same events, and what the folds' ensembles differ by.
        negative: where the density of each sample is significantly negative: no non-negative weights close there.
        signs: of each fold: its networks have not seen that fold.
        pools: name in ``sample_names`` of samples that can be refined only together (:mod:`hepneg.signs.pooling`).
        layout: of the inputs of ĝ, with those of collections.
    """

    feature_names: tuple[str, ...]
    sample_names: tuple[str, ...]
    labels: Mapping[str, str]
    seed: int
    factors: Float
    closure: Mapping[str, SignClosure]
    negative: Mapping[str, NegativeDensity]
    signs: tuple[LocalSigns, ...]
    pools: Mapping[str, str] = field(default_factory=dict)
    layout: InputLayout | None = None

    def __repr__(self) -> str:
        shares = ", ".join(f"{name} {one.clipped_share:.2%}" for name, one in self.closure.items())
        return f"Refinement({len(self.signs)} folds, features: {', '.join(self.feature_names)}; clipped: {shares})"

    def _repr_html_(self) -> str:
        rows = [
            (
                name,
                one.inclusive,
                percent(one.clipped_share),
                f"{one.calibration.chi2:.1f} / {one.calibration.ndf}",
                "; ".join(place.where for place in self.negative[name]) or "nowhere",
            )
            for name, one in self.closure.items()
        ]
        heads = ("sample", "Σ|w|ĝ / Σw", "clipped", "calibration χ² / ndf", "significantly negative")
        return html_table(heads, rows)

    def to_dict(self) -> dict[str, Any]:
        """Return the closure report, JSON-ready."""
        content = {
            "schema_version": 1,
            "features": list(self.feature_names),
            "folds": len(self.signs),
            "seed": self.seed,
            "samples": {
                name: {
                    **one.to_dict(),
                    "label": self.labels[name],
                    "factor": self.factors[code],
                    "negative_density": self.negative[name].to_dict(),
                }
                for code, name in enumerate(self.sample_names)
                if (one := self.closure.get(name)) is not None
            },
        }
        ready: dict[str, Any] = json_ready(content)
        return ready

    def weight(
        self, features: ArrayLike | EventTable, weight: ArrayLike, label: ArrayLike, sample: ArrayLike | None = None
    ) -> Float:
        """Return the refined weights of events that ĝ was not learnt from, (n,), none of them negative.

        Args:
            features: (n, F) in the order of ``feature_names``, or a table with these and the collections.
            weight: (n,) signed.
            label: (n,) of 0/1, or the names of classes.
            sample: (n,) names; may be left out if every label has one sample.

        Raises:
            DataError: unusable columns, or a sample without a ĝ.
        """
        events = self._table(features, weight, label, sample)
        code = self._codes(events, named=sample is not None)
        sign = self._fold_signs(events, code).mean(axis=1)
        return np.asarray(clipped(events, sign) * self.factors[code])

    def weight_error(
        self, features: ArrayLike | EventTable, weight: ArrayLike, label: ArrayLike, sample: ArrayLike | None = None
    ) -> Float:
        """Return the spread of the refined weights over the ensembles of the folds, (n,); see :meth:`weight`.

        It is not divided by the root of their number: any two of them share most of their events. It says where the
        folds disagree, and nothing of what all of them smooth away: the error of a sum is that of
        :func:`hepneg.signs.refined_weight.refined_sums`.
        """
        events = self._table(features, weight, label, sample)
        code = self._codes(events, named=sample is not None)
        spread = np.maximum(self._fold_signs(events, code), 0.0).std(axis=1, ddof=1)
        return np.asarray(np.abs(events.weight) * spread * self.factors[code])

    def held_out_weight(self, events: EventTable) -> Float:
        """Return the refined weights of the events that ĝ was learnt from, each by networks that have not seen it.

        Raises:
            DataError: other features or samples.
        """
        code, sign = self._held_out(events)
        return np.asarray(clipped(events, sign) * self.factors[code])

    def resample(self, events: EventTable, *, seed: int = 1, largest: float = LARGEST) -> Float:
        """Return resampled weights of the events that ĝ was learnt from, (n,): 0 for those that are dropped.

        Fewer events, none of them negative, with the sums and the uncertainties of the signed ones in a region of the
        features on average, as far as ĝ has converged there: with a few thousand events regions were off by up to six
        standard errors of 60 toys, and Σw² by 3 to 11 %. An event is kept with probability ĝ² and then weighs
        \\|w\\|/ĝ; see
        :func:`hepneg.signs.resampling.resampled_weight`. Which events are kept follows from their identifiers and the
        seed.

        Args:
            events: signed events; each gets the ĝ of networks that have not seen it.
            seed: another one keeps other events.
            largest: limit of the factor on \\|w\\|, at least 1; where ĝ is below its inverse, Σw² shrinks.

        Raises:
            DataError: other features or samples, or a limit below 1.
        """
        if not largest >= 1:
            raise DataError(f"the largest factor on |w| must be at least 1, not {largest!r}")
        code, sign = self._held_out(events)
        uniform = uniform_events(events.event_id, seed, "resample")
        return resampled_weight(np.abs(events.weight), sign, uniform, largest) * self.factors[code]

    def resampled_samples(
        self, events: EventTable, *, seed: int = 1, largest: float = LARGEST
    ) -> dict[str, ResampledSample]:
        """Say what :meth:`resample` does to each sample: share of events kept, Σw and Σw² after over before."""
        _, sign = self._held_out(events)
        grouped = regrouped(events, self.pools)
        return dict(resampled_samples(grouped, sign, self.resample(events, seed=seed, largest=largest), largest))

    def _held_out(self, events: EventTable) -> tuple[NDArray[np.int64], Float]:
        """Return the number of each event's sample, and its ĝ by networks that have not seen it."""
        if events.feature_names != self.feature_names:
            raise DataError(
                f"the events have the features {', '.join(events.feature_names)}, "
                f"but the refinement takes {', '.join(self.feature_names)}"
            )
        self._require_layout(events)
        from hepneg.signs.local_signs import held_out_sign

        code = self._codes(events, named=True)
        grouped = replace(events, sample=code.astype(np.int16), sample_names=self.sample_names)
        fold_of = events.folds(len(self.signs), self.seed)
        return code, held_out_sign([local.read for local in self.signs], grouped, fold_of)

    def _table(
        self, features: ArrayLike | EventTable, weight: ArrayLike, label: ArrayLike, sample: ArrayLike | None
    ) -> EventTable:
        beside: dict[str, Any] = {"sample": sample, "feature_names": self.feature_names}
        if isinstance(features, EventTable):
            beside |= {"collections": features.collections, "categories": features.categories}
            features = features.features
        events = EventTable.from_arrays(features, weight, label, **beside)
        self._require_layout(events)
        return events

    def _require_layout(self, events: EventTable) -> None:
        if self.layout is not None and events.layout.collections != self.layout.collections:
            raise DataError(
                f"the refinement takes {', '.join(self.layout.collections) or 'no'} collections with their features "
                "and numbers of objects, and the events have others"
            )

    def _fold_signs(self, events: EventTable, code: NDArray[np.int64]) -> Float:
        return np.stack([signs.at(events.inputs, code) for signs in self.signs], axis=1)

    def _codes(self, events: EventTable, *, named: bool) -> NDArray[np.int64]:
        """Return the number of each event's sample in ``sample_names``."""
        if named:
            names = [self.pools.get(name, name) for name in events.sample_names]
            for name in names:
                if name not in self.sample_names:
                    known = (*self.pools, *self.sample_names)
                    raise DataError(f"no refinement for sample {name!r}{nearest_names(name, known)}")
            return np.array([self.sample_names.index(name) for name in names])[events.sample]
        only = np.zeros(len(events.classes), dtype=np.int64)
        for value, label in enumerate(events.classes):
            codes = [code for code, name in enumerate(self.sample_names) if self.labels.get(name) == label]
            if len(codes) != 1 and (events.label == value).any():
                raise DataError(f"the {label} has {len(codes)} samples; say by `sample` which one each event is of")
            only[value] = codes[0] if codes else 0
        return np.asarray(only[events.label])


def refine(
    events: EventTable,
    *,
    members: int = 2,
    patience: int = 4,
    progress: Progress = SILENT,
    **settings: Any,
) -> Refinement:
    """Learn non-negative weights with the density of the signed ones.

    The local mean sign ĝ of each sample is learnt from \\|w\\| with a bounded loss, cross-fitted over folds: the
    refinement of Nachman and Thaler (arXiv:2505.03724) with an ensemble in the place of one network, and a curve fitted
    to the held-out events of all folds that brings the learnt signs to the observed ones.

    Args:
        events: signed events; one label alone is enough.
        members: networks in the ensemble of each fold and sample.
        patience: epochs without a better loss before training stops.
        progress: shows a bar for each fold.
        settings: fields of :class:`hepneg.config.Training`: ``folds``, ``seed``, ``network``, ``batch_size``, …

    Raises:
        ConfigError: an unknown setting, or one that plays no part here: ``scheme``, ``objective`` and ``activity``.
        DataError: there are no events, or a feature is out of a network's range.
        TrainingError: a label's Σw is not positive or compatible with 0, or all events of a sample are in one fold.

    Warns:
        HepnegWarning: a feature that networks hardly see; a sample without a positive sum, whose label is refined as
            one.
    """
    from hepneg.learning.trainable import require_density
    from hepneg.signs.crossfit_signs import crossfit_signs
    from hepneg.signs.curve import straightened
    from hepneg.signs.local_signs import HeldOutSigns
    from hepneg.signs.sign_plan import SignPlan

    if len(events) == 0:
        raise DataError("there are no events to refine")
    Training.refuse(settings, UNUSED_SETTINGS, "refine learns the mean sign alone")
    for value, label in enumerate(events.classes):
        if (events.label == value).any():
            require_density(events.weight[events.label == value], label)
    training = Training.of(**settings)
    try:
        plan = SignPlan(members, patience, LEAST_SIGN)
    except ValueError as error:
        raise ConfigError(f"refine: {error}") from None
    pool_of = pools(events)
    events = regrouped(events, pool_of)
    signs = crossfit_signs(events, plan, training, progress=progress)
    fold_of = events.folds(len(signs), training.seed)
    signs = straightened(signs, events, fold_of)
    held_out = HeldOutSigns.of([local.read for local in signs], events, fold_of)
    closure = sign_closure(events, held_out.sign, held_out.raw, held_out.ensembles, fold_of)
    labels = {
        name: events.label_of_sample(name)
        for code, name in enumerate(events.sample_names)
        if (events.sample == code).any()
    }
    return Refinement(
        feature_names=events.feature_names,
        sample_names=events.sample_names,
        labels=labels,
        seed=training.seed,
        factors=sum_factors(events, held_out.sign),
        closure=closure,
        negative={name: _negative(events, name, held_out.raw, training) for name in closure},
        signs=signs,
        pools=pool_of,
        layout=events.layout,
    )


def _negative(events: EventTable, sample: str, raw: Float, training: Training) -> NegativeDensity:
    """Look for a negative density of one sample: in intervals, boxes, and where ĝ, (n,) of all events, is below 0."""
    members = np.flatnonzero(events.sample == events.sample_names.index(sample))
    own = events.select(members)
    found = negative_density(own, seed=training.seed)
    if not (raw[members] < 0).any():
        return found
    return replace(found, learnt=learnt_region(own, raw[members], folds=training.folds))
