"""What a test of one feature is, and the registry of them: ours, and those that other packages add.

A test is a statistic, its null distribution and its share of the significance level. The statistic of a feature with
few events is ranked among permutations, which needs nothing else of the test; for many events there is the tail of its
asymptotic distribution, or, where a test has none, draws of normal fluctuations. Another package adds a test by an
entry point::

    [project.entry-points."hepneg.shape_tests"]
    my_test = "my_package.tests:MyTest"

or, within one session, with the decorator :func:`register`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from hepneg._core.registry import Registry
from hepneg.shapes.shape_tests.differences import CommonBins, Differences

__all__ = ["ShapeTest", "register", "shape_tests"]

Floats = NDArray[np.float64]


@runtime_checkable
class ShapeTest(Protocol):
    """A test of one feature. A class of it is a frozen dataclass without parameters.

    Attributes:
        name: under which its p-value is reported.
        share: of a feature's significance level, in relation to the shares of all tests; those of ours sum to 1. With a
            share of 0 the p-value is shown, but is no part of the combined one.
    """

    name: ClassVar[str]
    share: ClassVar[float]

    def statistic(self, differences: Differences, /) -> Floats:
        """Return the statistic of each difference, (P,), ≥ 0, large where shapes differ; NaN if it cannot be made."""

    def tail(self, values: Floats, bins: CommonBins, variance: Floats, /) -> Floats | None:
        """Return the asymptotic p-value of each value, (P,); None: values are ranked among draws.

        Args:
            values: of the statistic, (P,).
            bins: of the feature; ``total`` is (B,) here.
            variance: of the standardised difference in each bin under no difference but for the normalisations, (B,).
        """


_OWN: Mapping[str, str] = {
    "anderson_darling": "hepneg.shapes.shape_tests.anderson_darling:AndersonDarling",
    "cramer_von_mises": "hepneg.shapes.shape_tests.cramer_von_mises:CramerVonMises",
    "kolmogorov_smirnov": "hepneg.shapes.shape_tests.kolmogorov_smirnov:KolmogorovSmirnov",
    "location": "hepneg.shapes.shape_tests.location:Location",
    "width": "hepneg.shapes.shape_tests.width:Width",
    "smooth": "hepneg.shapes.shape_tests.smooth:Smooth",
    "chi2": "hepneg.shapes.shape_tests.chi2:Chi2",
}
_tests: Registry[ShapeTest] = Registry("shape test", "hepneg.shape_tests", _OWN)


def register(test: type[ShapeTest]) -> type[ShapeTest]:
    """Add a test under its ``name``; a class decorator."""
    return _tests.register(test)


def shape_tests() -> tuple[ShapeTest, ...]:
    """Return all tests, our own first."""
    return tuple(_tests.make(name, {}) for name in _tests.names())
