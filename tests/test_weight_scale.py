"""Squares of weights of any size."""

from __future__ import annotations

import numpy as np
import pytest

from hepneg._core.weight_scale import effective_events, scaled_weight, weight_exponent


@pytest.mark.parametrize("size", [1.0, 3e-170, 5e-310, 7e160, 1e308])
def test_effective_events_do_not_depend_on_the_unit(size: float) -> None:
    weight = np.array([1.0, 1.0, -0.5, 0.25])
    assert effective_events(weight * size) == pytest.approx(1.75**2 / 2.3125, rel=1e-12)


def test_scaling_changes_no_digit() -> None:
    weight = np.random.default_rng(1).normal(size=100) * 1e200
    scaled, exponent = scaled_weight(weight)
    np.testing.assert_array_equal(np.ldexp(scaled, exponent), weight)
    assert 0.5 <= np.abs(scaled).max() < 1


def test_no_weights_and_zeros() -> None:
    assert weight_exponent([]) == weight_exponent([0.0, 0.0]) == 0
    assert effective_events([]) == effective_events([0.0]) == 0.0
