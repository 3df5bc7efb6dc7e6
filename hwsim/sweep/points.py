"""Points of a plan, block by block in a fixed order, each with the key of what it will compute."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwsim.errors import InputError
from hwsim.sweep.axes import Axis, Dependent, Pick
from hwsim.sweep.expressions import Column
from hwsim.sweep.narrowing import fixed_columns
from hwsim.sweep.plan import MOST_POINTS, Plan, Scenario
from hwsim.sweep.shuffle import Shuffle

BLOCK = 4096
MOST_FRUITLESS = 1 << 23  # candidates tried for a first point, about two seconds
_MOST_TRIES_PER_SAMPLE = 1000
_PROBED = 16 * BLOCK
MOST_COUNTED = 10**6
Picks = Sequence[Pick]
Values = list[tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Block:
    """Points of one scenario.

    Attributes
    ----------
    scenario : int
        Its place in the plan.
    first : int
        Position of the first point in the sweep; the others follow.
    rows : list of tuple
        Knob values, in the order of the scenario's names.
    """

    scenario: int
    first: int
    rows: Values


def candidate_count(plan: Plan) -> int:
    """Return the number of points before joint constraints; InputError beyond 1e9 without a limit."""
    total = sum(_candidates(plan, scenario) for scenario in plan.scenarios)
    if plan.space.limit is None and total > MOST_POINTS:
        raise InputError(
            f"the space has {total:,} points, more than {MOST_POINTS:,}",
            where="space",
            hint="set a limit, take fewer values, or sample at random",
        )
    return total if plan.space.limit is None else min(total, plan.space.limit)


def point_count(plan: Plan) -> tuple[int, bool]:
    """Return the number of points, and whether it is exact: not if very many candidates had to be tried."""
    total = candidate_count(plan)
    limit, count, tried = plan.space.limit or math.inf, 0, 0
    for number, scenario in enumerate(plan.scenarios):
        left = scenario.narrowed
        if left is None:
            continue
        if not (left if plan.space.sampling == "grid" else scenario).constraints:
            count += _candidates(plan, scenario)
            continue
        for rows, length in _rows(plan, number, scenario):
            count, tried = count + len(rows), tried + length
            if count >= limit:
                break
            if tried > MOST_COUNTED:
                return total, False
    return int(min(count, limit)), True


def blocks(plan: Plan) -> Iterator[Block]:
    """Yield all points of a plan that fulfil its constraints, in order, up to its limit.

    Of a search, these are the points among which it chooses; endless if a knob is a range.
    """
    position, left = 0, plan.space.limit if plan.space.limit is not None else math.inf
    for number, scenario in enumerate(plan.scenarios):
        for rows, _ in _rows(plan, number, scenario):
            kept = rows if len(rows) <= left else rows[: int(left)]
            if kept:
                yield Block(number, position, kept)
            position, left = position + len(kept), left - len(kept)
            if not left:
                return


def first_block(plan: Plan) -> Block:
    """Return the first points of a plan; where the first candidates are fruitless, points found by drawing.

    Raises
    ------
    InputError
        No point fulfils all constraints, or none that could be found among many candidates; with what each
        constraint alone leaves.
    """
    for number, scenario in enumerate(plan.scenarios):
        tried = 0
        for rows, length in _rows(plan, number, scenario):
            if rows:
                return Block(number, 0, rows if plan.space.limit is None else rows[: plan.space.limit])
            tried += length
            if tried >= MOST_FRUITLESS and plan.space.sampling != "zip":
                rows = _probed(scenario)
                if rows:
                    return Block(number, 0, rows if plan.space.limit is None else rows[: plan.space.limit])
                raise explain_empty(plan, tried)
    raise explain_empty(plan)


def explain_empty(plan: Plan, tried: int = 0) -> InputError:
    """Return the error of a plan without points: how many candidates each constraint alone leaves.

    Parameters
    ----------
    plan : Plan
        Of which no point is known.
    tried : int
        Candidates after which the search for one was given up; 0: there is none.
    """
    told = []
    for scenario in plan.scenarios:
        picks, seen = _sampled(plan, scenario)
        columns = columns_of(scenario, picks)
        for expression in scenario.constraints:
            left = int(np.broadcast_to(expression.on(columns), (seen,)).sum())
            told.append(f"{expression.text!r} alone leaves {left} of {seen}")
    reason = "no point fulfils all constraints"
    if tried:
        reason = f"none of the first {tried:,} candidates fulfils all constraints, nor of {_PROBED:,} drawn"
    return InputError(
        reason, where="constraints", hint="; ".join(dict.fromkeys(told)) or "the space is empty"
    )


def design_count(scenario: Scenario) -> tuple[int | None, bool]:
    """Return how many designs a search can choose from (None: endlessly many), and whether that is exact."""
    left = scenario.narrowed
    if left is None:
        return 0, True
    lengths = [axis.length for axis in left.axes]
    total = math.prod(length for length in lengths if length is not None)
    if None in lengths:
        return None, False
    if not left.constraints:
        return total, True
    if total > MOST_COUNTED:
        return total, False
    return sum(len(rows) for rows, _ in _grid_rows(_listed(left))), True


def _listed(scenario: Scenario) -> Scenario:
    """Return a scenario whose ranges of whole numbers are lists."""
    axes = (
        axis if axis.values else replace(axis, values=tuple(range(int(axis.low), int(axis.high) + 1)))
        for axis in scenario.axes
    )
    return replace(scenario, axes=tuple(axes))


def _sampled(plan: Plan, scenario: Scenario) -> tuple[list[Pick], int]:
    """Return candidates that stand for all: all of them if they are few."""
    lengths = [len(axis.values) for axis in scenario.axes]
    if plan.space.sampling == "zip":
        return _zipped(scenario.axes, 0, min(max(lengths, default=1), _PROBED)), min(
            max(lengths, default=1), _PROBED
        )
    if all(lengths) and math.prod(lengths) <= _PROBED:
        return _unravelled(0, math.prod(lengths), lengths), math.prod(lengths)
    shares = _generator(plan, 0).random((_PROBED, len(scenario.axes)))
    return _drawn(scenario.axes, shares), _PROBED


def _probed(scenario: Scenario) -> Values:
    """Return the first points among candidates drawn from all of the space."""
    random = np.random.default_rng(0)
    for _ in range(_PROBED // BLOCK):
        rows = admitted(scenario, _drawn(scenario.axes, random.random((BLOCK, len(scenario.axes)))), BLOCK)
        if rows:
            return rows
    return []


def _candidates(plan: Plan, scenario: Scenario) -> int:
    if plan.space.samples is not None:
        return plan.space.samples
    if plan.space.sampling == "search":
        return plan.search.budget
    if plan.space.sampling == "zip":
        return max((len(axis.values) for axis in scenario.axes), default=1)
    left = scenario.narrowed
    return math.prod(len(axis.values) for axis in left.axes) if left is not None else 0


def _rows(plan: Plan, number: int, scenario: Scenario) -> Iterator[tuple[Values, int]]:
    """Yield the points of a scenario, and of how many candidates they are left."""
    left, sampling = scenario.narrowed, plan.space.sampling
    if left is None:
        return
    if sampling == "random":
        yield from _random_rows(scenario, plan.space.samples or 0, _generator(plan, number))
    elif sampling == "latin_hypercube":
        yield from _hypercube_rows(scenario, plan.space.samples or 0, _generator(plan, number))
    elif sampling == "zip":
        total = _candidates(plan, scenario)
        for start in range(0, total, BLOCK):
            stop = min(start + BLOCK, total)
            yield admitted(scenario, _zipped(scenario.axes, start, stop), stop - start), stop - start
    else:
        yield from rows_of(left, _generator(plan, number))


def rows_of(scenario: Scenario, random: np.random.Generator) -> Iterator[tuple[Values, int]]:
    """Yield what a scenario consists of, and of how many candidates it is left: all, or drawn from ranges."""
    if all(axis.values for axis in scenario.axes):
        yield from _grid_rows(scenario)
    else:
        yield from _random_rows(scenario, MOST_FRUITLESS, random)


def _random_rows(
    scenario: Scenario, wanted: int, random: np.random.Generator
) -> Iterator[tuple[Values, int]]:
    """Draw until there are enough points; stop when far too many candidates break the constraints."""
    tries = wanted * _MOST_TRIES_PER_SAMPLE + BLOCK
    while wanted > 0 and tries > 0:
        length = min(BLOCK, max(wanted, 64), tries)
        rows = admitted(scenario, _drawn(scenario.axes, random.random((length, len(scenario.axes)))), length)
        yield rows[:wanted], length
        wanted, tries = wanted - len(rows[:wanted]), tries - length


def _hypercube_rows(
    scenario: Scenario, total: int, random: np.random.Generator
) -> Iterator[tuple[Values, int]]:
    """Take each of `total` equal parts of every axis once."""
    axes = scenario.axes
    strata = [Shuffle(total, random) for _ in axes]
    for start in range(0, total, BLOCK):
        stop = min(start + BLOCK, total)
        inside = random.random((stop - start, len(axes)))
        shares = np.empty_like(inside)
        for place, part in enumerate(strata):
            shares[:, place] = (part.between(start, stop) + inside[:, place]) / total
        yield admitted(scenario, _drawn(axes, shares), stop - start), stop - start


def _grid_rows(scenario: Scenario) -> Iterator[tuple[Values, int]]:
    lengths = [len(axis.values) for axis in scenario.axes]
    total = math.prod(lengths)
    for start in range(0, total, BLOCK):
        stop = min(start + BLOCK, total)
        yield admitted(scenario, _unravelled(start, stop, lengths), stop - start), stop - start


def _generator(plan: Plan, number: int) -> np.random.Generator:
    return np.random.default_rng([plan.space.seed, number])


def _drawn(axes: Sequence[Axis], shares: NDArray[np.float64]) -> list[Pick]:
    return [axis.drawn(shares[:, place]) for place, axis in enumerate(axes)]


def _zipped(axes: Sequence[Axis], start: int, stop: int) -> list[Pick]:
    places = np.arange(start, stop)
    return [places if len(axis.values) > 1 else np.zeros_like(places) for axis in axes]


def _unravelled(start: int, stop: int, lengths: Sequence[int]) -> list[Pick]:
    """Return the digits of the numbers from `start` to `stop`, the last axis turning fastest."""
    large = stop > 2**62
    rest: NDArray[Any] = np.arange(stop - start, dtype=object) + start if large else np.arange(start, stop)
    digits: list[Pick] = []
    for length in reversed(lengths):
        rest, digit = rest // length, rest % length
        digits.append(digit.astype(np.int64))
    return digits[::-1]


def columns_of(scenario: Scenario, picks: Picks) -> dict[str, Column]:
    """Return what expressions see: every knob of the design, those that vary as columns."""
    columns = fixed_columns(scenario.fixed)
    for axis, pick in zip(scenario.axes, picks, strict=True):
        columns[axis.knob.name] = axis.column_of(pick)
    for item in scenario.dependents:
        columns[item.knob.name] = item.expression.on(columns)
    return columns


def admitted(scenario: Scenario, picks: Picks, length: int) -> Values:
    """Return the rows of the candidates that fulfil the constraints, dependent knobs appended."""
    if not scenario.constraints and not scenario.dependents:
        values = [axis.values_of(pick) for axis, pick in zip(scenario.axes, picks, strict=True)]
        return list(zip(*values, strict=True)) if values else [()] * length
    columns = columns_of(scenario, picks)
    keep = np.ones(length, dtype=bool)
    for expression in scenario.constraints:
        keep &= np.broadcast_to(expression.on(columns), (length,)).astype(bool)
    places = np.flatnonzero(keep)
    if not len(places):
        return []
    values = [axis.values_of(pick[places]) for axis, pick in zip(scenario.axes, picks, strict=True)]
    for item in scenario.dependents:
        column = np.broadcast_to(columns[item.knob.name], (length,))[places]
        values.append(_followed(item, column))
    return list(zip(*values, strict=True)) if values else [()] * len(places)


def _followed(item: Dependent, column: Column) -> list[Any]:
    """Return the values of a dependent knob in its type; one that the design refuses stays as it is."""
    known: dict[Any, Any] = {}
    found = []
    for value in column.tolist():
        if value not in known:
            try:
                known[value] = item.knob.value(value)
            except InputError:
                known[value] = value
        found.append(known[value])
    return found


class Keys:
    """Keys of the points of one scenario: equal exactly if the same result is due.

    A key is a digest of every knob of the resolved design, the graph's fingerprint, the samples, the policy
    for unsupported operators and the version of the model: nothing about where or when.
    """

    def __init__(self, plan: Plan, scenario: Scenario, model: str, data: str) -> None:
        head = {
            "chip": scenario.chip.accelerator.name,
            "model": model,
            "graph": scenario.fingerprint,
            "samples": data,
            "on_unsupported": plan.space.on_unsupported,
        }
        self._head = json.dumps(head, sort_keys=True).encode()
        self._pieces = [
            f"{json.dumps(name)}:{json.dumps(value, sort_keys=True)}"
            for name, value in sorted(scenario.fixed.items())
        ]
        order = sorted(scenario.fixed)
        self._places = [(order.index(name), f"{json.dumps(name)}:") for name in scenario.names]

    def of(self, rows: Sequence[tuple[Any, ...]]) -> list[bytes]:
        """Return one key of 16 bytes per row of knob values."""
        pieces, places, found = list(self._pieces), self._places, []
        start = hashlib.blake2b(self._head, digest_size=16)
        for row in rows:
            for (place, name), value in zip(places, row, strict=True):
                pieces[place] = name + _text(value)
            digest = start.copy()
            digest.update(",".join(pieces).encode())
            found.append(digest.digest())
        return found


def knob_texts(names: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> list[str]:
    """Return the knobs of each row as a JSON object."""
    heads = [f"{json.dumps(name)}: " for name in names]
    return [
        f"{{{', '.join([head + _text(value) for head, value in zip(heads, row, strict=True)])}}}"
        for row in rows
    ]


def _text(value: Any) -> str:
    kind = type(value)
    plain = kind is int or (kind is float and math.isfinite(value))
    return repr(value) if plain else json.dumps(value, sort_keys=True)


def data_digest(data: Mapping[str, NDArray[Any]]) -> str:
    """Return a digest of labelled samples, "" without any."""
    if not data:
        return ""
    digest = hashlib.blake2b(digest_size=16)
    for name in sorted(data):
        array = np.ascontiguousarray(data[name])
        digest.update(f"{name} {array.dtype.str} {array.shape}\n".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()
