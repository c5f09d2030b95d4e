"""How an ensemble of sign networks is trained."""

from __future__ import annotations

from dataclasses import dataclass

from hepneg._core.parameters import require_between, require_count

__all__ = ["SignPlan"]


@dataclass(frozen=True)
class SignPlan:
    """How the local mean sign ĝ(x) = E[w|x] / E[|w| |x] is learnt from \\|w\\| with a bounded loss.

    Attributes:
        members: sign networks in each ensemble; each leaves out another part of the events and is stopped on it.
        patience: epochs without a better loss on those parts before the sign networks' training stops.
        floor: smallest ĝ; held-out events may ask for a higher floor.
    """

    members: int = 2
    patience: int = 4
    floor: float = 0.02

    def __post_init__(self) -> None:
        require_count(members=self.members, patience=self.patience)
        require_between(0, 1, floor=self.floor)
