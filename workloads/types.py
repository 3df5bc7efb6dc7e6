"""What a family of networks offers to its users: knobs, presets by name and a builder."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Annotated, Generic, Literal, TypeVar, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from hwsim.errors import DesignError, GraphError, Problem, nearest
from hwsim.graph.types import BFLOAT16, FLOAT16, FLOAT32, INT4, INT8, INT16, INT32, Graph, NumberFormat

FormatName = Literal["float32", "float16", "bfloat16", "int32", "int16", "int8", "int4"]

# Large enough for every published network, small enough that a slip of the keyboard does not build for hours.
Repeats = Annotated[int, Field(ge=1, le=1024)]

_FORMATS: Mapping[str, NumberFormat] = MappingProxyType(
    {str(item): item for item in (FLOAT32, FLOAT16, BFLOAT16, INT32, INT16, INT8, INT4)}
)


class WorkloadConfig(BaseModel):
    """Knobs that every network has; a family adds its own."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    batch: int = Field(default=1, ge=1, description="Samples computed together.")
    format: FormatName = Field(
        default="float32",
        description="Number format of weights and activations; mixed precision is the pass `set_precision`.",
    )

    @property
    def number_format(self) -> NumberFormat:
        """The number format that `format` names."""
        return _FORMATS[self.format]


class ImageConfig(WorkloadConfig):
    """Knobs of networks that classify square images."""

    image_size: int = Field(default=224, ge=1, description="Height and width of the input image, in pixels.")
    image_channels: int = Field(default=3, ge=1, description="Channels of the input image.")
    classes: int = Field(default=1000, ge=1, description="Number of classes.")


ConfigT = TypeVar("ConfigT", bound=WorkloadConfig)


@dataclass(frozen=True, slots=True)
class Workload(Generic[ConfigT]):
    """A family of networks.

    Attributes
    ----------
    name : str
        Name of the family.
    description : str
        One line on what it is.
    config : type
        The knobs, a frozen pydantic model.
    build : callable
        From a configuration to a verified graph.
    presets : mapping of str to configuration
        Every network that a user can ask for by name.
    source : str
        Where the shapes come from, with the kind of evidence.
    notes : mapping of str to str
        Remarks on single presets.
    """

    name: str
    description: str
    config: type[ConfigT]
    build: Callable[[ConfigT], Graph]
    presets: Mapping[str, ConfigT]
    source: str
    notes: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "presets", MappingProxyType(dict(self.presets)))
        object.__setattr__(self, "notes", MappingProxyType(dict(self.notes)))

    def configure(self, preset: str, overrides: Mapping[str, object] | None = None) -> ConfigT:
        """Return the configuration of `preset` with some knobs changed.

        Parameters
        ----------
        preset : str
            Name of a network of this family.
        overrides : mapping, optional
            Knob to value; text is parsed, lists are separated by commas.

        Raises
        ------
        DesignError
            The preset or a knob is unknown, or a value is out of range; every problem at once.
        """
        if preset not in self.presets:
            raise DesignError(
                f"no network of this name: {preset!r}", where=self.name, hint=nearest(preset, self.presets)
            )
        given = {knob: self._parsed(knob, value) for knob, value in (overrides or {}).items()}
        try:
            return self.config.model_validate(self.presets[preset].model_dump() | given)
        except ValidationError as error:
            raise DesignError(problems=self._problems(preset, error)) from None

    def graph(self, preset: str, overrides: Mapping[str, object] | None = None) -> Graph:
        """Return the network `preset`, some knobs changed, as a verified graph of that name.

        Raises
        ------
        DesignError
            As for `configure`.
        GraphError
            The knobs are in range and still give no network, for instance an image that is too small.
        """
        config = self.configure(preset, overrides)
        try:
            built = self.build(config)
        except GraphError as error:
            moved = [replace(p, where=preset + p.where.removeprefix(self.name)) for p in error.problems]
            raise GraphError(problems=moved) from None
        return replace(built, name=preset, provenance=dict(built.provenance) | {"preset": preset})

    def _parsed(self, knob: str, value: object) -> object:
        known = self.config.model_fields.get(knob)
        if known is None or not isinstance(value, str):
            return value
        if get_origin(known.annotation) is tuple:
            return [item.strip() for item in value.strip("()[] ").split(",") if item.strip()]
        if value.lower() == "none" and type(None) in get_args(known.annotation):
            return None
        return value

    def _problems(self, preset: str, error: ValidationError) -> tuple[Problem, ...]:
        found = []
        for item in error.errors(include_url=False):
            place = ".".join(str(part) for part in item["loc"])
            where = f"{preset}.{place}" if place else preset
            if item["type"] == "extra_forbidden":
                hint = nearest(place, self.config.model_fields)
                found.append(Problem(where, f"no knob of this name: {place!r}", hint))
                continue
            reason = item["msg"].removeprefix("Value error, ")
            value = f": {item['input']!r}" if item["loc"] else ""
            reason = f"{reason[:1].lower()}{reason[1:]}{value}"
            found.append(Problem(where, reason, self._hint(place, item["input"])))
        return tuple(found)

    def _hint(self, knob: str, value: object) -> str:
        known = self.config.model_fields.get(knob)
        if known is None or get_origin(known.annotation) is not Literal:
            return ""
        return nearest(str(value), [str(choice) for choice in get_args(known.annotation)])
