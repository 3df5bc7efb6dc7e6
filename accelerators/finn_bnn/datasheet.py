"""Prices of finn_bnn: an estimate from gates and small memories, or what the user knows of an FPGA."""

from __future__ import annotations

from accelerators.finn_bnn.design import CONSTANTS, FinnBnnDesign, Technology
from hwsim.graph.engines import SIMPLE
from hwsim.model.types import ActionRow, Datasheet, UnitRow
from hwsim.physics import scale_area, scale_energy_constant_field
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
    add, gate = _add_bit(design), _gate(design)
    product = _chosen(design.product_j_per_bit, "product_j_per_bit") or (add + gate if add and gate else None)
    memory = _chosen(design.memory_j_per_bit, "memory_j_per_bit") or _memory_bit(design)
    multiply = _scaled(CONSTANTS.multiply_int8_j / chosen(8, "_bits", "8 bits"), design)
    stream = {"add": add, "multiply": multiply, "compare": add, "logic": gate}
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
            *(_row("io", name, None, "pins and their supply are not modeled") for name in ("read", "write")),
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


def _scaled(energy: Sourced, design: FinnBnnDesign) -> Sourced | None:
    """Scale from 45 nm, 0.9 V by E ~ L V^2; None on an FPGA."""
    if design.technology is Technology.FPGA:
        return None
    c = CONSTANTS
    return scale_energy_constant_field(
        energy, c.reference_node_m, design.node_m, c.reference_supply_v, design.supply_v
    )


def _add_bit(design: FinnBnnDesign) -> Sourced | None:
    return _scaled(CONSTANTS.add_int8_j / chosen(8, "_bits", "8 bits"), design)


def _gate(design: FinnBnnDesign) -> Sourced | None:
    add = _add_bit(design)
    return None if add is None else add * CONSTANTS.gate_per_full_adder_ratio


def _memory_bit(design: FinnBnnDesign) -> Sourced | None:
    c = CONSTANTS
    return _scaled(c.sram_8kib_access_j / c.sram_word_bits, design)


def _units(design: FinnBnnDesign) -> tuple[UnitRow, ...]:
    """Return areas of cells: a gate and a bit of an adder per lane, six transistors per bit of weights."""
    c, fpga = CONSTANTS, design.technology is Technology.FPGA
    small = "small beside engines and weight memory; not modeled"
    names = ("buffer", "thresholds", "stream", "folded")
    others = tuple(UnitRow(name, role="compute", zero_area=small, zero_leakage=small) for name in names)
    pins = UnitRow("io", role="link", zero_area="pins are not modeled", zero_leakage="pins are not modeled")
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
    bit = c.adder_32b_m2 / 32 * (1 + float(c.gate_per_full_adder_ratio))
    leak = c.adder_32b_leakage_w / 32 * (1 + float(c.gate_per_full_adder_ratio))
    cell = c.sram_cell_squares_ratio * chosen(design.node_m, "_m", "design.node_m") ** 2
    lanes, bits = design.bit_lanes, 8 * design.weight_memory_bytes
    return (
        UnitRow("pipeline", zero_area=small, zero_leakage=small),
        UnitRow(
            "engine", area=scale_area(bit * lanes, c.aladdin_node_m, design.node_m), leakage=leak * lanes
        ),
        UnitRow("weight_memory", area=cell * bits, leakage=c.sram_cell_leakage_w * bits, role="memory"),
        *others,
        pins,
    )
