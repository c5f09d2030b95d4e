"""A linear layer with its activation as one operation, where torch has one for this processor.

Networks this small spend half of their time between a matrix product and the activation behind it. oneDNN does both in
one pass, with the widest instructions of the processor whatever its make. The operation knows no gradients, so it serves
inference only; it agrees with the separate operations to the rounding of float32.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping

import torch

__all__ = ["can_fuse", "fused_linear"]

# What oneDNN calls the activations, with the numbers and the choice of algorithm that it wants.
_NAMES: Mapping[str, tuple[str, tuple[float, ...], str]] = {
    "silu": ("swish", (), ""),
    "relu": ("relu", (), ""),
    "gelu": ("gelu", (), "none"),
    "tanh": ("tanh", (), ""),
    "sigmoid": ("sigmoid", (), ""),
    "clipped": ("hardtanh", (-1.0, 1.0), ""),
}


@functools.cache
def _available() -> bool:
    built_in = bool(torch.backends.mkldnn.is_available())  # type: ignore[no-untyped-call]
    return built_in and hasattr(torch.ops.mkldnn, "_linear_pointwise")


def can_fuse(values: torch.Tensor) -> bool:
    """Tell whether :func:`fused_linear` takes these values: float32 on the CPU, (n, inputs), in inference mode."""
    return (
        torch.is_inference_mode_enabled()
        and values.device.type == "cpu"
        and values.dtype == torch.float32
        and values.ndim == 2
        and len(values) > 0
        and _available()
    )


def fused_linear(values: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor, activation: str) -> torch.Tensor:
    """Return activation(values · weightᵀ + bias), (n, outputs).

    Args:
        values: (n, inputs), for which :func:`can_fuse` holds.
        weight: (outputs, inputs).
        bias: (outputs,).
        activation: ``silu``, ``relu``, ``gelu``, ``tanh``, ``sigmoid`` or ``clipped``.
    """
    name, numbers, algorithm = _NAMES[activation]
    linear = torch.ops.mkldnn._linear_pointwise  # noqa: SLF001
    result: torch.Tensor = linear(values, weight, bias, name, list(numbers), algorithm)
    return result
