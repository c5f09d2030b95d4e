"""A choice between trained schemes, with its evidence: do the signs depend on x, and whose signed loss is lower?

Two questions, both put to events that the networks have not seen. First, whether ĝ(x) describes the signs of each label
better than their mean does: the gain is the difference of the two cross-entropies of the sign. It orders the schemes:
``combined`` first where the signs seem to depend on x, for |w| is biased there; ``absolute`` first where nothing is
seen, for it has the least variance. Then the signed losses of all candidates: the first scheme in that order that no
other beats by more than three standard deviations of their paired difference is taken.

The order comes first because the signed loss has the noise of the signs, which a bias of a few 1e-3 nats can hide in,
while ĝ is judged with a bounded loss. The choice hardly flatters the loss that is quoted for it: an alternative whose
difference is normal with standard deviation σ and true mean μσ below zero adds E[(z − μ)·1(z > 3)] = φ(3 − μ) < 0.4 σ,
0.004 σ where there is no difference, and σ is a small part of the error of the loss itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hepneg._core.estimate import Estimate
from hepneg._core.output import json_ready
from hepneg.errors import TrainingError
from hepneg.events import EventTable, cluster_sums
from hepneg.metrics import Influence
from hepneg.metrics.class_scores import output_brier, output_log_loss, scored_output
from hepneg.metrics.negative_share import NegativeShare, negative_share

__all__ = ["Candidate", "Choice", "choose", "sign_gain"]

SEEN = 0.0
"""Standard deviations of the gain above which the signs are taken to depend on x. Without any dependence the gain is
below zero on average, by what ĝ has overfitted, and a false alarm costs nothing that can be measured
(analysis/closure: equal shapes); a dependence that is missed costs the bias of |w|."""
SURE = 3.0
"""Standard deviations from which the reason says so without reserve."""
BEATEN = 3.0
"""Standard deviations by which a signed loss must be lower to overrule the order."""

TOO_FEW = "there are too few events of negative weight for every fold to learn their signs"

Float = NDArray[np.float64]


@dataclass(frozen=True)
class Candidate:
    """What the signed loss says about one of the schemes.

    Attributes:
        loss: signed log-loss on held-out events, in nats.
        difference: its loss minus that of the chosen scheme, paired on the same events.
    """

    loss: Estimate
    difference: Estimate

    def to_dict(self) -> dict[str, Any]:
        """Return both as plain numbers."""
        return {
            "loss": self.loss.value,
            "loss_error": self.loss.error,
            "loss_difference": self.difference.value,
            "loss_difference_error": self.difference.error,
        }


@dataclass(frozen=True)
class Choice:
    """The scheme that was chosen, and why.

    Attributes:
        scheme: its name.
        reason: one sentence.
        sign_gain: by label, how much better ĝ(x) describes the signs of held-out events than their mean does, in nats
            an event; empty where there are no signs to describe.
        candidates: by scheme.
        negative: by label, the events with ĝ < 0 where their density is negative or cannot be told from it: the Brier
            score takes the place of the log-loss then, which has no minimum.
    """

    scheme: str
    reason: str
    sign_gain: Mapping[str, Estimate] = field(default_factory=dict)
    candidates: Mapping[str, Candidate] = field(default_factory=dict)
    negative: Mapping[str, NegativeShare] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return the choice, JSON-ready."""
        content = {
            "scheme": self.scheme,
            "reason": self.reason,
            "sign_gain": {label: gain.to_dict() for label, gain in self.sign_gain.items()},
            "candidates": {name: candidate.to_dict() for name, candidate in self.candidates.items()},
            "negative": {label: share.to_dict() for label, share in self.negative.items()},
        }
        ready: dict[str, Any] = json_ready(content)
        return ready


def choose(
    events: EventTable,
    logits: Mapping[str, Float],
    sign: Float | None,
    raw: Float | None = None,
    differs: Callable[[], str] = str,
) -> Choice:
    """Choose a scheme by what held-out events say.

    Args:
        events: n signed events of all labels.
        logits: output of networks that have not seen the event, (n,) or (n, K − 1), by scheme; ``absolute`` among them.
        sign: local mean sign ĝ by networks that have not seen the event, (n,); None where there is none to learn.
        raw: the same without its floor, which negative densities are looked for with; left out, they are not.
        differs: asked where ĝ shows no dependence: which sample's shapes differ between the signs all the same, as the
            shape check says it; empty for none. A dependence in a corner can cost a network more than it gains.

    Raises:
        DataError: a label whose Σw is not positive.
        TrainingError: there are no finite log-odds.
    """
    if sign is None:
        return Choice("absolute", "no event has a negative weight" if (events.weight >= 0).all() else TOO_FEW)
    gains = {name: sign_gain(events, sign, code) for code, name in enumerate(events.classes)}
    seen = [name for name, gain in gains.items() if gain.error > 0 and gain.value > SEEN * gain.error]
    other_evidence = "" if seen else differs()
    usable = [
        name
        for name in _order(depends=bool(seen or other_evidence))
        if name in logits and np.isfinite(logits[name]).all()
    ]
    if not usable:
        raise TrainingError(
            "no network of the scheme 'auto' gives finite log-odds: look for extreme features or weights"
        )
    negative = {} if raw is None else _negative(events, raw)
    first = scored_output(events, logits[usable[0]])
    scored = {name: first.with_score(logits[name]) for name in usable}
    losses = {name: output_log_loss(one) for name, one in scored.items()}
    scores = {name: output_brier(one) for name, one in scored.items()} if negative else losses
    chosen = next(name for name in usable if not _beaten(scores, name))
    candidates = {name: Candidate(loss.estimate(), (loss - losses[chosen]).estimate()) for name, loss in losses.items()}
    gaps = {name: (scores[name] - scores[chosen]).estimate() for name in usable}
    measure = ("Brier score", "") if negative else ("loss", " nats")
    reason = _reason(gains, seen, other_evidence, gaps, usable[0], chosen, measure)
    reason += _negative_clause(negative, "signed_target or mixture" if len(events.classes) == 2 else "mixture")
    return Choice(chosen, reason, gains, candidates, negative)


