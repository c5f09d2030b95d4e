"""How often does each test call a sample different that is not? Run: python analysis/closure/false_alarms.py [--quick]

Every test is applied to toys whose signs depend on nothing, at a nominal 5 % (the search for negative regions at its own
level). The table goes to standard output, or into a JSON file with --json.
"""

from __future__ import annotations

import argparse
import json
import sys
import warnings
from collections import defaultdict
from pathlib import Path

import numpy as np
from scipy.special import kolmogorov
from scipy.stats import binom
from shape_toys import FEATURES, SIZES, Setting, features, settings, signed_weights, table

from hepneg import metrics
from hepneg.events import EventTable
from hepneg.shapes import check_shapes
from hepneg.shapes.cells import negative_boxes
from hepneg.shapes.forward import sign_permutation_p_value
from hepneg.shapes.multivariate import check_multivariate

LEVEL = 0.05


def univariate(setting: Setting, rng: np.random.Generator) -> dict[str, float]:
    """Every test of every feature, the verdict of the sample, and KS with the usual asymptotic law beside."""
    events = table(setting, rng)
    report = check_shapes(events, seed=int(rng.integers(1 << 31)), multivariate=False)
    sample = next(iter(report.samples.values()))
    found = {}
    for name, shape in sample.features.items():
        found |= {f"{test}, {name}": p for test, p in shape.tests.items()}
        found[f"combined, {name}"] = shape.p_value
        found |= {f"naive KS ({n}), {name}": p for n, p in naive_ks(events.feature(name), events.weight).items()}
    found["smallest after Holm, all features"] = min(shape.p_adjusted for shape in sample.features.values())
    return found


def naive_ks(x: np.ndarray, weight: np.ndarray) -> dict[str, float]:
    """Kolmogorov's law for the weighted distance, with counts and with effective counts."""
    order = np.argsort(x, kind="stable")
    last = np.append(np.diff(x[order]) > 0, True)
    parts = [np.where(weight > 0, weight, 0.0)[order], np.where(weight < 0, -weight, 0.0)[order]]
    one, other = (np.cumsum(part) / part.sum() for part in parts)
    distance = float(np.abs(one - other)[last].max())
    counts = [np.count_nonzero(part) for part in parts]
    effective = [part.sum() ** 2 / (part @ part) for part in parts]
    sizes = {"counts": counts, "n_eff": effective}
    return {name: float(kolmogorov(distance * np.sqrt(a * b / (a + b)))) for name, (a, b) in sizes.items()}


def multivariate(setting: Setting, rng: np.random.Generator) -> dict[str, float]:
    """The default network, a linear classifier, and the same in plain k folds with permutations at fixed scores."""
    events = table(setting, rng)
    seed = int(rng.integers(1 << 31))
    (network,) = check_multivariate(events, seed=seed).values()
    (linear,) = check_multivariate(events, seed=seed, learner=linear_learner).values()
    naive = k_fold_fixed_scores(events.features.astype(np.float64), events.weight, rng)
    return {"network": network.p_value, "linear": linear.p_value, "naive: k folds, fixed scores": naive}


def linear_learner(x, negative, magnitude, _seed):
    """Fisher's discriminant, weighted."""
    means = [np.average(x[part], axis=0, weights=magnitude[part]) for part in (~negative, negative)]
    direction = np.linalg.solve(np.cov(x.T, aweights=magnitude) + 1e-6 * np.eye(x.shape[1]), means[0] - means[1])
    return lambda y: y @ direction


def k_fold_fixed_scores(x: np.ndarray, weight: np.ndarray, rng: np.random.Generator, folds: int = 5) -> float:
    """The p-value that is tempting and wrong: each fold's signs are permuted on their own, and Stouffer combines."""
    from scipy.special import ndtr, ndtri

    fold, z = np.arange(len(weight)) % folds, []
    negative, magnitude = weight < 0, np.abs(weight)
    for k in range(folds):
        seen, held = fold != k, fold == k
        score = linear_learner(x[seen], negative[seen], magnitude[seen], 0)(x[held])
        z.append(-ndtri(sign_permutation_p_value(score, magnitude[held], negative[held], rng, permutations=199)))
    return float(ndtr(-np.sum(z) / np.sqrt(folds)))


def scored(setting: Setting, rng: np.random.Generator) -> dict[str, float]:
    """The overtraining test and the calibration χ² of the metrics."""
    n = setting.events
    weight, label = signed_weights(setting, rng), rng.integers(0, 2, n)
    x = rng.normal(label, 1.0)
    found = {}
    half = n // 2
    if min(weight[:half].sum(), weight[half:].sum()) > 0:
        y = rng.normal(size=n)
        p = metrics.ks_two_sample(y[:half], weight[:half], y[half:], weight[half:], permutations=199).p_value
        found["KS of two halves"] = p
    if min(weight[label == 0].sum(), weight[label == 1].sum()) > 0:
        found["calibration χ²"] = metrics.calibration_curve(1.0 / (1.0 + np.exp(0.5 - x)), label, weight).p_value
    return found


