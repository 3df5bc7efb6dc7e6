"""Points in, columns of metrics out: the only place where a sweep meets the model."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from hwsim import registry, run
from hwsim.errors import HwsimError
from hwsim.functional import classify
from hwsim.graph.types import Graph
from hwsim.model.types import Accelerator, Design
from hwsim.run import Chip
from hwsim.sweep.errors import ForeignWorker
from hwsim.sweep.identity import model_version
from hwsim.sweep.metrics import TOTALS

Columns = Mapping[str, NDArray[Any]]
_LONGEST_ERROR = 2000


@dataclass(frozen=True, slots=True)
class Setting:
    """What the points of one scenario share; all that a worker needs besides their knobs.

    Attributes
    ----------
    chip, preset : str
        Names that the worker looks up itself.
    version : str
        Version of the model that the sweep was planned with.
    names : tuple of str
        Knobs that vary, in the order of the values.
    graph : Graph
        The network.
    on_unsupported : str
        Policy for operators that the chip cannot run.
    """

    chip: str
    preset: str
    version: str
    names: tuple[str, ...]
    graph: Graph
    on_unsupported: str


@dataclass(frozen=True, slots=True)
class Setup:
    """What a worker is told once.

    Attributes
    ----------
    settings : tuple of Setting
        One per scenario.
    data : mapping of str to array
        Labelled samples; empty without.
    """

    settings: tuple[Setting, ...]
    data: Mapping[str, NDArray[Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Chunk:
    """Points to evaluate together.

    Attributes
    ----------
    scenario : int
        Place of their setting.
    rows : tuple of tuple
        Knob values.
    """

    scenario: int
    rows: tuple[tuple[Any, ...], ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a chunk.

    Attributes
    ----------
    columns : mapping of str to list
        Metrics, one entry per point; None where a point failed.
    errors : mapping of int to str
        Why the point at a place failed.
    wall_s : float
        Seconds that the chunk took.
    """

    columns: Mapping[str, list[Any]]
    errors: Mapping[int, str]
    wall_s: float


def evaluate_chunk(setup: Setup, chunk: Chunk) -> Answer:
    """Evaluate points; one that fails takes no other with it.

    Raises
    ------
    ForeignWorker
        This process computes with another model than the one that planned the sweep.
    """
    started = time.perf_counter()
    setting = setup.settings[chunk.scenario]
    accelerator = registry.load_accelerator(setting.chip)
    check_version(setting, accelerator)
    base = run.chip(f"{setting.chip}:{setting.preset}").design
    errors: dict[int, str] = {}
    designs: dict[int, Design] = {}
    plain = {name: getattr(base, name) for name in type(base).model_fields}
    for place, row in enumerate(chunk.rows):
        try:
            designs[place] = type(base).model_validate(plain | dict(zip(setting.names, row, strict=True)))
        except ValidationError as error:
            errors[place] = "; ".join(f"{item['msg'][0].lower()}{item['msg'][1:]}" for item in error.errors())
    columns = _measured(setting, accelerator, designs, errors)
    if setup.data:
        columns |= _classified(setting, setup.data, accelerator, designs, errors)
    rows = _as_rows(columns, list(designs), len(chunk.rows))
    _refuse_non_finite(rows, errors)
    return Answer(rows, errors, time.perf_counter() - started)


def check_version(setting: Setting, accelerator: Accelerator) -> None:
    """Raise ForeignWorker if the chip's model here is not the one of the setting."""
    here = model_version(accelerator)
    if here != setting.version:
        raise ForeignWorker(
            f"a worker computes {setting.chip} with model {here}, the sweep with {setting.version}",
            where="workers",
            hint="install the same hwsim on every worker and start them again",
        )


def evaluate_designs(network: Graph, accelerator: Accelerator, designs: Sequence[Design]) -> Columns:
    """Return totals of many designs as columns, bit for bit those that `hwsim.evaluate` gives for each."""
    return evaluate_one_by_one(network, accelerator, designs)


