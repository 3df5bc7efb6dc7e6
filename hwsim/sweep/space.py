"""A design space as its user writes it, in a TOML file or in Python; `plan` resolves it against the chips."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema

from hwsim.errors import InputError, Problem
from hwsim.registry import accelerator_names
from hwsim.strict import Strict, Table, read_toml
from hwsim.sweep.axis_words import AXIS_SCHEMA, RANGE_WORDS
from hwsim.sweep.plain import plain, strange

Sampling = Literal["grid", "zip", "random", "latin_hypercube", "search"]
LARGEST_BATCH = 2**48  # no network of more elements is read, and a results file holds 64 bits
MOST_SAMPLES = 2**53  # beyond, neighbouring samples cannot be told apart

_KNOBS_SCHEMA: dict[str, Any] = {
    "type": "object",
    "description": "values by knob; a table named after a chip holds knobs of that chip only",
    "additionalProperties": AXIS_SCHEMA,
}
Knobs = Annotated[dict[str, Any], WithJsonSchema(_KNOBS_SCHEMA)]
Network = Annotated[Any, WithJsonSchema({"type": "string"})]


def _many(given: Any) -> Any:
    """Return what stands alone as a list of one."""
    return given if isinstance(given, list | tuple) else [given]


def _one_or_many(item: dict[str, Any], least: int = 0) -> tuple[BeforeValidator, WithJsonSchema]:
    many = {"type": "array", "items": item, **({"minItems": least} if least else {})}
    return BeforeValidator(_many), WithJsonSchema({"anyOf": [item, many]})


_TEXT = {"type": "string"}
_BATCH = {"type": "integer", "minimum": 1, "maximum": LARGEST_BATCH}
Texts = Annotated[tuple[str, ...], *_one_or_many(_TEXT)]
SomeTexts = Annotated[tuple[str, ...], Field(min_length=1), *_one_or_many(_TEXT, 1)]
Networks = Annotated[tuple[Network, ...], Field(min_length=1), *_one_or_many(_TEXT, 1)]
Batches = Annotated[tuple[Annotated[int, Field(ge=1, le=LARGEST_BATCH)], ...], *_one_or_many(_BATCH)]


class Search(Table):
    """How a space is searched instead of evaluated in full.

    Attributes
    ----------
    method : str
        "response_surface": a model of the answers says which points are worth evaluating; "optuna".
    objectives : tuple of str
        Metrics to minimise; ``max:NAME`` maximises.
    budget : int
        Points to evaluate at most.
    batch : int
        Points proposed at a time; results depend on it, but not on the number of workers.
    """

    method: Literal["response_surface", "optuna"] = "response_surface"
    objectives: SomeTexts = ("energy_j", "time_s")
    budget: int = Field(200, ge=1)
    batch: int = Field(16, ge=1, le=4096)


class Space(Strict):
    """Chips x presets x knobs x networks x transforms, and how points are chosen among them.

    What holds many may be given as one: ``chips="systolic"``. Numbers, lists and ranges of numpy become plain
    ones.

    Attributes
    ----------
    chips : tuple of str
        ``CHIP``, ``CHIP:PRESET`` or ``CHIP:*`` for all presets.
    networks : tuple of str, Path or Graph
        Whatever `hwsim.load` accepts.
    knobs : dict
        Values by knob, see `hwsim.sweep.axes.read_axis`; ``{chip: {knob: values}}`` for one chip only, where
        they go before those for all.
    constraints : tuple of str
        Expressions over knobs that a point must fulfil; each applies to the chips that have its knobs.
    batch : tuple of int
        Samples computed together.
    precision : tuple of str
        Number formats of weights and activations.
    dimensions : dict of str to int
        Sizes of the open dimensions of ONNX files.
    sampling : str
        "grid": all combinations; "zip": first values together, then second ones; "random" and
        "latin_hypercube": `samples` points of each chip, network and transform; "search".
    samples : int
        See `sampling`.
    seed : int
        Of samples and searches.
    limit : int
        Evaluate no more points than the first so many.
    functional : Path
        Labelled samples (.npz) to classify at every point in the chip's own arithmetic.
    on_unsupported : str
        "error", "host" or "traffic", as in `hwsim.evaluate`.
    search : Search
        For the sampling "search".
    """

    hints: ClassVar[dict[str, str]] = dict.fromkeys(
        RANGE_WORDS, "a range belongs to a knob: [knobs] array_rows = { from = 8, to = 64, step = 8 }"
    )

    chips: SomeTexts
    networks: Networks
    knobs: Knobs = Field(default_factory=dict)
    constraints: Texts = ()
    batch: Batches = ()
    precision: Texts = ()
    dimensions: dict[str, int] = Field(default_factory=dict)
    sampling: Sampling = "grid"
    samples: int | None = Field(None, ge=1, le=MOST_SAMPLES)
    seed: int = Field(0, ge=0)
    limit: int | None = Field(None, ge=1)
    functional: Path | None = None
    on_unsupported: Literal["error", "host", "traffic"] = "error"
    search: Search | None = None

    def __init__(self, **given: Any) -> None:
        try:
            given = {name: plain(value) for name, value in given.items()}
            problems = strange("knobs", given["knobs"]) if isinstance(given.get("knobs"), dict) else []
        except RecursionError:
            raise InputError("values are nested too deeply", where="space") from None
        if problems:
            raise InputError(problems=problems)
        super().__init__(**given)


def read_space(path: str | Path) -> Space:
    """Read a sweep file.

    Raises
    ------
    InputError
        Missing, oversized or malformed file; unknown words with the nearest known one; all problems at once.
    """
    source = Path(path)
    given = read_toml(source)
    try:
        return Space(**_beside(given, source.parent))
    except InputError as error:
        raise InputError(
            problems=[Problem(f"{path}: {p.where}", p.reason, p.hint) for p in error.problems]
        ) from None


def space_schema() -> dict[str, Any]:
    """Return the JSON Schema of a sweep file for the chips that are installed."""
    found = Space.model_json_schema()
    table = {"type": "object", "additionalProperties": AXIS_SCHEMA}
    found["properties"]["knobs"]["properties"] = dict.fromkeys(accelerator_names(), table)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **found,
        "title": "hwsim sweep file",
    }


def _beside(given: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Take files that the sweep file names relative to it."""
    found = dict(given)
    if isinstance(given.get("functional"), str):
        found["functional"] = str(folder / given["functional"])
    if isinstance(given.get("networks"), list | str):
        found["networks"] = [
            str(folder / name) if isinstance(name, str) and (folder / name).is_file() else name
            for name in _many(given["networks"])
        ]
    return found
