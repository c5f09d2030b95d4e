"""Make the small files of this example from the full NLO samples: `python skim.py FOLDER_OF_FULL_FILES`.

Keeps events with at least two jets, and the columns that the example and its exercises use. The weights stay as they
are; the sums over all generated events, which the normalisation needs, are given in analysis.yaml. What only networks
of objects need (particles.yaml) is in friend files, `data/ttbar_objects.root` and so on.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import awkward as ak
import uproot

SAMPLES = ("ttbar", "wjets")
FLAT = (
    *("event", "genWeight", "nbjets", "lep_pt", "lep_eta", "met", "mT_W", "m_jj", "dR_jj", "m_W_cand", "dR_lj_min"),
    *("dphi_l_met", "ht", "centrality", "sphericity", "m_all", "GenNu_pz", "nLHEColoredFS"),
)
JET = ("pt", "eta")
OBJECTS = ("lep_phi", "lep_charge", "met_phi")
JET_OBJECTS = ("phi", "mass", "btag")


def skim(source: Path, target: Path, flat: Sequence[str], jet: Sequence[str]) -> int:
    """Write some columns of the selected events of one file and return the number of events kept."""
    with uproot.open(source) as file:
        events = file["Events"].arrays([*flat, "nJet", *(f"Jet_{name}" for name in jet)])
    events = events[events.nJet >= 2]
    columns = {name: events[name].to_numpy() for name in flat}
    # A zipped group writes Jet_pt and Jet_eta with one shared counter, nJet.
    columns["Jet"] = ak.zip({name: events[f"Jet_{name}"] for name in jet})
    with uproot.recreate(target, compression=uproot.LZMA(9)) as file:
        tree = file.mktree("Events", {name: _branch_type(column) for name, column in columns.items()})
        tree.extend(columns)  # one basket a branch compresses best
    return len(events)


def _branch_type(column: object) -> object:
    return column.type.content if isinstance(column, ak.Array) else column.dtype


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path, help="folder with the full ttbar.root and wjets.root")
    parser.add_argument("--target", type=Path, default=Path(__file__).parent / "data", help="folder for the skims")
    arguments = parser.parse_args()
    arguments.target.mkdir(parents=True, exist_ok=True)
    for sample in SAMPLES:
        source = arguments.source / f"{sample}.root"
        for ending, flat, jet in (("", FLAT, JET), ("_objects", OBJECTS, JET_OBJECTS)):
            target = arguments.target / f"{sample}{ending}.root"
            kept = skim(source, target, flat, jet)
            print(f"{target}: {kept} events, {target.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
