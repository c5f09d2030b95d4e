"""The blocks on the health of a trained scheme, within the section on training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hepneg._core.formatting import MISSING, estimate, percent, significant
from hepneg.report.blocks import Block, Cell, Column, Facts, Table, Text, number
from hepneg.report.results import Data

__all__ = ["health_blocks"]


def health_blocks(health: Data) -> list[Block]:
    """Show the largest log-odds, and what the sign networks did to each sample, where the scheme has such networks."""
    facts = [("batches with Σ of training weights ≤ 0", percent(health["negative_batches"]))]
    if health["largest_logit"] is not None:
        facts.insert(0, ("largest |log-odds|", significant(health["largest_logit"])))
    blocks: list[Block] = [Facts(tuple(facts))]
    if health["samples"]:
        blocks += [_table(health["samples"]), Text(_LEGEND)]
    return blocks


_LEGEND = (
    "ĝ is the local mean sign that the scheme has learnt, judged on held-out events. Where the density is negative, ĝ "
    "is clipped at zero; where the networks can tell no smaller mean sign, it is lifted to their floor, which held-out events set, so that "
    "a large share there says little of the density. Both are shares of Σ|w|. The closure Σ|w|ĝ / Σw is "
    "1 for a perfect ĝ, and χ² compares the signs with ĝ in bins of ĝ and the signed with the refined distribution "
    "of each feature; of the feature with the worst χ², the least and the largest closure of a bin are given."
)


def _table(samples: Mapping[str, Data]) -> Table:
    names = ("clipped", "at the floor", "closure", "calibration χ² / bins", "worst feature χ² / bins")
    columns = (Column("sample", "text"), *map(Column, names), Column("worst feature", "text"), Column("its closure"))
    rows = tuple(_row(name, closure) for name, closure in samples.items())
    return Table("training-signs", "Sign networks on held-out events", columns, rows)


def _row(name: str, closure: Data) -> tuple[Cell, ...]:
    worst = max(closure["features"], key=lambda feature: _ratio(closure["features"][feature]) or 0.0, default=None)
    return (
        Cell(name),
        number(percent(closure["clipped_share"]), closure["clipped_share"]),
        number(percent(closure["floored_share"]), closure["floored_share"]),
        number(estimate(closure["inclusive"], closure["inclusive_error"]), closure["inclusive"]),
        _agreement(closure["calibration"]),
        Cell(MISSING) if worst is None else _agreement(closure["features"][worst]),
        Cell(MISSING if worst is None else worst),
        _range([] if worst is None else closure["features"][worst]["closure"]),
    )


def _range(ratios: Sequence[float | None]) -> Cell:
    """Show the least and the largest of the bins' closures."""
    known = [ratio for ratio in ratios if ratio is not None]
    if not known:
        return Cell(MISSING)
    return Cell(f"{min(known):.3f} to {max(known):.3f}", max(abs(ratio - 1) for ratio in known))


def _agreement(test: Mapping[str, Any]) -> Cell:
    ratio = _ratio(test)
    return Cell(MISSING) if ratio is None else Cell(f"{test['chi2']:.1f} / {test['ndf']}", ratio)


def _ratio(test: Mapping[str, Any]) -> float | None:
    return None if test["chi2"] is None or not test["ndf"] else test["chi2"] / test["ndf"]
