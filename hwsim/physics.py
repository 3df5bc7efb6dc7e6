"""Names and cites every law that turns a published number into one for another node, size or width."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from hwsim.columns import is_column, numbers_of, same
from hwsim.constants import Constants, Sourced, by_law, load_constants
from hwsim.dimensions import AREA, BIT, BYTE, ENERGY, LENGTH, NUMBER, TIME, VOLTAGE, Dimension
from hwsim.errors import ConstantError
from hwsim.units import convert, format_si

_ENERGIES: Final = (ENERGY, ENERGY / BIT, ENERGY / BYTE)
_AREAS: Final = (AREA, AREA / BIT, AREA / BYTE)


@lru_cache(maxsize=1)
def physical_constants() -> Constants:
    """Return boltzmann_j_per_k, elementary_charge_c, planck_j_per_hz, and the laws of this file."""
    return load_constants(Path(__file__).with_name("physics_constants.toml"), "physics")


def scale_energy_constant_field(energy: Sourced, from_node_m: Sourced | float, to_node_m: Sourced | float,
                                from_supply_v: Sourced | float, to_supply_v: Sourced | float) -> Sourced:
    """Scale dynamic energy between technology nodes: E ~ L V^2 (Dennard et al. 1974).

    With supplies in proportion to the lengths this is the cubic law of constant-field scaling. The supplies
    are inputs because they stopped following the lengths; the result is `derived` at best.

    Parameters
    ----------
    energy : Sourced
        Joules, or joules per bit or byte, at `from_node_m` and `from_supply_v`.
    from_node_m, to_node_m : Sourced or float
        Feature lengths in metres.
    from_supply_v, to_supply_v : Sourced or float
        Supply voltages in volts.

    Raises
    ------
    ConstantError
        Wrong dimension, or a length or voltage that is not positive.
    """
    _check_dimension(energy, "energy", _ENERGIES)
    length_ratio = _node_ratio(from_node_m, to_node_m)
    volt_ratio = _positive(to_supply_v, "to_supply_v", VOLTAGE)
    volt_ratio /= _positive(from_supply_v, "from_supply_v", VOLTAGE)
    if same(length_ratio, 1) and same(volt_ratio, 1):
        return energy
    return _scaled("scale_energy_constant_field", energy, length_ratio * volt_ratio * volt_ratio,
                   energy=energy, from_node_m=from_node_m, to_node_m=to_node_m,
                   from_supply_v=from_supply_v, to_supply_v=to_supply_v)


def scale_area(area: Sourced, from_node_m: Sourced | float, to_node_m: Sourced | float) -> Sourced:
    """Scale logic area between technology nodes: A ~ L^2 (Dennard et al. 1974).

    Parameters
    ----------
    area : Sourced
        Square metres, or square metres per bit or byte.
    from_node_m, to_node_m : Sourced or float
        Feature lengths in metres.
    """
    _check_dimension(area, "area", _AREAS)
    ratio = _node_ratio(from_node_m, to_node_m)
    if same(ratio, 1):
        return area
    return _scaled("scale_area", area, ratio * ratio, area=area, from_node_m=from_node_m, to_node_m=to_node_m)


def scale_delay(delay: Sourced, from_node_m: Sourced | float, to_node_m: Sourced | float) -> Sourced:
    """Scale gate delay between technology nodes: t ~ L while the supply follows L (Dennard et al. 1974).

    Parameters
    ----------
    delay : Sourced
        Seconds.
    from_node_m, to_node_m : Sourced or float
        Feature lengths in metres.
    """
    _check_dimension(delay, "delay", (TIME,))
    ratio = _node_ratio(from_node_m, to_node_m)
    if same(ratio, 1):
        return delay
    return _scaled("scale_delay", delay, ratio, delay=delay, from_node_m=from_node_m, to_node_m=to_node_m)


def interpolate_energy_loglog(node_m: Sourced | float, points: Sequence[tuple[float, Sourced]]) -> Sourced:
    """Return the energy at a node between two published ones, on a straight line in log-log.

    Parameters
    ----------
    node_m : Sourced or float
        Feature length in metres, within the published range: there is no extrapolation.
    points : sequence of (float, Sourced)
        Feature length in metres and published energy; at least two.

    Returns
    -------
    Sourced
        The published number itself at a published node.
    """
    node = _positive(node_m, "node_m", LENGTH)
    ordered = _ordered(points, "nodes")
    if not ordered[0][0] <= node <= ordered[-1][0]:
        low, high = format_si(ordered[0][0], "m"), format_si(ordered[-1][0], "m")
        raise ConstantError(f"node {format_si(node, 'm')} is outside the published range {low} to {high}",
                            hint="scale_energy_constant_field goes further, at given supplies")
    return _on_line("interpolate_energy_loglog", "node_m", node_m, node, ordered)


def sram_access_energy(capacity_bytes: Sourced | float, points: Sequence[tuple[float, Sourced]]) -> Sourced:
    """Return the energy of one SRAM access at a capacity, on straight lines in log-log.

    Inside the published range this interpolates between neighbours; outside, it keeps the slope of the
    nearest two points and the result is `assumed`.

    Parameters
    ----------
    capacity_bytes : Sourced or float
        Bytes.
    points : sequence of (float, Sourced)
        Capacity in bytes and published energy per access (or per bit); at least two.

    Returns
    -------
    Sourced
        The published number itself at a published capacity.
    """
    capacity = _positive(capacity_bytes, "capacity_bytes", BYTE)
    if is_column(capacity):
        return _of_each(capacity, lambda one: sram_access_energy(one, points))
    ordered = _ordered(points, "capacities")
    inside = ordered[0][0] <= capacity <= ordered[-1][0]
    law = "sram_access_energy" if inside else "sram_access_energy_extrapolated"
    return _on_line(law, "capacity_bytes", capacity_bytes, capacity, ordered)


def add_energy_at_width(energy: Sourced, from_bits: int, to_bits: int) -> Sourced:
    """Return the energy of an integer addition at another width: linear in bits (Horowitz 2014)."""
    _check_dimension(energy, "energy", _ENERGIES)
    ratio = _positive(to_bits, "to_bits", NUMBER) / _positive(from_bits, "from_bits", NUMBER)
    if same(ratio, 1):
        return energy
    return _scaled("add_energy_at_width", energy, ratio, energy=energy, from_bits=from_bits, to_bits=to_bits)


def multiply_energy_at_width(energy: Sourced, from_bits: int, to_bits: int,
                             other_bits: int | None = None) -> Sourced:
    """Return the energy of an integer multiplication at other widths: their product (Horowitz 2014).

    Parameters
    ----------
    energy : Sourced
        Joules per multiplication of two numbers of `from_bits`.
    from_bits, to_bits : int
        Width at which it is published, and width of the first operand.
    other_bits : int, optional
        Width of the second operand; `to_bits` if absent.
    """
    _check_dimension(energy, "energy", _ENERGIES)
    other = to_bits if other_bits is None else other_bits
    bit_products = _positive(to_bits, "to_bits", NUMBER) * _positive(other, "other_bits", NUMBER)
    ratio = bit_products / _positive(from_bits, "from_bits", NUMBER) ** 2
    if same(ratio, 1) and same(to_bits, from_bits):
        return energy
    return _scaled("multiply_energy_at_width", energy, ratio, energy=energy, from_bits=from_bits,
                   to_bits=to_bits, other_bits=other)


def _scaled(law: str, original: Sourced, ratio: float, /, **arguments: Sourced | float) -> Sourced:
    return by_law(physical_constants().law(law), original.value * ratio, original.dimension, arguments)


def _node_ratio(from_node_m: Sourced | float, to_node_m: Sourced | float) -> float:
    return _positive(to_node_m, "to_node_m", LENGTH) / _positive(from_node_m, "from_node_m", LENGTH)


def _positive(number: Sourced | float, name: str, dimension: Dimension) -> float:
    """Return a plain number, or the value of a sourced one in `dimension`; it has to be positive.

    A column over designs is returned as one.
    """
    plain: Any = number.value if isinstance(number, Sourced) else number
    value = plain.astype(float) if is_column(plain) else float(plain)
    if isinstance(number, Sourced):
        factor = convert(number.dimension, dimension)
        if factor is None:
            raise ConstantError(f"{name} = {number.formula} is in {number.dimension}, not in {dimension}")
        value = value * float(factor)
    for one in numbers_of(value):
        if not (math.isfinite(one) and one > 0):
            raise ConstantError(f"{name} = {one} has to be positive")
    return value


def _of_each(column: Any, law: Callable[[float], Sourced]) -> Sourced:
    """Return what `law` gives for each number of a column, each different number computed once."""
    once = {one: law(one) for one in dict.fromkeys(column.tolist())}
    first, *others = once.values()
    joined = sum((other * 0 for other in others), first)
    values = column.astype(float)
    values[:] = [once[one].value for one in column.tolist()]
    return Sourced(values, first.dimension, joined.formula, joined.records)


def _check_dimension(number: Sourced, name: str, allowed: tuple[Dimension, ...]) -> None:
    if number.dimension not in allowed:
        wanted = " or ".join(str(dimension) for dimension in allowed)
        raise ConstantError(f"{name} = {number.formula} is in {number.dimension}, not in {wanted}")


def _ordered(points: Sequence[tuple[float, Sourced]], what: str) -> list[tuple[float, Sourced]]:
    """Return published points in ascending order: distinct positive places, positive energies of one kind."""
    ordered = sorted(points, key=lambda point: point[0])
    places = [place for place, _ in ordered]
    if len(set(places)) < max(len(places), 2) or not all(math.isfinite(p) and p > 0 for p in places):
        raise ConstantError(f"published {what} {places} have to be two or more distinct positive numbers")
    for _, energy in ordered:
        _check_dimension(energy, "energy", (ordered[0][1].dimension,))
        _check_dimension(energy, "energy", _ENERGIES)
        if energy.value <= 0:
            raise ConstantError(f"energy = {energy.formula} = {energy} has to be positive")
    return ordered


def _on_line(law: str, name: str, argument: Sourced | float, place: float,
             ordered: list[tuple[float, Sourced]]) -> Sourced:
    """Return the energy at `place` on the log-log line through the nearest two of `ordered` points."""
    for known, energy in ordered:
        if known == place:
            return energy
    right = next((at for at, (known, _) in enumerate(ordered) if known > place), len(ordered) - 1)
    (low, low_energy), (high, high_energy) = ordered[max(right, 1) - 1], ordered[max(right, 1)]
    share = math.log(place / low) / math.log(high / low)
    logarithm = math.log(low_energy.value) + share * math.log(high_energy.value / low_energy.value)
    value = math.exp(logarithm) if logarithm < math.log(sys.float_info.max) else math.inf
    arguments = {name: argument, "low": low, "low_energy": low_energy,
                 "high": high, "high_energy": high_energy}
    return by_law(physical_constants().law(law), value, low_energy.dimension, arguments)
