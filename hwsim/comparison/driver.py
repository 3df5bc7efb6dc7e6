"""Runs a comparison file: every column costed, samples classified, chips put into service, doubts named."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwsim import run
from hwsim.comparison.file import Column, ComparisonFile, InService, read_comparison
from hwsim.errors import HwsimError, InputError, Problem, UnsupportedOp
from hwsim.functional import Outcome, classify, read_arrays, refusal
from hwsim.graph.types import Graph
from hwsim.model.carbon import Scenario, read_duration, read_scenario
from hwsim.model.roofline.design import MemoryModel, RooflineDesign
from hwsim.report.compare import Comparison, side_by_side
from hwsim.report.comparison_table import baseline_place
from hwsim.report.normalised import inferences
from hwsim.report.reservations import GROUPS, Columns, derive
from hwsim.report.service import Sustainability
from hwsim.report.study import COLUMN, STATED, Measured, Reservation, Study
from hwsim.report.types import Report
from hwsim.sustainability import illustrative, serve
from hwsim.units import parse_as, suffix_of

Arrays = Mapping[str, NDArray[Any]]
_NO_SAMPLES = Measured(absent="no samples were given")
_BOUNDS = {
    MemoryModel.BOUNDED: "the published peak bounds the speed, so that real runs take longer and more energy",
    MemoryModel.IN_PEAK: "one achieved rate stands for every operator",
}


@dataclass(frozen=True, slots=True)
class Planned:
    """A column with its chip and network.

    Attributes
    ----------
    column : Column
        As the file has it.
    name : str
        Its head.
    chip : Chip
        With all knobs set.
    graph : Graph
        Loaded, in the column's batch and precision.
    policy : str
        What becomes of operators that the chip cannot run.
    samples : mapping of str to array
        Labelled samples; empty without.
    """

    column: Column
    name: str
    chip: run.Chip
    graph: Graph
    policy: str
    samples: Arrays


def run_comparison(source: str | Path | ComparisonFile, *, baseline: str | None = None) -> Comparison:
    """Return the reports of a comparison file side by side, with what they say about one another.

    Parameters
    ----------
    source : str, Path or ComparisonFile
        A file, or a name that ``hwsim list comparisons`` shows.
    baseline : str, optional
        Column that the others are divided by, instead of the file's.

    Returns
    -------
    Comparison
        `reports`, `names`, and `study`: measured values, reservations, chips in service. `hwsim.write` stores
        it as a page or as JSON.

    Raises
    ------
    InputError
        Everything that is wrong with the file, with its chips, knobs, networks and samples, at once.
    """
    if isinstance(source, ComparisonFile):
        return _compared(source, baseline)
    file = read_comparison(source)
    try:
        return _compared(file, baseline)
    except InputError as error:
        raise type(error)(problems=[replace(problem, where=f"{source}: {problem.where}")
                                    for problem in error.problems]) from None


def _compared(file: ComparisonFile, baseline: str | None) -> Comparison:
    planned = _baseline_first(plan(file), file, baseline)
    reports = _evaluate(planned)
    names = tuple(each.name for each in planned)
    measured = tuple(map(_measure, planned)) if any(each.samples for each in planned) else ()
    columns = Columns(names, reports, _rooflines(planned), measured, _prices(planned))
    study = Study(file.title, file.question, file.task, tuple(map(_settings, planned)), measured,
                  (*derive(columns), *_stated(file, planned)), _service(file, names, reports))
    return side_by_side(reports, names, study)


def plan(file: ComparisonFile) -> tuple[Planned, ...]:
    """Return the columns of a file with their chips, networks and samples.

    Raises
    ------
    InputError
        With every problem of every column.
    """
    problems: list[Problem] = []
    graphs: dict[str, Graph] = {}
    samples: dict[Path, Arrays] = {}
    found = []
    for at, (column, name) in enumerate(zip(file.columns, file.names(), strict=True), start=1):
        try:
            found.append(_planned(file, column, name, graphs, samples))
        except InputError as error:
            problems += [problem if column.network is None and problem.where == "network"
                         else replace(problem, where=f"columns.{at} ({name}).{problem.where}")
                         for problem in error.problems]
    if file.service is not None:
        try:
            _read_service(file.service)
        except InputError as error:
            problems += error.problems
    if problems:
        raise InputError(problems=list(dict.fromkeys(problems)))
    return tuple(found)


def _planned(file: ComparisonFile, column: Column, name: str, graphs: dict[str, Graph],
             samples: dict[Path, Arrays]) -> Planned:
    """Return one column; all of its problems at once, and each network and file of samples read once."""
    chip, graph, arrays = None, None, None
    knobs, problems = _knobs(column)
    try:
        chip = run.chip(column.chip, **knobs)
    except InputError as error:
        problems += error.problems
    policy = column.on_unsupported or file.on_unsupported
    try:
        graph = _load(file, column, policy, graphs)
    except InputError as error:
        problems += error.problems
    try:
        arrays = _samples(column, file.samples, graph.inputs if graph is not None else (), samples)
    except InputError as error:
        problems += error.inside("functional").problems
    if chip is None or graph is None or arrays is None or problems:
        raise InputError(problems=problems)
    return Planned(column, name, chip, graph, policy, arrays)


def _knobs(column: Column) -> tuple[dict[str, Any], list[Problem]]:
    """Return the knobs, texts such as "700 MHz" read by the unit of their names; and what is unreadable."""
    found, problems = dict(column.knobs), list[Problem]()
    for name, value in column.knobs.items():
        suffix = suffix_of(name)
        if suffix and isinstance(value, str) and value[:1] in tuple("+-.0123456789"):
            try:
                found[name] = parse_as(value, suffix)
            except InputError as error:
                problems += error.inside(f"knobs.{name}").problems
                del found[name]
    return found, problems


def _load(file: ComparisonFile, column: Column, policy: str, graphs: dict[str, Graph]) -> Graph:
    wanted = {"source": column.network or file.network, "batch": column.batch or file.batch,
              "dimensions": {**file.dimensions, **column.dimensions},
              "precision": column.precision or file.precision, "on_unsupported": policy}
    key = json.dumps(wanted, sort_keys=True)
    if key not in graphs:
        graphs[key] = run.load(**wanted)  # type: ignore[arg-type]
    return graphs[key]


def _samples(column: Column, most: int | None, inputs: Sequence[str], known: dict[Path, Arrays]) -> Arrays:
    """Return the arrays of a column, of labels and the network's `inputs` no more than the first `most`."""
    if column.functional is None:
        return {}
    if column.functional not in known:
        known[column.functional] = read_arrays(column.functional)
    cut = ("labels", *inputs)
    return {name: array[:most] if name in cut and array.ndim else array
            for name, array in known[column.functional].items()}


