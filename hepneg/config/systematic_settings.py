"""Systematic variations: other weights of the same events, other files or trees, and uncertain normalisations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from hepneg.config.expression_field import ExpressionField
from hepneg.config.samples import Names
from hepneg.config.validation import Model, Positive
from hepneg.expressions import Expression

UP, DOWN = "up", "down"
_ENDINGS = {UP: UP, DOWN: DOWN, "dn": DOWN}


class Variation(Model):
    """What is other than in the nominal events; text or a list alone names files.

    Attributes:
        weight: another signed weight of the same events.
        files: other files, as in ``samples.<name>.files``; ``{stem}`` stands for the name of each nominal file without
            its ending, ``{sample}`` for the name of the sample.
        tree: another tree in the same files, or in the others.
    """

    weight: ExpressionField | None = None
    files: Names | None = None
    tree: Annotated[str, Field(min_length=1)] | None = None

    @model_validator(mode="before")
    @classmethod
    def _from_files(cls, value: Any) -> Any:
        return {"files": value} if isinstance(value, (str, list, tuple)) else value

    @model_validator(mode="after")
    def _check_kind(self) -> Self:
        if (self.weight is None) == (self.files is None and self.tree is None):
            raise ValueError("give either `weight:`, or `files:` or `tree:` (or both of these)")
        return self


class Systematic(Model):
    """One systematic uncertainty; text alone is another weight of all samples.

    Attributes:
        up: varied one way.
        down: and the other; left out, the mirror image of ``up``.
        normalisation: a factor instead of variations, 1.05 for an uncertainty of 5 %.
        samples: to which it applies; left out, all that are simulated.
    """

    up: Variation | None = None
    down: Variation | None = None
    normalisation: Positive | None = None
    samples: Names | None = None
    alone: bool = Field(default=False, exclude=True)

    @model_validator(mode="before")
    @classmethod
    def _from_weight(cls, value: Any) -> Any:
        if isinstance(value, (str, Expression)):
            return {UP: {"weight": value}, "alone": True}
        return value

    @model_validator(mode="after")
    def _check_kind(self) -> Self:
        if self.normalisation is not None:
            if self.up or self.down or self.normalisation == 1:
                raise ValueError("a `normalisation:` is a factor other than 1, and has no `up:` or `down:` beside it")
        elif self.up is None:
            raise ValueError("give `up:` (and `down:`), or `normalisation:`")
        return self

    @model_serializer(mode="wrap")
    def _short(self, plain: SerializerFunctionWrapHandler) -> Any:
        """Write a weight alone as its text, as the configuration does."""
        return str(self.up.weight) if self.alone and self.up is not None else plain(self)

    def applies_to(self, sample: str, label: str) -> bool:
        """Tell whether a sample is varied; data never are."""
        return label != "data" and (self.samples is None or sample in self.samples)

    def variations(self, name: str) -> dict[str, Variation]:
        """Return the variations by their own names: that of a weight alone, or with ``_up`` and ``_down`` behind."""
        if self.alone and self.up is not None:
            return {name: self.up}
        both = {UP: self.up, DOWN: self.down}
        return {f"{name}_{side}": variation for side, variation in both.items() if variation is not None}


def weight_variations(systematics: Mapping[str, Systematic]) -> dict[str, Expression]:
    """Return other weights of the same events by the names of their variations."""
    return {
        name: variation.weight
        for key, systematic in systematics.items()
        for name, variation in systematic.variations(key).items()
        if variation.weight is not None
    }


def paired(systematics: Mapping[str, Systematic]) -> dict[str, Systematic]:
    """Join two weights that are called ``<name>_up`` and ``<name>_down`` (or Up and Down, dn) into one systematic."""
    alone = {stem_and_side(name): one for name, one in systematics.items() if one.alone}
    joined: dict[str, Systematic] = {}
    for name, systematic in systematics.items():
        stem, side = stem_and_side(name)
        up, down = alone.get((stem, UP)), alone.get((stem, DOWN))
        if not systematic.alone or not side or up is None or down is None:
            joined[name] = systematic
        elif side == UP:
            joined[stem] = Systematic(up=up.up, down=down.up)
    return joined


def require_distinct(systematics: Mapping[str, Systematic]) -> None:
    """Refuse two systematics that would be the same one, as ``scale_up`` and ``scaleUp`` would.

    Raises:
        ValueError: there are such; pydantic adds the key.
    """
    owners: dict[tuple[str, str], str] = {}
    for name, systematic in systematics.items():
        stem, side = stem_and_side(name) if systematic.alone else (name, "")
        for claimed in [side] if side else [UP, DOWN]:
            other = owners.setdefault((stem, claimed), name)
            if other != name:
                raise ValueError(f"{other!r} and {name!r} would both be the systematic {stem!r}; rename one of them")


def stem_and_side(name: str) -> tuple[str, str]:
    """Split the name of a variation into what it varies and the side, empty where it names none."""
    for ending, side in _ENDINGS.items():
        stem = name[: -len(ending)].rstrip("_.-")
        if name.lower().endswith(ending) and stem:
            return stem, side
    return name, ""
