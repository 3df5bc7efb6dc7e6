"""Prices of mst_bnn: an estimate from gates; binary weights are wiring and cost nothing to read."""

from __future__ import annotations

from accelerators.mst_bnn.design import CONSTANTS, MstBnnDesign
from hwsim.graph.engines import SIMPLE
from hwsim.model.types import ActionRow, Datasheet, UnitRow
from hwsim.physics import scale_area, scale_energy_constant_field
from hwsim.sourced import Sourced, chosen

AT_ONCE = "all engines run at once; their time is the clocks of the pipeline"


def datasheet(design: MstBnnDesign) -> Datasheet:
    """Return the datasheet of `design`.

    A product of two bits is a gate and a bit of an adder, 45 nm additions of Horowitz (2014) per bit. Area
    and leakage are those of all lanes.
    """
    c = CONSTANTS
    add = _scaled(c.add_int8_j / chosen(8, "_bits", "8 bits"), design)
    gate = add * c.gate_per_full_adder_ratio
    given = design.product_j_per_bit
    product = chosen(given, "_j_per_bit", "design.product_j_per_bit") if given else add + gate
    memory = _scaled(c.sram_8kib_access_j / c.sram_word_bits, design)
    multiply = _scaled(c.multiply_int8_j / chosen(8, "_bits", "8 bits"), design)
    stream = {"add": add, "multiply": multiply, "compare": add, "logic": gate}
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
            *(_row("io", name, None, "pins and their supply are not modeled") for name in ("read", "write")),
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


def _scaled(energy: Sourced, design: MstBnnDesign) -> Sourced:
    c = CONSTANTS
    return scale_energy_constant_field(
        energy, c.reference_node_m, design.node_m, c.reference_supply_v, design.supply_v
    )


def _units(design: MstBnnDesign) -> tuple[UnitRow, ...]:
    c = CONSTANTS
    both = 1 + float(c.gate_per_full_adder_ratio)
    lanes = design.bit_lanes
    small = "small beside the lanes; not modeled"
    pins = "pins are not modeled"
    return (
        UnitRow("pipeline", zero_area=small, zero_leakage=small),
        UnitRow(
            "engine",
            area=scale_area(c.adder_32b_m2 / 32 * both * lanes, c.aladdin_node_m, design.node_m),
            leakage=c.adder_32b_leakage_w / 32 * both * lanes,
        ),
        UnitRow("weight_memory", role="memory", zero_area="of layers that are not binary; not modeled",
                zero_leakage="of layers that are not binary; not modeled"),
        *(UnitRow(name, zero_area=small, zero_leakage=small)
          for name in ("tree", "buffer", "thresholds", "stream", "folded")),
        UnitRow("io", role="link", zero_area=pins, zero_leakage=pins),
    )
