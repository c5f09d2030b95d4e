"""The settings of the figures: ``plots:`` in ``analysis.yaml``."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field, field_validator

from hepneg._core.class_names import TWO_CLASSES
from hepneg.config.figure_look import FigureLook
from hepneg.config.samples import Names
from hepneg.errors import nearest_names

FigureFormat: TypeAlias = Literal["png", "pdf"]


class Plots(FigureLook):
    """How figures are drawn: their look, and which there are.

    Attributes:
        formats: file formats of every figure; ``png`` is always among them, for the page shows it.
        feature_pages: which features of the shape check get a figure of their own, with ratio and pulls: those whose
            shapes differ significantly, all or none. The others stand in one overview figure of each sample.
        nodes: of several classes those whose response is drawn as a stack; left out, all.
    """

    formats: Annotated[tuple[FigureFormat, ...], Field(min_length=1)] = ("png",)
    feature_pages: Literal["significant", "all", "none"] = "significant"
    nodes: Names | None = None

    @field_validator("formats")
    @classmethod
    def _check_formats(cls, formats: tuple[FigureFormat, ...]) -> tuple[FigureFormat, ...]:
        if "png" not in formats:
            raise ValueError("png must be among them, for the page shows it: [png, pdf]")
        return tuple(dict.fromkeys(formats))

    def require_nodes(self, classes: tuple[str, ...]) -> None:
        """Refuse nodes that are none.

        Raises:
            ValueError: there is no such class, or it is of signal and background, which have one response.
        """
        for name in self.nodes or ():
            if name not in classes:
                raise ValueError(f"`plots.nodes`: no class {name!r}{nearest_names(name, classes)}")
            if classes == TWO_CLASSES:
                raise ValueError("`plots.nodes` is for several classes: signal and background have one response")

    def has_page(self, p_adjusted: float | None, alpha: float) -> bool:
        """Tell whether a feature gets a figure of its own.

        Args:
            p_adjusted: its p-value, adjusted for the number of features; None or NaN where there is none.
            alpha: significance level of the shape check.
        """
        significant = p_adjusted is not None and p_adjusted <= alpha
        return self.feature_pages == "all" or (self.feature_pages == "significant" and significant)
