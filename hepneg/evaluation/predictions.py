"""Where the predictions of a regression come from: a model, or elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol, Self

import numpy as np
from numpy.typing import ArrayLike

from hepneg.errors import DataError
from hepneg.evaluation.given_scores import GivenScores
from hepneg.events import EventTable
from hepneg.learning.history import FoldHistory

if TYPE_CHECKING:
    from hepneg.models.regressor import Regressor

__all__ = ["OfPredictions"]


class OfPredictions(Protocol):
    """An evaluation that is made of predictions."""

    __slots__ = ()

    @classmethod
    def of_predictions(
        cls,
        events: EventTable,
        prediction: ArrayLike,
        *,
        quantiles: Mapping[float, ArrayLike] | None = None,
        scheme: str,
        objective: str,
        histories: Sequence[FoldHistory] = (),
        bins: int = 40,
    ) -> Self:
        """Evaluate the predictions of n events."""
        ...

    @classmethod
    def of_model(cls, model: Regressor, events: EventTable, *, bins: int = 40) -> Self:
        """Evaluate a regressor on the events that it was trained on, each by the network that has not seen it.

        Args:
            model: the regressor.
            events: n events with its features, and its targets.
            bins: of the histograms.

        Raises:
            DataError: other features, no target, or other targets than the model's, or Σw ≤ 0.
        """
        from hepneg.losses.quantile_loss import central_quantile

        number, (known, _) = events.targets().shape[1], model.output_of_target
        if number != known:
            raise DataError(f"the events have {number} targets, but the regressor predicts {known}")
        quantiles = np.moveaxis(model.held_out_quantiles(events), -1, 0) if model.quantiles else ()
        central = quantiles[central_quantile(model.quantiles)] if model.quantiles else model.held_out_prediction(events)
        return cls.of_predictions(
            events,
            central,
            quantiles=dict(zip(model.quantiles, quantiles, strict=True)),
            scheme=model.scheme,
            objective=model.objective,
            histories=model.histories,
            bins=bins,
        )

    @classmethod
    def of_given(cls, events: EventTable, given: GivenScores, *, bins: int = 40) -> Self:
        """Evaluate predictions from elsewhere.

        Args:
            events: n events with a target, or with T.
            given: the predictions, (n,) or (n, T).
            bins: of the histograms.

        Raises:
            DataError: no target, predictions that are not one finite number per event and target, or Σw ≤ 0.
        """
        if given.prediction is None:
            raise DataError("no predictions are given")
        return cls.of_predictions(
            events,
            given.prediction,
            quantiles=given.quantiles,
            scheme=given.scheme,
            objective=given.objective,
            bins=bins,
        )
