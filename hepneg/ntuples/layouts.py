"""How public ntuples are laid out: names of trees, weights, identifiers and of what is no feature, as tables.

The names are those of CMS NanoAOD, ATLAS DAOD and its flat ntuples, LHCb and Belle II tuples, Delphes, EDM4hep, HepMC3
and LHE ntuples. A new layout is a line in a table.
"""

from __future__ import annotations

import re
from collections.abc import Collection

__all__ = ["IDENTIFIER_KINDS", "MOST_RANK", "identifier_kind", "is_count", "no_feature", "tree_rank", "weight_rank"]

TREES = (
    *("Events", "CollectionTree", "EventData", "events", "Delphes"),
    *("nominal", "reco", "analysis", "mini", "DecayTree", "hepmc3_tree", "LHEF", "BHSntuples", "t3"),
)
"""Trees of events, by the last part of their path, the likeliest first."""

MOST_RANK = len(TREES) + 2
"""Of a tree that may hold events, for all that its name says."""

_BESIDE_EVENTS = re.compile(
    r"##.*|runs?|lumi.*|luminosityblocks|parametersets|parentage|eventhistory|.*meta_?data.*|.*cut_?flow.*"
    r"|sum_?weights?.*"
    r"|.*lumituple.*|bookkeeping.*|config.*|mcdecaytree.*|truth|particlelevel|o2mc.*",
    re.IGNORECASE,
)
"""Trees that lie beside the events and may have more entries."""

_SPLIT = re.compile(r"[.:/]")

_NOMINAL = (
    r"genweight|weight_?mc(_nosys)?|mc_?(event|evt)?_?weights?|generator_?weights?|gen_?(event|evt)?_?weights?",
    r"weights?|wgt|wt|xwgtup|f?weight|(event|evt|ev|fevent|eventinfo)_?weights?|w",
    (
        r"(lhe_?)?weight_?(originalxwgtup|nominal|nom|central|total|final|event|evt|0)"
        r"|(total|tot|nominal|final|full|mc)_?(weight|wgt|wt)"
    ),
    r"w_?(nominal|mc|event|evt|gen|total)|(mc|gen|evt|event)_?(wgt|wt|w)|weight_all|wt_all|sw|sweight|n?sig_?s?w",
)
"""Names that say the nominal weight of an event, canonical and without the object before them, the likeliest first."""

_WEIGHT_OBJECTS = re.compile(
    r"event|weight|data|n?tuple|ntp|tree|evt?|s|struct|vars?|variables|info|header|record|row|all|summary"
    r"|.*event_?info.*|event_?header|.*gen_?event_?info.*|hepmc3_event|generator|.*mc_?event.*|mc|gen",
    re.IGNORECASE,
)
"""What an object with the weight of the event is called, in layouts where weights are members of objects."""

_ANY_WEIGHT = re.compile(r"(?i:weight|wgt)|^w(_|$)")

IDENTIFIER_KINDS: dict[str, re.Pattern[str]] = {
    "experiment": re.compile(r"exp(eriment)?(no|number)?"),
    "run": re.compile(r"(evt|event|ev|i|f)?_?run_?(number|num|no|nb|id)?"),
    "block": re.compile(r"(evt|event|ev|i|f)?_?(lumi(nosity)?_?(block|sec|section)?_?(number|num|no|id)?|ls|sub_?run)"),
    "event": re.compile(r"(i|f)?_?(event|evt|ev|evn)_?(number|num|no|nb|id|idx|index)?"),
}
"""What the parts of an event's identifier are called, in the order in which they are written."""

