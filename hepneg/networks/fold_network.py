"""What answers for a fold: a module that a model folder can name and rebuild."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Self

import torch
from torch import nn

from hepneg._core.class_names import MOST_CLASSES
from hepneg._core.parameters import require_count
from hepneg._core.registry import Registry
from hepneg.errors import DataError
from hepneg.networks.class_outputs import class_probabilities

__all__ = ["FoldNetwork", "number_of_classes", "rebuild"]

_KINDS: Registry[Any] = Registry(
    "kind of module",
    "hepneg.modules",
    {
        "response": "hepneg.networks.response_network:ResponseNetwork",
        "regression": "hepneg.networks.regression_network:RegressionNetwork",
        "calibrated": "hepneg.networks.calibrated_network:CalibratedNetwork",
        "calibrated_classes": "hepneg.networks.calibrated_classes:CalibratedClassesNetwork",
        "signs": "hepneg.signs.sign_ensemble:SignEnsemble",
        "factorised": "hepneg.schemes.term_networks:FactorisedNetwork",
        "mean": "hepneg.schemes.term_networks:MeanNetwork",
        "mixture": "hepneg.schemes.shared_network:MixtureNetwork",
        "signed_target": "hepneg.schemes.shared_network:SignedTargetNetwork",
    },
)


class FoldNetwork(nn.Module):
    """From raw features, (n, F), to the log-odds of signal, (n,), to log-ratios, (n, K − 1), or predictions, (n, M)."""

    name: ClassVar[str]

    @abstractmethod
    def parameters_to_dict(self) -> dict[str, Any]:
        """Return what :meth:`from_dict` needs beside the tensors, JSON-ready."""

    @classmethod
    @abstractmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Return a module of the same layers, its tensors not yet loaded."""

    def to_dict(self) -> dict[str, Any]:
        """Return what :func:`rebuild` needs, JSON-ready."""
        return {"kind": self.name, **self.parameters_to_dict()}

    def signed_posteriors(self, features: torch.Tensor) -> torch.Tensor:
        """Return the density of each class at a common scale, (n, K): positive where the module knows no signs."""
        return class_probabilities(self(features))


def number_of_classes(data: Mapping[str, Any]) -> int:
    """Return the number of classes that a module's dictionary says, two where it says nothing.

    Raises:
        ValueError: it is none.
    """
    classes = data.get("classes", 2)
    require_count(classes=classes)
    if not 2 <= classes <= MOST_CLASSES:
        raise ValueError(f"a network has 2 to {MOST_CLASSES} classes, not {classes}")
    return int(classes)


def rebuild(data: Mapping[str, Any]) -> FoldNetwork:
    """Return the module of a dictionary that :meth:`FoldNetwork.to_dict` made, its tensors not yet loaded.

    Raises:
        DataError: a kind that is not known, or a network that another package brings.
        LookupError: an entry is missing.
    """
    kind = data["kind"]
    if kind not in _KINDS.names():
        raise DataError(f"the model has a module of the kind {kind!r}, which this hepneg does not know")
    module: FoldNetwork = _KINDS.find(kind).from_dict(data)
    return module
