"""How networks are trained: the key ``training`` of ``analysis.yaml``, the keywords of :func:`hepneg.train`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal, Self, TypeAlias, TypedDict

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from hepneg._core.plugins import NETWORKS, OBJECTIVES, SCHEMES
from hepneg._core.registry import Registry, parameters_of
from hepneg.config.validation import Model, Positive, one_line, unknown_keys
from hepneg.errors import ConfigError, nearest_names

__all__ = [
    "DEFAULT_OBJECTIVES",
    "Activity",
    "CalibrationChoice",
    "NetworkChoice",
    "ObjectiveChoice",
    "Output",
    "SchemeChoice",
    "Settings",
    "Task",
    "Training",
]

Task: TypeAlias = Literal["classification", "regression"]

DEFAULT_OBJECTIVES: Mapping[Task, str] = {"classification": "cross_entropy", "regression": "squared"}
"""The objective of a task where none is chosen."""

_BOUNDED_ACTIVATIONS = ("tanh", "sigmoid", "clipped")


class _Choice(BaseModel):
    """One of a registry by name; further keys are its parameters."""

    model_config = ConfigDict(frozen=True, extra="allow")
    registry: ClassVar[Registry[Any]]
    name: str

    @model_validator(mode="before")
    @classmethod
    def _from_name(cls, value: Any) -> Any:
        return {"name": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _known(self) -> Self:
        try:
            self.make()
        except ConfigError as error:
            raise ValueError(str(error)) from None  # pydantic adds the key to a ValueError only
        return self

    @property
    def parameters(self) -> dict[str, Any]:
        """The parameters that were given, by name."""
        return dict(self.__pydantic_extra__ or {})

    def make(self) -> Any:
        """Return the choice with these parameters.

        Raises:
            ConfigError: no such name or parameter, or a value that is refused.
        """
        return self.registry.make(self.name, self.parameters)


class SchemeChoice(_Choice):
    """A weight scheme by name; further keys are its parameters."""

    registry: ClassVar[Registry[Any]] = SCHEMES
    name: str = "auto"


class ObjectiveChoice(_Choice):
    """An objective by name; further keys are its parameters."""

    registry: ClassVar[Registry[Any]] = OBJECTIVES


class Output(Model):
    """A range that the network's output never leaves, and the function that keeps it there.

    Attributes:
        activation: ``sigmoid``, ``tanh`` or ``clipped`` (see :func:`hepneg.networks.output_range.bounded`), or, for
            regressions, ``relu``, which has no upper end; ``output: relu`` is short for one from 0 on.
        low: lower end; of a classifier, of the response; of a regression, in the target's unit.
        high: upper end.

    A classifier's range within (0, 1) is one that the response never leaves. A range that reaches below 0 or above 1,
    such as [−1, 1], is a scale: the response fills (0, 1) and ``hepneg_output`` = low + (high − low)·response.
    """

    activation: Literal["sigmoid", "tanh", "clipped", "relu"] = "sigmoid"
    low: float = Field(allow_inf_nan=False)
    high: float | None = Field(default=None, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _from_name(cls, value: Any) -> Any:
        return {"activation": "relu", "low": 0.0} if value == "relu" else value

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if (self.high is None) != (self.activation == "relu"):
            raise ValueError("sigmoid, tanh and clipped need low and high, relu has no high")
        if self.high is not None and not self.low < self.high:
            raise ValueError(f"low must be below high, not {self.low:g} and {self.high:g}")
        return self

    @property
    def scale(self) -> tuple[float, float] | None:
        """The ends of a classifier's output that is no probability; None where the range is one of the response."""
        beyond = self.high is not None and (self.low < 0 or self.high > 1)
        return (self.low, float(self.high or 0.0)) if beyond else None

    @property
    def restricts(self) -> bool:
        """Whether a classifier's response cannot take every value in (0, 1), or not by a smooth curve."""
        return self.scale is None or self.activation == "clipped"