def _baseline_first(planned: tuple[Planned, ...], file: ComparisonFile,
                    asked: str | None) -> tuple[Planned, ...]:
    chips = [each.chip.accelerator.name for each in planned]
    at = baseline_place([each.name for each in planned], chips, asked or file.baseline)
    return (planned[at], *planned[:at], *planned[at + 1 :])


def _evaluate(planned: Sequence[Planned]) -> tuple[Report, ...]:
    """Cost every column; all that a chip refuses, of every column, in one error."""
    reports, problems = [], list[Problem]()
    kind: type[HwsimError] = InputError
    for each in planned:
        try:
            reports.append(run.evaluate(each.graph, each.chip, on_unsupported=each.policy))
        except InputError as error:
            kind = UnsupportedOp if isinstance(error, UnsupportedOp) else kind
            problems += error.inside(f"columns.{each.name}").problems
    if problems:
        raise kind(problems=problems)
    return tuple(reports)


def _measure(planned: Planned) -> Measured:
    if not planned.samples:
        return _NO_SAMPLES
    problem = refusal(planned.chip)
    if problem is not None:
        return Measured(absent=problem.reason)
    try:
        outcome = classify(planned.graph, planned.chip, planned.samples)
    except InputError as error:
        raise type(error)(problems=[replace(p, where=f"columns.{planned.name}.functional: {p.where}")
                                    for p in error.problems]) from None
    if not isinstance(outcome, Outcome):
        return Measured(absent="the chip counts errors of random inputs and classifies nothing")
    labels = np.ascontiguousarray(planned.samples["labels"], dtype=np.int64)
    return Measured(outcome.wrong, outcome.reference_wrong, hashlib.sha256(labels.tobytes()).hexdigest()[:12],
                    outcome.notes, outcome.warnings)


def _rooflines(planned: Sequence[Planned]) -> dict[int, str]:
    return {at: _BOUNDS[each.chip.design.memory_model] for at, each in enumerate(planned)
            if isinstance(each.chip.design, RooflineDesign)}


def _prices(planned: Sequence[Planned]) -> dict[int, str]:
    """Return the energies and powers among the knobs that the file sets, by place."""
    found = {at: ", ".join(f"{name}={value}" for name, value in each.column.knobs.items()
                           if (suffix_of(name) or "").partition("_")[0] in ("j", "w"))
             for at, each in enumerate(planned)}
    return {at: text for at, text in found.items() if text}


def _settings(planned: Planned) -> str:
    """Return what differs from the preset and from the network as it comes, as the file has it."""
    column = planned.column
    words = [f"{name}={value}" for name, value in column.knobs.items()]
    words += [f"{name}={value}" for name, value in (("batch", column.batch), ("precision", column.precision))
              if value is not None]
    words += [f"{name}={size}" for name, size in column.dimensions.items()]
    return ", ".join(words)


def _stated(file: ComparisonFile, planned: Sequence[Planned]) -> list[Reservation]:
    """Return what the file's author says: of columns, then of groups of figures."""
    places = {each.name: at for at, each in enumerate(planned)}
    found = [Reservation(STATED, f"{each.name}: {reason}", (COLUMN,), (at,))
             for at, each in enumerate(planned) for reason in each.column.reservations]
    for stated in file.reservations:
        figures = tuple(dict.fromkeys(key for name in stated.figures for key in GROUPS.get(name, (name,))))
        about = tuple(places[name] for name in stated.columns)
        found.append(Reservation(STATED, stated.reason, figures, about, stated.comparable))
    return found


def _service(file: ComparisonFile, names: Sequence[str], reports: Sequence[Report]) -> Sustainability | None:
    if file.service is None:
        return None
    life, scenario = _read_service(file.service)
    return serve(reports, scenario or illustrative(reports), service_life_s=life,
                 activity=file.service.activity, names=names,
                 tasks_per_run=[inferences(report) or 1 for report in reports])


def _read_service(service: InService) -> tuple[float, Scenario | None]:
    life = read_duration(service.life, "service.life")
    try:
        return life, read_scenario(service.scenario) if service.scenario else None
    except InputError as error:
        raise InputError(problems=error.inside("service.scenario").problems) from None
