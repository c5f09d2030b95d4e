"""How networks are trained: the key ``training`` of ``analysis.yaml``, the keywords of :func:`hepneg.train`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from hepneg.config.validation import Model, Positive, one_line, unknown_keys
from hepneg.errors import ConfigError, nearest_names

if TYPE_CHECKING:
    from hepneg.objectives.objective import Objective, Task
    from hepneg.schemes.scheme import Scheme

__all__ = ["Activity", "Network", "ObjectiveChoice", "Output", "SchemeChoice", "Training"]

_BOUNDED_ACTIVATIONS = ("tanh", "sigmoid", "clipped")


class _Choice(BaseModel):
    """One of a registry by name; further keys are its parameters."""

    model_config = ConfigDict(frozen=True, extra="allow")
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

    def make(self) -> object:
        """Return the choice with these parameters."""
        raise NotImplementedError


class SchemeChoice(_Choice):
    """A weight scheme by name; further keys are its parameters."""

    name: str = "auto"

    def make(self) -> Scheme:
        """Return the scheme with these parameters."""
        from hepneg.schemes.known import make_scheme

        return make_scheme(self.name, **self.parameters)


class ObjectiveChoice(_Choice):
    """An objective by name; further keys are its parameters."""

    def make(self) -> Objective:
        """Return the objective with these parameters."""
        from hepneg.objectives.known import make_objective

        return make_objective(self.name, **self.parameters)


class Output(Model):
    """A range that the network's output never leaves, and the function that keeps it there.

    Attributes:
        activation: ``sigmoid``, ``tanh`` or ``clipped`` (see :func:`hepneg.networks.output_range.bounded`), or, for
            regressions, ``relu``, which has no upper end; ``output: relu`` is short for one from 0 on.
        low: lower end; of a classifier, of the response; of a regression, in the target's unit.
        high: upper end.
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


class Network(Model):
    """The multilayer perceptron: widths of its hidden layers, their activation, and the range of its output.

    ``sigmoid``, ``tanh`` and ``clipped`` (to ±1) bound the hidden units; another range would change nothing, as the
    next layer scales them.
    """

    hidden: tuple[Annotated[int, Field(ge=1, le=65536)], ...] = Field(default=(64, 64, 64), min_length=1)
    activation: Literal["silu", "relu", "gelu", "tanh", "sigmoid", "clipped"] = "silu"
    output: Output | None = None


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

    def check(self, network: Network) -> None:
        """Refuse layers and units that a network lacks, and a reward that could grow without limit.

        Raises:
            ValueError: with one sentence.
        """
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


class Training(Model):
    """How networks are trained.

    Attributes:
        scheme: the weight scheme.
        objective: what is minimised; left out, the default of the task.
        folds: networks in the cross-validation, each tested on events that it has not seen.
        network: the multilayer perceptron.
        activity: a price or a reward on the activity of its hidden units.
        seed: of everything that is random.
        epochs: most passes over the events.
        batch_size: events in a batch.
        learning_rate: of the optimiser at the start.
        weight_decay: of the optimiser.
        patience: epochs without a better validation loss before training stops.
        validation_fraction: share of each network's events that only judge when to stop.
        device: ``auto`` takes a GPU where there is one.
    """

    scheme: SchemeChoice = SchemeChoice.model_construct(name="auto")
    objective: ObjectiveChoice | None = None
    folds: int = Field(default=5, ge=2, le=127)
    network: Network = Network()
    activity: Activity | None = None
    seed: Annotated[int, Field(ge=0)] = 1
    epochs: int = Field(default=60, ge=1)
    batch_size: int = Field(default=1024, ge=2)
    learning_rate: Positive = 3e-3
    weight_decay: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    patience: int = Field(default=8, ge=1)
    validation_fraction: float = Field(default=0.2, gt=0, lt=0.5)
    device: Literal["auto", "cpu", "cuda"] = "auto"

    @model_validator(mode="after")
    def _check_activity(self) -> Self:
        if self.activity:
            self.activity.check(self.network)
        return self

    def make_objective(self, task: Task) -> Objective:
        """Return the objective, or the default one of a task.

        Raises:
            ConfigError: it is for another task.
        """
        from hepneg.objectives.known import DEFAULT_OBJECTIVES, make_objective, objective_names

        chosen = self.objective.make() if self.objective else make_objective(DEFAULT_OBJECTIVES[task])
        if chosen.task != task:
            known = ", ".join(objective_names(task))
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
