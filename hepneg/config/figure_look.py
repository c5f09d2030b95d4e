"""How figures look: the experiment's label and style, names, colours and order of samples, axes, blinding."""

from __future__ import annotations

from typing import Annotated, Literal, Self, TypeAlias

from pydantic import AfterValidator, Field, model_validator

from hepneg.config.expression_field import ExpressionField
from hepneg.config.figure_text import Colour, FigureText
from hepneg.config.samples import Feature, Names
from hepneg.config.validation import Model, NonZero, Positive, Range, increasing

__all__ = ["Bins", "FigureLook", "Scale", "Variable"]

Scale: TypeAlias = Literal["linear", "log"]


Bins = Annotated[
    Annotated[int, Field(ge=1, le=1000)] | Annotated[tuple[float, ...], Field(min_length=2)],
    AfterValidator(increasing),
]


class Variable(Feature):
    """A quantity to draw as a stack: the name of a feature, or ``name: expression``, or all of it with its binning.

    Attributes:
        bins: how many of equal width, or increasing edges; left out, some 40 between round numbers.
        range: lowest and highest value of bins of equal width; left out, the central 99 % of the simulated events.
        scale: of the vertical axis; left out, that of all figures.
    """

    bins: Bins | None = None
    range: Range | None = None
    scale: Scale | None = None

    @model_validator(mode="after")
    def _check_range(self) -> Self:
        if self.range is not None and isinstance(self.bins, tuple):
            raise ValueError("range goes with a number of bins, not with edges")
        return self

    def completed(self, feature: Feature | None) -> Variable:
        """Return it with expression, title and unit of the feature that it names, where it says none of its own."""
        if feature is None or self.expression.text != self.name:
            return self
        own = {key: getattr(self, key) or getattr(feature, key) for key in ("title", "unit")}
        return self.model_copy(update={"expression": feature.expression, **own})


class FigureLook(Model):
    """How figures look.

    Attributes:
        experiment: ``ATLAS``, ``CMS``, ``LHCb``, ``ALICE`` with the label as they place it, or any other name.
        label: what follows it: Preliminary, Work in progress.
        energy: centre-of-mass energy in TeV.
        style: fonts, ticks and size of an experiment's figures, as mplhep has them; left out, those of this package.
        size: width and height of a stack in inches.
        scale: of the vertical axis of stacks.
        title: of the response, or of the prediction, at its axis.
        bins: of the response or prediction in stacks: how many of equal width, or increasing edges.
        names: what samples are called in figures, which may hold formulae between dollars.
        colours: of samples.
        order: samples from the bottom of a stack to its top; those left out lie below, the smallest at the bottom.
        lump: backgrounds with less than this share of the sum of all are drawn as one, if there are several.
        signal: on top of the stack, or as a line over it, which the sum then leaves out.
        signal_scale: a factor on the line of the signal.
        variables: what to draw beside the response; left out, all features where there are data.
        blind: a condition on the response (or ``prediction``), a feature or branches under which data are not shown.
            In the figure of a quantity that alone decides it the bins are empty, elsewhere such events of data and
            simulation are left out.
    """

    experiment: str = ""
    label: str = ""
    energy: Positive | None = None
    style: Literal["ATLAS", "CMS", "LHCb", "ALICE"] | None = None
    size: tuple[Positive, Positive] | None = None
    scale: Scale = "linear"
    title: FigureText = "Response"
    bins: Bins = 40
    names: dict[str, FigureText] = Field(default={})
    colours: dict[str, Colour] = Field(default={})
    order: Names | None = None
    lump: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.02
    signal: Literal["stacked", "overlaid"] = "stacked"
    signal_scale: NonZero = 1.0
    variables: tuple[Variable, ...] | None = None
    blind: ExpressionField | None = None

    @model_validator(mode="after")
    def _check_scale(self) -> Self:
        if self.signal_scale != 1.0 and self.signal == "stacked":
            raise ValueError("a stacked signal has no signal_scale, for the sum would be wrong; set `signal: overlaid`")
        return self
