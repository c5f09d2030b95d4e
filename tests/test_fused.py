"""Fused layers give what separate operations give, and only inference uses them."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from hepneg.networks import fused
from hepneg.networks.inference import PIECE, mean_logits, network_logits
from hepneg.networks.perceptron import Perceptron
from hepneg.networks.perceptron_body import Multilayer
from hepneg.networks.response_network import ResponseNetwork
from hepneg.signs.sign_ensemble import SignEnsemble

ACTIVATIONS = ("silu", "relu", "gelu", "tanh", "sigmoid", "clipped")
available = pytest.mark.skipif(not fused._available(), reason="torch has no fused layers for this processor")


def response_network(activation: str, seed: int = 1) -> ResponseNetwork:
    network = ResponseNetwork(Perceptron((16, 16), activation), 5, 8.0)
    network.initialise(torch.Generator().manual_seed(seed), features(500))
    torch.nn.init.normal_(network.body.layers[-1].weight, generator=torch.Generator().manual_seed(seed))
    return network


def sign_ensemble(activation: str) -> SignEnsemble:
    ensemble = SignEnsemble(Perceptron((16, 16), activation), 5, 3)
    ensemble.initialise(torch.Generator().manual_seed(2), features(500), 0.4)
    torch.nn.init.normal_(ensemble.body.weights[-1], generator=torch.Generator().manual_seed(3))
    return ensemble


def features(events: int) -> np.ndarray:
    return np.random.default_rng(4).normal(50, 15, (events, 5)).astype(np.float32)


@available
@pytest.mark.parametrize("events", [1, 7, 3000])
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("make", [response_network, sign_ensemble])
def test_fused_and_separate_layers_agree(make: object, activation: str, events: int) -> None:
    network = make(activation)  # type: ignore[operator]
    rows = torch.from_numpy(features(events))
    with torch.no_grad():
        assert not fused.can_fuse(rows)
        separate = network(rows)
    with torch.inference_mode():
        assert fused.can_fuse(rows)
        together = network(rows)
    assert events == 1 or float(separate.std()) > 0.1
    # Sums of 16 terms of order 1 in float32, through three layers.
    np.testing.assert_allclose(together.numpy(), separate.numpy(), rtol=1e-5, atol=1e-5)


@available
@pytest.mark.parametrize("make", [response_network, sign_ensemble])
def test_weights_are_arranged_once_and_anew_after_every_change(make: object, monkeypatch: pytest.MonkeyPatch) -> None:
    network, rows = make("silu"), features(3 * PIECE)  # type: ignore[operator]
    arrange, arranged = torch.ops.mkldnn._reorder_linear_weight, []

    def counted(weight: torch.Tensor, batch: int) -> torch.Tensor:
        arranged.append(batch)
        return arrange(weight, batch)

    with torch.no_grad():
        monkeypatch.setattr(torch.ops.mkldnn, "_reorder_linear_weight", counted)
        before = network_logits(network, rows)
        hidden = len(arranged)
        assert hidden in (2, 6)  # two layers, of one network or of three members
        for parameter in network.parameters():
            parameter.mul_(0.5)
        after = network_logits(network, rows)
        assert arranged == [PIECE] * 2 * hidden
        separate = network(torch.from_numpy(rows)).numpy()
    np.testing.assert_allclose(after, separate, rtol=1e-5, atol=1e-5)
    assert float(np.abs(after - before).max()) > 0.1


def test_nothing_is_fused_where_gradients_or_other_numbers_are_wanted() -> None:
    rows = torch.from_numpy(features(3))
    assert not fused.can_fuse(rows)
    with torch.inference_mode():
        assert not fused.can_fuse(rows.double())
        assert not fused.can_fuse(rows[:0])


def test_fusing_adds_nothing_to_what_is_saved() -> None:
    layers = Multilayer([5, 16, 16, 1], "silu")
    assert list(layers.state_dict()) == [f"{i}.{kind}" for i in (0, 2, 4) for kind in ("weight", "bias")]


@pytest.mark.parametrize("events", [0, 1, PIECE, 2 * PIECE + 1])
def test_the_mean_of_networks_is_that_of_their_log_odds(events: int) -> None:
    networks = [response_network("silu", seed) for seed in (1, 2, 3)]
    rows = np.asfortranarray(features(events))
    mean = mean_logits(networks, rows)
    assert mean.shape == (events,)
    each = np.stack([network_logits(network, rows) for network in networks])
    np.testing.assert_allclose(mean, each.mean(axis=0), rtol=1e-12)
