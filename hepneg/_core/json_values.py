"""Results as JSON holds them: one walk over dataclasses, mappings, arrays and numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np

from hepneg._core.estimate import Estimate

__all__ = ["JsonResult", "json_fields", "json_object", "json_ready"]


def json_ready(value: Any) -> Any:
    """Turn a result, or what it consists of, into what JSON knows.

    Mappings become dictionaries, tuples and arrays lists, numpy scalars plain numbers, NaN and infinities ``null``.
    What has a ``to_dict`` is asked for it, any other dataclass gives its fields (:func:`json_fields`).
    """
    if isinstance(value, Mapping):
        return json_object(value)
    if isinstance(value, np.ndarray):
        return json_ready(value.tolist())
    if isinstance(value, (list, tuple)):
        return [json_ready(item) for item in value]
    if hasattr(value, "to_dict"):
        return json_ready(value.to_dict())
    if is_dataclass(value):
        return json_fields(value)
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def json_object(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return a mapping whose values are JSON-ready; see :func:`json_ready`."""
    return {str(key): json_ready(item) for key, item in content.items()}


def json_fields(result: Any, *names: str, errors_last: bool = False) -> dict[str, Any]:
    """Return the fields of a dataclass, JSON-ready; an estimate ``x`` becomes two numbers, ``x`` and ``x_error``.

    Args:
        result: an instance of a dataclass.
        names: of the attributes to take, in order; left out, all fields.
        errors_last: the errors follow after all values instead of each after its own.
    """
    ready: dict[str, Any] = {}
    errors: dict[str, Any] = {}
    for name in names or [field.name for field in fields(result)]:
        value = getattr(result, name)
        if isinstance(value, Estimate):
            ready[name] = json_ready(value.value)
            (errors if errors_last else ready)[f"{name}_error"] = json_ready(value.error)
        else:
            ready[name] = json_ready(value)
    return ready | errors


class JsonResult:
    """A dataclass whose fields are what its JSON holds."""

    __slots__ = ()

    def to_dict(self) -> dict[str, Any]:
        """Return the fields JSON-ready, an estimate ``x`` as ``x`` and ``x_error``; NaN and infinities are None."""
        return json_fields(self)
