"""Draw what the studies found. Run: python analysis/templates/draw.py (after edges.py and fit_toys.py)."""

from __future__ import annotations

import json
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

FOLDER = Path(__file__).parent
COLOURS = {"refined": "#2166ac", "zeroed": "#b2182b", "kept": "#777777"}
WAYS = {"same events": "#b2182b", "smooth sign": "#e08214", "other events": "#2166ac"}


def draw_fits(axes: plt.Axes, content: dict) -> None:
    """Show the strengths of all toys, the mean with its error, and the coverage, by policy."""
    for row, (policy, found) in enumerate(content["policies"].items()):
        values = np.array([value for value in content["strengths"][policy] if value is not None])
        offset = np.linspace(-0.25, 0.25, len(values))
        axes.plot(values, row + offset, ".", color=COLOURS[policy], alpha=0.35, ms=4)
        error = found["spread"] / np.sqrt(found["fits"])
        axes.errorbar(found["mean"], row, xerr=error, fmt="s", color="black", ms=6, capsize=3, zorder=3)
        sign = "−" if found["bias_in_sigma"] < 0 else "+"
        covered, error = (100 * found[key] for key in ("coverage", "coverage_error"))
        text = (
            f"{policy}: bias {sign}{abs(found['bias_in_sigma']):.2f} ± {found['bias_error']:.2f} σ, "
            f"spread {found['spread']:.2f}, coverage {covered:.0f} ± {error:.0f} %"
        )
        axes.annotate(text, (0.02, row + 0.38), xycoords=("axes fraction", "data"), fontsize=9)
    axes.axvline(1.0, color="black", lw=0.8, ls="--")
    axes.set(xlabel="Fitted signal strength (truth: 1)", yticks=[], ylim=(-0.5, len(COLOURS) - 0.3))
    axes.set_title(f"{content['toys']} toys, {content['negative_bins']:.1f} bins with Σw ≤ 0 each", fontsize=10)


def draw_edges(axes: plt.Axes, content: dict) -> None:
    """Show the bias of the least significant bin by how the edges were chosen."""
    rows = [row for row in content["rows"] if row["require"] == "background"]
    groups = sorted({(row["target"], row["n_eff"]) for row in rows}, reverse=True)
    for number, (way, colour) in enumerate(WAYS.items()):
        picked = [
            next(row for row in rows if (row["target"], row["n_eff"], row["way"]) == (*one, way)) for one in groups
        ]
        place = np.arange(len(groups)) + 0.2 * (number - 1)
        bias, error = ([row[key] for row in picked] for key in ("bias", "bias_error"))
        axes.errorbar(bias, place, xerr=error, fmt="o", color=colour, label=way)
    axes.axvspan(-0.1, 0.1, color="0.9", zorder=0)
    axes.axvline(0.0, color="black", lw=0.8)
    names = [f"{target.replace('_', ' ')}, n_eff {size}" for target, size in groups]
    axes.set(yticks=np.arange(len(groups)), yticklabels=names, ylim=(-0.6, len(groups) + 0.9))
    axes.set_xlabel("Bias of the least significant background bin (σ)")
    axes.legend(title="edges chosen on", loc="upper center", fontsize=9, ncols=3, frameon=False)
    axes.set_title(f"{content['toys']} toys, f = 0.3", fontsize=10)


def main() -> None:
    figure, axes = plt.subplots(1, 2, figsize=(13, 4.6), layout="constrained")
    draw_edges(axes[0], json.loads((FOLDER / "edges.json").read_text()))
    draw_fits(axes[1], json.loads((FOLDER / "fit_toys.json").read_text()))
    (FOLDER / "figures").mkdir(exist_ok=True)
    figure.savefig(FOLDER / "figures" / "templates.png", dpi=130)


if __name__ == "__main__":
    main()