class NetworkChoice(_Choice):
    """A network by name; further keys but ``output`` are its parameters, those of ``mlp`` where no name is given.

    Attributes:
        name: ``mlp``, or a network that was registered.
        output: the range of its output.
    """

    registry: ClassVar[Registry[Any]] = NETWORKS
    name: str = "mlp"
    output: Output | None = None

    @model_validator(mode="before")
    @classmethod
    def _from_object(cls, value: Any) -> Any:
        """Take a network as it is, and write out the parameters that are left at their defaults."""
        if hasattr(value, "build") and not isinstance(value, type):
            return NETWORKS.adopt(value)
        value = {"name": value} if isinstance(value, str) else value
        if not isinstance(value, Mapping):
            return value
        given = {str(key): item for key, item in value.items() if item is not None}
        own = {key: item for key, item in given.items() if key not in cls.model_fields}
        try:
            network = NETWORKS.make(str(given.get("name", "mlp")), own)
        except ConfigError as error:
            raise ValueError(str(error)) from None  # pydantic adds the key to a ValueError only
        return {**given, **parameters_of(network)}


class Activity(Model):
    """A price on the activity of hidden units, or a reward for it: strength·mean |a|ᵖ is added to each event's loss.

    Attributes:
        strength: positive to keep the units quiet, negative to keep them active (bounded activations only), in units
            of an average event's loss.
        power: p.
        layers: hidden layers, counted from 1; empty for all.
        units: units of each of these layers, counted from 0; empty for all.
    """

    strength: float = Field(allow_inf_nan=False)
    power: Literal[1, 2] = 1
    layers: tuple[Annotated[int, Field(ge=1)], ...] = ()
    units: tuple[Annotated[int, Field(ge=0)], ...] = ()

    def check(self, choice: NetworkChoice) -> None:
        """Refuse layers and units that a network lacks, and a reward that could grow without limit.

        Raises:
            ValueError: with one sentence.
        """
        if choice.name != "mlp":
            raise ValueError(
                f"the activity of hidden units is known of the network 'mlp' alone, not of {choice.name!r}"
            )
        network = choice.make()
        if not network.hidden:
            raise ValueError("there are no hidden units whose activity could be priced: network.hidden is empty")
        if self.strength < 0 and network.activation not in _BOUNDED_ACTIVATIONS:
            known = ", ".join(_BOUNDED_ACTIVATIONS)
            raise ValueError(
                f"a negative strength rewards activity without end under {network.activation!r}; "
                f"take a bounded network.activation: {known}"
            )
        if self.layers and max(self.layers) > len(network.hidden):
            raise ValueError(f"there is no hidden layer {max(self.layers)}: the network has {len(network.hidden)}")
        for number in self.layers or range(1, len(network.hidden) + 1):
            if self.units and max(self.units) >= network.hidden[number - 1]:
                raise ValueError(
                    f"hidden layer {number} has no unit {max(self.units)}: it has {network.hidden[number - 1]}"
                )


class CalibrationChoice(Model):
    """How a response is made a probability after the training; of use where the objective makes it one to begin with.

    Attributes:
        name: ``spline``, a cross-fitted linear spline of the log-odds on signed weights, or ``none``.
    """

    name: Literal["spline", "none"] = "spline"

    @model_validator(mode="before")
    @classmethod
    def _from_name(cls, value: Any) -> Any:
        return {"name": value} if isinstance(value, str) else value


class Settings(TypedDict, total=False):
    """The settings of a training as keywords: the fields of :class:`Training` but the scheme."""

    objective: Any
    folds: int
    network: Any
    activity: Any
    calibration: Any
    seed: int
    epochs: int
    batch_size: int
    learning_rate: float
    weight_decay: float
    patience: int
    validation_fraction: float
    device: Literal["auto", "cpu", "cuda"]


