"""Points in, columns of metrics out: the only place where a sweep meets the model."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from hwsim import registry, run
from hwsim.errors import HwsimError, InputError
from hwsim.functional import Outcome, RateOutcome, classify
from hwsim.graph.types import Graph
from hwsim.model.types import Accelerator, Design
from hwsim.report.rate import Rate
from hwsim.run import Chip
from hwsim.sweep.errors import ForeignWorker
from hwsim.sweep.family import Families
from hwsim.sweep.identity import model_version
from hwsim.sweep.metrics import TOTALS

Column = NDArray[Any]
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


@dataclass(frozen=True, slots=True)
class Measured:
    """Totals of many designs.

    Attributes
    ----------
    index : sequence of int
        Which of the designs asked for have a result, ascending.
    columns : mapping of str to array
        Metrics, one entry per design in `index`.
    errors : mapping of int to str
        Why each of the others has none.
    """

    index: Sequence[int]
    columns: Mapping[str, Column]
    errors: Mapping[int, str]


class Evaluator:
    """Evaluates chunks of one setup, and remembers traces and programs that further chunks can use."""

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._benches: dict[int, _Bench] = {}

    def evaluate(self, chunk: Chunk) -> Answer:
        """Evaluate points; one that fails takes no other with it.

        Raises
        ------
        ForeignWorker
            This process computes with another model than the one that planned the sweep.
        """
        started = time.perf_counter()
        bench = self._benches.get(chunk.scenario)
        if bench is None:
            bench = self._benches[chunk.scenario] = _Bench(self._setup.settings[chunk.scenario])
        errors: dict[int, str] = {}
        designs = bench.designs(chunk.rows, errors)
        places = list(designs)
        found = bench.measure(list(designs.values()))
        errors |= {places[index]: text for index, text in found.errors.items()}
        columns = _with_derived(found.columns)
        _refuse_non_finite(columns, [places[index] for index in found.index], errors)
        cells = _spread(columns, [places[index] for index in found.index], len(chunk.rows))
        if self._setup.data:
            left = {place: design for place, design in designs.items() if place not in errors}
            cells |= bench.classify(left, self._setup.data, len(chunk.rows), errors)
        return Answer(cells, errors, time.perf_counter() - started)


class _Bench:
    """One chip with one network."""

    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        self._accelerator = registry.load_accelerator(setting.chip)
        check_version(setting, self._accelerator)
        base = run.chip(f"{setting.chip}:{setting.preset}").design
        self._kind: type[Design] = type(base)
        self._plain = {name: getattr(base, name) for name in self._kind.model_fields}
        self._families = Families(setting.graph, self._accelerator, on_unsupported=setting.on_unsupported)

    def designs(self, rows: Sequence[tuple[Any, ...]], errors: dict[int, str]) -> dict[int, Design]:
        """Return the designs that hold, by place; say of the others what is wrong with them."""
        found: dict[int, Design] = {}
        names = self._setting.names
        for place, row in enumerate(rows):
            try:
                found[place] = self._kind.model_validate(self._plain | dict(zip(names, row, strict=True)))
            except ValidationError as error:
                errors[place] = "; ".join(map(_reason, error.errors()))[:_LONGEST_ERROR]
        return found

    def measure(self, designs: Sequence[Design]) -> Measured:
        """Return the totals of `designs`; if evaluating them together breaks, of each alone."""
        try:
            return evaluate_designs(self._families, designs)
        except Exception as error:
            if len(designs) == 1:
                return Measured((), {}, {0: _told(error)})
        parts = [self.measure([design]) for design in designs]
        index = [place for place, part in enumerate(parts) if part.index]
        names = parts[index[0]].columns if index else {}
        return Measured(
            index,
            {name: np.concatenate([parts[place].columns[name] for place in index]) for name in names},
            {place: part.errors[0] for place, part in enumerate(parts) if part.errors},
        )

    def classify(
        self, designs: Mapping[int, Design], data: Mapping[str, Column], length: int, errors: dict[int, str]
    ) -> dict[str, list[Any]]:
        """Return what labelled samples say of each design."""
        found: dict[str, list[Any]] = {}
        for place, design in designs.items():
            try:
                outcome = classify(
                    self._setting.graph, Chip(self._accelerator, self._setting.preset, design), data
                )
            except Exception as error:
                errors[place] = _told(error)
                continue
            for name, value in _cells(outcome).items():
                found.setdefault(name, [None] * length)[place] = value
                if not np.isfinite(value):
                    errors.setdefault(place, f"{name} is {value}, which is no result")
        return found


def evaluate_designs(families: Families, designs: Sequence[Design]) -> Measured:
    """Return totals of many designs as columns, those that `hwsim.evaluate` gives for each."""
    found = families.evaluate(designs)
    return Measured(
        found.index.tolist(),
        {name: getattr(found, name) for name in TOTALS},
        {place: str(error)[:_LONGEST_ERROR] for place, error in found.failures.items()},
    )


def check_version(setting: Setting, accelerator: Accelerator) -> None:
    """Raise ForeignWorker if the chip's model here is not the one of the setting."""
    here = model_version(accelerator)
    if here != setting.version:
        raise ForeignWorker(
            f"a worker computes {setting.chip} with model {here}, the sweep with {setting.version}",
            where="workers",
            hint="install the same hwsim on every worker and start them again",
        )