def regions(setting: Setting, rng: np.random.Generator) -> dict[str, float]:
    """Is any box called negative where the density is zero everywhere (the worst case) or low but positive?"""
    n = setting.events
    found = {}
    weight = signed_weights(Setting(setting.weights, 0.5, n), rng)
    found["boxes, density zero everywhere"] = float(not negative_boxes(as_table(features(n, rng), weight)))
    narrow = rng.random(n) < 0.25
    x = np.where(narrow, 0.5, 1.0) * rng.normal(size=n)
    shapes = as_table(x[:, None], np.where(narrow, -1.0, 1.0))
    found["boxes, ¾ N(0, 1) − ¼ N(0, ½)"] = float(not negative_boxes(shapes))
    sample = next(iter(check_shapes(shapes).samples.values()))
    found["intervals, ¾ N(0, 1) − ¼ N(0, ½)"] = float(not sample.negative_regions)
    return found


def as_table(x: np.ndarray, weight: np.ndarray) -> EventTable:
    return EventTable.from_arrays(x, weight, np.zeros(len(weight), int))


PARTS = {"univariate": univariate, "multivariate": multivariate, "metrics": scored, "regions": regions}
# Networks and permutations of large samples are slow: fewer toys there.
SHARE_OF_TOYS = {("multivariate", 30_000): 0.06, ("metrics", 30_000): 0.3}


def run(part: str, setting: Setting, toys: int, seed: int) -> dict[str, tuple[int, int]]:
    """Count the rejections of every test: (rejections, toys)."""
    counts = defaultdict(lambda: [0, 0])
    for toy in range(toys):
        for test, p_value in PARTS[part](setting, np.random.default_rng([seed, toy])).items():
            if np.isfinite(p_value):
                counts[test][0] += p_value <= LEVEL
                counts[test][1] += 1
    return {test: (rejected, made) for test, (rejected, made) in counts.items()}


def measure(
    parts: list[str], toys: int, seed: int, sizes: tuple[int, ...], keep: Path | None = None
) -> dict[str, dict[str, dict[str, list[int]]]]:
    """Run all settings of all parts: part → setting → test → [rejections, toys]; kept in a file after each setting."""
    found: dict = {}
    for part in parts:
        for number, setting in enumerate(settings(sizes)):
            if part == "regions" and setting.fraction != 0.3:  # its toys have fractions of their own
                continue
            some = max(20, int(toys * SHARE_OF_TOYS.get((part, setting.events), 1.0)))
            counts = run(part, setting, some, seed + number)
            found.setdefault(part, {})[str(setting)] = {test: list(count) for test, count in counts.items()}
            if keep:
                keep.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")
            print(part, setting, "done", file=sys.stderr, flush=True)
    return found


def as_table_of_rates(found: dict) -> str:
    """Format the counts as a Markdown table: per cent, bold outside the 99 % band of the number of toys."""
    lines = []
    for part, columns in found.items():
        tests = list(dict.fromkeys(test for column in columns.values() for test in column))
        lines += ["", f"### {part}", "", "| test | " + " | ".join(columns) + " |", "|---" * (len(columns) + 1) + "|"]
        for test in tests:
            lines.append(
                f"| {test} | " + " | ".join(rate(column.get(test), test) for column in columns.values()) + " |"
            )
    return "\n".join(lines)


def rate(count, test: str) -> str:
    if count is None or count[1] == 0:
        return "–"
    rejected, made = count
    low, high = binom.interval(0.99, made, LEVEL)
    text = f"{100 * rejected / made:.1f}"
    inside = low <= rejected <= high or test.startswith(("boxes", "intervals"))
    return text if inside else f"**{text}**"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--toys", type=int, default=1000)
    parser.add_argument("--quick", action="store_true", help="100 toys of the small samples only")
    parser.add_argument("--parts", nargs="+", default=list(PARTS), choices=list(PARTS))
    parser.add_argument("--sizes", nargs="+", type=int, default=list(SIZES))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path, help="write the counts there")
    chosen = parser.parse_args()
    warnings.simplefilter("ignore")
    toys, sizes = (100, SIZES[:1]) if chosen.quick else (chosen.toys, tuple(chosen.sizes))
    found = measure(chosen.parts, toys, chosen.seed, sizes, chosen.json)
    print(as_table_of_rates(found))
    print(f"\nfeatures: {', '.join(FEATURES)}; bold: outside the 99 % band")


if __name__ == "__main__":
    main()
