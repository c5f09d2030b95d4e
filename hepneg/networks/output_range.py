"""Outputs that stay in a range."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

import torch

from hepneg._core.parameters import require_between
from hepneg.config import Output
from hepneg.errors import ConfigError

__all__ = ["OutputRange", "bounded", "response_log_odds", "response_range"]

LEAST_RESPONSE = 1e-6
"""A response's range stays this far from 0 and 1: beyond, single precision cannot tell it from them."""


@dataclass(frozen=True, slots=True)
class OutputRange:
    """A range that outputs never leave.

    Attributes:
        activation: ``clipped``, ``tanh`` or ``sigmoid``; see :func:`bounded`.
        low: lower end.
        high: upper end.
    """

    activation: str
    low: float
    high: float

    @classmethod
    def from_dict(cls, data: Mapping[str, Any] | None) -> Self | None:
        """Rebuild a range from its dictionary, None from None."""
        if data is None:
            return None
        require_between(0, 1, **{f"{end} of the output": data[end] for end in ("low", "high")})
        if data["activation"] not in {"clipped", "tanh", "sigmoid"} or not data["low"] < data["high"]:
            raise ValueError(f"no range: {dict(data)!r}")
        return cls(data["activation"], data["low"], data["high"])

    def to_dict(self) -> dict[str, Any]:
        """Return the range as a plain dictionary."""
        return asdict(self)


def bounded(values: torch.Tensor, output: OutputRange) -> torch.Tensor:
    """Map numbers z onto a range [a, b] with middle m and half width h.

    - ``sigmoid``: a + (b − a)/(1 + e^−z), which reaches its ends only in the limit;
    - ``tanh``: m + h·tanh(z), the same curve, twice as steep in z;
    - ``clipped``: m + h·z between the ends and the nearer end beyond, where the gradient is zero: an event there no
      longer trains the network until others bring it back.
    """
    middle, half = 0.5 * (output.low + output.high), 0.5 * (output.high - output.low)
    match output.activation:
        case "sigmoid":
            return output.low + 2 * half * torch.sigmoid(values)
        case "tanh":
            return middle + half * torch.tanh(values)
        case _:
            return middle + half * values.clamp(-1.0, 1.0)


def response_log_odds(values: torch.Tensor, output: OutputRange) -> torch.Tensor:
    """Return log(y/(1 − y)) of the response y that lies in the range, inside (0, 1)."""
    response = bounded(values, output)
    return torch.log(response) - torch.log1p(-response)


def response_range(output: Output | None) -> OutputRange | None:
    """Return the range of a classifier's response; None for all of (0, 1).

    On a scale such as [−1, 1], ``sigmoid`` and ``tanh`` are the curve of the response itself; ``clipped`` reaches the
    ends.

    Raises:
        ConfigError: it ends at 0 or 1, or nearer to them than LEAST_RESPONSE.
    """
    if output is None or not output.restricts:
        return None
    if output.high is None:
        raise ConfigError("training.network.output: relu is for regressions; a response needs a range inside (0, 1)")
    if output.scale:
        return OutputRange(output.activation, LEAST_RESPONSE, 1 - LEAST_RESPONSE)
    if output.low < LEAST_RESPONSE or output.high > 1 - LEAST_RESPONSE:
        raise ConfigError(
            f"training.network.output: a response lies between 0 and 1, so low and high must be within "
            f"[{LEAST_RESPONSE:g}, 1 - {LEAST_RESPONSE:g}], or reach beyond for another scale, as [-1, 1] does, not "
            f"{output.low:g} and {output.high:g}"
        )
    return OutputRange(output.activation, output.low, output.high)
