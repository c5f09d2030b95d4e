"""The network for tables: robust scaling, shares of quantile bins, and the same face as every other network."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from plugins import Residual  # noqa: F401  (another network is registered beside it)

import hepneg
from hepneg.errors import ConfigError
from hepneg.events import EventTable, InputLayout
from hepneg.models.onnx import export_onnx
from hepneg.networks import Standardise, as_network
from hepneg.networks.encoding import Encoding
from hepneg.networks.make_body import make_body

COLUMN = arrays(np.float32, 50, elements=st.floats(-1e6, 1e6, width=32))


def toy(n: int = 1500) -> EventTable:
    rng = np.random.default_rng(1)
    label = np.arange(n) % 2
    long_tail = rng.pareto(1.2, n) * (1 + label)
    steps = rng.poisson(2 + label)
    weight = np.where(rng.random(n) < 0.1 + 0.2 * (steps > 2), -1.0, 1.0)
    features = np.column_stack([long_tail, steps, np.ones(n)])
    return EventTable.from_arrays(features, weight, label, feature_names=["pt", "jets", "one"], event_id=np.arange(n))


@settings(deadline=None)
@given(COLUMN, st.integers(0, 6))
def test_codes_are_finite_bounded_and_rise_with_the_feature(column: np.ndarray, bins: int) -> None:
    encoding = Encoding(1, bins)
    encoding.fit(column[:, None])
    values = torch.from_numpy(np.sort(np.append(column, [-3e7, 3e7]).astype(np.float32)))
    codes = encoding(values[:, None]).numpy()
    assert codes.shape == (52, encoding.width)
    assert np.isfinite(codes).all()
    assert (np.abs(codes[:, 0]) <= 3.000001).all()
    assert ((codes[:, 1:] >= 0) & (codes[:, 1:] <= 1)).all()
    # Single precision rounds each step, so a fall of a unit in the last place is none.
    assert (np.diff(codes, axis=0) >= -1e-6).all()


def test_each_bin_holds_its_share_of_the_events() -> None:
    values = np.random.default_rng(2).exponential(size=(4000, 1)).astype(np.float32)
    encoding = Encoding(1, 4)
    encoding.fit(values)
    shares = encoding(torch.from_numpy(values)).numpy()[:, 1:]
    inside = (shares > 0) & (shares < 1)
    np.testing.assert_allclose(inside.sum(axis=0), 1000, atol=2)
    np.testing.assert_array_equal(inside.sum(axis=1) <= 1, True)


def test_far_values_and_constants_do_not_set_the_scale() -> None:
    values = np.random.default_rng(3).normal(size=(1000, 1)).astype(np.float32)
    plain, spoilt = Encoding(2, 0), Encoding(2, 0)
    plain.fit(np.hstack([values, np.full_like(values, 7)]))
    values[:5] = 1e12
    spoilt.fit(np.hstack([values, np.full_like(values, 7)]))
    np.testing.assert_allclose(plain.spread, [1.0, 1.0], rtol=0.05)
    np.testing.assert_allclose(spoilt.spread, plain.spread, rtol=0.02)


def test_members_begin_and_run_as_networks_of_their_own() -> None:
    features = toy().features.copy()
    body = as_network({"name": "tabular", "hidden": [8], "bins": 3}).build_members(3, 2)
    body.initialise(torch.Generator().manual_seed(1), features)
    with torch.no_grad():
        body.weights[-1].uniform_(-1, 1, generator=torch.Generator().manual_seed(2))
        both = body(torch.from_numpy(features))
        for number in range(2):
            one = make_body(as_network({"name": "tabular", "hidden": [8], "bins": 0}), InputLayout(3), 1)
            one.initialise(torch.Generator().manual_seed(1), features)
            for layer, weight, bias in zip(one.layers.linear, body.weights, body.biases, strict=True):
                layer.weight.copy_(weight[number].T)
                layer.bias.copy_(bias[number, 0])
            np.testing.assert_allclose(one(torch.from_numpy(features))[:, 0], both[:, number], atol=1e-5)


@pytest.mark.parametrize("bins", [0, 5])
def test_it_trains_saves_loads_and_exports(tmp_path: Path, bins: int) -> None:
    runtime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    events = toy()
    network = {"name": "tabular", "hidden": [16], "bins": bins}
    classifier = hepneg.train(events, "refined", folds=2, epochs=3, network=network)
    again = hepneg.Classifier.load(classifier.save(tmp_path / "model"))
    np.testing.assert_array_equal(again.response(events.features), classifier.response(events.features))
    path = export_onnx(classifier, tmp_path / "m.onnx")
    session = runtime.InferenceSession(path, providers=["CPUExecutionProvider"])
    (response,) = session.run(["response"], {"features": events.features})
    np.testing.assert_allclose(response, classifier.response(events.features), rtol=0, atol=1e-6)


@pytest.mark.parametrize("bins", [-1, 2.5, 257, True, "8"])
def test_bins_that_are_none_are_refused(bins: object) -> None:
    with pytest.raises(ConfigError, match="'tabular': bins must be"):
        as_network({"name": "tabular", "bins": bins})


def test_differences_without_a_finite_reciprocal_are_none() -> None:
    column = np.array([[0.0], [1e-45], [1e-40], [0.0]], dtype=np.float32)
    for scaling in (Standardise(1), Encoding(1, 4)):
        scaling.fit(column)
        assert torch.isfinite(scaling(torch.from_numpy(column))).all()
