"""ACT: carbon per area from energy, gases and materials; carbon per capacity for memories and disks."""

from __future__ import annotations

from hwsim.errors import InputError
from hwsim.model.carbon.tables import tables_of
from hwsim.model.carbon.types import Die, Footprint
from hwsim.model.carbon.yields import checked_yield
from hwsim.sourced import Sourced, chosen

METHOD = "act"
DEFAULT_YIELD = 0.875
ABATEMENTS = (95, 97, 99)
_STORAGE = ("dram", "ssd", "hdd")


def carbon_per_area(
    node: str, fab_intensity: Sourced, *, abatement: int = 97, yield_ratio: float = DEFAULT_YIELD
) -> Sourced:
    """Return CPA = (CI_fab EPA + GPA + MPA) / Y in kgCO2e per square metre.

    Parameters
    ----------
    node : str
        A node of the table; it has no 12 nm.
    fab_intensity : Sourced
        kgCO2e per joule.
    abatement : int
        Per cent of the process gases that are abated: 95, 99, or 97 for the mean of both columns.
    yield_ratio : float
        In (0, 1].
    """
    tables = tables_of(METHOD)
    if abatement not in ABATEMENTS:
        raise InputError(
            f"no gas emissions at {abatement!r} % abatement", where="abatement", hint="95, 97 or 99"
        )
    low, high = (tables[f"gas_{label}_kgco2e_per_m2"].entry(node) for label in (95, 99))
    gas = {95: low, 97: (low + high) / 2, 99: high}[abatement]
    energy = tables["energy_per_area_j_per_m2"].entry(node) * fab_intensity
    return (energy + gas + tables["material_kgco2e_per_m2"].entry(node)) / checked_yield(yield_ratio)


def embodied(
    die: Die,
    fab_intensity: Sourced,
    *,
    abatement: int = 97,
    yield_ratio: float = DEFAULT_YIELD,
    circuits: int = 1,
) -> Footprint:
    """Return the footprint of a die: area x CPA, and 150 g of packaging for each of `circuits`."""
    _check_circuits(circuits)
    tables = tables_of(METHOD)
    area = chosen(die.area_m2, "_m2", "die.area_m2") * (die.layers * die.count)
    silicon = carbon_per_area(die.node, fab_intensity, abatement=abatement, yield_ratio=yield_ratio) * area
    energy = tables["energy_per_area_j_per_m2"].entry(die.node) * area / checked_yield(yield_ratio)
    packaging = tables["packaging_kgco2e"].entry("circuit") * circuits
    notes = (
        ("a memory die is costed as logic; ACT prices memories by capacity",) if die.kind == "dram" else ()
    )
    return Footprint(
        METHOD,
        tables["packaging_kgco2e"].version,
        energy,
        silicon + packaging,
        {"silicon": silicon, "packaging": packaging},
        notes,
    )


def storage(
    kind: str, device: str, capacity_bytes: float, *, yield_ratio: float = DEFAULT_YIELD, circuits: int = 1
) -> Footprint:
    """Return the footprint of a memory or disk: CPS x capacity / Y, and the packaging of its circuits.

    Parameters
    ----------
    kind, device : str
        ``"dram"``, ``"ssd"`` or ``"hdd"`` and an entry of that table: ``"ddr3_50nm"``.
    capacity_bytes : float
        Bytes; the tables count in units of 1e9.
    """
    _check_circuits(circuits)
    if kind not in _STORAGE:
        raise InputError(f"unknown storage {kind!r}", where="storage.kind", hint=", ".join(_STORAGE))
    if not capacity_bytes > 0:
        raise InputError(f"{capacity_bytes!r} is not a capacity", where="storage.capacity_bytes")
    table = tables_of(METHOD)[f"{kind}_kgco2e_per_byte"]
    device_carbon = (
        table.entry(device) * chosen(capacity_bytes, "_bytes", "capacity") / checked_yield(yield_ratio)
    )
    packaging = tables_of(METHOD)["packaging_kgco2e"].entry("circuit") * circuits
    return Footprint(
        METHOD,
        table.version,
        None,
        device_carbon + packaging,
        {"storage": device_carbon, "packaging": packaging},
    )


def imec_netzero(die: Die) -> Footprint:
    """Return area x the imec.netzero figure that ACT carries, read as kg per cm^2."""
    table = tables_of(METHOD)["imec_netzero_kgco2e_per_m2"]
    carbon = table.entry(die.node) * chosen(die.area_m2, "_m2", "die.area_m2") * (die.layers * die.count)
    return Footprint(
        "imec_netzero",
        table.version,
        None,
        carbon,
        {"silicon": carbon},
        ("the unit of the table is read as kg per cm^2; its file says 'per wafer'",),
    )


def _check_circuits(circuits: int) -> None:
    if not isinstance(circuits, int) or isinstance(circuits, bool) or circuits < 0:
        raise InputError(f"{circuits!r} is not a number of circuits", where="circuits")
