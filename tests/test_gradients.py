"""Gradients by hand are those of torch's tape, and the optimiser takes torch's steps."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from torch import nn

from hepneg.config import Activity, Output
from hepneg.events import InputLayout
from hepneg.learning.activity import ActivityLoss
from hepneg.learning.adamw import AdamW
from hepneg.learning.gradients import batch_gradient
from hepneg.losses import BalancedCrossEntropyLoss, CrossEntropyLoss
from hepneg.networks.layer_stack import Stacked
from hepneg.networks.network import Network
from hepneg.networks.output_range import response_range
from hepneg.networks.perceptron import ACTIVATIONS, Perceptron
from hepneg.networks.response_network import ResponseNetwork
from hepneg.networks.tabular import Tabular
from hepneg.objectives.label_loss import LabelLoss
from hepneg.signs.sign_ensemble import SignEnsemble
from hepneg.signs.sign_loss import SignLoss

FEATURES, EVENTS = 4, 700


def inputs(events: int = EVENTS) -> np.ndarray:
    return np.random.default_rng(1).normal(50, 15, (events, FEATURES)).astype(np.float32)


def rows(columns: int, events: int = EVENTS) -> torch.Tensor:
    """Inputs, a label, and weights of either sign."""
    rng = np.random.default_rng(2)
    beside = [rng.integers(0, 2, events), *rng.normal(1, 1, (columns, events))]
    return torch.from_numpy(np.column_stack([inputs(events), *beside]).astype(np.float32))


def stirred(network: nn.Module) -> nn.Module:
    """Move all parameters away from where they begin: the last layer's are zero there."""
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=generator), alpha=0.2)
    return network


def response(network: Network, *bounds: object) -> nn.Module:
    made = ResponseNetwork(network, FEATURES, *bounds)  # type: ignore[arg-type]
    made.initialise(torch.Generator().manual_seed(4), inputs())
    return stirred(made)


def signs(network: Network, members: int) -> nn.Module:
    made = SignEnsemble(network, FEATURES, members)
    made.initialise(torch.Generator().manual_seed(4), inputs(), 0.4)
    return stirred(made)


def on_tape(network: nn.Module, loss: nn.Module | SignLoss, batch: torch.Tensor) -> tuple[float, list[torch.Tensor]]:
    network = copy.deepcopy(network)
    for parameter in network.parameters():
        parameter.grad = None
    value = loss(network, batch) / len(batch)
    value.backward()
    return float(value.detach()), [parameter.grad for parameter in network.parameters() if parameter.grad is not None]


def assert_same_gradients(network: nn.Module, loss: nn.Module | SignLoss, columns: int) -> None:
    gradient = batch_gradient(network, loss)
    for events in (300, EVENTS, 1, 299):  # memory of one batch is used by the next
        batch = rows(columns, events)
        value, expected = on_tape(network, copy.deepcopy(loss), batch)
        assert float(gradient(batch)) == pytest.approx(value, rel=1e-5)
        found = [parameter.grad for parameter in network.parameters()]
        for one, other in zip(found, expected, strict=True):
            # Sums of hundreds of terms in single precision; those of small gradients cancel.
            np.testing.assert_allclose(
                one.numpy(), other.numpy(), rtol=1e-4, atol=2e-6 * max(1, float(other.abs().max()))
            )


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("hidden", [(16, 8), (32,), ()])
def test_gradients_of_a_label_network_by_hand(activation: str, hidden: tuple[int, ...]) -> None:
    network = response(Perceptron(hidden, activation))
    assert isinstance(network, Stacked)
    assert network.layer_stack() is not None
    assert_same_gradients(network, LabelLoss(), 1)


@pytest.mark.parametrize("network", [Perceptron((16, 8)), Tabular((16,), bins=4)])
@pytest.mark.parametrize("members", [1, 3])
def test_gradients_of_sign_networks_by_hand(network: Network, members: int) -> None:
    assert_same_gradients(signs(network, members), SignLoss(), members)


def test_gradients_behind_shares_of_bins_by_hand() -> None:
    assert_same_gradients(response(Tabular((16, 8), bins=4)), LabelLoss(), 1)


