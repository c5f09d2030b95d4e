"""How often does each test call a sample different that is not? Run: python analysis/closure/false_alarms.py [--quick]

Every test is applied to toys whose signs depend on nothing, at a nominal 5 % (the search for negative regions at its
own level); part ``dependent`` has |w| that depends on the sign or on x, and rows of one event, at 5 % and 1 %. The
counts are kept beside this script; --table prints the tables from them.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import warnings
from collections import defaultdict
from functools import partial
from pathlib import Path
from unittest.mock import patch

import numpy as np
from scipy.special import kolmogorov
from scipy.stats import binom
from shape_toys import (
    FEATURES,
    SIZES,
    Setting,
    dependent_settings,
    dependent_table,
    features,
    settings,
    signed_weights,
    table,
)

from hepneg import metrics
from hepneg.events import EventTable
from hepneg.shapes import check_shapes, shape_check
from hepneg.shapes.negative.pair_cells import negative_boxes
from hepneg.shapes.shape_tests.forward_crossfit import sign_permutation_p_values
from hepneg.shapes.shape_tests.multivariate import LEAST_EVENTS, check_multivariate

LEVEL, SEED = 0.05, 1
# As valid as the 1999 of the package, and four times as fast.
FEWER_PERMUTATIONS = partial(shape_check.permutation_p_values, permutations=499)
# The sign from x takes seconds with 30 000 events: one setting, and fewer toys for the network.
TYPICAL = Setting("unit", 0.3, 30_000)


def univariate(setting: Setting, rng: np.random.Generator) -> dict[str, float]:
    """Every test of every feature, the verdict of the sample, and KS with its usual asymptotic distribution beside."""
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


def dependent(setting: Setting, rng: np.random.Generator) -> dict[str, float]:
    """The combined p-value of every feature, and a linear classifier, where |w| or the rows are not independent."""
    events, seed = dependent_table(setting, rng), int(rng.integers(1 << 31))
    with patch.object(shape_check, "permutation_p_values", FEWER_PERMUTATIONS):
        (sample,) = check_shapes(events, seed=seed, multivariate=False).samples.values()
    p_values = {name: shape.p_value for name, shape in sample.features.items()}
    if min(np.count_nonzero(events.weight < 0), np.count_nonzero(events.weight > 0)) >= LEAST_EVENTS:
        (p_values["linear classifier"],) = (
            shape.p_value for shape in check_multivariate(events, seed=seed, learner=linear_learner).values()
        )
    return {f"{name}, at {at} %": p for at in (5, 1) for name, p in p_values.items()}


def naive_ks(x: np.ndarray, weight: np.ndarray) -> dict[str, float]:
    """Kolmogorov's asymptotic p-value of the weighted distance, with counts and with effective counts."""
    order = np.argsort(x, kind="stable")
    last = np.append(np.diff(x[order]) > 0, True)
    parts = [np.where(weight > 0, weight, 0.0)[order], np.where(weight < 0, -weight, 0.0)[order]]
    one, other = (np.cumsum(part) / part.sum() for part in parts)
    distance = float(np.abs(one - other)[last].max())
    counts = [np.count_nonzero(part) for part in parts]
    effective = [part.sum() ** 2 / (part @ part) for part in parts]
    sizes = {"counts": counts, "n_eff": effective}
    return {name: float(kolmogorov(distance * np.sqrt(a * b / (a + b)))) for name, (a, b) in sizes.items()}


def linear(setting: Setting, rng: np.random.Generator) -> dict[str, float]:
    """The sign from x with a linear classifier, and the same in plain k folds with permutations at fixed scores."""
    events = table(setting, rng)
    (found,) = check_multivariate(events, seed=int(rng.integers(1 << 31)), learner=linear_learner).values()
    tests = {"linear classifier": found.p_value}
    if setting.events < TYPICAL.events:  # at any size it is wrong in the same way
        naive = k_fold_fixed_scores(events.features.astype(np.float64), events.weight, rng)
        tests["naive: linear, k folds, fixed scores"] = naive
    return tests


def verdict(setting: Setting, rng: np.random.Generator) -> dict[str, float]:
    """The whole check with its default network: the sign from x alone, and the smallest adjusted p-value of all."""
    report = check_shapes(table(setting, rng), seed=int(rng.integers(1 << 31)))
    (sample,) = report.samples.values()
    if sample.multivariate is None:
        return {}
    adjusted = [shape.p_adjusted for shape in sample.features.values()]
    return {
        "network": sample.multivariate.p_value,
        "verdict “different”": min(*adjusted, np.nan_to_num(sample.multivariate.p_adjusted, nan=1.0)),
    }


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
        z.append(-ndtri(sign_permutation_p_values(score, weight[held], rng, permutations=199)[0]))
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
        p = metrics.ks_two_sample(y[:half], weight[:half], y[half:], weight[half:], permutations=99).p_value
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


PARTS = {
    "univariate": univariate,
    "dependent": dependent,
    "linear": linear,
    "verdict": verdict,
    "metrics": scored,
    "regions": regions,
}
COUNTS = Path(__file__).with_suffix(".json")
Counts = dict[str, dict[str, dict[str, list[int]]]]


def settings_of(part: str) -> list[Setting]:
    return dependent_settings() if part == "dependent" else settings()


def level_of(test: str) -> float:
    return 0.01 if test.endswith("at 1 %") else LEVEL


