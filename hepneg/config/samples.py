"""Parts of the configuration: samples, features, folds, and the kinds of fields that they share."""

from __future__ import annotations

import re
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BeforeValidator, Field, field_validator, model_validator

from hepneg._core.class_names import DATA_LABEL, require_label
from hepneg.config.collection_settings import InputFeature
from hepneg.config.expression_field import ExpressionField, WeightField
from hepneg.config.figure_text import FigureText
from hepneg.config.validation import Model, NonZero

__all__ = ["Branches", "Feature", "Folds", "Names", "Sample"]

SUM_SOURCE = re.compile(r"[^.\s]+\.\S+")
"""A tree and a branch in it."""


def _as_tuple(value: Any) -> Any:
    """Accept one string where a list of strings is meant."""
    return (value,) if isinstance(value, str) else value


def _known_label(name: str) -> str:
    if name != DATA_LABEL:
        require_label(name)
    return name


Names = Annotated[
    tuple[Annotated[str, Field(min_length=1)], ...],
    BeforeValidator(_as_tuple, json_schema_input_type=str | list[str]),
    Field(min_length=1),
]
Branches = Annotated[
    tuple[Annotated[str, Field(min_length=1)], ...],
    BeforeValidator(_as_tuple, json_schema_input_type=str | list[str]),
]


Label = Annotated[str, AfterValidator(_known_label), Field(pattern="^[A-Za-z0-9_]{1,64}$")]


class Sample(Model):
    """A set of files with one physics process.

    Attributes:
        label: name of the class that the classifier is to take it for: ``signal`` and ``background``, or any others,
            such as ``ttbar``, ``wjets`` and ``single_top``. A regression needs none: all its samples count as signal in
            tables. ``data`` is never trained on or summed up; its events have the weight 1 unless ``weight`` says
            otherwise.
        files: paths or globs of ROOT or Parquet files, relative to the configuration file, or ``root://`` and
            ``https://`` addresses.
        tree: name of its TTree or RNTuple; left out, that of the analysis.
        weight: its signed event weight; left out, that of the analysis.
        selection: a condition beside that of the analysis.
        scale: a plain factor on its weights, beside cross section and luminosity or instead of them.
        friends: files with more columns of the same events, entry for entry: a path or glob for each of ``files`` in
            their order, or patterns with ``{stem}``, the file's name without its ending.
        cross_section: in pb; with the luminosity it scales the weights. Negative for an interference.
        sum_of_weights: Σ of the generator weights before any selection, of the sign of the cross section, or where each
            file holds it (``Runs.genEventSumw``), or ``events`` for the sum over the events of the files. Left out, it
            is taken from a tree of the generator's sums that is known, or else from the events.
    """

    label: Label = "signal"
    files: Names
    tree: Annotated[str, Field(min_length=1)] | None = None
    weight: WeightField | None = None
    selection: ExpressionField | None = None
    scale: NonZero | None = None
    friends: Names | None = None
    cross_section: NonZero | None = None
    sum_of_weights: NonZero | Annotated[str, Field(min_length=1)] | None = None

    @property
    def scale_or_one(self) -> float:
        """The plain factor on the weights."""
        return 1.0 if self.scale is None else self.scale

    @field_validator("sum_of_weights", mode="before")
    @classmethod
    def _check_sum(cls, value: Any) -> Any:
        if isinstance(value, str) and value != "events" and not SUM_SOURCE.fullmatch(value):
            raise ValueError(f"write a number, `events`, or tree and branch as in Runs.genEventSumw, not {value!r}")
        return value

    @model_validator(mode="after")
    def _check_signs(self) -> Self:
        total = self.sum_of_weights
        if self.cross_section is not None and isinstance(total, float) and total * self.cross_section < 0:
            raise ValueError(
                "cross_section and sum_of_weights must have the same sign: both negative for an interference"
            )
        if self.label == "data" and (self.cross_section, total, self.scale) != (None, None, None):
            raise ValueError("data have no cross_section, no sum_of_weights and no scale; leave them out")
        return self


class Folds(Model):
    """Folds by an expression of the event instead of a hash of its identifier.

    Attributes:
        by: gives the fold of each event, a whole number from 0 to ``count`` − 1, as ``event % 2`` does.
        count: how many folds.
    """

    by: ExpressionField
    count: Annotated[int, Field(ge=2, le=127)]


class Feature(InputFeature):
    """One feature of the events: a name and the expression that gives it.

    Attributes:
        title: what it is called at the axes of figures, which may hold formulae between dollars; left out, its name.
        unit: of its values, for the axes of figures.
    """

    title: FigureText | None = None
    unit: FigureText | None = None
