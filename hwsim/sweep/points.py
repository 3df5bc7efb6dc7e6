"""Points of a plan, block by block in a fixed order, each with the key of what it will compute."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwsim.errors import InputError
from hwsim.sweep.axes import Axis, Dependent
from hwsim.sweep.expressions import Column, Kind
from hwsim.sweep.plan import MOST_POINTS, Plan, Scenario

BLOCK = 4096
_MOST_TRIES_PER_SAMPLE = 1000


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
    rows: list[tuple[Any, ...]]


def candidate_count(plan: Plan) -> int:
    """Return the number of points before constraints; InputError beyond 1e9 without a limit."""
    total = sum(_candidates(plan, scenario) for scenario in plan.scenarios)
    if plan.space.limit is None and total > MOST_POINTS:
        raise InputError(
            f"the space has {total:,} points, more than {MOST_POINTS:,}",
            where="space",
            hint="set a limit, take fewer values, or sample at random",
        )
    return total if plan.space.limit is None else min(total, plan.space.limit)


def blocks(plan: Plan) -> Iterator[Block]:
    """Yield all points of a plan that fulfil its constraints, in order, up to its limit."""
    position, left = 0, plan.space.limit if plan.space.limit is not None else math.inf
    for number, scenario in enumerate(plan.scenarios):
        for rows in _rows(plan, number, scenario):
            kept = rows if len(rows) <= left else rows[: int(left)]
            if kept:
                yield Block(number, position, kept)
            position, left = position + len(kept), left - len(kept)
            if not left:
                return


def explain_empty(plan: Plan) -> InputError:
    """Return the error of a plan without points: how many candidates each constraint alone leaves."""
    told = []
    for scenario in plan.scenarios:
        for expression in scenario.constraints:
            left = seen = 0
            for columns, length in _candidate_columns(plan, scenario):
                left += int(np.broadcast_to(expression.on(columns), (length,)).sum())
                seen += length
                if seen >= 16 * BLOCK:
                    break
            told.append(f"{expression.text!r} alone leaves {left} of {seen}")
    return InputError(
        "no point fulfils all constraints",
        where="constraints",
        hint="; ".join(dict.fromkeys(told)) or "the space is empty",
    )


def _candidates(plan: Plan, scenario: Scenario) -> int:
    if plan.space.samples is not None:
        return plan.space.samples
    if plan.space.sampling == "search":
        return plan.search.budget
    lengths = [len(axis.values) for axis in scenario.axes]
    return max(lengths, default=1) if plan.space.sampling == "zip" else math.prod(lengths)


def _rows(plan: Plan, number: int, scenario: Scenario) -> Iterator[list[tuple[Any, ...]]]:
    if plan.space.sampling == "random":
        yield from _random_rows(plan, number, scenario)
        return
    for values, length in _candidate_values(plan, scenario, number):
        yield admitted(scenario, values, length)


def _random_rows(plan: Plan, number: int, scenario: Scenario) -> Iterator[list[tuple[Any, ...]]]:
    """Draw until there are enough points; stop when far too many candidates break the constraints."""
    wanted, random = plan.space.samples or 0, _generator(plan, number)
    tries = wanted * _MOST_TRIES_PER_SAMPLE + BLOCK
    while wanted > 0 and tries > 0:
        length = min(BLOCK, max(wanted, 64), tries)
        rows = admitted(scenario, _drawn(scenario.axes, random.random((length, len(scenario.axes)))), length)
        yield rows[:wanted]
        wanted, tries = wanted - len(rows[:wanted]), tries - length


def _generator(plan: Plan, number: int) -> np.random.Generator:
    return np.random.default_rng([plan.space.seed, number])


def _drawn(axes: Sequence[Axis], shares: NDArray[np.float64]) -> list[list[Any]]:
    return [axis.drawn(shares[:, place]) for place, axis in enumerate(axes)]


def _candidate_values(plan: Plan, scenario: Scenario, number: int) -> Iterator[tuple[list[list[Any]], int]]:
    """Yield the values of every axis for blocks of candidates."""
    axes, total = scenario.axes, _candidates(plan, scenario)
    if plan.space.sampling == "latin_hypercube":
        random = _generator(plan, number)
        strata = [random.permutation(total) for _ in axes]
    for start in range(0, total, BLOCK):
        stop = min(start + BLOCK, total)
        length = stop - start
        if plan.space.sampling == "latin_hypercube":
            inside = random.random((length, len(axes)))
            shares = (
                np.array([(part[start:stop] + inside[:, place]) / total for place, part in enumerate(strata)])
                .reshape(len(axes), length)
                .T
            )
            yield _drawn(axes, shares), length
        elif plan.space.sampling == "zip":
            yield (
                [
                    [axis.values[place if len(axis.values) > 1 else 0] for place in range(start, stop)]
                    for axis in axes
                ],
                length,
            )
        else:
            places = _unravelled(start, stop, [len(axis.values) for axis in axes])
            yield (
                [[axis.values[place] for place in column] for axis, column in zip(axes, places, strict=True)],
                length,
            )


def _unravelled(start: int, stop: int, lengths: Sequence[int]) -> list[list[int]]:
    """Return the digits of the numbers from `start` to `stop`, the last axis turning fastest."""
    rest, digits = (
        np.arange(stop - start, dtype=object) + start if stop > 2**62 else np.arange(start, stop),
        [],
    )
    for length in reversed(lengths):
        rest, digit = rest // length, rest % length
        digits.append(digit.tolist())
    return digits[::-1]


def _candidate_columns(plan: Plan, scenario: Scenario) -> Iterator[tuple[dict[str, Column], int]]:
    if plan.space.sampling == "random":
        shares = _generator(plan, 0).random((BLOCK, len(scenario.axes)))
        yield columns_of(scenario, _drawn(scenario.axes, shares)), BLOCK
        return
    for values, length in _candidate_values(plan, scenario, 0):
        yield columns_of(scenario, values), length


def columns_of(scenario: Scenario, values: Sequence[Sequence[Any]]) -> dict[str, Column]:
    """Return what expressions see: every knob of the design, those that vary as columns."""
    columns = {
        name: np.asarray(value, dtype=float) if _is_number(value) else np.asarray(value)
        for name, value in scenario.fixed.items()
    }
    for axis, column in zip(scenario.axes, values, strict=True):
        columns[axis.knob.name] = np.asarray(column, dtype=float if axis.knob.kind is Kind.NUMBER else None)
    for item in scenario.dependents:
        columns[item.knob.name] = item.expression.on(columns)
    return columns


def admitted(scenario: Scenario, values: Sequence[Sequence[Any]], length: int) -> list[tuple[Any, ...]]:
    """Return the rows of the candidates that fulfil the constraints, dependent knobs appended."""
    if not scenario.constraints and not scenario.dependents:
        return list(zip(*values, strict=True)) if values else [()] * length
    columns = columns_of(scenario, values)
    keep = np.ones(length, dtype=bool)
    for expression in scenario.constraints:
        keep &= np.broadcast_to(expression.on(columns), (length,)).astype(bool)
    places = np.flatnonzero(keep).tolist()
    complete = [*values, *(_followed(item, columns[item.knob.name], length) for item in scenario.dependents)]
    return [tuple(column[place] for column in complete) for place in places]


def _followed(item: Dependent, column: Column, length: int) -> list[Any]:
    """Return the values of a dependent knob in its type; one that the design refuses stays as it is."""
    known: dict[Any, Any] = {}
    found = []
    for value in np.broadcast_to(column, (length,)).tolist():
        if value not in known:
            try:
                known[value] = item.knob.value(value)
            except InputError:
                known[value] = value
        found.append(known[value])
    return found


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


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
