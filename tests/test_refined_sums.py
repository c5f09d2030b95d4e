"""The errors of sums of refined weights."""

from __future__ import annotations

import numpy as np
import pytest

from hepneg.signs.refined_weight import refined_sums


def test_errors_of_one_region_add_up_and_events_fluctuate_one_by_one():
    weight, error = np.array([1.0, 2.0, 2.0, 3.0]), np.array([0.1, 0.2, 0.3, 0.0])
    sums, errors = refined_sums(weight, error, np.array([0, 0, 0, 1]), 3)
    assert sums.tolist() == [5.0, 3.0, 0.0]
    assert errors == pytest.approx([np.sqrt(9.0 + 0.36), 3.0, 0.0])
    _, by_event = refined_sums(weight, 0 * error, np.array([0, 0, 0, 1]), 2, cluster=np.array([0, 1, 1, 1]))
    assert by_event == pytest.approx([np.sqrt(1.0 + 16.0), 3.0])
