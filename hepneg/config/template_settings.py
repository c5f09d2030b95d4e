"""Settings of templates, and of a response that comes from elsewhere."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self, TypeAlias

from pydantic import Field, model_validator

from hepneg.config.expression_field import ExpressionField
from hepneg.config.validation import Edges, Model, Positive, Range
from hepneg.expressions import Expression

NegativeBins: TypeAlias = Literal["refined", "merge", "keep", "refuse"]
TemplateFormat: TypeAlias = Literal["root", "pyhf", "cabinetry", "combine"]
FORMATS: tuple[TemplateFormat, ...] = ("root", "pyhf", "cabinetry", "combine")

Share: TypeAlias = Annotated[float, Field(gt=0, lt=1)]


class GivenResponse(Model):
    """A score from elsewhere, an expression of branches; text alone is a probability.

    Attributes:
        probability: of signal at equal priors, in (0, 1).
        logit: its log-odds.
    """

    probability: ExpressionField | None = None
    logit: ExpressionField | None = None

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: Any) -> Any:
        return {"probability": value} if isinstance(value, (str, Expression)) else value

    @model_validator(mode="after")
    def _check_one(self) -> Self:
        if (self.probability is None) == (self.logit is None):
            raise ValueError("give an expression of the probability of signal, or `{logit: expression}`")
        return self

    @property
    def expression(self) -> Expression:
        """The expression, of whichever kind."""
        found = self.probability or self.logit
        if found is None:
            raise ValueError("a response without an expression")
        return found


class TemplateBinning(Model):
    """The bins of templates: given, or chosen as the target wants them, under conditions on every process.

    Attributes:
        edges: given ones, increasing.
        range: of the variable, where edges are chosen; the response has 0 to 1.
        target: what chosen bins are best for.
        most: bins at most.
        require: on what the conditions are: the total background, or each sample.
        significance: Σw is to be above so many √Σw².
        effective: least effective events.
        rate: probability of that on independent events.
        chosen_on: the events on which edges are chosen: a share of other ones, which fill no template, or the same
            ones with a smooth mean sign, or the same with their signed weights.
        share: of the events on which edges are chosen, where these are other ones.
        transform: map the variable so that the background is flat; only the edges change.
    """

    edges: Edges | None = None
    range: Range | None = None
    target: Literal["significance", "flat_signal", "flat_background", "quantiles"] = "significance"
    most: Annotated[int, Field(ge=1, le=200)] = 10
    require: Literal["each", "background"] = "background"
    significance: Positive = 3.0
    effective: Positive = 10.0
    rate: Share = 0.95
    chosen_on: Literal["other_events", "refined", "same_events"] = "other_events"
    share: Share = 0.25
    transform: Literal["flat_background"] | None = None


class TemplateSettings(Model):
    """What ``hepneg templates`` makes.

    Attributes:
        variable: an expression in the place of the response.
        binning: its bins.
        negative_bins: what is done where Σw ≤ 0 or a bin has too few effective events.
        least_effective: so many are enough.
        formats: what is written.
    """

    variable: ExpressionField | None = None
    binning: TemplateBinning = TemplateBinning()
    negative_bins: NegativeBins = "refined"
    least_effective: Positive = 5.0
    formats: Annotated[tuple[TemplateFormat, ...], Field(min_length=1)] = FORMATS

    @model_validator(mode="after")
    def _check_range(self) -> Self:
        if self.variable is not None and self.binning.edges is None and self.binning.range is None:
            raise ValueError("a `variable:` needs `binning.edges` or `binning.range`")
        return self
