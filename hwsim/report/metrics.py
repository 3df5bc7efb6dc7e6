"""One written definition and unit for every statistic of a report."""

from __future__ import annotations

METRICS = {
    "macs": "count: useful multiply-accumulates of the operator's formula; 1 MAC is one multiply and one add",
    "cycles": "cycles of the reference clock from the first to the last event; a fused operator has 0",
    "compute_cycles": "cycles it would take if memories and links took no time",
    "stall_cycles": "cycles - compute_cycles; by cause: cycles saved when that transfer is instant, in turn",
    "time_s": "seconds: cycles / reference clock",
    "energy_j": "joules: events x price + bits x price per bit + leakage x time + overheads",
    "area_m2": "square metres: sum of the units of the chip, the same on every layer",
    "power_w": "watts: energy_j / time_s",
    "utilization": "ratio: executed MACs / (peak MACs per cycle x cycles); skipped ones do not count",
    "bit_operations": "count: MACs x weight bits x activation bits (BitOps)",
    "ace": "count: MACs x operand widths, floats counting as 16 bits (arithmetic computation effort)",
    "parameters": "count: weight elements; totals count the network as loaded, tied weights once",
    "bytes_by_memory": "bytes: reads and writes of each memory, rounded up per layer",
    "energy_j_by_unit": "joules: dynamic energy and leakage of each unit",
    "busy_cycles_by_unit": "cycles for which each unit works",
    "bound_by": "unit that works longest in the layer; fused: runs inside another layer's loop",
}
