"""3D-Carbon: energy, gases and materials per area with extra metal layers, yield, and the package."""

from __future__ import annotations

from hwsim.errors import InputError
from hwsim.model.carbon.tables import tables_of
from hwsim.model.carbon.types import Die, Footprint
from hwsim.model.carbon.yields import dies_per_wafer, negative_binomial_yield, wafer_area_m2
from hwsim.sourced import Sourced, chosen

METHOD = "three_d_carbon"


def die_yield(die: Die) -> Sourced:
    """Return (1 + D0 A / alpha)^-alpha; the defect density is one per mm^2 in the published table."""
    tables = tables_of(METHOD)
    return negative_binomial_yield(
        tables["defects_count_per_m2"].entry(die.node),
        chosen(die.area_m2, "_m2", "die.area_m2"),
        tables["clustering_ratio"].entry("die"),
    )


def embodied(
    die: Die, fab_intensity: Sourced, *, extra_metal_layers: int = 0, bonding: str = ""
) -> Footprint:
    """Return the share of a wafer's carbon that one working die carries.

    Carbon per area is CI (EPA + extra layers x energy of a layer) + GPA + MPA; a die carries that of
    wafer area / dies per wafer / yield (and / the bonding yield of a stack).

    Parameters
    ----------
    die : Die
        Node of the table; it has 12 nm.
    fab_intensity : Sourced
        kgCO2e per joule.
    extra_metal_layers : int
        Metal layers above those that the energy per area of the node contains.
    bonding : str
        How the layers of a stack were joined, an entry of ``bonding_yield_ratio``; "" for a single layer.
    """
    tables = tables_of(METHOD)
    if not isinstance(extra_metal_layers, int) or extra_metal_layers < 0:
        raise InputError(f"{extra_metal_layers!r} is not a number of layers", where="extra_metal_layers")
    if die.layers > 1 and not bonding:
        raise InputError(
            f"{die.layers} layers, but nothing says how they are joined",
            where="bonding",
            hint=", ".join(tables["bonding_yield_ratio"].entries),
        )
    per_area = tables["energy_per_area_j_per_m2"].entry(die.node)
    if extra_metal_layers:
        per_area = per_area + tables["metal_layer_energy_j_per_m2"].entry(die.node) * extra_metal_layers
    diameter = tables["wafer_diameter_m"].entry("wafer").value
    share = wafer_area_m2(diameter) / int(dies_per_wafer(diameter, die.area_m2))
    silicon = chosen(share, "_m2", "wafer_area_per_die") / die_yield(die) * (die.layers * die.count)
    if bonding:
        silicon = silicon / tables["bonding_yield_ratio"].entry(bonding) ** max(die.layers - 1, 1)
    parts = {
        "energy": silicon * per_area * fab_intensity,
        "gases": silicon * tables["gas_kgco2e_per_m2"].entry(die.node),
        "materials": silicon * tables["material_kgco2e_per_m2"].entry(die.node),
    }
    carbon = parts["energy"] + parts["gases"] + parts["materials"]
    return Footprint(METHOD, tables["wafer_diameter_m"].version, silicon * per_area, carbon, parts)


def package(kind: str, area_m2: float, intensity: Sourced) -> Footprint:
    """Return the footprint of a package by its area: area x energy per area x carbon intensity."""
    table = tables_of(METHOD)["package_energy_j_per_m2"]
    if not area_m2 > 0:
        raise InputError(f"{area_m2!r} is not an area", where="package.area_m2")
    energy = table.entry(kind) * chosen(area_m2, "_m2", "package.area_m2")
    return Footprint(METHOD, table.version, energy, energy * intensity, {"package": energy * intensity})
