"""The trained regression: predictions for any events, and honest ones for those it was trained on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, cast

from numpy.typing import ArrayLike

from hepneg.config import Task
from hepneg.errors import ConfigError
from hepneg.events import EventTable
from hepneg.models.model import Float, Model
from hepneg.networks.regression_network import RegressionNetwork, central_quantile

__all__ = ["Regressor"]


@dataclass(frozen=True, eq=False, repr=False)
class Regressor(Model):
    """k networks that predict a target, one for each fold; see :class:`hepneg.models.model.Model`.

    Predictions are in the unit of the target. Under the objective ``quantile`` the prediction is the quantile nearest
    to the median.
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
        return cast(RegressionNetwork, self.networks[0]).quantiles

    @property
    def bounds(self) -> tuple[float, float] | None:
        """Lowest and highest prediction that any network can give; None without a bound."""
        ends = [cast(RegressionNetwork, network).bounds for network in self.networks]
        given = [end for end in ends if end is not None]
        return (min(low for low, _ in given), max(high for _, high in given)) if given else None

    @property
    def output_shape(self) -> tuple[int, ...]:
        """Shape of the output of one event: (M,)."""
        return (max(1, len(self.quantiles)),)

    def prediction(self, features: ArrayLike) -> Float:
        """Return the prediction for events that the regressor was not trained on.

        Args:
            features: (n, F) in the order of ``feature_names``.

        Returns:
            The mean of the k networks' predictions, (n,).

        Raises:
            DataError: the number of columns differs, or there are NaN or infinite features.
        """
        return self._central(self.output(features))

    def held_out_prediction(self, events: EventTable) -> Float:
        """Return for each event the prediction of the network that has not seen it, (n,).

        Raises:
            DataError: the table's features are not those of the regressor.
        """
        return self._central(self.output_of_fold(events))

    def held_out_quantiles(self, events: EventTable) -> Float:
        """Return for each event the quantiles, (n, M), of the network that has not seen it.

        Raises:
            ConfigError: the regressor was not trained for quantiles.
            DataError: as :meth:`held_out_prediction`.
        """
        self._require_quantiles()
        return self.output_of_fold(events)

    def columns(self, output: Float) -> dict[str, Float]:
        """Return ``hepneg_prediction`` and a ``hepneg_q…`` for each quantile, (n,) each, from predictions, (n, M)."""
        quantiles = {quantile_column(q): output[:, number] for number, q in enumerate(self.quantiles)}
        return {"hepneg_prediction": self._central(output), **quantiles}

    def _central(self, output: Float) -> Float:
        return output[:, central_quantile(self.quantiles)]

    def _require_quantiles(self) -> None:
        if not self.quantiles:
            raise ConfigError(f"the regressor was trained for {self.objective}, not for quantiles")


def quantile_column(probability: float) -> str:
    """Return the name of a quantile's branch: ``hepneg_q0p16`` for 0.16; RNTuple allows no dots."""
    return f"hepneg_q{probability:g}".replace(".", "p")
