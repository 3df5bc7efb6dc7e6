"""Refrigeration: watts at room temperature for a watt at the chip's, never below Carnot's."""

from __future__ import annotations

from accelerators.aqfp_bnn.design import CONSTANTS, AqfpBnnDesign, carnot_ratio
from hwsim.errors import DesignError
from hwsim.model.types import Overhead
from hwsim.sourced import Sourced, chosen


def wall_energy(energy_j: float, cooling_ratio: float, temperature_k: float) -> float:
    """Return E_wall = eta E.

    Raises
    ------
    DesignError
        If the refrigerator would be better than Carnot's: eta < (300 K - T) / T.
    """
    carnot = carnot_ratio(temperature_k)
    if cooling_ratio < carnot:
        raise DesignError(
            f"{cooling_ratio:g} W/W is below Carnot's {carnot:.1f} W/W at {temperature_k:g} K",
            where="cooling_ratio",
        )
    return cooling_ratio * energy_j


def carnot_share(cooling_ratio: float, temperature_k: float) -> float:
    """Return the efficiency of a refrigerator over Carnot's."""
    return carnot_ratio(temperature_k) / cooling_ratio


def overheads(design: AqfpBnnDesign) -> tuple[Overhead, ...]:
    """Return cooling as a row of its own: eta - 1 joules beside every joule of the chip, eta in total."""
    if design.cooling_ratio == 1.0:
        return ()
    known = CONSTANTS.cooling_ratio
    ratio: Sourced = chosen(design.cooling_ratio, "_ratio", "design.cooling_ratio")
    if float(known) == design.cooling_ratio:
        ratio = known
    return (Overhead("cooling", ratio - 1),)
