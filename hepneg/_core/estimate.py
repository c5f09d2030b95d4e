"""A value and its uncertainty, the form in which every metric comes."""

from __future__ import annotations

import math
from dataclasses import dataclass

__all__ = ["Estimate"]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A measured value and its standard error.

    Args:
        value: the estimate; NaN where it is undefined.
        error: one standard deviation, >= 0; NaN where it is undefined.
    """

    value: float
    error: float

    def __str__(self) -> str:
        if not (math.isfinite(self.error) and self.error > 0):
            return f"{self.value:.6g} ± {self.error:.2g}"
        digits = max(0, 1 - math.floor(math.log10(self.error)))
        return f"{self.value:.{digits}f} ± {self.error:.{digits}f}"

    def to_dict(self) -> dict[str, float]:
        """Return ``{"value": …, "error": …}``."""
        return {"value": self.value, "error": self.error}
