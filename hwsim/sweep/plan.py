"""A space resolved against chips and networks: typed axes, loaded graphs, and the points in order."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from hwsim import registry, run
from hwsim.errors import DesignError, InputError, Problem, UnsupportedOp, nearest
from hwsim.functional import read_arrays, refusal
from hwsim.graph.text import fingerprint
from hwsim.graph.types import Graph
from hwsim.run import Chip
from hwsim.sweep.axes import Axis, Dependent, read_axis
from hwsim.sweep.axis_words import RANGE_WORDS, check_axis
from hwsim.sweep.expressions import Expression, Kind, parse_expression
from hwsim.sweep.knobs import knobs_of
from hwsim.sweep.narrowing import narrowed
from hwsim.sweep.space import Search, Space

MOST_POINTS = 10**9


@dataclass(frozen=True)
class Scenario:
    """One chip with one network, and the knobs that vary on it.

    Attributes
    ----------
    chip : Chip
        Where the knobs start from.
    network : str
        As the user named it.
    graph : Graph
        Loaded, with batch and precision of this scenario.
    batch, precision
        Of this scenario; None: as the network has it.
    axes, dependents
        Knobs that vary, and knobs that follow from them in this order.
    constraints : tuple of Expression
        What a point must fulfil.
    """

    chip: Chip
    network: str
    graph: Graph
    batch: int | None
    precision: str | None
    axes: tuple[Axis, ...]
    dependents: tuple[Dependent, ...]
    constraints: tuple[Expression, ...]

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Names of the knobs that vary, those that depend last."""
        return (*(axis.knob.name for axis in self.axes), *(item.knob.name for item in self.dependents))

    @cached_property
    def fixed(self) -> Mapping[str, Any]:
        """All knobs where the chip starts from, in their JSON form."""
        return dict(self.chip.design.model_dump(mode="json"))

    @cached_property
    def narrowed(self) -> Scenario | None:
        """The same without values that a constraint over one knob rules out; None: that leaves no point."""
        left = narrowed(self.axes, self.dependents, self.constraints, self.fixed)
        return replace(self, axes=left[0], constraints=left[1]) if left is not None else None

    @cached_property
    def fingerprint(self) -> str:
        """Digest of the graph."""
        return fingerprint(self.graph)


@dataclass(frozen=True)
class Plan:
    """Everything that a sweep needs.

    Attributes
    ----------
    space : Space
        As the user wrote it.
    scenarios : tuple of Scenario
        In order: chips, then networks, batches, precisions.
    data : mapping of str to array
        Labelled samples; empty without.
    """

    space: Space
    scenarios: tuple[Scenario, ...]
    data: Mapping[str, NDArray[Any]]

    @property
    def search(self) -> Search:
        """How the space is searched."""
        return self.space.search or Search()


def resolve(space: Space) -> Plan:
    """Check a space against chips and networks, and load them.

    Raises
    ------
    InputError
        Everything that is wrong with it, at once: unknown chips, presets, knobs and names in expressions
        with the nearest ones, values out of range, networks that do not load or that a chip cannot run.
    """
    problems: list[Problem] = []
    chips, stand_ins = _chips(space, problems)
    networks = _networks(space, problems)
    forms = {chip.name: _form(space, chip, problems) for chip in (*chips, *stand_ins)}
    if not forms:
        problems += _problems_of_words(space)
    _check_constraint_homes(space, (*chips, *stand_ins), problems)
    data = _data(space, chips, problems)
    if (space.samples is None) == (space.sampling in ("random", "latin_hypercube")):
        reason = "is missing" if space.samples is None else f"has no meaning for sampling {space.sampling!r}"
        problems.append(Problem("samples", reason))
    if space.search is not None and space.sampling != "search":
        problems.append(
            Problem(
                "search",
                f"has no meaning for sampling {space.sampling!r}",
                "set sampling = 'search', or leave it out",
            )
        )
    if not problems and space.sampling == "search" and not any(axes for axes, _, _ in forms.values()):
        problems.append(Problem("knobs", "a search needs a knob that varies", "as in m = [1, 2, 4]"))
    if problems:
        raise InputError(problems=list(dict.fromkeys(problems)))
    scenarios = []
    for chip, (network, batch, precision, graph) in itertools.product(chips, networks):
        _check_supported(space, chip, graph, problems)
        scenarios.append(Scenario(chip, network, graph, batch, precision, *forms[chip.name]))
    if problems:
        raise UnsupportedOp(problems=problems)
    return Plan(space, tuple(scenarios), data)


