"""Graph -> trace: all layers stream at once; every junction that is clocked is counted in every cycle."""

from __future__ import annotations

from accelerators.aqfp_bnn.design import Accounting, AqfpBnnDesign
from accelerators.aqfp_bnn.mapping import UNITS, products_per_cycle
from accelerators.aqfp_bnn.schedule import Schedule, Timetable, schedule
from hwsim.errors import InputError
from hwsim.graph.ops import work_of
from hwsim.graph.types import Graph
from hwsim.model.pins import write_pins
from hwsim.trace import Trace, TraceBuilder

LARGEST = 2**62


def lower(graph: Graph, design: AqfpBnnDesign) -> Trace:
    """Return the trace of `graph` on `design`.

    A layer owns the cycles that it adds to the time of the layers before it, for they overlap; but no fewer
    than all crossbars together would take for its products.

    Raises
    ------
    InputError
        More crossbars than the chip has room for, or more junction cycles than can be counted.
    """
    plan = schedule(graph, design)
    _check(graph, plan, design)
    tables = {table.mapping.layer.op.name: table for table in plan.tables}
    cycles = dict(zip(tables, owned_cycles(plan, design), strict=True))
    owners = {op.name: name for name, table in tables.items() for op in table.mapping.layer.posts}
    build = TraceBuilder()
    for op in graph.ops:
        if op.name in tables:
            _lower_layer(build, graph, tables[op.name], cycles[op.name], plan, design)
        elif op.name in owners:
            build.node(op.name)
            build.note(op.name, "fused_into", owners[op.name])
        else:
            write_pins(build, graph, op)
    return build.build()


def owned_cycles(plan: Schedule, design: AqfpBnnDesign) -> list[int]:
    """Return the cycles that each layer owns; they add up to those of the schedule."""
    found, lanes = plan.layer_cycles(), products_per_cycle(design)
    least = [-(-table.mapping.layer.product.macs // lanes) for table in plan.tables]
    for place, needed in enumerate(least):
        while (short := needed - found[place]) > 0:
            spare = [have - keep for have, keep in zip(found, least, strict=True)]
            taken = min(short, max(spare))
            if taken <= 0:
                break
            found[spare.index(max(spare))] -= taken
            found[place] += taken
    return found


def resident_junctions(plan: Schedule, design: AqfpBnnDesign) -> int:
    """Return the junctions of all copies of all layers."""
    return design.replication * sum(table.mapping.junctions for table in plan.tables)


def clocked(table: Timetable, unit: str, plan: Schedule, design: AqfpBnnDesign) -> int:
    """Return junctions times cycles that a layer is charged for: while it works, or all the time."""
    own = table.mapping.junctions_by_unit[unit]
    if design.accounting is Accounting.ALWAYS_ON:
        return own * design.replication * plan.cycles
    return own * table.mapping.layer.windows * table.mapping.layer.samples * design.stream_length


def _check(graph: Graph, plan: Schedule, design: AqfpBnnDesign) -> None:
    crossbars = design.replication * sum(table.mapping.tiles for table in plan.tables)
    if crossbars > design.crossbars:
        raise InputError(
            f"takes {crossbars} crossbars, the chip has room for {design.crossbars}",
            where=graph.name,
            hint=f"set crossbars={crossbars}",
        )
    largest = max((clocked(table, unit, plan, design) for table in plan.tables for unit in UNITS), default=0)
    if largest > LARGEST:
        raise InputError(f"{largest:.3e} junction cycles are too many to count in 64 bits", where=graph.name)


def _lower_layer(
    build: TraceBuilder, graph: Graph, table: Timetable, cycles: int, plan: Schedule, design: AqfpBnnDesign
) -> None:
    mapping, layer = table.mapping, table.mapping.layer
    with build.loop(1, node=layer.op.name):
        build.event("pipeline", "clock", cycles)
        build.event("crossbars", "mac", layer.product.macs, bits=1)
        for op in (layer.op, *layer.posts):
            for name, count in work_of(graph, op).primitives.items():
                build.event("accumulators", name, count, bits=1, node=op.name)
        for unit in UNITS:
            if amount := clocked(table, unit, plan, design):
                build.event(unit, "clock", amount)
        first, last = layer.product.left, layer.output
        if first in graph.inputs:
            build.event("io", "read", 1, bits=graph.tensors[first].bits)
        if last in graph.outputs:
            build.event("io", "write", 1, bits=graph.tensors[last].bits)
    module = mapping.module
    build.note(
        layer.op.name,
        "mapping",
        f"{mapping.row_tiles} x {mapping.column_tiles} crossbars of {design.crossbar_size}, "
        f"{mapping.utilization(design.crossbar_size):.0%} filled; {layer.windows} windows x "
        f"{design.stream_length} cycles on {table.lanes} lanes; "
        f"{mapping.junctions * design.replication:.4g} junctions, modules {module.junctions} each, "
        f"{module.depth} phases deep" + ("" if layer.decides else "; counts leave the chip"),
    )
