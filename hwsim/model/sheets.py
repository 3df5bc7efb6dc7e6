"""Datasheets of a family of designs, read as columns: one call of the chip's function for all of them.

A chip computes its datasheet in ordinary arithmetic, which works on a column of knobs as on one. So the
function is called once with a design whose differing numbers are columns. What a column cannot answer (an
``if``, ``int()``, a look-up) raises, and then each design gets a datasheet of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwsim.errors import DesignError, HwsimError
from hwsim.model.types import Accelerator, Datasheet, Design


@dataclass(frozen=True, slots=True)
class Sheets:
    """Datasheets of the designs of a family.

    Attributes
    ----------
    members : tuple of Datasheet
        One whose numbers are columns, or one for every design; rows and units are those of the first.
    designs : int
        Number of designs.
    """

    members: tuple[Datasheet, ...]
    designs: int

    @property
    def first(self) -> Datasheet:
        """The datasheet that names units, actions, roles and clocks of all."""
        return self.members[0]

    def column(self, read: Callable[[Datasheet], Any], kind: Any = np.float64) -> NDArray[Any]:
        """Return what `read` finds in each datasheet: one entry per design."""
        return self.spread([read(sheet) for sheet in self.members], kind)

    def spread(self, values: Sequence[Any], kind: Any = np.float64) -> NDArray[Any]:
        """Return one value per member as one entry per design."""
        found = np.asarray(values[0], dtype=kind) if len(values) == 1 else np.array(values, dtype=kind)
        return np.broadcast_to(found, (self.designs,))


def knob_columns(designs: Sequence[Design]) -> Design:
    """Return a design whose knobs are those of `designs`: one value where all agree, else a column.

    Raises
    ------
    ValueError
        If designs differ in a knob that is no number.
    """
    first = designs[0]
    names = tuple(type(first).model_fields)
    knobs: dict[str, Any] = {}
    columns = zip(*([getattr(design, name) for name in names] for design in designs), strict=True)
    for name, values in zip(names, columns, strict=True):
        if values.count(values[0]) == len(values):
            knobs[name] = values[0]
        elif set(map(type, values)) <= {int, float}:
            knobs[name] = np.array(values)
            knobs[name].setflags(write=False)
        else:
            raise ValueError(f"designs differ in {name}, which is no number")
    return type(first).model_construct(**knobs)


def sheets_of(accelerator: Accelerator, designs: Sequence[Design]) -> Sheets:
    """Return the datasheets of `designs`, from one call where the chip's formulas allow it.

    Raises
    ------
    DesignError
        If the datasheets differ in more than numbers: they are not those of one family.
    """
    try:
        return Sheets((accelerator.datasheet(knob_columns(designs)),), len(designs))
    except (TypeError, ValueError, HwsimError):
        # Asked again one by one, designs that are at fault say so themselves.
        members = tuple(accelerator.datasheet(design) for design in designs)
    if len({_rows_of(sheet) for sheet in members}) > 1:
        raise DesignError("designs have datasheets of different rows", where=accelerator.name)
    return Sheets(members, len(designs))


def _rows_of(sheet: Datasheet) -> tuple[object, ...]:
    """Return what the members of a family must have in common: rows, and which of their numbers exist."""
    return (
        tuple((row.unit, row.action, row.bits_per_s is None) for row in sheet.actions),
        tuple((row.unit, row.role, row.clock, row.area is None, row.leakage is None) for row in sheet.units),
        tuple(item.name for item in sheet.overheads),
        tuple(sheet.clocks),
    )
