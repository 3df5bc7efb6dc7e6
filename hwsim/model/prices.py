"""Datasheet rows as columns beside the rows of a trace, so that pricing is a few array operations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwsim.errors import MissingDatasheetRow, Problem, TooLong, nearest
from hwsim.model.types import ActionRow, Datasheet, Floats, Ints
from hwsim.trace.types import Trace

SAFE = 2**62


@dataclass(frozen=True, slots=True)
class Prices:
    """Prices of every (unit, action) pair that a trace uses; a leading design axis for a family.

    Attributes
    ----------
    pair : int64[R]
        Which pair each row of the trace is.
    unit, action : int64[P]
        Indices of each pair into the pools of the trace.
    lanes, interval : int64[..., P]
        Events at once, and reference cycles that one group of them occupies the unit.
    cycles_per_bit : tuple of tuple of Fraction
        Exact reference cycles per bit, one tuple per design, one entry per pair; 0 without a bandwidth.
    energy, energy_per_bit : float64[..., P]
        Joules per event and per bit.
    clock_hz : float64[...]
        Reference clock.
    """

    pair: Ints
    unit: Ints
    action: Ints
    lanes: Ints
    interval: Ints
    cycles_per_bit: tuple[tuple[Fraction, ...], ...]
    energy: Floats
    energy_per_bit: Floats
    clock_hz: Floats


def verify_datasheet(datasheet: Datasheet) -> None:
    """Raise MissingDatasheetRow with every incomplete row: a zero without a reason, a unit without a row."""
    problems = []
    units = {row.unit: row for row in datasheet.units}
    for row in datasheet.actions:
        where = f"datasheet.{row.unit}.{row.action}"
        if row.unit not in units:
            problems.append(
                Problem(where, f"unit {row.unit!r} has no row of its own", nearest(row.unit, units))
            )
        if row.energy is None and row.energy_per_bit is None and not row.zero_energy:
            problems.append(Problem(where, "no energy and no reason why it is zero"))
        if row.interval_cycles == 0 and row.bits_per_s is None and not row.zero_time:
            problems.append(Problem(where, "no time and no reason why it is zero"))
        if row.lanes < 1 or row.interval_cycles < 0:
            problems.append(
                Problem(where, f"lanes {row.lanes} or interval {row.interval_cycles} out of range")
            )
        if row.bits_per_s is not None and not row.bits_per_s.value > 0:
            problems.append(Problem(where, f"bandwidth {row.bits_per_s.value} is not positive"))
    for unit in datasheet.units:
        where = f"datasheet.{unit.unit}"
        if unit.area is None and not unit.zero_area:
            problems.append(Problem(where, "no area and no reason why it is zero"))
        if unit.leakage is None and not unit.zero_leakage:
            problems.append(Problem(where, "no leakage and no reason why it is zero"))
        if unit.clock and unit.clock not in datasheet.clocks:
            problems.append(
                Problem(where, f"unknown clock {unit.clock!r}", nearest(unit.clock, datasheet.clocks))
            )
    if problems:
        raise MissingDatasheetRow(problems=problems)


def price(trace: Trace, datasheets: Datasheet | Sequence[Datasheet]) -> Prices:
    """Return the prices of the pairs that `trace` uses.

    Parameters
    ----------
    trace : Trace
        Its pools name units and actions.
    datasheets : Datasheet or sequence of Datasheet
        One datasheet, or one per design of a family.

    Raises
    ------
    MissingDatasheetRow
        If a pair has no row; every missing pair is named.
    """
    key = trace.rows.unit * len(trace.actions) + trace.rows.action
    keys, pair = np.unique(key, return_inverse=True)
    unit, action = np.divmod(keys, max(len(trace.actions), 1))
    names = [(trace.units[u], trace.actions[a]) for u, a in zip(unit.tolist(), action.tolist(), strict=True)]
    single = isinstance(datasheets, Datasheet)
    sheets = [datasheets] if isinstance(datasheets, Datasheet) else list(datasheets)
    found = [_rows_of(sheet, names) for sheet in sheets]
    clocks = [{row.unit: _clock(sheet, row.clock) for row in sheet.units} for sheet in sheets]
    hz = [_exact(sheet.clock_hz.value) for sheet in sheets]
    lanes = [[row.lanes for row in rows] for rows in found]
    interval = [
        [_ceil(row.interval_cycles * hz[d] / clocks[d][row.unit]) for row in rows]
        for d, rows in enumerate(found)
    ]
    per_bit = tuple(tuple(_cycles_per_bit(row, hz[d]) for row in rows) for d, rows in enumerate(found))
    energy = [[row.energy.in_unit_of("_j") if row.energy else 0.0 for row in rows] for rows in found]
    bit_energy = [
        [row.energy_per_bit.in_unit_of("_j_per_bit") if row.energy_per_bit else 0.0 for row in rows]
        for rows in found
    ]
    return Prices(
        pair.reshape(-1),
        unit,
        action,
        _column(lanes, single, np.int64),
        _column(interval, single, np.int64),
        per_bit,
        _column(energy, single, np.float64),
        _column(bit_energy, single, np.float64),
        _column([sheet.clock_hz.value for sheet in sheets], single, np.float64),
    )


def row_cycles(trace: Trace, prices: Prices) -> Ints:
    """Return int64[..., R]: reference cycles for which one execution of each row occupies its unit.

    ceil(count / lanes) * interval, or ceil(count * bits / bandwidth) where that is longer.
    """
    count = trace.rows.count
    groups = -(-count // prices.lanes[..., prices.pair])
    cycles: Ints = groups * prices.interval[..., prices.pair]
    bits = _bits(count, trace.rows.bits)
    rates = prices.cycles_per_bit
    designs = max(len(rates), bits.shape[0] if bits.ndim == 2 else 1)
    spread = np.broadcast_to(bits, (designs, bits.shape[-1]))
    columns = [_link_cycles(spread[d], prices.pair, rates[d % len(rates)]) for d in range(designs)]
    link = columns[0] if prices.lanes.ndim == 1 and bits.ndim == 1 else np.stack(columns)
    return np.maximum(cycles, link)


def _bits(count: Ints, bits: Ints) -> NDArray[Any]:
    """Return bits per execution, as Python ints where 64 bits would not hold them."""
    wide = float((count.astype(np.float64) * bits.astype(np.float64)).max(initial=0.0)) > SAFE
    product: NDArray[Any] = count.astype(object) * bits.astype(object) if wide else count * bits
    return product


def transfer_cycles(bits: NDArray[Any], cycles_per_bit: Fraction) -> Ints:
    """Return ceil(bits * cycles_per_bit), exactly; the one place where a bandwidth becomes cycles."""
    if not cycles_per_bit:
        return np.zeros(bits.shape, dtype=np.int64)
    up, down = cycles_per_bit.numerator, cycles_per_bit.denominator
    if bits.dtype != object and int(bits.max(initial=0)) * up < SAFE and down < SAFE:
        return -(-bits * up // down)
    cycles = [-(-int(b) * up // down) for b in bits.reshape(-1)]
    if max(cycles, default=0) > SAFE:
        raise TooLong(f"a transfer of {max(cycles)} cycles does not fit into 64 bits", where="model.prices")
    return np.array(cycles, dtype=np.int64).reshape(bits.shape)


def _column(values: list[Any], single: bool, dtype: Any) -> NDArray[Any]:
    return np.array(values[0] if single else values, dtype=dtype)


def _link_cycles(bits: NDArray[Any], pair: Ints, rates: tuple[Fraction, ...]) -> Ints:
    cycles = np.zeros(bits.shape, dtype=np.int64)
    for which, rate in enumerate(rates):
        if rate:
            rows = np.flatnonzero(pair == which)
            cycles[rows] = transfer_cycles(bits[rows], rate)
    return cycles


def _rows_of(datasheet: Datasheet, names: Sequence[tuple[str, str]]) -> list[ActionRow]:
    known = {(row.unit, row.action): row for row in datasheet.actions}
    missing = [
        Problem(
            f"datasheet.{unit}.{action}",
            "the trace uses it, the datasheet does not price it",
            nearest(f"{unit}.{action}", (f"{u}.{a}" for u, a in known)),
        )
        for unit, action in names
        if (unit, action) not in known
    ]
    if missing:
        raise MissingDatasheetRow(problems=missing)
    return [known[name] for name in names]


def _cycles_per_bit(row: ActionRow, clock_hz: Fraction) -> Fraction:
    if row.bits_per_s is None:
        return Fraction(0)
    return clock_hz / _exact(row.bits_per_s.value)


def _clock(datasheet: Datasheet, name: str) -> Fraction:
    return _exact((datasheet.clocks[name] if name else datasheet.clock_hz).value)


def _exact(value: float) -> Fraction:
    """Return the number that a float's shortest text stands for: 0.1 is one tenth."""
    return Fraction(repr(float(value)))


def _ceil(value: Fraction) -> int:
    return -(-value.numerator // value.denominator)
