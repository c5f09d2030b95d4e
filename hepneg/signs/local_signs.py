"""The local mean sign of each sample or label, as networks have learnt it, and of events that they have not seen."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from hepneg._core.by_fold import by_fold
from hepneg.events import EventTable, Rows, selected
from hepneg.networks.inference import in_pieces
from hepneg.signs.sign_ensemble import SignEnsemble

__all__ = ["HeldOutSigns", "LocalSigns", "SignReader", "class_means", "held_out_sign"]

Float = NDArray[np.float64]
SignReader = Callable[[EventTable, bool], Float]
"""From events to their local mean sign, (n,); the second argument asks for it as learnt, without its floor."""


@dataclass(frozen=True, eq=False)
class LocalSigns:
    """ĝ(x) of several groups of events: the samples, or the labels.

    Attributes:
        by: ``"sample"`` or ``"label"``.
        networks: by code of the group; groups without one have a constant.
        constants: mean sign of the groups without a network, by code.
        curves: corrections of what the networks say, by code, where there are any; the floor comes after them.
    """

    by: str
    networks: Mapping[int, SignEnsemble]
    constants: Mapping[int, float]
    curves: Mapping[int, Callable[[Float], Float]] = field(default_factory=dict)

    def read(self, events: EventTable, raw: bool) -> Float:
        """Return ĝ of each event, (n,); ``raw`` as in :meth:`at`."""
        return self.at(events.inputs, events.sample if self.by == "sample" else events.label, raw=raw)

    def at(self, features: Rows, code: NDArray[np.integer], *, raw: bool = False) -> Float:
        """Return ĝ, (n,), from inputs and the codes of the groups, (n,).

        Args:
            features: (n, F), or with collections.
            code: of the group of each event.
            raw: leave the floor out, so that negative densities show.
        """
        sign = np.ones(len(features))
        for group in np.unique(code).tolist():
            chosen = np.flatnonzero(code == group)
            network = self.networks.get(group)
            if network is None:
                sign[chosen] = self.constants.get(group, 1.0)
            else:
                value = in_pieces(network.raw_mean_sign, selected(features, chosen), next(network.parameters()).device)
                value = self.curves[group](value) if group in self.curves else value
                sign[chosen] = value if raw else np.maximum(value, float(network.floor))
        return sign

    def cpu(self) -> LocalSigns:
        """Move the networks to the CPU, and return these signs."""
        for network in self.networks.values():
            network.cpu()
        return self

    def of_samples(self, events: EventTable) -> LocalSigns | None:
        """Return the signs of the labels as those of the samples where every label has one sample, else None."""
        pairs = np.unique(np.stack([events.label, events.sample]), axis=1).T.tolist()
        if len({label for label, _ in pairs}) < len(pairs):
            return None
        networks = {sample: self.networks[label] for label, sample in pairs if label in self.networks}
        constants = {sample: self.constants[label] for label, sample in pairs if label in self.constants}
        return replace(self, by="sample", networks=networks, constants=constants)


@dataclass(frozen=True, eq=False)
class HeldOutSigns:
    """The local mean sign of n events as the networks of K folds see it.

    Attributes:
        sign: of each event by networks that have not seen it, (n,).
        raw: the same without its floor, (n,).
        ensembles: of each event by the networks of each fold, (n, K).
        fold_of: the fold of each event, (n,).
    """

    sign: Float
    raw: Float
    ensembles: Float
    fold_of: NDArray[np.integer]

    @classmethod
    def of(cls, readers: Sequence[SignReader], events: EventTable, fold_of: NDArray[np.integer]) -> HeldOutSigns:
        """Ask the readers of each fold about n events, whose folds are given, (n,)."""
        sign, raw = (held_out_sign(readers, events, fold_of, raw=raw) for raw in (False, True))
        return cls(sign, raw, np.stack([reader(events, False) for reader in readers], axis=1), fold_of)


def held_out_sign(
    readers: Sequence[SignReader], events: EventTable, fold_of: NDArray[np.integer], *, raw: bool = False
) -> Float:
    """Return the local mean sign of each event by the networks that have not seen it, (n,).

    Args:
        readers: of each fold.
        events: n events.
        fold_of: the fold of each, (n,).
        raw: as learnt, without its floor.
    """
    return by_fold(fold_of, len(readers), lambda fold, members: readers[fold](events.select(members), raw))


def class_means(values: Float, events: EventTable, classes: int) -> Float:
    """Return the mean of values, (n,), under \\|w\\| of the events of each class, (classes,)."""
    size = np.abs(events.weight)
    members = [events.label == code for code in range(classes)]
    return np.array([np.average(values[of_class], weights=size[of_class]) for of_class in members])
