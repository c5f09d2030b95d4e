"""The losses in loops of one's own: plain torch, any scale of the weights, the same as the package trains with."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

import hepneg.losses
from hepneg.losses import (
    BalancedCrossEntropyLoss,
    CrossEntropyLoss,
    EventLoss,
    MixtureLoss,
    QuantileLoss,
    ReciprocalLoss,
    ResponsePreferenceLoss,
    SignedSquaredLoss,
)
from hepneg.losses.running_rates import LEAST_SUM
from hepneg.metrics import operating_point
from hepneg.objectives import make_objective, objective_names

N = 8000


def events(f: float = 0.2) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Signal narrower than background, so that plain training is not balanced; labels at equal sums."""
    rng = np.random.default_rng(1)
    label = np.arange(N) % 2
    x = rng.normal(size=(N, 3)) * np.where(label == 1, 0.6, 1.2)[:, None] + 0.7 * label[:, None]
    w = np.where(rng.random(N) < f, -1.0, 1.0)
    w *= np.where(label == 1, 0.5 / w[label == 1].sum(), 0.5 / w[label == 0].sum()) * N
    return tuple(torch.tensor(column, dtype=torch.float32) for column in (x, label, w))  # type: ignore[return-value]


def network(outputs: int = 1) -> nn.Module:
    torch.manual_seed(1)
    layers = [nn.Linear(3, 32), nn.SiLU(), nn.Linear(32, outputs)]
    return nn.Sequential(*layers, *([nn.Flatten(0)] if outputs == 1 else []))


def trained(loss: Callable[..., torch.Tensor], steps: int = 600, scale: float = 1.0, outputs: int = 1) -> torch.Tensor:
    x, label, weight = events()
    model = network(outputs)
    optimizer = torch.optim.Adam(model.parameters(), 3e-3)
    generator = torch.Generator().manual_seed(3)
    for _ in range(steps):
        batch = torch.randint(0, N, (512,), generator=generator)
        optimizer.zero_grad()
        loss(model(x[batch]), label[batch], scale * weight[batch]).backward()
        optimizer.step()
    with torch.no_grad():
        result: torch.Tensor = model(x)
    return result


def test_every_loss_is_a_mean_of_the_terms_of_events() -> None:
    generator = torch.Generator().manual_seed(1)
    target, weight = (torch.rand(50, generator=generator) < 0.5).float(), torch.randn(50, generator=generator)
    for name in hepneg.losses.__all__:
        kind = getattr(hepneg.losses, name)
        if kind is EventLoss:
            continue
        outputs = {MixtureLoss: (50, 3), QuantileLoss: (50, 3)}.get(kind, (50,))
        logit = torch.randn(outputs, generator=generator)
        terms = kind().terms(logit, target, weight)
        assert terms.shape == (50,)
        assert float(kind()(logit, target, weight)) == pytest.approx(float(terms.mean()))


def test_the_package_trains_with_these_losses() -> None:
    for task in ("classification", "regression"):
        for name in objective_names(task):  # type: ignore[arg-type]
            if name != "odd":  # of another test
                assert isinstance(make_objective(name).make_loss().event_loss, EventLoss)


@pytest.mark.parametrize("scale", [1.0, 0.01, 50.0])
def test_the_wanted_ratio_is_met_whatever_the_scale_of_the_weights(scale: float) -> None:
    loss = BalancedCrossEntropyLoss(ratio=1.0)
    logit = trained(lambda *columns: loss(*columns) / scale, scale=scale)
    _, label, weight = events()
    point = operating_point(logit.double().numpy(), label.numpy().astype(int), weight.double().numpy(), 0.0)
    # Batches of 512, 20 of them in the filter: Σw ≈ 0.6·5120 of each label, each rate known to 0.4/√1840.
    assert point.ratio.value == pytest.approx(1.0, abs=3 * math.sqrt(2) * 0.4 / math.sqrt(1840) / 0.8)
    assert len(loss.history) == 600
    assert set(loss.history[-1]) == {"sensitivity", "specificity", "price"} == set(loss.running())


