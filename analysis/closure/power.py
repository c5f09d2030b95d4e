"""How often does the shape check find a difference that is there? Run: python analysis/closure/power.py [--quick]

Toys with |w| = 1, so that scipy's tests, which know no weights, can compete on the same events. Each of theirs is put
at the p-value that 5 % of toys without a difference fall below, since not all of them keep their nominal level;
hepneg's are at a nominal 5 %.
"""

from __future__ import annotations

import argparse
import warnings
from collections import defaultdict

import numpy as np
from scipy import stats

from hepneg.events import EventTable
from hepneg.shapes import check_shapes
from hepneg.shapes.shape_tests.multivariate import check_multivariate

EVENTS, FRACTION, LEVEL = 1000, 0.3, 0.05
BINS = 256


def normal(rng, n):
    return rng.normal(size=n)


def bump(rng, n):
    return np.where(rng.random(n) < 0.1, rng.normal(1.0, 0.1, n), rng.normal(size=n))


# Name: (cumulative distribution, sampler) of negative events; positive ones follow N(0, 1).
CONTINUOUS = {
    "shift by 0.2": (lambda x: stats.norm.cdf(x - 0.2), lambda rng, n: rng.normal(0.2, 1.0, n)),
    "width 0.82": (lambda x: stats.norm.cdf(x / 0.82), lambda rng, n: rng.normal(0.0, 0.82, n)),
    "tails of Student's t, 3": (
        lambda x: stats.t.cdf(x / 0.85, 3),
        lambda rng, n: stats.t.rvs(3, size=n, random_state=rng) * 0.85,
    ),
    "bump of 10 %, 0.1 wide": (lambda x: 0.9 * stats.norm.cdf(x) + 0.1 * stats.norm.cdf(x, 1.0, 0.1), bump),
}
JETS = "jets, mean 3.3 for 3"


def samplers(name: str):
    """Return the samplers of positive and of negative events of a column."""
    if name == JETS:
        return tuple(lambda rng, n, mean=mean: rng.poisson(mean, n).astype(float) for mean in (3.0, 3.3))
    return normal, CONTINUOUS[name][1]


def toy(positive, negative, rng):
    """One feature (n,) and weights of ±1."""
    minus = rng.random(EVENTS) < FRACTION
    return np.where(minus, negative(rng, EVENTS), positive(rng, EVENTS)), np.where(minus, -1.0, 1.0)


def hepneg_tests(x, weight) -> dict[str, float]:
    shape = next(iter(check(x[:, None], weight).features.values()))
    return {"combined": shape.p_value, **shape.tests}


def check(x, weight):
    report = check_shapes(EventTable.from_arrays(x, weight, np.zeros(len(weight), int)), multivariate=False)
    return next(iter(report.samples.values()))


def scipy_tests(x, weight) -> dict[str, float]:
    """P-values; of Anderson and Darling's test, whose p-values end at 0.25, an order of the same kind."""
    one, other = x[weight > 0], x[weight < 0]
    return {
        "ks_2samp": stats.ks_2samp(one, other, method="asymp").pvalue,
        "cramervonmises_2samp": stats.cramervonmises_2samp(one, other, method="asymptotic").pvalue,
        "anderson_ksamp": -stats.anderson_ksamp([one, other]).statistic,
        "mannwhitneyu": stats.mannwhitneyu(one, other).pvalue,
        "mood": stats.mood(one, other).pvalue,
        "epps_singleton_2samp": stats.epps_singleton_2samp(one, other).pvalue,
    }


def most_powerful(x, weight) -> float:
    """Minus the likelihood ratio of an equal mixture of the alternatives, and their opposites, to no difference.

    In the normal approximation of 256 quantile bins. By Neyman and Pearson's lemma no test of the same level has a
    larger mean power over these alternatives.
    """
    edges = stats.norm.ppf(np.arange(1, BINS) / BINS)
    place = np.searchsorted(edges, x)
    counts = [np.bincount(place[weight * sign > 0], minlength=BINS) for sign in (1, -1)]
    sizes = [count.sum() for count in counts]
    root = np.sqrt(1 / sizes[0] + 1 / sizes[1])
    gap = (counts[1] / sizes[1] - counts[0] / sizes[0]) / root
    means = [(np.diff(cdf(edges), prepend=0.0, append=1.0) - 1 / BINS) / root for cdf, _ in CONTINUOUS.values()]
    return -np.logaddexp.reduce([BINS * (side * gap @ mean - 0.5 * mean @ mean) for mean in means for side in (1, -1)])