def _with_derived(columns: Mapping[str, Column]) -> dict[str, Column]:
    if not columns:
        return {}
    with np.errstate(all="ignore"):
        time_s, energy_j, macs = (np.asarray(columns[name], float) for name in ("time_s", "energy_j", "macs"))
        return {
            **columns,
            "energy_delay_js": energy_j * time_s,
            "macs_per_s": macs / time_s,
            "macs_per_j": macs / energy_j,
        }


def _refuse_non_finite(columns: Mapping[str, Column], places: Sequence[int], errors: dict[int, str]) -> None:
    """Turn points with a metric that is no finite number into failed ones."""
    for name, column in columns.items():
        for index in np.flatnonzero(~np.isfinite(column)).tolist():
            errors.setdefault(places[index], f"{name} is {column[index]}, which is no result")


def _spread(columns: Mapping[str, Column], places: Sequence[int], length: int) -> dict[str, list[Any]]:
    """Return columns with an entry for every point, None for those without a result."""
    found: dict[str, list[Any]] = {}
    for name, column in columns.items():
        values = column.tolist()
        if len(values) < length:
            cells: list[Any] = [None] * length
            for place, value in zip(places, values, strict=True):
                cells[place] = value
            values = cells
        found[name] = values
    return found


def _cells(outcome: Outcome | RateOutcome) -> dict[str, float]:
    if isinstance(outcome, RateOutcome):
        return _rate_cells(outcome)
    low, high = outcome.wrong.interval
    return {
        "samples_count": outcome.wrong.samples,
        "misclassification_ratio": outcome.wrong.ratio,
        "misclassification_low_ratio": low,
        "misclassification_high_ratio": high,
        "reference_misclassification_ratio": outcome.reference_wrong.ratio,
        "disagreement_ratio": outcome.different.ratio,
        **outcome.figures,
    }


def _rate_cells(outcome: RateOutcome) -> dict[str, float]:
    """Return rates under the one setting that a sweep can hold beside its knobs."""
    points = outcome.result.points
    if len(points) != 1:
        raise InputError(f"{len(points)} settings in one run", where="functional",
                         hint="give one setting; a sweep varies knobs")
    cells = dict(points[0].setting)
    for name, counted in points[0].rates.items():
        rate = Rate.of(counted)
        low, high = rate.interval
        cells |= {f"{name}_ratio": rate.ratio, f"{name}_low_ratio": low, f"{name}_high_ratio": high}
    return {**cells, **outcome.figures}


def _reason(item: Mapping[str, Any]) -> str:
    """Return knob, reason and value of what pydantic says about a design."""
    message = str(item["msg"]).removeprefix("Value error, ")
    told = f"{message[:1].lower()}{message[1:]}"
    knob = ".".join(map(str, item["loc"]))
    return f"{knob} = {item['input']!r}: {told}" if knob else told


def _told(error: Exception) -> str:
    return (str(error) if isinstance(error, HwsimError) else f"{type(error).__name__}: {error}")[
        :_LONGEST_ERROR
    ]