def _chips(space: Space, problems: list[Problem]) -> tuple[list[Chip], list[Chip]]:
    """Return the chips, and chips whose preset is unknown as they are by default: to check knobs against."""
    found: dict[str, Chip] = {}
    stand_ins: dict[str, Chip] = {}
    for spec in space.chips:
        name, _, preset = spec.partition(":")
        try:
            presets = tuple(registry.load_accelerator(name).presets) if preset == "*" else (preset,)
            for one in presets:
                chip = run.chip(f"{name}:{one}" if one else name)
                found[chip.name] = chip
        except DesignError as error:
            problems += error.problems
            if name in registry.accelerator_names():
                chip = run.chip(name)
                stand_ins[chip.name] = chip
    return list(found.values()), [chip for name, chip in stand_ins.items() if name not in found]


def _problems_of_words(space: Space) -> list[Problem]:
    """Return what is wrong with knobs and constraints whatever the chips are."""
    found: list[Problem] = []
    for name, given in space.knobs.items():
        try:
            if not _is_table(given):
                check_axis(given)
        except InputError as error:
            found += error.inside(f"knobs.{name}").problems
    for text in space.constraints:
        try:
            parse_expression(text)
        except InputError as error:
            found += error.inside("constraints").problems
    return found


def _is_table(given: object) -> bool:
    """Whether `given` can only be knobs of one chip."""
    return isinstance(given, Mapping) and bool(given) and not given.keys() & set(RANGE_WORDS)


def _networks(space: Space, problems: list[Problem]) -> list[tuple[str, int | None, str | None, Graph]]:
    found = []
    for source in space.networks:
        for batch, precision in itertools.product(space.batch or (None,), space.precision or (None,)):
            try:
                graph = _load(space, source, batch, precision)
            except InputError as error:
                problems += error.problems
                continue
            found.append((source.name if isinstance(source, Graph) else str(source), batch, precision, graph))
    return found


def _load(space: Space, source: Any, batch: int | None, precision: str | None) -> Graph:
    if not isinstance(source, Graph | str | Path):
        raise InputError(f"expected the name or file of a network, got {source!r}", where="networks")
    if not isinstance(source, Graph):
        return run.load(
            source,
            dimensions=space.dimensions or None,
            batch=batch,
            precision=precision,
            on_unsupported=space.on_unsupported,
        )
    if batch is not None:
        raise InputError(
            "a graph in memory has its batch already",
            where="batch",
            hint="build the graph with that batch, or name a file or a built-in network",
        )
    return source if precision is None else run.with_precision(source, precision)


Form = tuple[tuple[Axis, ...], tuple[Dependent, ...], tuple[Expression, ...]]


def _form(space: Space, chip: Chip, problems: list[Problem]) -> Form:
    """Return axes, dependent knobs in the order of their evaluation, and constraints of one chip."""
    knobs = knobs_of(type(chip.design))
    axes: list[Axis] = []
    dependents: list[Dependent] = []
    for name, given in _knobs_for(space, chip, problems).items():
        where = f"knobs.{name}"
        if name not in knobs:
            problems.append(_unknown(space, chip, name, given, knobs))
            continue
        try:
            item = read_axis(knobs[name], given, together=space.sampling == "zip")
        except InputError as error:
            problems += error.inside(where).problems
            continue
        (axes if isinstance(item, Axis) else dependents).append(item)  # type: ignore[arg-type]
    if space.sampling in ("grid", "zip"):
        problems += [
            Problem(
                f"knobs.{axis.knob.name}",
                "a range without a number of values",
                "add `step` or `points`, or sample at random",
            )
            for axis in axes
            if not axis.values
        ]
    if space.sampling == "zip":
        problems += _uneven(axes)
    kinds = {name: knob.kind for name, knob in knobs.items()}
    ordered = _ordered(dependents, kinds, problems)
    return tuple(axes), ordered, _constraints(space, kinds, problems)


