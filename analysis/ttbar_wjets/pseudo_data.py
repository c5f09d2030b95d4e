"""Make pseudo-data for with_data.yaml: `python pseudo_data.py`, some minutes.

Measured events have no weights, and signed weights cannot be unweighted one by one. Half of the simulated
events is given refined weights |w|·max(ĝ, 0), ĝ learnt from that half alone, and each of its events enters the
pseudo-data Poisson(refined weight) times, with a new number. So the other half, which with_data.yaml takes for the
simulation, shares no event with them.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import awkward as ak
import numpy as np
import uproot

import hepneg

HERE = Path(__file__).parent
FLAT = ("lep_pt", "lep_eta", "met", "mT_W", "m_jj", "dR_jj", "dR_lj_min", "dphi_l_met")


def refined_half(seed: int) -> tuple[hepneg.EventTable, np.ndarray]:
    """Return that half of all samples, and its refined weights at the luminosity of with_data.yaml."""
    overrides = [f"samples.{name}.selection=event % 4 == 2" for name in ("wjets", "ttbar")]
    events = hepneg.read(hepneg.load_config(HERE / "with_data.yaml", overrides))
    refinement = hepneg.refine(events, seed=seed)
    return events, refinement.held_out_weight(events)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=7)
    arguments = parser.parse_args()
    events, weight = refined_half(arguments.seed)
    copies = np.random.default_rng(arguments.seed).poisson(weight)
    parts = []
    for code, name in enumerate(events.sample_names):
        with uproot.open(HERE / "data" / f"{name}.root") as file:
            rows = file["Events"].arrays(["event", *FLAT, "Jet_eta"])
        rows = rows[rows.event % 4 == 2]
        own = events.sample == code
        if not np.array_equal(rows.event.to_numpy(), events.event_id[own]):
            raise RuntimeError(f"{name}: the events are not those that were refined")
        parts.append(rows[np.repeat(np.arange(len(rows)), copies[own])])
    drawn = ak.concatenate(parts)
    drawn = drawn[np.random.default_rng(arguments.seed + 1).permutation(len(drawn))]
    columns = {name: drawn[name].to_numpy() for name in FLAT}
    columns["event"] = np.arange(len(drawn), dtype=np.uint32)
    columns["Jet"] = ak.zip({"eta": drawn.Jet_eta})
    target = HERE / "data" / "pseudo_data.root"
    with uproot.recreate(target, compression=uproot.LZMA(9)) as file:
        kinds = {name: part.type.content if name == "Jet" else part.dtype for name, part in columns.items()}
        file.mktree("Events", kinds).extend(columns)
    print(f"{target}: {len(drawn)} events of {weight.sum():.0f} expected, {target.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
