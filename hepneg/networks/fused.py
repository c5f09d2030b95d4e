"""A linear layer with its activation as one operation, where torch has one for this processor.

Networks this small spend half of their time between a matrix product and the activation behind it. oneDNN does both in
one pass, with the widest instructions of the processor whatever its make. The operation knows no gradients, so it
serves inference only; it agrees with the separate operations to the rounding of float32.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch

__all__ = ["can_fuse", "fused_linear", "packed_weights"]

# What oneDNN calls the activations, with the numbers and the choice of algorithm that it wants.
_NAMES: Mapping[str, tuple[str, tuple[float, ...], str]] = {
    "silu": ("swish", (), ""),
    "relu": ("relu", (), ""),
    "gelu": ("gelu", (), "none"),
    "tanh": ("tanh", (), ""),
    "sigmoid": ("sigmoid", (), ""),
    "clipped": ("hardtanh", (-1.0, 1.0), ""),
}

_scope = threading.local()


@functools.cache
def _available() -> bool:
    built_in = bool(torch.backends.mkldnn.is_available())  # type: ignore[no-untyped-call]
    return built_in and all(hasattr(torch.ops.mkldnn, name) for name in ("_linear_pointwise", "_reorder_linear_weight"))


@contextmanager
def packed_weights(batch: int) -> Iterator[None]:
    """Arrange each weight once, for batches of this size, in the order that the processor reads it in.

    For a while in which no parameter changes, in this thread; without it every call arranges its weight anew.
    """
    before = getattr(_scope, "packed", None)
    _scope.batch, _scope.packed = batch, {}
    try:
        yield
    finally:
        _scope.packed = before


def _packed(weight: torch.Tensor) -> torch.Tensor:
    packed: dict[tuple[int, tuple[int, ...]], tuple[torch.Tensor, torch.Tensor]] | None
    packed = getattr(_scope, "packed", None)
    if packed is None:
        return weight
    key = (weight.data_ptr(), weight.stride())
    if key not in packed:
        arranged: torch.Tensor = torch.ops.mkldnn._reorder_linear_weight(weight, _scope.batch)  # noqa: SLF001
        packed[key] = weight, arranged  # the weight as well, so that its address is not given to another meanwhile
    found: torch.Tensor = packed[key][1]
    return found


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
    result: torch.Tensor = linear(values, _packed(weight), bias, name, list(numbers), algorithm)
    return result