@pytest.mark.parametrize(
    ("bounds", "loss"),
    [
        ((8.0,), LabelLoss()),
        ((None, response_range(Output(low=0.1, high=0.9))), LabelLoss()),
        ((), LabelLoss(CrossEntropyLoss(2.0))),
        ((), LabelLoss(BalancedCrossEntropyLoss(ratio=2.0, keep_history=False))),
        ((), ActivityLoss(LabelLoss(), Activity(strength=0.3))),
    ],
)
def test_losses_and_outputs_that_are_more_than_cross_entropy(bounds: tuple[object, ...], loss: nn.Module) -> None:
    network = response(Perceptron((16, 8)), *bounds)
    batch = rows(1)
    value, expected = on_tape(network, copy.deepcopy(loss), batch)
    assert float(batch_gradient(network, loss)(batch)) == value
    for parameter, other in zip(network.parameters(), expected, strict=True):
        assert torch.equal(parameter.grad, other)


class PricedLoss(LabelLoss):
    """Somebody's own loss, of which more is known than its cross-entropy."""

    def forward(self, network: nn.Module, rows: torch.Tensor) -> torch.Tensor:
        return 3 * super().forward(network, rows)


class PricedTerms(CrossEntropyLoss):
    def terms(self, logit: torch.Tensor, target: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        return 3 * super().terms(logit, target, weight)


@pytest.mark.parametrize("loss", [PricedLoss(), LabelLoss(PricedTerms())])
def test_a_loss_that_extends_cross_entropy_is_what_is_minimised(loss: LabelLoss) -> None:
    network, batch = response(Perceptron((16, 8))), rows(1)
    _, plain = on_tape(network, LabelLoss(), batch)
    batch_gradient(network, loss)(batch)
    for parameter, other in zip(network.parameters(), plain, strict=True):
        np.testing.assert_allclose(parameter.grad.numpy(), 3 * other.numpy(), rtol=1e-4, atol=1e-6)


def test_categories_and_frozen_parameters_go_on_the_tape() -> None:
    layout = InputLayout(FEATURES, {0: (1.0, 2.0)})
    network = ResponseNetwork(Perceptron((8,)), layout)
    network.initialise(torch.Generator().manual_seed(4), inputs())
    assert network.layer_stack() is None
    frozen = response(Perceptron((16, 8)))
    first = next(frozen.parameters()).requires_grad_(requires_grad=False)
    before = first.clone()
    batch_gradient(frozen, LabelLoss())(rows(1))
    AdamW(frozen.parameters(), 0.1).step()
    assert torch.equal(first, before)


@pytest.mark.parametrize("weight_decay", [0.0, 0.1])
def test_steps_are_those_of_torch_to_the_last_bit(weight_decay: float) -> None:
    def parameters() -> list[nn.Parameter]:
        generator = torch.Generator().manual_seed(5)
        shapes = [(8, 3), (8,), (2, 5)]
        made = [nn.Parameter(torch.randn(shape, generator=generator)) for shape in shapes]
        return [*made, nn.Parameter(torch.ones(3, dtype=torch.float64)), nn.Parameter(torch.ones(4))]

    ours, theirs = parameters(), parameters()
    optimizer = AdamW(ours, 1.0, weight_decay)
    reference = torch.optim.AdamW(theirs, lr=1.0, weight_decay=weight_decay, fused=True)
    generator = torch.Generator().manual_seed(6)
    for rate in (0.1, 0.1, 0.01, 0.003):
        for one, other in zip(ours[:-1], theirs[:-1], strict=True):  # the last has no gradient
            one.grad = torch.randn(one.shape, generator=generator, dtype=one.dtype)
            other.grad = one.grad.clone()
        optimizer.rate = reference.param_groups[0]["lr"] = rate
        optimizer.step()
        reference.step()
        for one, other in zip(ours, theirs, strict=True):
            assert torch.equal(one, other)


def test_an_optimiser_goes_on_from_its_state() -> None:
    def steps(optimizer: AdamW, parameter: nn.Parameter, numbers: range) -> None:
        for number in numbers:
            parameter.grad = torch.full((3,), 1.0 + number)
            optimizer.step()

    whole, half = nn.Parameter(torch.zeros(3)), nn.Parameter(torch.zeros(3))
    steps(AdamW([whole], 0.1), whole, range(6))
    first = AdamW([half], 0.1)
    steps(first, half, range(3))
    kept = {name: value.clone() for name, value in first.state().items()}
    second = AdamW([half], 0.1)
    second.restore(kept)
    steps(second, half, range(3, 6))
    assert torch.equal(whole, half)