def thresholds(name: str, toys: int) -> dict[str, float]:
    """The 5 % quantile of each of the other tests' p-values in toys without a difference."""
    positive, _ = samplers(name)
    found = defaultdict(list)
    for number in range(toys):
        x, weight = toy(positive, positive, np.random.default_rng([2, number]))
        for test, p_value in others(name, x, weight).items():
            found[test].append(p_value)
    return {test: float(np.quantile(p_values, LEVEL, method="inverted_cdf")) for test, p_values in found.items()}


def others(name: str, x, weight) -> dict[str, float]:
    found = {f"scipy {test}": p_value for test, p_value in scipy_tests(x, weight).items()}
    return found if name == JETS else {**found, "bound on the mean": most_powerful(x, weight)}


def powers(name: str, toys: int, limits: dict[str, float]) -> dict[str, float]:
    """Per cent of the toys of a column that each test finds."""
    found = defaultdict(int)
    for number in range(toys):
        x, weight = toy(*samplers(name), np.random.default_rng([1, number]))
        for test, p_value in {**hepneg_tests(x, weight), **others(name, x, weight)}.items():
            found[test] += bool(p_value <= limits.get(test, LEVEL))
    return {test: 100.0 * hits / toys for test, hits in found.items()}


def correlation_toy(rng, n=5000, rho=0.25):
    """Four features; the first two are correlated in negative events only."""
    x, negative = rng.normal(size=(n, 4)), rng.random(n) < FRACTION
    x[:, 1] = np.where(negative, rho * x[:, 0] + np.sqrt(1 - rho**2) * x[:, 1], x[:, 1])
    return x, np.where(negative, -1.0, 1.0)


def correlation_powers(toys: int) -> dict[str, float]:
    found = defaultdict(int)
    for number in range(toys):
        x, weight = correlation_toy(np.random.default_rng([1, number]))
        events = EventTable.from_arrays(x, weight, np.zeros(len(weight), int))
        (together,) = check_multivariate(events, seed=number).values()
        found["multivariate"] += together.p_value <= LEVEL
        features = check(x, weight).features.values()
        found["smallest of the features, after Holm"] += min(shape.p_adjusted for shape in features) <= LEVEL
    return {test: 100.0 * hits / toys for test, hits in found.items()}


def print_table(columns: dict[str, dict[str, float]]) -> None:
    print("| test | " + " | ".join(columns) + " | mean of the first four |\n" + "|---" * (len(columns) + 2) + "|")
    for test in next(iter(columns.values())):
        rates = [column.get(test) for column in columns.values()]
        cells = ["–" if rate is None else f"{rate:.0f}" for rate in rates]
        print(f"| {test} | {' | '.join(cells)} | {np.mean(rates[:4]):.0f} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--toys", type=int, default=500)
    parser.add_argument("--quick", action="store_true", help="40 toys")
    chosen = parser.parse_args()
    warnings.simplefilter("ignore")
    toys = 40 if chosen.quick else chosen.toys
    limits = {kind: thresholds(kind, 4 * toys) for kind in ("shift by 0.2", JETS)}
    columns = {name: powers(name, toys, limits["shift by 0.2"]) for name in CONTINUOUS}
    columns[JETS] = powers(JETS, toys, limits[JETS])
    print(
        f"{EVENTS} events, f = {FRACTION}, {toys} toys (and {4 * toys} without a difference): power in per cent "
        "at 5 %\n"
    )
    print_table(columns)
    some = max(10, toys // 5)
    print(f"\ncorrelation of 0.25 in negative events only, 5000 events, 4 features, {some} toys:")
    print(", ".join(f"{name} {rate:.0f}" for name, rate in correlation_powers(some).items()))


if __name__ == "__main__":
    main()
