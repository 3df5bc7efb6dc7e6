"""Prices of finn_bnn: an estimate from gates and small memories, or what the user knows of an FPGA."""

from __future__ import annotations

from accelerators.finn_bnn.design import CONSTANTS, FinnBnnDesign, Technology
from hwsim.graph.engines import SIMPLE
from hwsim.model.cells import Cells
from hwsim.model.pins import pin_actions, pin_unit
from hwsim.model.types import ActionRow, Datasheet, UnitRow
from hwsim.sourced import Sourced, chosen

AT_ONCE = "all engines run at once; their time is the clocks of the pipeline"
ABSENT = (
    "no energy of the FPGA implementation is published: set board_power_w, "
    "or product_j_per_bit and memory_j_per_bit"
)


def datasheet(design: FinnBnnDesign) -> Datasheet:
    """Return the datasheet of `design`.

    In cells, a product of two bits is a gate and a bit of an adder, 45 nm additions of Horowitz (2014) per
    bit; memories cost an 8 KiB access per bit. On an FPGA nothing is charged but what the user gives.
    """
    cells = None if design.technology is Technology.FPGA else _cells(design)
    add, gate = (cells.add_j_per_bit, cells.gate_j_per_bit) if cells else (None, None)
    product = _chosen(design.product_j_per_bit, "product_j_per_bit") or (add + gate if add and gate else None)
    memory = _chosen(design.memory_j_per_bit, "memory_j_per_bit") or (
        cells.memory_j_per_bit if cells else None
    )
    stream = {
        "add": add,
        "multiply": cells.multiply_j_per_bit if cells else None,
        "compare": add,
        "logic": gate,
    }
    return Datasheet(
        clock_hz=chosen(design.clock_hz, "_hz", "design.clock_hz"),
        actions=(
            ActionRow("pipeline", "clock", zero_energy="charged as the work of the engines"),
            _row("engine", "mac", product, lanes=design.bit_lanes),
            _row("engine", "padding", product),
            _row("engine", "accumulate", add),
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


def _chosen(value: float, name: str) -> Sourced | None:
    return chosen(value, "_j_per_bit", f"design.{name}") if value else None


def _row(unit: str, action: str, energy: Sourced | None, why: str = ABSENT, *, lanes: int = 1) -> ActionRow:
    return ActionRow(
        unit,
        action,
        energy_per_bit=energy,
        lanes=lanes,
        interval_cycles=0,
        zero_energy="" if energy is not None else why,
        zero_time=AT_ONCE,
    )


def _cells(design: FinnBnnDesign) -> Cells:
    return Cells(CONSTANTS, design.node_m, design.supply_v)


def _units(design: FinnBnnDesign) -> tuple[UnitRow, ...]:
    """Return areas of cells: a gate and a bit of an adder per lane, six transistors per bit of weights."""
    fpga = design.technology is Technology.FPGA
    small = "small beside engines and weight memory; not modeled"
    names = ("buffer", "thresholds", "stream", "folded")
    others = tuple(UnitRow(name, role="compute", zero_area=small, zero_leakage=small) for name in names)
    pins = pin_unit()
    if fpga:
        board = chosen(design.board_power_w, "_w", "design.board_power_w") if design.board_power_w else None
        absent = "power of the FPGA is not published; set board_power_w"
        area = "programmable logic has no area of its own"
        return (
            UnitRow("pipeline", zero_area=area, leakage=board, zero_leakage="" if board else absent),
            UnitRow("engine", zero_area=area, zero_leakage="part of the board"),
            UnitRow("weight_memory", role="memory", zero_area=area, zero_leakage="part of the board"),
            *others,
            pins,
        )
    cells, both = _cells(design), 1 + float(CONSTANTS.gate_per_full_adder_ratio)
    lanes, bits = design.bit_lanes, 8 * design.weight_memory_bytes
    return (
        UnitRow("pipeline", zero_area=small, zero_leakage=small),
        UnitRow(
            "engine",
            area=cells.area(cells.adder_bit_m2 * both * lanes),
            leakage=cells.adder_bit_leakage_w * both * lanes,
        ),
        UnitRow(
            "weight_memory",
            area=cells.memory_area(bits),
            leakage=cells.memory_leakage(bits),
            role="memory",
        ),
        *others,
        pins,
    )