def sign_gain(events: EventTable, sign: Float, label: int) -> Estimate:
    """Return how much better ĝ(x) describes the signs of a label than their mean does.

    The mean of log P(sign | x) − log P(sign) with weight \\|w\\|, P(±) = ½(1 ± ĝ): the information on the sign that
    x carries, less what ĝ has got wrong. It is never positive on average where the signs do not depend on x.

    Args:
        events: n signed events.
        sign: ĝ of each event by networks that have not seen it, (n,).
        label: code of the class.

    Returns:
        The gain in nats an event and its standard error; 0 ± 0 for a label whose events have one sign.
    """
    chosen = (events.label == label) & (events.weight != 0)
    weight, own, learnt = np.abs(events.weight[chosen]), np.sign(events.weight[chosen]), sign[chosen]
    if len(weight) == 0 or own.min() == own.max():
        return Estimate(0.0, 0.0)
    share = weight / weight.sum()
    mean = float((share * own).sum())
    gain = np.log(np.maximum(1 + own * learnt, 1e-6)) - np.log(1 + own * mean)
    value = float((share * gain).sum())
    codes = events.clusters()
    contribution = share * (gain - value)
    if codes is None:
        return Estimate(value, float(np.sqrt((share**2 * (gain - value) ** 2).sum())))
    return Estimate(value, float(np.sqrt(np.sum(cluster_sums(contribution, codes[chosen]) ** 2))))


def _order(*, depends: bool) -> tuple[str, ...]:
    if depends:
        return "combined", "refined", "factorised", "absolute"
    return "absolute", "combined", "refined", "factorised"


def _beaten(scores: Mapping[str, Influence], name: str) -> bool:
    differences = ((scores[name] - other).estimate() for key, other in scores.items() if key != name)
    return any(gap.value > BEATEN * gap.error > 0 for gap in differences)


def _negative(events: EventTable, raw: Float) -> dict[str, NegativeShare]:
    """Return what ĝ below zero selects of each label, where that is not clearly positive after all."""
    cluster = events.clusters()
    found = {}
    for code, name in enumerate(events.classes):
        own = events.label == code
        part = None if cluster is None else cluster[own]
        share = negative_share(events.weight[own], raw[own] < 0, part)
        if share.doubtful:
            found[name] = share
    return found


def _negative_clause(negative: Mapping[str, NegativeShare], schemes: str) -> str:
    if not negative:
        return ""
    where = "; ".join(f"of the {label} in {share}" for label, share in negative.items())
    return (
        f"; the density is negative, or cannot be told from it, {where}: no response between 0 and 1 follows it there, "
        f"schemes were compared by the Brier score, and {schemes} give a signed density ratio, coarser features "
        "perhaps a positive one"
    )


def _reason(
    gains: Mapping[str, Estimate],
    seen: list[str],
    other_evidence: str,
    gaps: Mapping[str, Estimate],
    first: str,
    chosen: str,
    measure: tuple[str, str],
) -> str:
    """Say in one sentence what was seen and what followed from it."""
    told = " and ".join(f"{name} {gains[name].value / gains[name].error:.1f}" for name in seen)
    nothing = "ĝ, learnt from the features, describes the signs of held-out events no better than their mean does"
    nothing += f", but {other_evidence}" if other_evidence else ""
    sure = any(gains[name].value > SURE * gains[name].error for name in seen)
    depend = "depend" if sure else "may depend"
    signs = f"the signs {depend} on the features ({told} standard deviations)" if seen else nothing
    other = first if chosen != first else next((name for name in ("absolute", "combined") if name != chosen), chosen)
    if other not in gaps:
        return signs
    name, unit = measure
    gap = f"{name} of {other} minus that of {chosen}: {gaps[other]}{unit}"
    if chosen == first:
        return f"{signs}, and no other scheme has a significantly lower signed {name} ({gap})"
    return f"{signs}, but {chosen} has a significantly lower signed {name} than {other} ({gap})"
