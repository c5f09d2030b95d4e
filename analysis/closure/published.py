"""Published toys: refined and resampled weights against the exact densities.

    python analysis/closure/published.py                all toys with 3 × 10⁶ events each
    python analysis/closure/published.py --quick        seconds, to see that it runs

Refined weights |w|max(ĝ, 0) are compared with |w|s, s the exact local mean sign, in bins of the same events: what is
left is the error of ĝ alone, not the noise of the sample. The factor that brings their sum to Σw is shown beside and
taken out: it makes up for what is clipped where the density is negative, at the cost of all other bins. A bin counts as
positive where its exact density is at least POSITIVE of that of |w|. Every event has the ĝ of networks that have not
seen it.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from published_toys import KEPT_SHARE, LINES, Line

import hepneg
from hepneg._core.output import write_json

Float = NDArray[np.float64]

POSITIVE = 0.1
BINS = 50

FULL: dict[str, Any] = {"folds": 2, "epochs": 15, "patience": 5, "batch_size": 8192, "network": {"hidden": [32, 32]}}
QUICK: dict[str, Any] = {"folds": 2, "epochs": 4, "batch_size": 512, "network": {"hidden": [16]}}


@dataclass(frozen=True, eq=False)
class Closure:
    """What one toy gave.

    Attributes:
        toy: its name.
        centre: of the bins, (B,).
        signed: Σw, (B,).
        error: √Σw², (B,).
        exact: Σ|w|s, (B,).
        refined: Σ|w|max(ĝ, 0), (B,).
        factor: what brings their sum to Σw.
        resampled: Σ of the resampled weights, (B,).
        positive: bins whose density is positive.
        clipped_share: of Σ|w| with ĝ < 0 as learnt.
        exactly_negative: share of Σ|w| with s < 0.
        kept: share of the events that resampling keeps, the exact one, and the error of the former: of the choice, and
            of a ĝ that knows each local mean sign as well as the events tell it.
        square_ratio: Σw² after resampling over before.
        sum_pull: Σw after resampling minus before, in units of its error.
    """

    toy: str
    centre: Float
    signed: Float
    error: Float
    exact: Float
    refined: Float
    factor: float
    resampled: Float
    positive: NDArray[np.bool_]
    clipped_share: float
    exactly_negative: float
    kept: tuple[float, float, float]
    square_ratio: float
    sum_pull: float

    @property
    def deviation(self) -> Float:
        """Refined over exact minus one in the bins of positive density."""
        return (self.refined / self.exact - 1)[self.positive]

    def row(self) -> str:
        worst, rms = 100 * np.abs(self.deviation).max(), 100 * np.sqrt(np.mean(self.deviation**2))
        noise = 100 * np.max((self.error / np.abs(self.exact))[self.positive])
        return (
            f"| {self.toy} | {self.positive.sum()} of {len(self.positive)} | {rms:.2f} % | {worst:.2f} % | "
            f"{noise:.2f} % | {self.factor:.4f} | {self.clipped_share:.2%} | {self.exactly_negative:.2%} | "
            f"{self.kept[0]:.4f} ± {self.kept[2]:.4f} | {self.kept[1]:.4f} | {self.square_ratio:.4f} | "
            f"{self.sum_pull:+.1f} |"
        )


HEADER = (
    "| toy | bins | refined − exact, rms | largest | (signed: largest error) | factor | clipped | exact | kept | exact "
    "| Σw² after / before | Σw, pull |\n" + "|---" * 12 + "|"
)


def measure(toy: Line, n: int, seed: int, settings: dict[str, Any]) -> Closure:
    """Refine and resample the events of one toy."""
    x, weight = toy.sample(np.random.default_rng(seed), n)
    events = hepneg.EventTable.from_arrays(x[:, None], weight, np.ones(n), feature_names=["x"], event_id=np.arange(n))
    refinement = hepneg.refine(events, seed=seed, **settings)
    refined = refinement.held_out_weight(events) / refinement.factors[0]
    resampled = refinement.resample(events, seed=seed)
    sign, size = toy.sign(x), np.abs(weight)
    edges = np.linspace(toy.low, toy.high, BINS + 1)

    def filled(values: Float) -> Float:
        return np.histogram(x, edges, weights=values)[0]

    exact = filled(size * sign)
    # Given the events, only the choice among them fluctuates: a variance of w²(1 − ĝ²) each.
    noise = np.sqrt(np.maximum(size**2 - refined**2, 0.0).sum())
    return Closure(
        toy.name,
        0.5 * (edges[1:] + edges[:-1]),
        filled(weight),
        np.sqrt(filled(weight**2)),
        exact,
        filled(refined),
        float(refinement.factors[0]),
        filled(resampled),
        exact >= POSITIVE * filled(size),
        refinement.closure["signal"].clipped_share,
        float(size[sign < 0].sum() / size.sum()),
        (float(np.mean(resampled > 0)), float(np.mean(np.maximum(sign, 0.0) ** 2)), _kept_error(sign)),
        float((resampled**2).sum() / (weight**2).sum()),
        float((resampled.sum() - weight.sum()) / noise) if noise > 0 else 0.0,
    )


def _kept_error(sign: Float) -> float:
    share = np.mean(sign**2)
    return float(np.sqrt((share * (1 - share) + 4 * np.mean(sign**2 * (1 - sign**2))) / len(sign)))


def draw(found: Sequence[Closure], path: Path) -> None:
    """Draw densities above and ratios to the exact density below."""
    import matplotlib as mpl

    mpl.use("agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(2, len(found), figsize=(3.3 * len(found), 4.6), height_ratios=[2, 1], sharex="col")
    for (upper, lower), one in zip(np.reshape(axes, (2, -1)).T, found, strict=True):
        unit = 1e3
        upper.errorbar(one.centre, one.signed / unit, one.error / unit, fmt=".", ms=3, c="0.45", label="signed")
        upper.stairs(one.factor * one.refined / unit, _edges(one), color="#0072B2", lw=1.4, label="refined")
        upper.stairs(one.resampled / unit, _edges(one), color="#D55E00", lw=1, ls="--", label="resampled")
        upper.axhline(0, c="0.8", lw=0.8, zorder=0)
        upper.set_title(one.toy, fontsize=10)
        lower.plot(one.centre[one.positive], 100 * one.deviation, ".", ms=4, c="#0072B2")
        lower.axhspan(-1, 1, color="0.9", zorder=0)
        reach = max(2.0, 115 * np.abs(one.deviation).max())
        lower.set(ylim=(-reach, reach), xlabel="x")
    axes = np.reshape(axes, (2, -1))
    axes[0, 0].set_ylabel("10³ × Σ of weights / bin")
    axes[1, 0].set_ylabel("refined /\nexact − 1 (%)")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), frameon=False, fontsize=9, ncols=3, loc="upper center")
    figure.tight_layout(rect=(0, 0, 1, 0.95))
    figure.savefig(path, dpi=110)
    plt.close(figure)


def _edges(one: Closure) -> Float:
    half = 0.5 * (one.centre[1] - one.centre[0])
    return np.append(one.centre - half, one.centre[-1] + half)


def main(arguments: Sequence[str] | None = None) -> list[Closure]:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=3_000_000)
    parser.add_argument("--toys", nargs="+", default=[toy.name for toy in LINES])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("-o", "--output", type=Path, help="write the figures as JSON")
    parser.add_argument("--figure", type=Path, help="draw them")
    chosen = parser.parse_args(arguments)
    events, settings = (20_000, QUICK) if chosen.quick else (chosen.events, FULL)
    print(HEADER)
    found = []
    for toy in (toy for toy in LINES if toy.name in chosen.toys):
        found.append(measure(toy, events, chosen.seed, settings))
        print(found[-1].row(), flush=True)
    print(f"\nThe exact share of gauss_easy for events of the density itself is {KEPT_SHARE}.")
    if chosen.output:
        write_json(chosen.output, [asdict(one) for one in found])
    if chosen.figure:
        draw(found, chosen.figure)
    return found


if __name__ == "__main__":
    main()
