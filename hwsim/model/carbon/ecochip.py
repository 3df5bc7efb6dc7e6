"""ECO-CHIP: carbon per area by node, negative binomial yield, and the wasted edge of the wafer."""

from __future__ import annotations

import math

from hwsim.errors import InputError, nearest
from hwsim.model.carbon.tables import tables_of
from hwsim.model.carbon.types import Die, Footprint
from hwsim.model.carbon.yields import dies_per_wafer, negative_binomial_yield, wafer_area_m2
from hwsim.sourced import Sourced, chosen

METHOD = "ecochip"
_CLUSTERING = 10
_DESIGNS = ("logic", "sram", "analog")


def die_yield(die: Die) -> Sourced:
    """Return (1 + D0 A / 10)^-10 with the defect density of the node."""
    defects = tables_of(METHOD)["defects_count_per_m2"].entry(die.node)
    return negative_binomial_yield(defects, chosen(die.area_m2, "_m2", "die.area_m2"), _CLUSTERING)


def embodied(die: Die) -> Footprint:
    """Return A CPA / yield, and the share of the wafer's edge that no die covers."""
    tables = tables_of(METHOD)
    per_area = tables["carbon_per_area_kgco2e_per_m2"].entry(die.node)
    diameter = tables["wafer_diameter_m"].entry("wafer").value
    count = dies_per_wafer(diameter, die.area_m2)
    unused = (wafer_area_m2(diameter) - math.floor(count) * die.area_m2) / count
    copies = die.layers * die.count
    silicon = per_area * chosen(die.area_m2, "_m2", "die.area_m2") / die_yield(die) * copies
    wastage = per_area * chosen(unused, "_m2", "wasted_area_per_die") * copies
    return Footprint(
        METHOD,
        tables["wafer_diameter_m"].version,
        None,
        silicon + wastage,
        {"silicon": silicon, "wafer edge": wastage},
        ("the carbon intensity of the fab is inside its table",),
    )


def area_at(area_m2: float, design: str, node: str) -> Sourced:
    """Return the area at `node` of a block that takes `area_m2` at 7 nm; design logic, sram or analog."""
    if design not in _DESIGNS:
        raise InputError(
            f"unknown kind of circuit {design!r}", where="design", hint=nearest(design, _DESIGNS)
        )
    return tables_of(METHOD)[f"{design}_area_ratio"].entry(node) * chosen(area_m2, "_m2", "area_at_7nm")
