"""The configuration: ``analysis.yaml`` to frozen models and back.

Unknown keys are refused with the nearest known one, expressions, scheme and objective are checked at once, and every
error is one line that names the file and the key.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationError, ValidationInfo, field_validator, model_validator

from hepneg._core.class_names import DATA_LABEL, TWO_CLASSES, class_names, response_name
from hepneg._core.plugins import require_collections, require_task
from hepneg.config.collection_settings import CollectionName, CollectionSettings, categories_of, listed, require_names
from hepneg.config.expression_field import ExpressionField, WeightField
from hepneg.config.figure_look import Variable
from hepneg.config.plot_settings import Plots
from hepneg.config.samples import Branches, Feature, Folds, Sample
from hepneg.config.systematic_settings import Systematic, require_distinct, weight_variations
from hepneg.config.target_settings import Grade, Targets, ungraded_message
from hepneg.config.template_settings import GivenResponse, TemplateSettings, features_of_response
from hepneg.config.training_settings import Task, Training
from hepneg.config.validation import MOST_LETTERS, Model, Positive, one_line, require_once, require_short, unknown_keys
from hepneg.errors import ConfigError, nearest_names
from hepneg.expressions import Expression

__all__ = ["Config", "Feature", "Sample"]

ONE = Expression("1")
PLAIN_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]*")
PB_TO_FB = 1000.0
REGRESSION_SCHEME = "refined"
"""The scheme of a regression that names none."""


class Config(Model):
    """One analysis, as ``analysis.yaml`` describes it.

    Attributes:
        name: of the analysis; it appears in reports. Left out, that of the file without its ending, or ``analysis``
            without a file.
        output: folder of the results; left out, ``results/<name>``.
        tree: name of the TTree or RNTuple in every file.
        weight: the signed event weight.
        event_id: branches or expressions that identify an event by integers; empty, the file name and the entry number
            do.
        folds: how events are assigned to folds; left out, by a hash of their identifier.
        selection: condition that events must pass.
        luminosity: in 1/fb.
        on_nan: what a NaN or infinite feature does: stop, or drop the event.
        systematics: by name: alternative signed weights of the same events (scales, parton densities, …), which the
            shape check, stacks and templates read; other files or trees and normalisations, for the latter two.
        regions: conditions beside the selection, by name: parts of the analysis, which may overlap.
        response: a score from elsewhere, to be evaluated in the place of a trained model's.
        templates: what ``hepneg templates`` makes.
        samples: simulated samples by name; those with ``label: data`` of the file are in ``data``.
        data: samples of measured data by name; not a key of the file.
        features: the network's inputs, in order.
        collections: objects of the events, such as jets, by name: inputs of networks that take them.
        task: to tell classes apart, such as signal and background, or to predict a target.
        target: what a regression predicts: an expression, or several, by name.
        grade: how right the target of an event is, from 1 (right) to −1 (a counter-example), or how far it is from the
            right one; left out, all are right.
        plots: how figures are drawn.
        training: how the networks are trained.
        folder: what relative paths in ``samples`` are relative to; not a key of the file.
    """

    name: Annotated[str, Field(min_length=1)] = "analysis"
    output: Path = Path()
    tree: Annotated[str, Field(min_length=1)] = "Events"
    weight: WeightField
    event_id: Branches = ()
    folds: Folds | None = None
    selection: ExpressionField | None = None
    luminosity: Positive | None = None
    on_nan: Literal["error", "drop"] = "error"
    systematics: dict[Annotated[str, Field(min_length=1)], Systematic] = Field(default={})
    regions: dict[str, ExpressionField] = Field(default={})
    samples: dict[str, Sample] = Field(min_length=1)
    data: dict[str, Sample] = Field(default={}, exclude=True)
    features: tuple[Feature, ...] = Field(min_length=1)
    collections: dict[CollectionName, CollectionSettings] = Field(default={}, max_length=64)
    response: GivenResponse | None = None
    templates: TemplateSettings = TemplateSettings()
    task: Task = "classification"
    target: Targets = ()
    grade: Grade | None = None
    plots: Plots = Plots()
    training: Training = Training()
    folder: Path = Field(default=Path(), exclude=True)

    @model_validator(mode="before")
    @classmethod
    def _choose_for_task(cls, data: Any) -> Any:
        """Fill in what a regression takes where the configuration leaves it open."""
        if not isinstance(data, Mapping) or data.get("task") != "regression":
            return data
        training = data.get("training") or {}
        if not isinstance(training, Mapping) or training.get("scheme") is not None:
            return data
        return {**data, "training": {**training, "scheme": REGRESSION_SCHEME}}

    @field_validator("name")
    @classmethod
    def _check_name(cls, name: str) -> str:
        if set(name) & set("/\\") or name in {".", ".."} or not name.isprintable() or len(name.encode()) > MOST_LETTERS:
            raise ValueError(f"it names a folder: no path, at most {MOST_LETTERS} characters, not {name!r:.80}")
        return name

    @field_validator("samples", "data", "systematics", "regions")
    @classmethod
    def _check_length(cls, named: dict[str, Any]) -> dict[str, Any]:
        for name in named:
            require_short(name)
        return named

    @model_validator(mode="before")
    @classmethod
    def _split_data(cls, values: Any) -> Any:
        """Put measured data apart, so that nothing that goes through the samples can train on them."""
        samples = values.get("samples") if isinstance(values, Mapping) else None
        if not isinstance(samples, Mapping):
            return values
        measured = {
            name: part for name, part in samples.items() if isinstance(part, Mapping) and part.get("label") == "data"
        }
        if measured and len(measured) == len(samples):
            raise ValueError("all `samples:` are data; a training needs simulated ones, of two labels or more")
        return {
            **values,
            "samples": {name: samples[name] for name in samples if name not in measured},
            "data": measured,
        }

    @model_validator(mode="before")
    @classmethod
    def _count_folds(cls, values: Any) -> Any:
        """Train as many networks as there are folds by expression."""
        folds = values.get("folds") if isinstance(values, Mapping) else None
        count = folds.get("count") if isinstance(folds, Mapping) else None
        training = values.get("training") or {} if isinstance(values, Mapping) else {}
        if not isinstance(count, int) or not isinstance(training, Mapping):
            return values
        given = training.get("folds")
        if given is not None and given != count:
            raise ValueError(f"`folds.count` is {count}, but `training.folds` is {given}; leave the latter out")
        return {**values, "training": {**training, "folds": count}}

    @model_validator(mode="before")
    @classmethod
    def _take_response(cls, values: Any) -> Any:
        """Look at the response as the only feature where there are no others."""
        given = values.get("response") if isinstance(values, Mapping) and values.get("features") is None else None
        return values if given is None else {**values, "features": features_of_response(given)}

    @field_validator("samples", "data", "regions", "systematics")
    @classmethod
    def _check_names(cls, named: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
        what = {"regions": "region", "systematics": "systematic"}.get(str(info.field_name), "sample")
        for name in named:
            if not PLAIN_NAME.fullmatch(name):
                raise ValueError(f"{what} name {name!r}: use letters, digits and _ - + . only, as it names files")
        return named

    @field_validator("features", mode="before")
    @classmethod
    def _features_from_mapping(cls, features: Any) -> Any:
        return listed(features)

    @field_validator("features")
    @classmethod
    def _check_feature_names(cls, features: tuple[Feature, ...]) -> tuple[Feature, ...]:
        require_names(features)
        return features

    @model_validator(mode="after")
    def _check_normalisation(self) -> Self:
        without = [name for name, sample in self.samples.items() if sample.cross_section is None]
        if self.luminosity is None and len(without) < len(self.samples):
            named = next(name for name in self.samples if name not in without)
            raise ValueError(f"sample {named!r} has a cross_section, but there is no luminosity (1/fb); give both")
        unscaled = [name for name in without if self.samples[name].scale is None]
        if self.luminosity is not None and unscaled:
            raise ValueError(
                f"there is a luminosity, but sample {unscaled[0]!r} has no cross_section (pb); give both, or "
                "`scale:` for a sample that is not normalised to a cross section"
            )
        return self

    @model_validator(mode="after")
    def _check_systematics(self) -> Self:
        require_distinct(self.systematics)
        for name, systematic in self.systematics.items():
            for sample in systematic.samples or ():
                if sample not in self.samples:
                    hint = nearest_names(sample, self.samples)
                    raise ValueError(f"systematic {name!r} is of sample {sample!r}, which is none{hint}")
        return self

    @model_validator(mode="after")
    def _check_task(self) -> Self:
        if self.task == "regression":
            if not self.target:
                raise ValueError("'target' is missing: a regression needs the expression that it is to predict")
            return self
        for key in ("target", "grade"):
            if getattr(self, key):
                raise ValueError(f"there is a {key!r}, but no `task: regression`; add that or leave it out")
        for name, sample in self.samples.items():
            if "label" not in sample.model_fields_set:
                raise ValueError(f"'samples.{name}.label' is missing: signal or background, or the name of a class")
        for part in (self.response, self.templates):
            if part is not None:
                part.require_classes(self.classes)
        return self

    @model_validator(mode="after")
    def _check_plots(self) -> Self:
        look = self.plots
        for key, names in (("names", look.names), ("colours", look.colours), ("order", look.order or ())):
            for name in names:
                if name not in self.samples:
                    raise ValueError(f"`plots.{key}`: no sample {name!r}{nearest_names(name, self.samples)}")
        look.require_nodes(self.classes)
        if look.blind is not None and not self.data:
            raise ValueError("`plots.blind` hides data, but no sample has `label: data`; leave it out")
        require_once("`plots.variables`:", [*self.main_quantities, *(part.name for part in look.variables or ())])
        other = {part.name: part.expression for part in self.features}
        for variable in self.drawn_variables:
            if other.get(variable.name, variable.expression) != variable.expression:
                raise ValueError(
                    f"`plots.variables`: {variable.name!r} is another expression as a feature; take another name"
                )
        return self

    @model_validator(mode="after")
    def _check_training(self) -> Self:
        try:
            require_task(self.training.scheme.make(), self.task)
            objective = self.training.make_objective(self.task)
            require_collections(self.training.network.make(), tuple(self.collections))
        except ConfigError as error:
            raise ValueError(str(error)) from None  # pydantic adds the key to a ValueError only
        if self.grade is not None and not getattr(objective, "graded", False):
            raise ValueError(ungraded_message(objective.name))
        return self

    def sample(self, name: str) -> Sample:
        """Return a simulated sample or one of data.

        Raises:
            ConfigError: there is no such sample.
        """
        known = {**self.samples, **self.data}
        if name not in known:
            raise ConfigError(f"no sample {name!r} in the configuration{nearest_names(name, known)}")
        return known[name]

    def for_sample(self, name: str) -> Config:
        """Return the configuration with the tree, weight and selection of one sample for its own.

        Raises:
            ConfigError: there is no such sample.
        """
        sample = self.sample(name)
        weight = sample.weight or (ONE if sample.label == "data" else self.weight)
        changed = {
            "tree": sample.tree or self.tree,
            "weight": weight,
            "selection": _both(self.selection, sample.selection),
            "systematics": {key: one for key, one in self.systematics.items() if one.applies_to(name, sample.label)},
        }
        return self.model_copy(update=changed)

    def for_region(self, name: str) -> Config:
        """Return the configuration with the condition of one region beside its selection.

        Raises:
            ConfigError: there is no such region.
        """
        if name not in self.regions:
            raise ConfigError(f"no region {name!r} in the configuration{nearest_names(name, self.regions)}")
        return self.model_copy(update={"selection": _both(self.selection, self.regions[name])})

    @property
    def main_quantities(self) -> tuple[str, ...]:
        """What conditions and figures call the network's outputs: ``response``, that of each class, ``prediction``."""
        if self.task != "classification":
            return ("prediction",)
        return ("response",) if self.classes == TWO_CLASSES else tuple(map(response_name, self.classes))

    @property
    def main_title(self) -> str:
        """Its title at the axes of stacks."""
        plain = self.plots.title == Plots.model_fields["title"].default
        return "Prediction" if self.task == "regression" and plain else self.plots.title

    @property
    def drawn_variables(self) -> tuple[Variable, ...]:
        """The quantities that are drawn as stacks beside the response."""
        known = {feature.name: feature for feature in self.features}
        if self.plots.variables is None:
            return tuple(
                Variable(**dict(part)) for part in self.features if part.name not in self.main_quantities and self.data
            )
        return tuple(variable.completed(known.get(variable.name)) for variable in self.plots.variables)

    def title_of(self, name: str) -> tuple[str | None, str | None]:
        """Return title and unit of a feature or a quantity to draw, None where it has none."""
        parts = {part.name: part for part in (*self.features, *self.drawn_variables)}
        return (parts[name].title, parts[name].unit) if name in parts else (None, None)

    @property
    def weight_variations(self) -> dict[str, Expression]:
        """Systematic variations that are other weights of the same events, by name."""
        return weight_variations(self.systematics)

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Names of the features, in order."""
        return tuple(feature.name for feature in self.features)

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes by code: background and signal, or other labels in the order of their samples."""
        return class_names(sample.label for sample in self.samples.values() if sample.label != DATA_LABEL)

    @property
    def categories(self) -> dict[str, tuple[int, ...]]:
        """The values of features that are categories, by name."""
        return categories_of(self.features)

    def require_classification(self, what: str) -> None:
        """Refuse a regression.

        Args:
            what: cannot do it.

        Raises:
            ConfigError: it is one.
        """
        if self.task != "classification":
            raise ConfigError(f"{what} is for a classification, but the configuration has `task: {self.task}`")

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], folder: str | Path = ".", *, source: str = "configuration") -> Config:
        """Build a configuration from plain dictionaries and lists.

        Args:
            data: what the YAML file would hold.
            folder: what relative paths are relative to.
            source: how messages call the configuration.

        Raises:
            ConfigError: an unknown key, a value of the wrong type or out of range, an expression outside the language.
        """
        _check_keys(data, source)
        root = Path(folder).absolute()
        try:
            config = cls.model_validate({**data, "folder": root})
        except ValidationError as error:
            raise ConfigError(one_line(error, source)) from None
        named = data.get("output") is not None
        output = root / (config.output if named else Path("results") / config.name)
        return config.model_copy(update={"output": output})

    def to_dict(self) -> dict[str, Any]:
        """Return the configuration as plain values, with the defaults written out; ``output`` is absolute."""
        data: dict[str, Any] = self.model_dump(mode="json", exclude_none=True)
        data["features"] = [feature.to_short_form() for feature in self.features]
        data["collections"] = {name: part.to_short_form() for name, part in self.collections.items()}
        data["samples"] |= {
            name: sample.model_dump(mode="json", exclude_none=True) for name, sample in self.data.items()
        }
        return data


def _both(*conditions: Expression | None) -> Expression | None:
    """Return the condition that both conditions hold; None where there are none."""
    given = [condition for condition in conditions if condition]
    both = " and ".join(f"({condition.text})" for condition in given)
    return Expression(both) if len(given) == 2 else next(iter(given), None)


def _check_keys(data: Any, source: str) -> None:
    """Refuse the first unknown key, however deep, and offer the nearest known one.

    Raises:
        ConfigError: ``analysis.yaml: unknown key 'training.fold'; did you mean 'folds'?``
    """
    if not isinstance(data, Mapping):
        raise ConfigError(f"{source}: expected keys such as `weight:` and `samples:`, not a {type(data).__name__}")
    for path, key, known in unknown_keys(data, Config):
        dotted = ".".join([*path, str(key)])
        raise ConfigError(f"{source}: unknown key {dotted!r}{nearest_names(str(key), known)}")