def evaluate_one_by_one(network: Graph, accelerator: Accelerator, designs: Sequence[Design]) -> Columns:
    """Do as `evaluate_designs`, without sharing any work."""
    totals = [run.evaluate(network, Chip(accelerator, "", design)).totals for design in designs]
    return {name: np.array([getattr(total, name) for total in totals]) for name in TOTALS}


def _measured(
    setting: Setting, accelerator: Accelerator, designs: dict[int, Design], errors: dict[int, str]
) -> dict[str, dict[int, Any]]:
    """Return totals by metric and place; designs that fail move into `errors`."""
    graph = run.runnable(setting.graph, accelerator, setting.on_unsupported)
    try:
        return _spread(evaluate_designs(graph, accelerator, list(designs.values())), list(designs))
    except Exception as error:
        if len(designs) <= 1:
            _fail(error, designs, errors)
            return {}
    found: dict[str, dict[int, Any]] = {}
    for place, design in list(designs.items()):
        alone = {place: design}
        for name, cells in _measured(setting, accelerator, alone, errors).items():
            found.setdefault(name, {}).update(cells)
        if not alone:
            del designs[place]
    return found


def _fail(error: Exception, designs: dict[int, Design], errors: dict[int, str]) -> None:
    text = str(error) if isinstance(error, HwsimError) else f"{type(error).__name__}: {error}"
    for place in list(designs):
        errors[place] = text[:_LONGEST_ERROR]
        del designs[place]


def _spread(columns: Columns, places: Sequence[int]) -> dict[str, dict[int, Any]]:
    found = {
        name: dict(zip(places, np.asarray(column).tolist(), strict=True)) for name, column in columns.items()
    }
    with np.errstate(all="ignore"):
        time_s, energy_j, macs = (
            np.asarray(columns[name], dtype=float) for name in ("time_s", "energy_j", "macs")
        )
        derived = {
            "energy_delay_js": energy_j * time_s,
            "macs_per_s": macs / time_s,
            "macs_per_j": macs / energy_j,
        }
    return found | {name: dict(zip(places, column.tolist(), strict=True)) for name, column in derived.items()}


def _classified(
    setting: Setting,
    data: Mapping[str, NDArray[Any]],
    accelerator: Accelerator,
    designs: dict[int, Design],
    errors: dict[int, str],
) -> dict[str, dict[int, Any]]:
    found: dict[str, dict[int, Any]] = {}
    for place, design in list(designs.items()):
        try:
            outcome = classify(setting.graph, Chip(accelerator, setting.preset, design), data)
        except Exception as error:
            alone = {place: design}
            _fail(error, alone, errors)
            del designs[place]
            continue
        low, high = outcome.wrong.interval
        cells = {
            "samples_count": outcome.wrong.samples,
            "misclassification_ratio": outcome.wrong.ratio,
            "misclassification_low_ratio": low,
            "misclassification_high_ratio": high,
            "reference_misclassification_ratio": outcome.reference_wrong.ratio,
            "disagreement_ratio": outcome.different.ratio,
            **outcome.figures,
        }
        for name, value in cells.items():
            found.setdefault(name, {})[place] = value
    return found


def _as_rows(
    columns: Mapping[str, Mapping[int, Any]], places: Sequence[int], length: int
) -> dict[str, list[Any]]:
    kept = frozenset(places)
    return {
        name: [cells.get(place) if place in kept else None for place in range(length)]
        for name, cells in columns.items()
    }


def _refuse_non_finite(columns: Mapping[str, list[Any]], errors: dict[int, str]) -> None:
    """Turn points with a metric that is no finite number into failed ones."""
    for name, cells in columns.items():
        for place, value in enumerate(cells):
            if isinstance(value, float) and not math.isfinite(value) and place not in errors:
                errors[place] = f"{name} is {value}, which is no result"
