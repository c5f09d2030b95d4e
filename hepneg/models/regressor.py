"""The trained regression: predictions for any events, and honest ones for those it was trained on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, cast

import numpy as np
from numpy.typing import ArrayLike

from hepneg.config import Task
from hepneg.errors import ConfigError
from hepneg.events import EventTable
from hepneg.models.model import Float, Model
from hepneg.networks.regression_network import RegressionNetwork, central_quantile

__all__ = ["Regressor"]


@dataclass(frozen=True, eq=False, repr=False)
class Regressor(Model):
    """k networks that predict one or several targets, one for each fold; see :class:`hepneg.models.model.Model`.

    Predictions are in the unit of the target. Under the objective ``quantile`` the prediction is the quantile nearest
    to the median. Of one target they are (n,), of T targets (n, T) in the order of ``target_names``.
    """

    task: ClassVar[Task] = "regression"
    noun: ClassVar[str] = "regressor"

    @property
    def objective(self) -> str:
        """Name of the objective that it was trained for."""
        return str(self.training["objective"]["name"])

    @property
    def quantiles(self) -> tuple[float, ...]:
        """Probabilities of the quantiles that it predicts; empty for a single prediction."""
        return self._network.quantiles

    @property
    def target_names(self) -> tuple[str, ...]:
        """Names of the T targets."""
        return tuple(self.inputs.targets) or tuple(f"target{i}" for i in range(self._network.targets))

    @property
    def bounds(self) -> tuple[Any, Any] | None:
        """Lowest and highest prediction that any network can give, of T targets (T,) each; None without a bound."""
        ends = [cast(RegressionNetwork, network).bounds for network in self.networks]
        given = np.array([end for end in ends if end is not None])
        if not len(given):
            return None
        low, high = given[:, 0].min(axis=0), given[:, 1].max(axis=0)
        return (float(low[0]), float(high[0])) if len(low) == 1 else (low, high)

    @property
    def output_shape(self) -> tuple[int, ...]:
        """Shape of the output of one event: (T·M,), the M quantiles of each target one after the other."""
        return (self._network.targets * max(1, len(self.quantiles)),)

    @property
    def output_of_target(self) -> tuple[int, int]:
        """Number of targets T, and of outputs M of each."""
        return self._network.shape

    def prediction(self, features: ArrayLike | EventTable) -> Float:
        """Return the prediction for events that the regressor was not trained on.

        Args:
            features: (n, F) in the order of ``feature_names``, or a table of events, which may have collections.

        Returns:
            The mean of the k networks' predictions, (n,), or (n, T).

        Raises:
            DataError: the number of columns differs, or there are NaN or infinite features.
        """
        return self._of_targets(self._central(self.output(features)))

    def held_out_prediction(self, events: EventTable) -> Float:
        """Return for each event the prediction of the network that has not seen it, (n,), or (n, T).

        Raises:
            DataError: the table's features are not those of the regressor.
        """
        return self._of_targets(self._central(self.output_of_fold(events)))

    def held_out_quantiles(self, events: EventTable) -> Float:
        """Return for each event the quantiles, (n, M), or (n, T, M), of the network that has not seen it.

        Raises:
            ConfigError: the regressor was not trained for quantiles.
            DataError: as :meth:`held_out_prediction`.
        """
        self._require_quantiles()
        return self._of_targets(self._by_target(self.output_of_fold(events)))

    def columns(self, output: Float) -> dict[str, Float]:
        """Return what a friend file holds, (n,) each, from outputs of :meth:`output`.

        That is ``hepneg_prediction`` and a ``hepneg_q…`` for each quantile; of several targets each with the name of
        the target behind it, as in ``hepneg_prediction_pz``.
        """
        several, columns = len(self.target_names) > 1, {}
        for name, own in zip(self.target_names, self._by_target(output).swapaxes(0, 1), strict=True):
            end = f"_{name}" if several else ""
            columns[f"hepneg_prediction{end}"] = own[:, central_quantile(self.quantiles)]
            columns |= {f"{quantile_column(q)}{end}": own[:, number] for number, q in enumerate(self.quantiles)}
        return columns

    @property
    def _network(self) -> RegressionNetwork:
        return cast(RegressionNetwork, self.networks[0])

    def _by_target(self, output: Float) -> Float:
        """Return outputs, (n, T·M), as (n, T, M)."""
        return output.reshape(len(output), *self.output_of_target)

    def _central(self, output: Float) -> Float:
        return self._by_target(output)[..., central_quantile(self.quantiles)]

    def _of_targets(self, values: Float) -> Float:
        """Leave the axis of the targets, the second, out where there is one."""
        return values[:, 0] if values.shape[1] == 1 else values

    def _require_quantiles(self) -> None:
        if not self.quantiles:
            raise ConfigError(f"the regressor was trained for {self.objective}, not for quantiles")


def quantile_column(probability: float) -> str:
    """Return the name of a quantile's branch: ``hepneg_q0p16`` for 0.16; RNTuple allows no dots."""
    return f"hepneg_q{probability:g}".replace(".", "p")
