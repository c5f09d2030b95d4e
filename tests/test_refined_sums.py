"""The errors of sums of refined weights."""

from __future__ import annotations

import numpy as np
import pytest

from hepneg.signs.refined_weight import refined_sums


def test_errors_hold_half_of_the_signed_variance_and_the_difference_of_the_sums():
    weight, signed = np.array([1.0, 2.0, 2.0, 3.0]), np.array([2.0, -1.0, 5.0, 2.0])
    sums, errors = refined_sums(weight, signed, np.array([0, 0, 0, 1]), 3)
    assert sums.tolist() == [5.0, 3.0, 0.0]
    assert errors == pytest.approx([np.sqrt(0.5 * 1.8 * 30.0 + 1.0), np.sqrt(0.5 * 1.2 * 4.0 + 1.0), 0.0])
    _, by_event = refined_sums(weight, signed, np.array([0, 0, 0, 1]), 2, cluster=np.array([0, 1, 1, 1]))
    assert by_event == pytest.approx([np.sqrt(0.5 * 1.8 * (4.0 + 16.0) + 1.0), np.sqrt(0.5 * 1.2 * 4.0 + 1.0)])


def test_a_sum_of_all_events_has_the_error_of_the_signed_sum():
    signed = np.array([1.0, -0.5, 2.0])
    weight = np.full(3, signed.sum() / 3)
    _, (error,) = refined_sums(weight, signed, np.zeros(3, int), 1)
    assert error == pytest.approx(np.sqrt(np.sum(signed**2)))


def test_a_bias_that_the_signed_sum_sees_is_in_the_error():
    """Refined weights that are a third too small: the error covers the truth as often as it should."""
    rng, inside = np.random.default_rng(1), 0
    for _ in range(400):
        n = rng.poisson(2000)
        signed = np.where(rng.random(n) < 0.3, -1.0, 1.0)
        bin_of = (rng.random(n) < 0.2).astype(int)
        (_, found), (_, error) = refined_sums(np.full(n, 0.4 * 2 / 3), signed, bin_of, 2)
        inside += abs(found - 0.2 * 2000 * 0.4) < error
    assert abs(inside / 400 - 0.683) < 0.15  # the difference to the signed sum is itself uncertain