class Training(Model):
    """How networks are trained.

    Attributes:
        scheme: the weight scheme.
        objective: what is minimised; left out, the default of the task.
        folds: networks in the cross-validation, each tested on events that it has not seen.
        network: by name, with its parameters and the range of its output.
        activity: a price or a reward on the activity of the hidden units of ``mlp``.
        calibration: of the response, where that estimates a probability.
        seed: of everything that is random.
        epochs: most passes over the events. As all of these settings, it is what the network suggests, and what stands
            here where it suggests nothing: 12 for ``mlp`` and ``tabular``.
        batch_size: most events in a batch; schemes of non-negative weights take fewer in small samples.
        learning_rate: of the optimiser at the start, 0.01 for ``mlp`` and ``tabular``; it falls linearly, to zero
            behind the last epoch, and faster while the validation loss does not. Networks of signs take steps of at
            most 0.003.
        weight_decay: of the optimiser.
        patience: epochs without a better validation loss before training stops.
        validation_fraction: share of each network's events that only judge when to stop.
        device: ``auto`` takes a GPU where there is one.
    """

    scheme: SchemeChoice = SchemeChoice.model_construct(name="auto")
    objective: ObjectiveChoice | None = None
    folds: int = Field(default=5, ge=2, le=127)
    network: NetworkChoice = NetworkChoice.model_validate({})
    activity: Activity | None = None
    calibration: CalibrationChoice = CalibrationChoice()
    seed: Annotated[int, Field(ge=0)] = 1
    epochs: int = Field(default=60, ge=1)
    batch_size: int = Field(default=1024, ge=2)
    learning_rate: Positive = 3e-3
    weight_decay: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    patience: int = Field(default=8, ge=1)
    validation_fraction: float = Field(default=0.2, gt=0, lt=0.5)
    device: Literal["auto", "cpu", "cuda"] = "auto"

    @model_validator(mode="before")
    @classmethod
    def _suggested_by_the_network(cls, value: Any) -> Any:
        """Take what is not given from the network, where that suggests something."""
        if not isinstance(value, Mapping):
            return value
        try:
            network = NetworkChoice.model_validate(value.get("network") or {}).make()
        except ValidationError:
            return value  # its own field says what is wrong
        return {**getattr(network, "training", {}), **value}

    @model_validator(mode="after")
    def _check_activity(self) -> Self:
        if self.activity:
            self.activity.check(self.network)
        return self

    def require_fold(self, fold: int) -> None:
        """Refuse a fold that there is not.

        Raises:
            ConfigError: it is not among ``folds``, which count from 0.
        """
        if not 0 <= fold < self.folds:
            raise ConfigError(
                f"there is no fold {fold}: training.folds is {self.folds}, so that they are 0 to {self.folds - 1}"
            )

    def make_objective(self, task: Task) -> Any:
        """Return the objective (see :class:`hepneg.objectives.Objective`), or the default one of a task.

        Raises:
            ConfigError: it is for another task.
        """
        chosen = self.objective.make() if self.objective else OBJECTIVES.make(DEFAULT_OBJECTIVES[task], {})
        if chosen.task != task:
            known = ", ".join(name for name in OBJECTIVES.names() if OBJECTIVES.find(name).task == task)
            raise ConfigError(
                f"training.objective: {chosen.name!r} is for {chosen.task}; for {task} there are: {known}"
            )
        return chosen

    @classmethod
    def of(cls, **settings: Any) -> Training:
        """Build the settings from keywords.

        Raises:
            ConfigError: an unknown keyword, with the nearest known one, or a value out of range.
        """
        for path, key, known in unknown_keys(settings, cls):
            dotted = ".".join([*path, str(key)])
            raise ConfigError(f"training: unknown setting {dotted!r}{nearest_names(str(key), known)}")
        try:
            return cls.model_validate(settings)
        except ValidationError as error:
            raise ConfigError(one_line(error, "training")) from None

    @classmethod
    def refuse(cls, settings: Mapping[str, Any], unused: Sequence[str], why: str) -> None:
        """Refuse settings that would play no part.

        Args:
            settings: keywords.
            unused: fields that would be ignored.
            why: where, and what for.

        Raises:
            ConfigError: one of them is given.
        """
        known = ", ".join(name for name in cls.model_fields if name not in unused)
        for name in unused:
            if name in settings:
                raise ConfigError(f"{why}: the setting {name!r} plays no part; known: {known}")