_NO_FEATURES = {
    "truth": re.compile(
        r"(?i:^n?(gen|lhe|truth|true|mc_|htxs|pileup|subgen|pswei|hepmc|mcpart|y_true))|^n?(mc|sim)[A-Z]"
        r"|^n?SubGen|^Particle\b"
        r"|_TRUE|_MC_|_BKGCAT|[Tt]ruth|_gen[A-Z]|[Ff]lavou?r$|^isSignal|^genMother|^(?i:label|target|class"
        r"|process|category)$"
        r"|^(?i:is_?(sig|signal|bkg|background))$|^GenJet|^GenMissing|MCParticle"
    ),
    "a trigger or a flag": re.compile(
        r"^(Flag|HLT|L1|DST|AlCa|Hlt1|Hlt2|L0|trig|pass|EF|TrigMatch)"
        r"(_|[A-Z]|\d)|_TOS$|_TIS$|_Dec$"
    ),
    "a scale factor": re.compile(r"[Ss]cale_?[Ff]actor|SF(_|$)|_s?w$"),
    "bookkeeping": re.compile(
        r"^Event(Header|Info(Aux(Dyn)?)?)?[.:/]|fUniqueID$|fBits$|(?i:^(bunch_?crossing|bcid|orbit(_?number)?"
        r"|gps_?time|odin_?tck|time_?stamp|(mc)?_?channel_?number|dsid"
        r"|rdfentry_?|__?n?candidates?__?|n_?candidates?|tot_?candidates|entry|index|idx|polarity|runyear"
        r"|process_?id)$)"
    ),
}  # fmt: skip


def tree_rank(name: str, has_weight: bool, has_identifier: bool) -> int:
    """Return how likely a tree holds the events: 0 is the likeliest."""
    last = name.rsplit("/", maxsplit=1)[-1]
    if last in TREES:
        return TREES.index(last)
    if _BESIDE_EVENTS.fullmatch(last):
        return MOST_RANK + 1
    return MOST_RANK - has_weight - has_identifier


def weight_rank(name: str) -> int | None:
    """Return how likely a branch of this name is the nominal weight: 0 is the likeliest, None says that nothing speaks
    for it.

    The last rank is that of names that say some weight (of a scale factor, a variation), which is not to be taken
    unasked.
    """
    *owner, last = _SPLIT.split(name.strip("_.").replace("obj.", ""))
    canonical = _canonical(last)
    if not owner or _WEIGHT_OBJECTS.fullmatch(owner[-1].strip("_")):
        for rank, pattern in enumerate(_NOMINAL):
            if re.fullmatch(pattern, canonical):
                return rank
    return len(_NOMINAL) if _ANY_WEIGHT.search(name) and not is_count(name) else None


def _canonical(name: str) -> str:
    """Return a name in small letters, without underscores around it and what says that it is of the event."""
    return re.sub(r"^event_?info(_?aux(_?dyn)?)?_", "", name.strip("_").lower())


def is_nominal(rank: int) -> bool:
    """Tell the name of a nominal weight from that of some weight, by :func:`weight_rank`."""
    return rank < len(_NOMINAL)


def is_count(name: str) -> bool:
    """Tell a name that says a number of things: ``nPSWeight``, ``n_weights``, ``numWeights``."""
    return re.match(r"(n|num|number_?of)_?[A-Z]|(n|num)_", _SPLIT.split(name)[-1]) is not None


def identifier_kind(name: str) -> str | None:
    """Return which part of an identifier a branch is, by its name, or None."""
    *owner, last = _SPLIT.split(name)
    if owner and not _WEIGHT_OBJECTS.fullmatch(owner[-1].strip("_")):
        return None
    canonical = _canonical(last)
    if owner and canonical == "number":
        return "event"
    return next((kind for kind, pattern in IDENTIFIER_KINDS.items() if pattern.fullmatch(canonical)), None)


def no_feature(name: str, lists: Collection[str]) -> str | None:
    """Say why a branch is no feature, by its name, or return None.

    Args:
        name: of the branch.
        lists: what holds a list per event; ``nJet`` beside ``Jet_pt`` is the length of such lists.
    """
    if identifier_kind(name) is not None:
        return "an identifier"
    if weight_rank(name) is not None:
        return "a weight"
    for reason, pattern in _NO_FEATURES.items():
        if pattern.search(name):
            return reason
    return "a length of lists" if _counts_lists(name, lists) else None


def _counts_lists(name: str, lists: Collection[str]) -> bool:
    counted = re.fullmatch(r"n_?(.+)|(.+)_(?:size|n)", name)
    if counted is None:
        return False
    what = (counted[1] or counted[2]).lower()
    return any(re.match(rf"{re.escape(what)}s?([_.:/]|$)", other.lower()) for other in lists)