def _unknown(space: Space, chip: Chip, name: str, given: object, knobs: Iterable[str]) -> Problem:
    """Return the problem of a name that is no knob of a chip: perhaps it was to be a chip's."""
    owner, dot, _ = name.partition(".")
    if dot or _is_table(given):
        chips = {spec.partition(":")[0] for spec in space.chips}
        return Problem(f"knobs.{owner}", "no chip of this sweep is called that", nearest(owner, chips))
    return Problem(f"knobs.{name}", f"{chip.accelerator.name} has no such knob", nearest(name, knobs))


def _knobs_for(space: Space, chip: Chip, problems: list[Problem]) -> dict[str, Any]:
    """Return the knobs of one chip: those for all, and before them those of the table with its name."""
    names = {spec.partition(":")[0] for spec in space.chips}
    found: dict[str, Any] = {}
    own: dict[str, Any] = {}
    for name, given in space.knobs.items():
        owner, dot, rest = name.partition(".")
        if dot and owner in names:
            if owner == chip.accelerator.name:
                own[rest] = found[rest] = given
        elif name not in names:
            found[name] = given
        elif not isinstance(given, Mapping):
            problems.append(Problem(f"knobs.{name}", f"a table of knobs of {name} is due, got {given!r}"))
        elif name == chip.accelerator.name:
            own |= given
            found |= given
    return found | own


def _uneven(axes: Sequence[Axis]) -> list[Problem]:
    lengths = {axis.knob.name: len(axis.values) for axis in axes if len(axis.values) > 1}
    if len(set(lengths.values())) < 2:
        return []
    told = ", ".join(f"{name} {length}" for name, length in lengths.items())
    return [Problem("knobs", f"zip needs as many values of each knob; here are {told}")]


def _ordered(
    dependents: Sequence[Dependent], kinds: Mapping[str, Kind], problems: list[Problem]
) -> tuple[Dependent, ...]:
    """Return dependent knobs so that each comes after those it needs."""
    waiting = {item.knob.name: item for item in dependents}
    found: list[Dependent] = []
    for item in dependents:
        try:
            kind = item.expression.kind(kinds)
            if kind is not item.knob.kind:
                problems.append(
                    Problem(f"knobs.{item.knob.name}", f"is {item.knob.kind}, its expression {kind}")
                )
        except InputError as error:
            problems += error.inside(f"knobs.{item.knob.name}").problems
    while waiting:
        ready = [name for name, item in waiting.items() if not item.expression.names & waiting.keys()]
        if not ready:
            problems.append(Problem("knobs", f"these depend on each other: {', '.join(waiting)}"))
            break
        found += [waiting.pop(name) for name in ready]
    return tuple(found)


def _constraints(space: Space, kinds: Mapping[str, Kind], problems: list[Problem]) -> tuple[Expression, ...]:
    found = []
    for text in space.constraints:
        try:
            expression = parse_expression(text)
            if expression.names - kinds.keys():
                continue
            kind = expression.kind(kinds)
            if kind is not Kind.TRUTH:
                raise InputError(f"{text!r} yields {kind}, not true or false")
        except InputError as error:
            problems += error.inside("constraints").problems
        else:
            found.append(expression)
    return tuple(found)


def _check_constraint_homes(space: Space, chips: Sequence[Chip], problems: list[Problem]) -> None:
    """Add a problem for every constraint whose names no single chip has."""
    homes = [knobs_of(type(chip.design)) for chip in chips]
    for text in space.constraints:
        try:
            names = parse_expression(text).names
        except InputError:
            continue
        if homes and not any(names <= home.keys() for home in homes):
            known = {name for home in homes for name in home}
            lost = sorted(names - known)
            reason = f"no knob is called {lost[0]!r}" if lost else "no chip has all of its knobs"
            problems.append(Problem(f"constraints: {text}", reason, nearest(lost[0], known) if lost else ""))


def _data(space: Space, chips: Sequence[Chip], problems: list[Problem]) -> Mapping[str, NDArray[Any]]:
    if space.functional is None:
        return {}
    problems += [problem for chip in chips if (problem := refusal(chip)) is not None]
    try:
        return read_arrays(space.functional)
    except InputError as error:
        problems += error.problems
        return {}


def _check_supported(space: Space, chip: Chip, graph: Graph, problems: list[Problem]) -> None:
    try:
        run.without_unsupported(graph, chip.accelerator, space.on_unsupported)
    except UnsupportedOp as error:
        problems += error.problems