def test_the_price_stands_still_while_a_rate_is_not_known() -> None:
    """Weights of a label that cancel teach nothing of its rate: the price must not wind up meanwhile."""
    loss = BalancedCrossEntropyLoss(sensitivity=0.9, filter_strength=0.5)
    label = torch.tensor([1.0, 1.0, 0.0, 0.0])
    logit = torch.full((4,), -1.0)
    for _ in range(3):
        loss(logit, label, torch.ones(4))
    known = loss.running()
    cancelling = torch.tensor([1.0, LEAST_SUM / 4 - 1.0, 1.0, 1.0])
    for _ in range(60):
        loss(logit, label, cancelling)
    first_held = next(i for i, state in enumerate(loss.history) if i > 10)
    assert loss.history[-1]["price"] == loss.history[first_held]["price"]
    assert math.isfinite(known["price"])


def test_the_formula_that_is_often_posted_runs_away() -> None:
    """S_N = TP/FN as a factor on y·log ŷ, S_P = TN/FP on the other term: the page says so."""
    rates = torch.ones(2)

    def posted(logit: torch.Tensor, label: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        factor = 2 * torch.where(label > 0.5, rates[0], rates[1]) / rates.sum()
        loss = (factor * nn.functional.binary_cross_entropy_with_logits(logit, label, reduction="none")).mean()
        right = (logit.detach() > 0) == (label > 0.5)
        for number, of_label in enumerate((label > 0.5, label < 0.5)):
            rates[number] += 0.02 * ((right & of_label).sum() / ((~right & of_label).sum() + 0.5) - rates[number])
        return loss

    logit = trained(posted, steps=1500)
    _, label, _ = events()
    found = [float(((logit > 0) == (label > 0.5))[label == code].float().mean()) for code in (1, 0)]
    assert max(found) > 0.98
    assert min(found) < 0.5


def test_a_share_is_met() -> None:
    loss = ResponsePreferenceLoss(share=0.75, low=0.5)
    logit = trained(loss, steps=900)
    _, _, weight = events()
    share = float(weight[logit >= 0].sum() / weight.sum())
    assert share == pytest.approx(0.75, abs=0.05)
    assert set(loss.history[-1]) == {"share", "price"}


def test_running_states_are_drawn_and_can_be_left_out() -> None:
    loss = BalancedCrossEntropyLoss()
    for _ in range(3):
        loss(torch.zeros(4), torch.tensor([1.0, 1.0, 0.0, 0.0]), torch.ones(4))
    axes = loss.plot()
    assert [line.get_label() for line in axes.get_lines()] == ["sensitivity", "specificity"]
    assert axes.get_xlabel() == "Batch"
    silent = ResponsePreferenceLoss(keep_history=False)
    silent(torch.zeros(2), torch.tensor([1.0, 0.0]), torch.ones(2))
    with pytest.raises(ValueError, match="nothing to draw"):
        silent.plot()


def test_bounded_losses_stay_above_zero_whatever_the_signs() -> None:
    generator = torch.Generator().manual_seed(2)
    for _ in range(20):
        logit = 30 * torch.randn(40, 3, generator=generator)
        label, weight = (torch.rand(40, generator=generator) < 0.5).float(), torch.randn(40, generator=generator)
        assert float(MixtureLoss()(logit, label, weight)) >= 0
        for loss in (SignedSquaredLoss(), ReciprocalLoss()):
            assert float(loss(logit[:, 0], label, weight)) >= 0
        bounded = CrossEntropyLoss(logit_bound=5.0).terms(logit[:, 0], label, weight)
        assert torch.all(bounded.abs() <= weight.abs() * (5.0 + math.log(2)) + 1e-4)


def test_a_mixture_learns_the_signed_ratio() -> None:
    """The log-odds of the three outputs rank as well as those of signed training, with the sign of each density."""
    logit = trained(MixtureLoss(), outputs=3)
    ratio = MixtureLoss.log_odds(logit, (0.6, 0.6))
    _, label, weight = events()
    found = operating_point(ratio.double().numpy(), label.numpy().astype(int), weight.double().numpy(), 0.0)
    assert found.sensitivity.value + found.specificity.value > 1.5
    signs = torch.tanh(0.5 * logit[:, 1:])
    assert float((signs - 0.6).abs().mean()) < 0.1  # the sign does not depend on x


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(0.01, 0.99), min_size=1, max_size=6, unique=True).map(sorted), st.integers(0, 1000))
def test_quantiles_cannot_cross(probabilities: list[float], seed: int) -> None:
    loss = QuantileLoss(tuple(probabilities))
    outputs = 10 * torch.randn(30, len(probabilities), generator=torch.Generator().manual_seed(seed))
    assert torch.all(loss.quantiles(outputs).diff(dim=1) >= 0)
