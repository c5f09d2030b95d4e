"""The tests of the shape check against oracles, and their rates of false alarms."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from hepneg.binning.bin_plan import plan_bins
from hepneg.binning.binned_sums import SignedSums
from hepneg.binning.rebin import comparison_starts, equal_starts, statistic_starts
from hepneg.binning.signed_bins import SignedBins
from hepneg.shapes.effect import compare
from hepneg.shapes.feature_check import check_feature
from hepneg.shapes.shape_tests.combination import calibrated, ranked, weighted_minimum
from hepneg.shapes.shape_tests.differences import CommonBins, Differences, observed_gap, standardised_gap
from hepneg.shapes.shape_tests.holm import weighted_holm
from hepneg.shapes.shape_tests.null_distribution import asymptotic_p_values
from hepneg.shapes.shape_tests.permutation import permutation_p_values
from hepneg.shapes.shape_tests.power import detectable_total_variation
from hepneg.shapes.shape_tests.quadratic_form import quadratic_quantile, quadratic_tail, quadratic_tails
from hepneg.shapes.shape_tests.shape_test import shape_tests

TESTS = tuple(test.name for test in shape_tests())
SHARES = {test.name: test.share for test in shape_tests() if test.share}
DISTANCES = ("anderson_darling", "cramer_von_mises", "kolmogorov_smirnov")


def binned(x: np.ndarray, weight: np.ndarray) -> SignedBins:
    column = np.asarray(x, np.float32)[:, None]
    sums = SignedSums(plan_bins([column], ["x"]))
    sums.fill(column, weight)
    return sums.result()[0]


def from_counts(counts: np.ndarray) -> SignedBins:
    counts = np.asarray(counts, np.int64)
    edges = np.arange(counts.shape[1] + 1.0)
    return SignedBins("x", edges, (0.0, edges[-1]), counts, counts.astype(float), counts.astype(float))


def distances_of(magnitude: np.ndarray, square: np.ndarray, negative: np.ndarray) -> np.ndarray:
    """The three distances of one permutation of the signs, every event in a bin of its own."""
    gap = standardised_gap(magnitude, (magnitude * negative)[None], square.sum(), np.array([square[negative].sum()]))
    every = np.arange(len(magnitude))
    differences = Differences(gap, CommonBins(every, magnitude, square, every))
    return np.array([test.statistic(differences)[0] for test in shape_tests() if test.name in DISTANCES])


def permuted(columns: list[np.ndarray], weight: np.ndarray, rng: np.random.Generator, permutations: int):
    """P-values of several features, in planned bins."""
    x = np.stack(columns, axis=1).astype(np.float32)
    plan = plan_bins([x], [str(i) for i in range(len(columns))])
    sums = SignedSums(plan)
    sums.fill(x, weight)
    codes = [bins.codes(column) for bins, column in zip(plan.features, x.T, strict=True)]
    return permutation_p_values(sums.result(), codes, weight, rng, permutations)


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
    ordered = negative[np.argsort(x)]
    observed = distances_of(np.ones(120), np.ones(120), ordered)
    n, m = negative.sum(), (~negative).sum()
    ks = scipy.stats.ks_2samp(x[negative], x[~negative]).statistic
    assert observed[2] == pytest.approx(ks * np.sqrt(n * m / (n + m)))
    # Pettitt's two-sample Anderson–Darling statistic, (Σ (M_i N − n i)²/(i (N − i)))/(n m).
    i = np.arange(1, 120)
    pettitt = np.sum((np.cumsum(ordered)[:-1] * 120 - n * i) ** 2 / (i * (120 - i))) / (n * m)
    assert observed[0] == pytest.approx(pettitt)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.01, 100.0))
def test_distances_do_not_depend_on_the_scale_of_the_weights_or_on_which_sign_is_drawn(seed, scale):
    rng = np.random.default_rng(seed)
    magnitude, rare = rng.lognormal(size=40), rng.random(40) < 0.4
    rare[:2] = True, False
    square = magnitude**2
    one, other = distances_of(magnitude, square, rare), distances_of(magnitude, square, ~rare)
    scaled = distances_of(scale * magnitude, scale**2 * square, rare)
    assert np.allclose(one, other, rtol=1e-9)
    assert np.allclose(one, scaled, rtol=1e-9)


def test_permutation_p_values_agree_with_all_assignments():
    """The larger of two exact p-values: of all assignments of the signs, and of all orders of the signed weights."""
    rng = np.random.default_rng(3)
    magnitude, n = rng.lognormal(size=7), 7
    weight = magnitude * np.where(np.arange(n) < 3, -1.0, 1.0)
    masks = [np.isin(np.arange(n), chosen) for chosen in itertools.combinations(range(n), 3)]
    of_signs = np.array([distances_of(magnitude, magnitude**2, mask) for mask in masks])
    orders = [np.array(order) for order in itertools.permutations(range(n))]
    of_weights = np.array([distances_of(magnitude[o], magnitude[o] ** 2, weight[o] < 0) for o in orders])
    exact = np.max([np.mean(table >= table[0] * (1 - 1e-9), axis=0) for table in (of_signs, of_weights)], axis=0)
    draws = 20_000
    ((found, _),) = permuted([np.arange(n)], weight, np.random.default_rng(0), draws)
    for name, p in zip(DISTANCES, exact, strict=True):
        assert abs(found[name] - p) < 5 * np.sqrt(p * (1 - p) / draws) + 1 / draws


def test_permutations_repeat_for_a_seed_and_are_undefined_in_one_bin():
    weight = np.where(np.arange(50) % 3, 1.0, -1.0)
    columns = [np.arange(50), np.zeros(50)]
    first = permuted(columns, weight, np.random.default_rng(1), 99)
    again = permuted(columns, weight, np.random.default_rng(1), 99)
    assert first[0][0] == pytest.approx(again[0][0], rel=0.0, abs=0.0, nan_ok=True)
    assert first[0][1] == again[0][1]
    assert all(np.isnan(p) for p in first[1][0].values())
    assert first[1][1] == 1.0


def test_a_permuted_p_value_counts_the_events_themselves():
    rng = np.random.default_rng(2)
    weight = np.where(np.arange(400) < 100, -1.0, 1.0)
    ((tests, combined),) = permuted([np.where(weight < 0, 5.0, 0.0) + rng.normal(size=400)], weight, rng, 99)
    assert tests["anderson_darling"] == combined == 0.01


def test_ranks_are_p_values_and_ties_count_as_larger():
    assert ranked(np.array([3.0, 1.0, 3.0 * (1 - 1e-12), 7.0])) == pytest.approx([0.75, 1.0, 0.75, 0.25])


@pytest.mark.parametrize("kind", ["smooth", "discrete", "spike"])
def test_permutations_and_asymptotic_p_values_agree_for_many_events(kind):
    rng = np.random.default_rng([4, len(kind)])
    x, weight = null_feature(rng, 20_000, kind), null_weights(rng, 20_000, 0.3, spread=True)
    weight = np.where((weight > 0) & (x > np.median(x)) & (rng.random(20_000) < 0.02), -weight, weight)
    ((drawn, combined),) = permuted([x], weight, rng, 999)
    tests, p_value = asymptotic_p_values(binned(x, weight), rng)
    # The χ² of permuted weights has bins of equal counts, that of asymptotic p-values bins of equal Σ|w|.
    names = [name for name in TESTS if name != "chi2"]
    for one, other in [*((drawn[name], tests[name]) for name in names), (combined, p_value)]:
        # Five standard deviations of the permutations and of the draws; the asymptotic p-value itself is good to some
        # per cent.
        assert abs(one - other) < 5 * np.sqrt(other * (1 - other) * (1 / 1000 + 1 / 2000)) + 0.1 * other + 0.005


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
    assert weighted_holm([0.04, 0.01, 0.03], [1.0, 1.0, 1.0]) == pytest.approx([0.06, 0.03, 0.06])


def test_the_minimum_p_value_is_bonferronis_bound_with_the_shares_of_what_is_made():
    def bound(**changed):
        tests = {**dict.fromkeys(TESTS, 0.9), **changed}
        return float(weighted_minimum(shape_tests(), [np.array([p]) for p in tests.values()])[0])

    assert sum(SHARES.values()) == pytest.approx(1.0)
    for name, share in SHARES.items():
        assert bound(**{name: 0.01}) == pytest.approx(0.01 / share)
    assert bound(anderson_darling=0.01, chi2=np.nan) == pytest.approx(0.01 * (1 - SHARES["chi2"]) / 0.5)
    assert bound(kolmogorov_smirnov=1e-9, location=1e-9) > 1.0  # shown, but without a share
    assert bound(**dict.fromkeys(SHARES, np.nan)) == np.inf


@given(st.floats(0, 1), st.floats(0, 1))
def test_the_combined_p_value_grows_with_its_bound_and_never_exceeds_it_where_it_counts(one, other):
    drawn = np.sort(
        np.random.default_rng(0).random(1999) ** 0.8
    )  # correlated tests: small bounds are rarer than they say
    low, high = sorted((one, other))
    assert calibrated(low, drawn) <= calibrated(high, drawn)
    if low < 0.01:
        assert calibrated(low, drawn) <= low


def test_the_bins_of_the_chi2_ignore_where_either_sign_sits():
    rng = np.random.default_rng(8)
    code, magnitude = rng.integers(0, 30, 400), rng.lognormal(size=400)
    found = []
    for _ in range(5):  # any permutation of the signs among the events makes the same choice
        negative = np.isin(np.arange(400), rng.choice(400, 120, replace=False))
        found.append(CommonBins.of(permuted_bins(code, magnitude, negative)))
    assert all(np.array_equal(other.first, found[0].first) for other in found)
    assert all(np.array_equal(other.starts, found[0].starts) for other in found)


def permuted_bins(code, magnitude, negative):
    rows = [
        [np.bincount(code, part * (negative == sign), 30) for sign in (False, True)]
        for part in (np.ones(len(code)), magnitude, magnitude**2)
    ]
    return SignedBins("x", np.arange(31.0), (0.0, 30.0), np.array(rows[0], np.int64), *map(np.array, rows[1:]))


def test_the_bins_of_the_statistics_refine_those_of_the_chi2_and_the_tails():
    bins = binned(np.random.default_rng(9).normal(size=30_000), np.where(np.arange(30_000) % 3, 1.0, -1.0))
    comparison = comparison_starts(bins)
    starts = statistic_starts(bins.total, comparison)
    assert set(comparison) <= set(starts)
    assert 256 <= len(starts) <= 256 + len(comparison) + 2 * 2048 // 256
    assert np.all(np.diff(starts[:5]) == 1)
    assert np.add.reduceat(bins.total, starts).min() > 0


def test_the_chi2_of_the_statistics_is_that_of_the_comparison():
    rng = np.random.default_rng(10)
    bins = binned(rng.exponential(size=3000), rng.lognormal(size=3000) * np.where(rng.random(3000) < 0.3, -1.0, 1.0))
    common = CommonBins.of(bins)
    differences = Differences(observed_gap(bins.merged(common.starts)), common)
    (value,) = shape_tests()[TESTS.index("chi2")].statistic(differences)
    assert value == pytest.approx(compare(bins.merged(comparison_starts(bins))).chi2)


def test_quadratic_tails_are_those_of_single_values():
    eigenvalues = 1.0 / (np.arange(1, 200) * np.arange(2, 201))
    values = np.array([0.2, 0.6, 0.995, 1.0, 2.5, 6.0, 20.0])
    single = [quadratic_tail(value, eigenvalues) for value in values]
    assert quadratic_tails(values, eigenvalues) == pytest.approx(single, rel=0.005)


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
    n_positive, n_negative, alpha, toys = 6000, 2000, 0.01, 150
    shift = detectable_total_variation(n_positive, n_negative, alpha)
    rng = np.random.default_rng(11)
    flat = np.full(64, 1 / 64)
    moved = flat * np.where(np.arange(64) < 32, 1 + 2 * shift, 1 - 2 * shift)
    found = 0
    for _ in range(toys):
        counts = np.stack([rng.multinomial(n_positive, flat), rng.multinomial(n_negative, moved)])
        found += asymptotic_p_values(from_counts(counts), rng)[0]["anderson_darling"] <= alpha
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
    toys, n = 120, 300
    rng = np.random.default_rng([int(100 * f), spread, len(kind)])
    alarms = dict.fromkeys((*TESTS, "combined"), 0)
    for _ in range(toys):
        x, weight = null_feature(rng, n, kind), null_weights(rng, n, f, spread)
        ((p_values, combined),) = permuted([x], weight, rng, 199)
        for name, p in {**p_values, "combined": combined}.items():
            alarms[name] += p <= 0.05
    alarms = {name: count for name, count in alarms.items() if name != "chi2" or f > 0.1}  # too few events for two bins
    low, high = band(toys)
    # Discrete statistics can only be rejected less often.
    assert max(alarms.values()) / toys <= high, alarms
    assert min(alarms.values()) / toys >= (0.0 if kind == "discrete" else low), alarms


@pytest.mark.parametrize("kind", ["smooth", "discrete", "spike"])
@pytest.mark.parametrize(("f", "spread"), [(0.1, True), (0.45, False)])
def test_false_alarms_of_asymptotic_p_values(kind, f, spread):
    toys, n = 60, 10_000
    rng = np.random.default_rng([int(100 * f), spread, len(kind), 1])
    alarms: dict[str, int] = {}
    for _ in range(toys):
        bins = binned(null_feature(rng, n, kind), null_weights(rng, n, f, spread))
        shape = check_feature(bins, None, f, rng)
        for name, p in {**shape.tests, "combined": shape.p_value}.items():
            alarms[name] = alarms.get(name, 0) + (p <= 0.05)
    low, high = band(toys)
    rates = {name: count / toys for name, count in alarms.items()}
    assert all(low <= rate <= high for rate in rates.values()), rates
