"""The tests of the shape check against oracles, and their rates of false alarms."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from hepneg.shapes.bins import SignedBins
from hepneg.shapes.distance import DISTANCES, asymptotic_p_values, distances
from hepneg.shapes.effect import compare
from hepneg.shapes.feature import FeatureShape, _enough_for_chi2, check_feature, holm, primary_p_value
from hepneg.shapes.multiple import weighted_holm
from hepneg.shapes.permutation import permutation_p_values
from hepneg.shapes.plan import plan_bins
from hepneg.shapes.power import detectable_total_variation
from hepneg.shapes.quadratic import quadratic_quantile, quadratic_tail
from hepneg.shapes.rebin import comparison_starts, equal_starts
from hepneg.shapes.sums import SignedSums


def binned(x: np.ndarray, weight: np.ndarray) -> SignedBins:
    column = np.asarray(x, np.float32)[:, None]
    sums = SignedSums(plan_bins([column], ["x"]))
    sums.fill(column, weight)
    return sums.result()[0]


def from_counts(counts: np.ndarray) -> SignedBins:
    counts = np.asarray(counts, np.int64)
    edges = np.arange(counts.shape[1] + 1.0)
    return SignedBins("x", edges, (0.0, edges[-1]), counts, counts.astype(float), counts.astype(float))


def band(toys: int, rate: float = 0.05, level: float = 0.999) -> tuple[float, float]:
    low, high = scipy.stats.binom.interval(level, toys, rate)
    return low / toys, high / toys


@pytest.mark.parametrize("degrees", [1, 3, 20])
@pytest.mark.parametrize("tail", [0.9, 0.5, 0.05, 1e-3, 1e-9])
def test_quadratic_tail_of_equal_eigenvalues_is_chi_squared(degrees, tail):
    value = scipy.stats.chi2.isf(tail, degrees)
    assert quadratic_tail(value, np.ones(degrees)) == pytest.approx(tail, rel=0.08 if degrees == 1 else 0.02)


def test_quadratic_tail_of_shifted_normals_is_noncentral_chi_squared():
    value = scipy.stats.ncx2.isf(0.01, 4, 4 * 0.7)
    assert quadratic_tail(value, np.ones(4), 0.7) == pytest.approx(0.01, rel=0.02)


def test_quadratic_quantile_gives_the_anderson_darling_points():
    eigenvalues = 1.0 / (np.arange(1, 400) * np.arange(2, 401))
    # Anderson and Darling, J. Amer. Statist. Assoc. 49 (1954) 765.
    assert quadratic_quantile(0.05, eigenvalues) == pytest.approx(2.492, rel=0.01)
    assert quadratic_quantile(0.01, eigenvalues) == pytest.approx(3.857, rel=0.015)


def test_quadratic_tail_is_continuous_at_its_mean():
    eigenvalues = 1.0 / (np.arange(1, 50) * np.arange(2, 51))
    grid = eigenvalues.sum() * np.linspace(0.97, 1.03, 61)
    tails = np.array([quadratic_tail(value, eigenvalues) for value in grid])
    assert np.all(np.diff(tails) < 0)
    assert np.abs(np.diff(tails, 2)).max() < 1e-4


def test_distances_of_unit_weights_are_those_of_scipy():
    rng = np.random.default_rng(0)
    x, negative = rng.normal(size=120), rng.random(120) < 0.4
    total, one = np.ones(120), negative[np.argsort(x)].astype(float)[None]
    observed = distances(total, one, 120.0, one.sum(axis=1))[:, 0]
    n, m = negative.sum(), (~negative).sum()
    ks = scipy.stats.ks_2samp(x[negative], x[~negative]).statistic
    assert observed[2] == pytest.approx(ks * np.sqrt(n * m / (n + m)))
    # Pettitt's two-sample Anderson–Darling statistic, (Σ (M_i N − n i)²/(i (N − i)))/(n m).
    i = np.arange(1, 120)
    pettitt = np.sum((np.cumsum(one[0])[:-1] * 120 - n * i) ** 2 / (i * (120 - i))) / (n * m)
    assert observed[0] == pytest.approx(pettitt)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.01, 100.0))
def test_distances_do_not_depend_on_the_scale_of_the_weights_or_on_which_sign_is_drawn(seed, scale):
    rng = np.random.default_rng(seed)
    magnitude, rare = rng.lognormal(size=40), rng.random(40) < 0.4
    rare[:2] = True, False
    square = magnitude**2
    one = distances(magnitude, (magnitude * rare)[None], square.sum(), np.array([square[rare].sum()]))
    other = distances(magnitude, (magnitude * ~rare)[None], square.sum(), np.array([square[~rare].sum()]))
    scaled = distances(
        scale * magnitude,
        (scale * magnitude * rare)[None],
        scale**2 * square.sum(),
        scale**2 * square[rare].sum()[None],
    )
    assert np.allclose(one, other, rtol=1e-9)
    assert np.allclose(one, scaled, rtol=1e-9)


def test_permutation_p_value_agrees_with_all_assignments():
    rng = np.random.default_rng(3)
    magnitude, n = rng.lognormal(size=9), 9
    weight = magnitude * np.where(np.arange(n) < 3, -1.0, 1.0)
    code = np.arange(n)
    assignments = [
        distances(magnitude, (magnitude * mask)[None], np.sum(magnitude**2), np.array([np.sum(magnitude[mask] ** 2)]))[
            :, 0
        ]
        for chosen in itertools.combinations(range(n), 3)
        if (mask := np.isin(np.arange(n), chosen)) is not None
    ]
    table = np.array(assignments)
    exact = np.mean(table >= table[0] * (1 - 1e-9), axis=0)
    draws = 20_000
    (found,) = permutation_p_values([code], weight, np.random.default_rng(0), permutations=draws)
    for name, p in zip(DISTANCES, exact, strict=True):
        assert abs(found[name] - p) < 5 * np.sqrt(p * (1 - p) / draws) + 1 / draws


def test_permutations_repeat_for_a_seed_and_are_undefined_in_one_bin():
    weight = np.where(np.arange(50) % 3, 1.0, -1.0)
    codes = [np.arange(50), np.zeros(50, int)]
    first = permutation_p_values(codes, weight, np.random.default_rng(1), 99)
    again = permutation_p_values(codes, weight, np.random.default_rng(1), 99)
    assert first[0] == again[0]
    assert all(np.isnan(p) for p in first[1].values())


def test_chi2_of_unit_weights_is_pearsons():
    counts = np.random.default_rng(1).poisson(50, (2, 12))
    found = compare(from_counts(counts))
    oracle = scipy.stats.chi2_contingency(counts, correction=False)
    assert found.chi2 == pytest.approx(oracle.statistic)
    assert found.p_value == pytest.approx(oracle.pvalue)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.floats(1e-3, 1e3))
def test_effects_do_not_depend_on_the_scale_of_either_sign(seed, scale):
    rng = np.random.default_rng(seed)
    bins = from_counts(rng.poisson(30, (2, 8)) + 1)
    other = SignedBins("x", bins.edges, bins.view, bins.count, bins.magnitude * scale, bins.square * scale**2)
    a, b = compare(bins), compare(other)
    assert a.chi2 == pytest.approx(b.chi2)
    assert a.total_variation.value == pytest.approx(b.total_variation.value, abs=1e-9)
    assert np.allclose(a.pulls, b.pulls)


def test_total_variation_of_known_shapes():
    counts = 100_000 * np.array([[6, 2, 1, 1], [2, 2, 3, 3]])
    found = compare(from_counts(counts))
    assert found.total_variation.value == pytest.approx(0.4, abs=4 * found.total_variation.error)
    assert found.largest_pull.value < 0
    assert (found.largest_pull.low, found.largest_pull.high) == (0.0, 1.0)


def test_total_variation_without_a_difference_is_on_average_what_it_is_expected_to_be():
    rng = np.random.default_rng(5)
    toys = [compare(from_counts(np.stack([rng.multinomial(n, [0.05] * 20) for n in (4000, 1500)]))) for _ in range(300)]
    raw = np.array([toy.raw_total_variation for toy in toys])
    expected = np.mean([toy.null_total_variation for toy in toys])
    assert abs(raw.mean() - expected) < 4 * raw.std() / np.sqrt(len(raw)) + 0.01 * expected


def test_comparison_bins_hold_enough_expected_events_and_ignore_the_signs():
    rng = np.random.default_rng(0)
    x, magnitude = rng.exponential(size=3000), rng.lognormal(size=3000)
    sign = np.where(rng.random(3000) < 0.2, -1.0, 1.0)
    bins = binned(x, magnitude * sign)
    coarse = bins.merged(comparison_starts(bins, 40, 10.0))
    expected = coarse.total**2 / coarse.square.sum(axis=0) * bins.n_eff.min()
    expected /= bins.total.sum() ** 2 / bins.square.sum()
    assert 3 < len(coarse) <= 41
    assert expected.min() >= 10.0 - 1e-9
    moved = SignedBins("x", bins.edges, bins.view, bins.count, bins.magnitude[::-1], bins.square[::-1])
    assert np.array_equal(comparison_starts(bins, 40, 10.0), comparison_starts(moved, 40, 10.0))


def test_equal_starts_isolates_what_is_full_and_leaves_no_bin_empty():
    total = np.array([0.0, 0.0, 1.0, 50.0, 1.0, 1.0, 0.0, 1.0, 46.0, 0.0])
    starts = equal_starts(total, 4)
    content = np.add.reduceat(total, starts)
    assert np.all(content > 0)
    assert 50.0 in content
    assert 46.0 in content


def test_holm_is_the_stepwise_bonferroni():
    bins = from_counts([[50, 50], [50, 60]])
    rng = np.random.default_rng(0)
    shapes = {}
    for name, p in (("a", 0.04), ("b", 0.01), ("c", 0.03)):
        shape = check_feature(bins, None, 0.4, rng)
        shapes[name] = FeatureShape(
            name, p, p, shape.total_variation, shape.signed_total_variation, {}, "asymptotic", shape.comparison
        )
    adjusted = {name: shape.p_adjusted for name, shape in holm(shapes).items()}
    assert adjusted == pytest.approx({"b": 0.03, "c": 0.06, "a": 0.06})


def test_primary_p_value_shares_the_level():
    nan = float("nan")

    def combined(anderson, smooth, chi2, **options):
        return primary_p_value({"anderson_darling": anderson, "smooth": smooth, "chi2": chi2}, **options)

    assert combined(0.4, 0.5, 0.001) == pytest.approx(0.01)
    assert combined(0.005, 0.5, 0.5) == pytest.approx(0.01)
    assert combined(0.5, 0.004, 0.5) == pytest.approx(0.01)
    # The share of a test that is not made goes to the others.
    assert combined(0.005, 0.5, nan) == pytest.approx(0.009)
    assert combined(0.005, 0.5, 1e-9, with_chi2=False) == pytest.approx(0.009)
    assert combined(nan, nan, nan) == 1.0


def test_chi2_takes_part_by_counts_and_magnitudes_alone():
    rng = np.random.default_rng(8)
    code, magnitude = rng.integers(0, 30, 400), rng.lognormal(size=400)
    for size, taken in ((15, False), (120, True)):
        for _ in range(5):  # any deal of the signs among the events makes the same choice
            negative = np.isin(np.arange(400), rng.choice(400, size, replace=False))
            assert _enough_for_chi2(dealt_bins(code, magnitude, negative)) is taken


def dealt_bins(code, magnitude, negative):
    rows = [
        [np.bincount(code, part * (negative == sign), 30) for sign in (False, True)]
        for part in (np.ones(len(code)), magnitude, magnitude**2)
    ]
    return SignedBins("x", np.arange(31.0), (0.0, 30.0), np.array(rows[0], np.int64), *map(np.array, rows[1:]))


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_weighted_holm_with_equal_weights_is_holms(p_values):
    order = np.argsort(p_values, kind="stable")
    steps = np.maximum.accumulate(np.arange(len(p_values), 0, -1) * np.array(p_values)[order])
    expected = np.empty(len(p_values))
    expected[order] = np.minimum(steps, 1.0)
    assert weighted_holm(p_values, [0.3] * len(p_values)) == pytest.approx(expected)


def test_weighted_holm_spends_the_level_by_weight():
    assert weighted_holm([0.02, 0.5, 0.5], [0.5, 0.25, 0.25]) == pytest.approx([0.04, 1.0, 1.0])
    assert weighted_holm([0.5, 0.01, 0.5], [0.5, 0.25, 0.25]) == pytest.approx([0.75, 0.04, 0.75])


def test_signed_total_variation_is_the_distance_of_the_signed_shape_from_that_of_the_magnitudes():
    counts = np.array([[700_000, 900_000], [300_000, 100_000]])
    f = 0.2
    shape = check_feature(from_counts(counts), None, f, np.random.default_rng(0))
    signed = (counts[0] - counts[1]) / (counts[0] - counts[1]).sum()
    direct = 0.5 * np.abs(signed - counts.sum(axis=0) / counts.sum()).sum()
    assert shape.signed_total_variation.value == pytest.approx(direct, rel=1e-3)


def test_detectable_total_variation_is_found_with_ninety_percent_power():
    n_positive, n_negative, alpha, toys = 6000, 2000, 0.01, 400
    shift = detectable_total_variation(n_positive, n_negative, alpha)
    rng = np.random.default_rng(11)
    flat = np.full(64, 1 / 64)
    moved = flat * np.where(np.arange(64) < 32, 1 + 2 * shift, 1 - 2 * shift)
    found = 0
    for _ in range(toys):
        counts = np.stack([rng.multinomial(n_positive, flat), rng.multinomial(n_negative, moved)])
        found += asymptotic_p_values(from_counts(counts), rng)["anderson_darling"] <= alpha
    low, high = band(toys, 0.9)
    assert low <= found / toys <= high


def null_weights(rng: np.random.Generator, n: int, f: float, spread: bool) -> np.ndarray:
    return np.where(rng.random(n) < f, -1.0, 1.0) * (rng.lognormal(size=n) if spread else 1.0)


def null_feature(rng: np.random.Generator, n: int, kind: str) -> np.ndarray:
    if kind == "smooth":
        return rng.normal(size=n)
    if kind == "discrete":
        return rng.poisson(2.0, n)
    return np.where(rng.random(n) < 0.4, 0.0, rng.exponential(40.0, n) + 25.0)


@pytest.mark.parametrize("kind", ["smooth", "discrete", "spike"])
@pytest.mark.parametrize(("f", "spread"), [(0.1, True), (0.3, False), (0.45, True)])
def test_false_alarms_of_permutations(kind, f, spread):
    toys, n = 200, 300
    rng = np.random.default_rng([int(100 * f), spread, len(kind)])
    alarms = np.zeros(4)
    for _ in range(toys):
        x, weight = null_feature(rng, n, kind), null_weights(rng, n, f, spread)
        code = np.unique(x, return_inverse=True)[1]
        (p_values,) = permutation_p_values([code], weight, rng, permutations=199)
        alarms += np.array(list(p_values.values())) <= 0.05
    low, high = band(toys)
    # Discrete statistics can only be rejected less often.
    assert alarms.max() / toys <= high
    assert alarms.min() / toys >= (0.0 if kind == "discrete" else low)


@pytest.mark.parametrize("kind", ["smooth", "discrete", "spike"])
@pytest.mark.parametrize(("f", "spread"), [(0.1, True), (0.45, False)])
def test_false_alarms_of_the_laws_for_many_events(kind, f, spread):
    toys, n = 150, 30_000
    rng = np.random.default_rng([int(100 * f), spread, len(kind), 1])
    alarms: dict[str, int] = {}
    for _ in range(toys):
        bins = binned(null_feature(rng, n, kind), null_weights(rng, n, f, spread))
        shape = check_feature(bins, None, f, rng)
        for name, p in {**shape.tests, "primary": shape.p_value}.items():
            alarms[name] = alarms.get(name, 0) + (p <= 0.05)
    low, high = band(toys)
    rates = {name: count / toys for name, count in alarms.items()}
    assert all(low <= rate <= high for rate in rates.values()), rates
