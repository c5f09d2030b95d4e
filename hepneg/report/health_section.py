"""The blocks on the health of a trained scheme, within the section on training."""

from __future__ import annotations

from hepneg._core.formatting import percent, significant
from hepneg.report.blocks import Block, Facts, Text
from hepneg.report.result_tables import sign_network_table
from hepneg.report.results import Data

__all__ = ["health_blocks"]


def health_blocks(health: Data) -> list[Block]:
    """Show the largest log-odds, and what the sign networks did to each sample, where the scheme has such networks."""
    facts = [("batches with Σ of training weights ≤ 0", percent(health["negative_batches"]))]
    if health["largest_logit"] is not None:
        facts.insert(0, ("largest |log-odds|", significant(health["largest_logit"])))
    blocks: list[Block] = [Facts(tuple(facts))]
    if health["samples"]:
        blocks += [sign_network_table(health), Text(_LEGEND)]
    return blocks


_LEGEND = (
    "ĝ is the local mean sign that the scheme has learnt, evaluated on held-out events. Where the density is negative, "
    "ĝ "
    "is clipped at zero; where the networks can tell no smaller mean sign, it is lifted to their floor, which held-out "
    "events set, so that "
    "a large share there says little of the density. Both are shares of Σ|w|. The closure Σ|w|ĝ / Σw is "
    "1 for a perfect ĝ, and χ² compares the signs with ĝ in bins of ĝ and the signed with the refined distribution "
    "of each feature; of the feature with the worst χ², the least and the largest closure of a bin are given."
)
