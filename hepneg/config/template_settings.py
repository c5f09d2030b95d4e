"""Settings of templates, and of a response that comes from elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self, TypeAlias

from pydantic import Field, model_validator

from hepneg._core.class_names import TWO_CLASSES, response_name
from hepneg.config.expression_field import ExpressionField
from hepneg.config.validation import Edges, Model, Positive, Range
from hepneg.errors import ConfigError, nearest_names
from hepneg.expressions import Expression

NegativeBins: TypeAlias = Literal["refined", "merge", "keep", "refuse"]
TemplateFormat: TypeAlias = Literal["root", "pyhf", "cabinetry", "combine"]
FORMATS: tuple[TemplateFormat, ...] = ("root", "pyhf", "cabinetry", "combine")

Share: TypeAlias = Annotated[float, Field(gt=0, lt=1)]

MOST_PROBABLE = "most_probable"
"""The node of templates in the response of the most probable class."""


class GivenResponse(Model):
    """A score from elsewhere, an expression of branches; text alone is a probability.

    Attributes:
        probability: of signal at equal priors, in (0, 1).
        logit: its log-odds.
        probabilities: of each class at equal priors, by its name, for classes other than signal and background.
    """

    probability: ExpressionField | None = None
    logit: ExpressionField | None = None
    probabilities: dict[str, ExpressionField] | None = None

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: Any) -> Any:
        return {"probability": value} if isinstance(value, (str, Expression)) else value

    @model_validator(mode="after")
    def _check_one(self) -> Self:
        if sum(given is not None for given in (self.probability, self.logit, self.probabilities)) != 1:
            raise ValueError(
                "give an expression of the probability of signal, or `{logit: expression}`, or of several classes "
                "`{probabilities: {class: expression}}`"
            )
        return self

    def require_classes(self, classes: tuple[str, ...]) -> None:
        """Refuse what is not of these classes.

        Raises:
            ValueError: one number for several classes, or probabilities that are not one for each class.
        """
        if self.probabilities is not None and set(self.probabilities) != set(classes):
            raise ValueError(
                f"`response.probabilities` are of {', '.join(self.probabilities)}, and the labels are "
                f"{', '.join(classes)}: give one expression for each"
            )
        if (self.probabilities is None) != (classes == TWO_CLASSES):
            given = "one number" if self.probabilities is None else "`probabilities`"
            wanted = "`{probability: …}`" if classes == TWO_CLASSES else "`{probabilities: {class: expression}}`"
            raise ValueError(f"`response` is {given}, and the labels are {', '.join(classes)}: write {wanted}")

    @property
    def expression(self) -> Expression:
        """The expression of signal, a probability or log-odds."""
        found = self.probability or self.logit
        if found is None:
            raise ValueError("a response of several classes has several expressions")
        return found


def features_of_response(given: Any) -> list[dict[str, Any]] | None:
    """Return a score from elsewhere as features, where an analysis has no others; None of what is none.

    Args:
        given: ``response:`` as it is written.
    """
    named = given.get("probabilities") if isinstance(given, Mapping) else None
    if isinstance(named, Mapping):
        return [{response_name(str(name)): text} for name, text in named.items()]
    text = given.get("probability") or given.get("logit") if isinstance(given, Mapping) else given
    return None if text is None else [{"response": text}]


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
        node: of several classes the one whose response is the variable; ``most_probable`` for that of the most probable
            class of each event, by which each region is divided.
        signal: of several classes the one whose strength is fitted; left out, ``signal`` where there is such a class,
            else the node.
        binning: its bins.
        negative_bins: what is done where Σw ≤ 0 or a bin has too few effective events.
        least_effective: so many are enough.
        formats: what is written.
    """

    variable: ExpressionField | None = None
    node: str | None = None
    signal: str | None = None
    binning: TemplateBinning = TemplateBinning()
    negative_bins: NegativeBins = "refined"
    least_effective: Positive = 5.0
    formats: Annotated[tuple[TemplateFormat, ...], Field(min_length=1)] = FORMATS

    @model_validator(mode="after")
    def _check_range(self) -> Self:
        if self.variable is not None and self.binning.edges is None and self.binning.range is None:
            raise ValueError("a `variable:` needs `binning.edges` or `binning.range`")
        return self

    def require_classes(self, classes: tuple[str, ...]) -> None:
        """Refuse what is of no class.

        Raises:
            ValueError: there is no such class, or it is of signal and background, which have one response.
        """
        for key in ("node", "signal"):
            name = getattr(self, key)
            if name is not None and classes == TWO_CLASSES:
                raise ValueError(f"`templates.{key}` is for several classes: signal and background have one response")
            known = (*classes, MOST_PROBABLE) if key == "node" else classes
            if name is not None and name not in known:
                raise ValueError(f"`templates.{key}`: no class {name!r}{nearest_names(name, known)}")

    def signal_of(self, classes: tuple[str, ...]) -> str:
        """Return the label of the signal.

        Raises:
            ConfigError: of several classes none is known to be it.
        """
        own = self.node if self.node in classes else None
        found = self.signal or ("signal" if "signal" in classes else own)
        if found is None:
            raise ConfigError(
                f"`templates.signal` is missing: name the class whose strength is fitted, one of {', '.join(classes)}"
            )
        return found
