"""Prices of aqfp_bnn: one energy for every junction and cycle, and cooling as a row of its own."""

from __future__ import annotations

from accelerators.aqfp_bnn.cooling import overheads
from accelerators.aqfp_bnn.design import CONSTANTS, AqfpBnnDesign
from accelerators.aqfp_bnn.energy import junction_energy
from accelerators.aqfp_bnn.mapping import UNITS, products_per_cycle
from hwsim.model.types import ActionRow, Datasheet, UnitRow
from hwsim.sourced import Sourced, by_law, chosen

ABSORBED = ("add", "multiply", "compare")
FOLDED = "biases, normalizations and signs are thresholds of clocked neurons, pools are clocked gates"
IN_CYCLES = "happens inside the cycles of the pipeline"
NO_AREA = "junctions are counted in the figures; the area of one is not known to us"
NO_LEAKAGE = "junctions carry no static current; all of them are charged cycle by cycle"


def datasheet(design: AqfpBnnDesign) -> Datasheet:
    """Return the datasheet of `design`.

    All junctions of a clocked cell switch in every cycle whatever the data, so an event of ``clock`` is one
    junction in one cycle.
    """
    lanes = products_per_cycle(design)
    return Datasheet(
        clock_hz=chosen(design.clock_hz, "_hz", "design.clock_hz"),
        actions=(
            ActionRow("pipeline", "clock", zero_energy="time alone; junctions are charged in their units"),
            ActionRow(
                "crossbars", "mac", lanes=lanes, interval_cycles=0, zero_time=IN_CYCLES,
                zero_energy="charged as the clocked junctions of the crossbar",
            ),
            *(
                ActionRow("accumulators", name, interval_cycles=0, zero_time=IN_CYCLES, zero_energy=FOLDED)
                for name in ABSORBED
            ),
            *(
                ActionRow(
                    unit, "clock", energy=_clocked(unit, design), interval_cycles=0, zero_time=IN_CYCLES
                )
                for unit in UNITS
            ),
            *(
                ActionRow(
                    "io", action, interval_cycles=0, zero_energy="links to room temperature are not modeled",
                    zero_time="no link is published",
                )
                for action in ("read", "write")
            ),
        ),
        units=(
            UnitRow("pipeline", zero_area="time alone", zero_leakage="time alone"),
            *(UnitRow(unit, zero_area=NO_AREA, zero_leakage=NO_LEAKAGE) for unit in UNITS),
            UnitRow("io", role="link", zero_area=NO_AREA, zero_leakage="links are not modeled"),
        ),
        overheads=overheads(design),
    )  # fmt: skip


def _clocked(unit: str, design: AqfpBnnDesign) -> Sourced:
    """Return joules of a junction in a cycle; those of crossbars rest on the published count as well."""
    energy, c = junction_energy(design), CONSTANTS
    own = design.cell_junctions, design.line_junctions
    if unit != "crossbars" or own != (int(c.cell_junctions_count), int(c.line_junctions_count)):
        return energy
    return by_law(c.law("crossbar_junctions"), energy.value, energy.dimension, {"junction": energy})
