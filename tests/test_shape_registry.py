"""A shape test of one's own, outside the package: registered once, it is reported and takes part in the combination."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from scipy.stats import binom

from hepneg import EventTable, check_shapes
from hepneg.shapes.shape_tests import shape_test
from hepneg.shapes.shape_tests.shape_test import register, shape_tests


@dataclass(frozen=True)
class Central:
    """Do the two signs have the same share of events in the middle half of the feature?"""

    name = "central"
    share = 0.25

    def statistic(self, differences):
        cumulative = np.cumsum(differences.bins.content, axis=-1)
        middle = (cumulative > 0.25) & (cumulative <= 0.75)
        return np.abs(np.sum(differences.gap * middle, axis=1))

    def tail(self, values, bins, variance):
        return None


@pytest.fixture
def central():
    yield register(Central)
    shape_test._tests.registered.clear()


def events(n: int, width: float, seed: int) -> EventTable:
    rng = np.random.default_rng(seed)
    negative = rng.random(n) < 0.3
    x = rng.normal(size=(n, 1)) * np.where(negative, width, 1.0)[:, None]
    return EventTable.from_arrays(x, np.where(negative, -1.0, 1.0), np.zeros(n, int))


def check(table: EventTable):
    (sample,) = check_shapes(table, multivariate=False).samples.values()
    return sample.features["x0"]


@pytest.mark.usefixtures("central")
@pytest.mark.parametrize(("n", "method"), [(400, "permutation"), (6000, "asymptotic")])
def test_a_registered_test_is_reported_and_finds_what_it_is_made_for(n, method):
    shape = check(events(n, 0.5, seed=1))
    assert shape.method == method
    assert list(shape.tests)[-1] == "central"
    assert shape.to_dict()["tests"]["central"] == shape.tests["central"] <= 0.001


@pytest.mark.usefixtures("central", "few_permutations")
def test_a_registered_test_has_a_valid_p_value():
    toys = 150
    rejected = sum(check(events(200, 1.0, seed=toy)).tests["central"] <= 0.05 for toy in range(toys))
    low, high = binom.interval(0.999, toys, 0.05)
    assert low <= rejected <= high


def test_a_registered_test_takes_its_share_of_the_level(central):
    before = {test.name: test.share for test in shape_tests() if test is not central}
    assert sum(before.values()) == pytest.approx(1.0 + central.share)
    # A width that all tests see: with a fifth of the level for the new one the others' bounds grow by a quarter.
    with_it = check(events(6000, 0.8, seed=2)).p_value
    shape_test._tests.registered.clear()
    without = check(events(6000, 0.8, seed=2)).p_value
    assert without < 1e-6
    assert with_it == pytest.approx(1.25 * without)


def test_without_registration_the_tests_are_our_own():
    assert [test.name for test in shape_tests()] == [
        "anderson_darling", "cramer_von_mises", "kolmogorov_smirnov", "location", "width", "smooth", "chi2",
    ]  # fmt: skip
