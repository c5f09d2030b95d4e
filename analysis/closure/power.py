"""How often does the shape check find a difference that is there? Run: python analysis/closure/power.py [--quick]

Toys with |w| = 1, so that scipy's tests, which know no weights, can compete on the same events.
"""

from __future__ import annotations

import argparse
import warnings
from collections import defaultdict

import numpy as np
from scipy import stats

from hepneg.events import EventTable
from hepneg.shapes import check_shapes
from hepneg.shapes.multivariate import check_multivariate

EVENTS, FRACTION, LEVEL = 1000, 0.3, 0.05


def shift(rng, n):
    return rng.normal(0.2, 1.0, n)


def narrow(rng, n):
    return rng.normal(0.0, 0.82, n)


def tails(rng, n):
    return stats.t.rvs(3, size=n, random_state=rng) * 0.85


def bump(rng, n):
    return np.where(rng.random(n) < 0.1, rng.normal(1.0, 0.1, n), rng.normal(size=n))


def jets(rng, n):
    return rng.poisson(3.3, n).astype(float)


ONE_FEATURE = {
    "shift by 0.2": shift,
    "width 0.82": narrow,
    "tails of Student's t, 3": tails,
    "bump of 10 %, 0.1 wide": bump,
    "jets, mean 3.3 for 3": jets,
}


def one_feature_toy(make, rng):
    """Positive events follow the reference, negative ones the alternative."""
    negative = rng.random(EVENTS) < FRACTION
    reference = rng.poisson(3.0, EVENTS) if make is jets else rng.normal(size=EVENTS)
    return np.where(negative, make(rng, EVENTS), reference)[:, None], np.where(negative, -1.0, 1.0)


def correlation_toy(rng, n=5000, rho=0.25):
    """Four features; the first two are correlated in negative events only."""
    x, negative = rng.normal(size=(n, 4)), rng.random(n) < FRACTION
    x[:, 1] = np.where(negative, rho * x[:, 0] + np.sqrt(1 - rho**2) * x[:, 1], x[:, 1])
    return x, np.where(negative, -1.0, 1.0)


def hepneg_tests(x, weight) -> dict[str, float]:
    sample = check(x, weight)
    shape = next(iter(sample.features.values()))
    return {"combined": shape.p_value, **shape.tests}


def check(x, weight):
    report = check_shapes(EventTable.from_arrays(x, weight, np.zeros(len(weight), int)), multivariate=False)
    return next(iter(report.samples.values()))


def scipy_tests(x, weight) -> dict[str, float]:
    one, other = x[weight > 0, 0], x[weight < 0, 0]
    return {
        "scipy ks_2samp": stats.ks_2samp(one, other).pvalue,
        "scipy cramervonmises_2samp": stats.cramervonmises_2samp(one, other).pvalue,
        "scipy anderson_ksamp": stats.anderson_ksamp([one, other]).pvalue,
        "scipy mannwhitneyu": stats.mannwhitneyu(one, other).pvalue,
        "scipy epps_singleton_2samp": stats.epps_singleton_2samp(one, other).pvalue,
    }


def correlation_tests(x, weight, seed) -> dict[str, float]:
    (found,) = check_multivariate(EventTable.from_arrays(x, weight, np.zeros(len(weight), int)), seed=seed).values()
    smallest = min(shape.p_adjusted for shape in check(x, weight).features.values())
    return {"multivariate": found.p_value, "smallest of the features, after Holm": smallest}


def rates(toys, one_toy) -> dict[str, float]:
    found = defaultdict(list)
    for number in range(toys):
        for name, p_value in one_toy(np.random.default_rng([1, number]), number).items():
            found[name].append(p_value <= LEVEL)
    return {name: float(np.mean(hits)) for name, hits in found.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--toys", type=int, default=400)
    parser.add_argument("--quick", action="store_true", help="50 toys")
    chosen = parser.parse_args()
    warnings.simplefilter("ignore")
    toys = 50 if chosen.quick else chosen.toys

    def both(make):
        def one_toy(rng, _number):
            toy = one_feature_toy(make, rng)
            return {**hepneg_tests(*toy), **scipy_tests(*toy)}

        return one_toy

    columns = {name: rates(toys, both(make)) for name, make in ONE_FEATURE.items()}
    print(f"{EVENTS} events, f = {FRACTION}, {toys} toys, nominal 5 %: power in per cent\n")
    print("| test | " + " | ".join(columns) + " |\n" + "|---" * (len(columns) + 1) + "|")
    for test in next(iter(columns.values())):
        print(f"| {test} | " + " | ".join(f"{100 * column[test]:.0f}" for column in columns.values()) + " |")
    some = max(20, toys // 4)
    found = rates(some, lambda rng, number: correlation_tests(*correlation_toy(rng), number))
    print(f"\ncorrelation of 0.25 in negative events only, 5000 events, 4 features, {some} toys:")
    print(", ".join(f"{name} {100 * rate:.0f}" for name, rate in found.items()))


if __name__ == "__main__":
    main()