def run(part: str, setting: Setting, toys: int, seed: int) -> dict[str, tuple[int, int]]:
    """Count the rejections of every test: (rejections, toys)."""
    counts = defaultdict(lambda: [0, 0])
    for toy in range(toys):
        for test, p_value in PARTS[part](setting, np.random.default_rng([seed, toy])).items():
            if np.isfinite(p_value):
                counts[test][0] += int(p_value <= level_of(test))
                counts[test][1] += 1
    return {test: (rejected, made) for test, (rejected, made) in counts.items()}


def share_of_toys(part: str, setting: Setting) -> float:
    """How many of the toys asked for a part gets in a setting; 0 where it is not measured."""
    if part == "regions":  # its toys have fractions of their own
        return float(setting.fraction == TYPICAL.fraction)
    typical = (setting.weights, setting.fraction) == (TYPICAL.weights, TYPICAL.fraction)
    if part in ("linear", "verdict") and setting.events == TYPICAL.events:
        return {"linear": 1.0, "verdict": 0.1}[part] * typical
    return 1.0


def measure(
    parts: list[str],
    toys: int,
    sizes: tuple[int, ...],
    keep: Path | None = None,
    *,
    names: list[str] | None = None,
    seed: int = SEED,
) -> Counts:
    """Run settings of parts: part → setting → test → [rejections, toys]; put into a file after each setting.

    Taken are those of the names given, or else those of the sizes and all of the part ``dependent``.
    """
    found: Counts = {}
    every = [(part, *pair) for part in parts for pair in enumerate(settings_of(part))]
    for part, number, setting in every:
        taken = str(setting) in names if names else setting.events in sizes or part == "dependent"
        some = math.ceil(toys * share_of_toys(part, setting))
        if not taken or not some:
            continue
        counts = {
            test: list(count)
            for test, count in run(part, setting, some, seed + number + 1000 * (part == "dependent")).items()
        }
        found.setdefault(part, {})[str(setting)] = counts
        if keep:
            put(keep, part, str(setting), counts)
            print(part, setting, "done", file=sys.stderr, flush=True)
    return found


def put(path: Path, part: str, setting: str, counts: dict[str, list[int]]) -> None:
    """Put the counts of one setting into a file, in the place of earlier ones."""
    found = json.loads(path.read_text()) if path.exists() else {}
    found.setdefault(part, {})[setting] = counts
    columns = [
        f"  {json.dumps(name)}: {{\n"
        + ",\n".join(
            f"    {json.dumps(key, ensure_ascii=False)}: {json.dumps(value, ensure_ascii=False)}"
            for key, value in part.items()
        )
        + "\n  }"
        for name, part in found.items()
    ]
    path.write_text("{\n" + ",\n".join(columns) + "\n}\n")


def as_table_of_rates(found: Counts) -> str:
    """Format the counts as Markdown tables: per cent, bold outside the 99 % band of the number of toys."""
    lines = []
    for part, some in found.items():
        columns = {str(setting): some[str(setting)] for setting in settings_of(part) if str(setting) in some}
        tests = list(dict.fromkeys(test for column in columns.values() for test in column))
        lines += ["", f"### {part}", "", "| test | " + " | ".join(columns) + " |", "|---" * (len(columns) + 1) + "|"]
        lines += [
            f"| {test} | " + " | ".join(rate(column.get(test), test) for column in columns.values()) + " |"
            for test in tests
        ]
        toys = [max(made for _, made in column.values()) for column in columns.values()]
        lines += ["| toys | " + " | ".join(map(str, toys)) + " |"]
    return "\n".join(lines)


def rate(count: list[int] | None, test: str) -> str:
    if count is None or count[1] == 0:
        return "–"
    rejected, made = count
    low, high = binom.interval(0.99, made, level_of(test))
    text = f"{100 * rejected / made:.1f}"
    inside = low <= rejected <= high or test.startswith(("boxes", "intervals"))
    return text if inside else f"**{text}**"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--toys", type=int, default=1000)
    parser.add_argument("--quick", action="store_true", help="100 toys of the small samples only, none of it kept")
    parser.add_argument("--parts", nargs="+", default=list(PARTS), choices=list(PARTS))
    parser.add_argument("--sizes", nargs="+", type=int, default=list(SIZES), help="of all parts but `dependent`")
    parser.add_argument("--settings", nargs="+", metavar="NAME", help="only these, as in the heads of the tables")
    parser.add_argument("--seed", type=int, default=SEED, help="another one makes other toys")
    parser.add_argument("--counts", type=Path, default=COUNTS, help="where the counts are kept")
    parser.add_argument("--table", action="store_true", help="only print the tables of the counts kept")
    chosen = parser.parse_args()
    known = [str(setting) for part in chosen.parts for setting in settings_of(part)]
    for name in chosen.settings or []:
        if name not in known:
            parser.error(f"--settings: no {name!r} in these parts; there are {'; '.join(dict.fromkeys(known))}")
    warnings.simplefilter("ignore")
    some = {"names": chosen.settings, "seed": chosen.seed}
    if chosen.quick:
        found = measure(chosen.parts, 100, SIZES[:1], **some)
    else:
        if not chosen.table:
            measure(chosen.parts, chosen.toys, tuple(chosen.sizes), chosen.counts, **some)
        found = json.loads(chosen.counts.read_text())
    print(as_table_of_rates({part: found[part] for part in PARTS if part in found}))
    print(f"\nfeatures: {', '.join(FEATURES)}; bold: outside the 99 % band")


if __name__ == "__main__":
    main()
