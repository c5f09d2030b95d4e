"""The optimiser AdamW with as little as possible around its one operation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import torch

__all__ = ["AdamW"]


class AdamW:
    """Takes the steps of :class:`torch.optim.AdamW`, fused, to the last bit where all parameters have gradients.

    What torch does before each step, for options that nobody wants here, takes longer than the step itself of a
    network of some thousand parameters. Steps are counted for the network, not for each parameter.

    Args:
        parameters: of one network, on one device.
        rate: the learning rate, which may be changed between steps.
        weight_decay: decoupled from the gradient.

    Reference: Loshchilov, Hutter, arXiv:1711.05101.
    """

    def __init__(self, parameters: Iterable[torch.Tensor], rate: float, weight_decay: float = 0.0) -> None:
        self.rate, self.weight_decay = rate, weight_decay
        self._parameters = list(parameters)
        self._values = [parameter.detach() for parameter in self._parameters]
        self._means, self._squares = ([torch.zeros_like(values) for values in self._values] for _ in range(2))
        self._steps = torch.zeros((), device=self._values[0].device)

    def step(self) -> None:
        """Take one step; parameters without a gradient stay as they are."""
        self._steps += 1
        rows = zip(self._parameters, self._values, self._means, self._squares, strict=True)
        by_type: dict[torch.dtype, list[tuple[torch.Tensor, ...]]] = {}
        for parameter, *row in rows:
            if parameter.grad is not None:
                by_type.setdefault(parameter.dtype, []).append((parameter.grad, *row))
        for chosen in by_type.values():
            gradients, values, means, squares = (list(column) for column in zip(*chosen, strict=True))
            torch._fused_adamw_(
                values,
                gradients,
                means,
                squares,
                [],
                [self._steps] * len(values),
                lr=self.rate,
                beta1=0.9,
                beta2=0.999,
                weight_decay=self.weight_decay,
                eps=1e-8,
                amsgrad=False,
                maximize=False,
            )

    def state(self) -> dict[str, torch.Tensor]:
        """Return the moments, by ``<parameter number>.<name>``."""
        columns = {"step": [self._steps] * len(self._values), "exp_avg": self._means, "exp_avg_sq": self._squares}
        return {f"{number}.{name}": value for name, column in columns.items() for number, value in enumerate(column)}

    def restore(self, state: Mapping[str, torch.Tensor]) -> None:
        """Take the moments of :meth:`state`, from any device.

        Raises:
            LookupError: some are missing.
        """
        for name, value in self.state().items():
            value.copy_(state[name])
