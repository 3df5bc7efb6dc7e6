"""Datasheet rows as columns beside the rows of a trace, so that pricing is a few array operations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwsim.columns import numbers_of
from hwsim.errors import MissingDatasheetRow, Problem, TooLong, nearest
from hwsim.model.sheets import Sheets
from hwsim.model.types import ActionRow, Datasheet, Floats, Ints
from hwsim.trace.types import Trace

SAFE = 2**62
FLOAT_ERROR_RATIO = 1e-15  # two roundings and a conversion, each half a unit in the last place of 53 bits


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
        if 0 in numbers_of(row.interval_cycles) and row.bits_per_s is None and not row.zero_time:
            problems.append(Problem(where, "no time and no reason why it is zero"))
        if min(numbers_of(row.lanes)) < 1 or min(numbers_of(row.interval_cycles)) < 0:
            problems.append(
                Problem(where, f"lanes {row.lanes} or interval {row.interval_cycles} out of range")
            )
        if row.bits_per_s is not None and not min(numbers_of(row.bits_per_s.value)) > 0:
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


def price(trace: Trace, datasheets: Datasheet | Sequence[Datasheet] | Sheets) -> Prices:
    """Return the prices of the pairs that `trace` uses.

    Parameters
    ----------
    trace : Trace
        Its pools name units and actions.
    datasheets : Datasheet, sequence of Datasheet, or Sheets
        One datasheet, or those of a family of designs.

    Raises
    ------
    MissingDatasheetRow
        If a pair has no row; every missing pair is named.
    """
    key = trace.rows.unit * len(trace.actions) + trace.rows.action
    keys, pair = np.unique(key, return_inverse=True)
    unit, action = np.divmod(keys, max(len(trace.actions), 1))
    names = [(trace.units[u], trace.actions[a]) for u, a in zip(unit.tolist(), action.tolist(), strict=True)]
    sheets = family_of(datasheets)
    found = [_rows_of(sheet, names) for sheet in sheets.members]
    columns = [_PairColumns(sheets, [rows[p] for rows in found]) for p in range(len(names))]

    def stacked(name: str, kind: Any) -> NDArray[Any]:
        table = np.empty((sheets.designs, len(names)), dtype=kind)
        for place, column in enumerate(columns):
            table[:, place] = getattr(column, name)
        return table[0] if isinstance(datasheets, Datasheet) else table

    clock = sheets.column(lambda sheet: sheet.clock_hz.value)
    return Prices(
        pair.reshape(-1),
        unit,
        action,
        stacked("lanes", np.int64),
        stacked("interval", np.int64),
        tuple(zip(*(column.cycles_per_bit for column in columns), strict=True)) or ((),) * sheets.designs,
        stacked("energy", np.float64),
        stacked("energy_per_bit", np.float64),
        clock[0] if isinstance(datasheets, Datasheet) else clock,
    )


def family_of(datasheets: Datasheet | Sequence[Datasheet] | Sheets) -> Sheets:
    """Return datasheets as those of a family; a single one is a family of one."""
    if isinstance(datasheets, Sheets):
        return datasheets
    members = (datasheets,) if isinstance(datasheets, Datasheet) else tuple(datasheets)
    return Sheets(members, len(members))


class _PairColumns:
    """Prices of one (unit, action) pair, one entry per design; `rows` are those of the members."""

    def __init__(self, sheets: Sheets, rows: Sequence[ActionRow]) -> None:
        self._sheets, self._rows = sheets, rows

    @property
    def lanes(self) -> NDArray[Any]:
        return self._sheets.spread([row.lanes for row in self._rows], np.int64)

    @property
    def interval(self) -> NDArray[Any]:
        own = self._sheets.spread([row.interval_cycles for row in self._rows], np.int64)
        unit = self._rows[0].unit
        if not any(sheet.unit(unit).clock for sheet in self._sheets.members):
            return own
        reference = self._sheets.column(lambda sheet: sheet.clock_hz.value)
        clock = self._sheets.column(lambda sheet: _clock(sheet, sheet.unit(unit).clock))
        each = zip(own.tolist(), reference.tolist(), clock.tolist(), strict=True)
        return np.array([_ceil(cycles * _per(hz, own_hz)) for cycles, hz, own_hz in each], dtype=np.int64)

    @property
    def cycles_per_bit(self) -> list[Fraction]:
        if all(row.bits_per_s is None for row in self._rows):
            return [Fraction(0)] * self._sheets.designs
        clock = self._sheets.column(lambda sheet: sheet.clock_hz.value)
        rate = self._sheets.spread([row.bits_per_s.value if row.bits_per_s else 0.0 for row in self._rows])
        return [_per(hz, bits_per_s) for hz, bits_per_s in zip(clock.tolist(), rate.tolist(), strict=True)]

    @property
    def energy(self) -> NDArray[Any]:
        return self._sheets.spread([row.energy.in_unit_of("_j") if row.energy else 0.0 for row in self._rows])

    @property
    def energy_per_bit(self) -> NDArray[Any]:
        numbers = [row.energy_per_bit for row in self._rows]
        return self._sheets.spread([n.in_unit_of("_j_per_bit") if n else 0.0 for n in numbers])


def row_cycles(trace: Trace, prices: Prices) -> Ints:
    """Return int64[..., R]: reference cycles for which one execution of each row occupies its unit.

    ceil(count / lanes) * interval, or ceil(count * bits / bandwidth) where that is longer.
    """
    count = trace.rows.count
    one = prices.lanes.ndim == 1 and count.ndim == 1
    lanes, interval = np.atleast_2d(prices.lanes), np.atleast_2d(prices.interval)
    bits = np.atleast_2d(_bits(count, trace.rows.bits))
    designs = max(lanes.shape[0], bits.shape[0])
    cycles = np.zeros((designs, prices.pair.size), dtype=np.int64)
    rates = np.array(prices.cycles_per_bit, dtype=object).reshape(len(prices.cycles_per_bit), -1)
    for pair in range(prices.unit.size):
        rows = np.flatnonzero(prices.pair == pair)
        if interval[:, pair].any():
            groups = -(-count[..., rows] // lanes[:, pair, None])
            cycles[:, rows] = groups * interval[:, pair, None]
        if rates[:, pair].any():
            cycles[:, rows] = np.maximum(cycles[:, rows], transfer_columns(bits[:, rows], rates[:, pair]))
    result: Ints = cycles[0] if one else cycles
    return result


def _bits(count: Ints, bits: Ints) -> NDArray[Any]:
    """Return bits per execution, as Python ints where 64 bits would not hold them."""
    wide = float((count.astype(np.float64) * bits.astype(np.float64)).max(initial=0.0)) > SAFE
    product: NDArray[Any] = count.astype(object) * bits.astype(object) if wide else count * bits
    return product


def transfer_columns(bits: NDArray[Any], cycles_per_bit: NDArray[Any]) -> Ints:
    """Return int64[D, R]: ceil(bits * cycles_per_bit), exactly; where a bandwidth becomes cycles.

    Floats decide every entry that is not next to a whole number, exact arithmetic the others.

    Parameters
    ----------
    bits : int64[D or 1, R], or object
        Bits of each transfer.
    cycles_per_bit : Fraction[D or 1]
        Of each design.
    """
    rates, which_rate = _distinct(cycles_per_bit.tolist())
    near = bits.astype(np.float64) * np.array([float(rate) for rate in rates])[which_rate, None]
    if float(near.max(initial=0.0)) > SAFE:
        raise TooLong(
            f"a transfer of {near.max():.3e} cycles does not fit into 64 bits", where="model.prices"
        )
    cycles: Ints = np.ceil(near).astype(np.int64)
    design, place = np.nonzero(np.abs(near - np.rint(near)) <= near * FLOAT_ERROR_RATIO)
    if not design.size:
        return cycles
    which = which_rate[design if which_rate.size > 1 else 0 * design]
    unsure = bits[design if bits.shape[0] > 1 else 0, place]
    most = max(int(unsure.max()), 1)
    fits = [max(most * rate.numerator, rate.denominator) < SAFE for rate in rates]
    small = np.array(fits)[which]
    if bits.dtype != object and small.any():
        up = np.array([rate.numerator if fit else 1 for rate, fit in zip(rates, fits, strict=True)])
        down = np.array([rate.denominator if fit else 1 for rate, fit in zip(rates, fits, strict=True)])
        own = which[small]
        cycles[design[small], place[small]] = -(-unsure[small] * up[own] // down[own])
        design, place, which, unsure = design[~small], place[~small], which[~small], unsure[~small]
    cycles[design, place] = [
        -(-int(amount) * rates[one].numerator // rates[one].denominator)
        for one, amount in zip(which.tolist(), unsure.tolist(), strict=True)
    ]
    return cycles


def _distinct(rates: Sequence[Fraction]) -> tuple[list[Fraction], Ints]:
    """Return the different objects among `rates`, and which of them each entry is."""
    codes: dict[int, int] = {}
    which = np.array([codes.setdefault(id(rate), len(codes)) for rate in rates], dtype=np.int64)
    firsts = np.unique(which, return_index=True)[1]
    return [rates[first] for first in firsts.tolist()], which


def alike_in_time(prices: Prices) -> tuple[Prices, Ints]:
    """Return the prices of designs that differ in anything that takes time, and which of them each has.

    Parameters
    ----------
    prices : Prices
        Of a family.
    """
    designs = prices.lanes.shape[0]
    rates = [np.fromiter(map(id, column), np.int64) for column in zip(*prices.cycles_per_bit, strict=True)]
    table = np.concatenate([prices.lanes.T, prices.interval.T, *(codes[None] for codes in rates)])
    table = np.ascontiguousarray(table[(table != table[:, :1]).any(axis=1)].T)
    if not table.size:
        return prices, np.arange(designs)
    rows = table.view(np.dtype((np.void, table.dtype.itemsize * table.shape[1]))).reshape(-1)
    _, first, which = np.unique(rows, return_index=True, return_inverse=True)
    kept = replace(
        prices,
        lanes=prices.lanes[first],
        interval=prices.interval[first],
        cycles_per_bit=tuple(prices.cycles_per_bit[place] for place in first.tolist()),
    )
    return kept, which.reshape(-1)


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


def _clock(datasheet: Datasheet, name: str) -> Any:
    return (datasheet.clocks[name] if name else datasheet.clock_hz).value


@lru_cache(maxsize=65536)
def _per(clock_hz: float, rate: float) -> Fraction:
    """Return the exact cycles of `clock_hz` per period of `rate`; 0 without a rate."""
    return _exact(clock_hz) / _exact(rate) if rate else Fraction(0)


def _exact(value: float) -> Fraction:
    """Return the number that a float's shortest text stands for: 0.1 is one tenth."""
    return Fraction(repr(float(value)))


def _ceil(value: Fraction) -> int:
    return -(-value.numerator // value.denominator)
