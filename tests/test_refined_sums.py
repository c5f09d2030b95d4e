"""The errors of sums of refined weights."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.special import erf

from hepneg.signs.refined_weight import refined_sums

CLOSURE = Path(__file__).parents[1] / "analysis" / "closure"


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


@pytest.fixture
def study(monkeypatch):
    monkeypatch.syspath_prepend(str(CLOSURE))
    yield importlib.import_module("refined_sums")
    sys.modules.pop("refined_sums", None)


@pytest.mark.parametrize(
    ("bias", "shared", "expected"),
    [
        (0.0, 1.0, erf(0.5)),  # the difference is 0: |z| < √½
        (1.0, 1.0, 0.5 * (erf((1.5**0.5 - 1) / 2**0.5) + erf((1.5**0.5 + 1) / 2**0.5))),  # |1 + z| < √(½ + 1)
        (1000.0, 0.5, 0.5),  # the sum of both fluctuations is below 0
    ],
)
def test_the_model_of_the_coverage_has_its_limits(study, bias, shared, expected):
    assert study.model_coverage(bias, shared) == pytest.approx(expected, abs=1e-3)


def test_the_model_of_the_coverage_agrees_with_drawn_bins(study):
    """Sums that share half of their variance, by the documented errors themselves."""
    rng, bins, size = np.random.default_rng(3), 4000, 26
    halves = rng.normal(size=(bins, 2)) * np.sqrt(0.5)
    half = halves.sum(axis=1, keepdims=True) / size
    # Each bin has Σw² = 1 and as Σw the sum of both halves.
    signed = half + np.where(np.arange(size) % 2, 1.0, -1.0) * np.sqrt(1.0 / size - half**2)
    for bias in (0.0, 1.0):
        weight = np.repeat((halves[:, :1] + bias) / size, size, axis=1)
        sums, errors = refined_sums(weight.ravel(), signed.ravel(), np.repeat(np.arange(bins), size), bins)
        expected = study.model_coverage(bias, 0.5)
        assert abs(np.mean(np.abs(sums) < errors) - expected) < 4.0 * np.sqrt(expected * (1.0 - expected) / bins)
