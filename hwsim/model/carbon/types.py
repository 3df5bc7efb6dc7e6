"""A die as its foundry sees it, and what making it took."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from hwsim.errors import InputError, Problem
from hwsim.sourced import Kind, Sourced, weakest

LARGEST_DIE_M2 = 0.0706858  # a 300 mm wafer; nothing larger has one price


@dataclass(frozen=True, slots=True)
class Die:
    """A piece of silicon.

    Attributes
    ----------
    node : str
        Process node as the tables of the chosen method call it: ``"28"``, ``"7_euv"``.
    area_m2 : float
        Area of one die, above zero and below that of a wafer.
    kind : str
        ``"logic"``, ``"dram"``, ``"sram"`` or ``"analog"``; methods that do not tell them apart say so.
    count : int
        Equal dies.
    layers : int
        Dies stacked on each other, each of `area_m2`.
    """

    node: str
    area_m2: float
    kind: str = "logic"
    count: int = 1
    layers: int = 1

    def __post_init__(self) -> None:
        problems = []
        if not 0.0 < self.area_m2 < LARGEST_DIE_M2:
            problems.append(
                Problem(
                    "die.area_m2",
                    f"{self.area_m2!r} is not an area between nothing and a wafer of 300 mm",
                    "give square metres: 350 mm^2 is 3.5e-4",
                )
            )
        if self.kind not in DIE_KINDS:
            problems.append(
                Problem("die.kind", f"unknown kind {self.kind!r}", f"one of {', '.join(DIE_KINDS)}")
            )
        problems += [
            Problem(f"die.{name}", f"{value!r} is not a whole number above zero")
            for name, value in (("count", self.count), ("layers", self.layers))
            if not isinstance(value, int) or isinstance(value, bool) or value < 1
        ]
        if problems:
            raise InputError(problems=problems)


DIE_KINDS = ("logic", "dram", "sram", "analog")


@dataclass(frozen=True, slots=True)
class Footprint:
    """What making something took, by one method and one version of its tables.

    Attributes
    ----------
    method, table_version : str
        Whose equations and tables; figures of two methods are never added.
    energy : Sourced or None
        Joules of manufacture; None where the method gives carbon only.
    carbon : Sourced or None
        kgCO2e of manufacture; None where the method needs the carbon intensity of the fab and none was given.
    parts : mapping of str to Sourced
        Shares of the carbon by cause, or of the energy where there is no carbon.
    notes : tuple of str
        What the method leaves out for this die.
    """

    method: str
    table_version: str
    energy: Sourced | None
    carbon: Sourced | None
    parts: Mapping[str, Sourced] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def evidence(self) -> Kind:
        """Weakest evidence of all that went in."""
        return weakest(number.kind for number in (self.energy, self.carbon) if number is not None)


def total(footprints: list[Footprint]) -> Footprint:
    """Return the sum of footprints of one method and one table version.

    Raises
    ------
    InputError
        Nothing to add, or figures of different methods or versions, which cannot be added.
    """
    if not footprints:
        raise InputError("no die to add up", where="dies")
    first = footprints[0]
    for other in footprints[1:]:
        if (other.method, other.table_version) != (first.method, first.table_version):
            raise InputError(
                f"{first.method} ({first.table_version}) and {other.method} "
                f"({other.table_version}) do not add up",
                where="method",
                hint="use one method and one version for all dies",
            )
    energies = [each.energy for each in footprints if each.energy is not None]
    carbons = [each.carbon for each in footprints if each.carbon is not None]
    parts: dict[str, Sourced] = {}
    for each in footprints:
        for name, value in each.parts.items():
            parts[name] = parts[name] + value if name in parts else value
    notes = tuple(dict.fromkeys(text for each in footprints for text in each.notes))
    return Footprint(
        first.method,
        first.table_version,
        sum(energies[1:], energies[0]) if len(energies) == len(footprints) else None,
        sum(carbons[1:], carbons[0]) if len(carbons) == len(footprints) else None,
        parts,
        notes,
    )
