"""Prices of mst_bnn: an estimate from gates; binary weights are wiring and cost nothing to read."""

from __future__ import annotations

from accelerators.mst_bnn.design import CONSTANTS, MstBnnDesign
from hwsim.graph.engines import SIMPLE
from hwsim.model.cells import Cells
from hwsim.model.pins import pin_actions, pin_unit
from hwsim.model.types import ActionRow, Datasheet, UnitRow
from hwsim.sourced import Sourced, chosen

AT_ONCE = "all engines run at once; their time is the clocks of the pipeline"


def datasheet(design: MstBnnDesign) -> Datasheet:
    """Return the datasheet of `design`.

    A product of two bits is a gate and a bit of an adder, 45 nm additions of Horowitz (2014) per bit. Area
    and leakage are those of all lanes.
    """
    cells = _cells(design)
    add, gate, memory = cells.add_j_per_bit, cells.gate_j_per_bit, cells.memory_j_per_bit
    given = design.product_j_per_bit
    product = chosen(given, "_j_per_bit", "design.product_j_per_bit") if given else add + gate
    stream = {"add": add, "multiply": cells.multiply_j_per_bit, "compare": add, "logic": gate}
    return Datasheet(
        clock_hz=chosen(design.clock_hz, "_hz", "design.clock_hz"),
        actions=(
            ActionRow("pipeline", "clock", zero_energy="charged as the work of the engines"),
            _row("engine", "xnor", product, lanes=design.bit_lanes),
            _row("engine", "mac", product, lanes=design.bit_lanes),
            _row("tree", "add", add),
            _row("weight_memory", "read", memory),
            _row("buffer", "read", memory),
            _row("buffer", "write", memory),
            _row("thresholds", "compare", add),
            *(_row("stream", name, stream[name]) for name in SIMPLE),
            _row("stream", "move", None, "wires and FIFOs are not modeled"),
            *(_row("folded", name, None, "thresholds stand for it") for name in SIMPLE),
            *pin_actions(AT_ONCE),
        ),
        units=_units(design),
    )


def _row(unit: str, action: str, energy: Sourced | None, why: str = "", *, lanes: int = 1) -> ActionRow:
    return ActionRow(
        unit,
        action,
        energy_per_bit=energy,
        lanes=lanes,
        interval_cycles=0,
        zero_energy=why,
        zero_time=AT_ONCE,
    )


def _cells(design: MstBnnDesign) -> Cells:
    return Cells(CONSTANTS, design.node_m, design.supply_v)


def _units(design: MstBnnDesign) -> tuple[UnitRow, ...]:
    cells, both = _cells(design), 1 + float(CONSTANTS.gate_per_full_adder_ratio)
    lanes = design.bit_lanes
    small = "small beside the lanes; not modeled"
    return (
        UnitRow("pipeline", zero_area=small, zero_leakage=small),
        UnitRow(
            "engine",
            area=cells.area(cells.adder_bit_m2 * both * lanes),
            leakage=cells.adder_bit_leakage_w * both * lanes,
        ),
        UnitRow("weight_memory", role="memory", zero_area="of layers that are not binary; not modeled",
                zero_leakage="of layers that are not binary; not modeled"),
        *(UnitRow(name, zero_area=small, zero_leakage=small)
          for name in ("tree", "buffer", "thresholds", "stream", "folded")),
        pin_unit(),
    )
