"""Figures of the chip's own: single operations beside published ones, capacity, votes, bounds."""

from __future__ import annotations

from math import comb

from accelerators.racetrack_pim.datasheet import capacity_bits, energies, product_price
from accelerators.racetrack_pim.design import CONSTANTS, RacetrackDesign
from accelerators.racetrack_pim.programs import Program, Programs
from accelerators.racetrack_pim.timing import Level, command_cycles
from hwsim.graph.ops import work_of
from hwsim.graph.types import Graph

_BITS, _LANE = 8, 16


def figures(graph: Graph, design: RacetrackDesign) -> dict[str, float]:
    """Return what the papers of the field print beside time and energy.

    Returns
    -------
    dict
        At device level, of one 8-bit lane: addition_cycles and addition_j, product_cycles and product_j
        (published ones, where there are), their ratios to the older design SPIM, and
        product_bound_frames_per_s, the rate if multiplications were all there is to do. At controller level:
        row_addition_cycles and row_addition_j of a row whose operands lie in place. At both:
        functional_product_cycles, float_product_cycles and float_sum_cycles of the model's own traces,
        which nobody published; capacity_bits, and voted_error_ratio, the chance
        that a vote on `redundancy` transverse reads is wrong.
    """
    programs, n = Programs(design), design.redundancy
    found = {
        "capacity_bits": float(capacity_bits(design)),
        "voted_error_ratio": comb(n, (n + 1) // 2) * design.fault_probability ** ((n + 1) // 2),
        "functional_product_cycles": float(cycles_of(programs.product(_BITS, signed=False), design)),
        "float_product_cycles": float(cycles_of(programs.float_product, design)),
        "float_sum_cycles": float(cycles_of(programs.float_sum, design)),
    }
    if design.timing is Level.CONTROLLER:
        row = programs.columns(_BITS)
        return found | {
            "row_addition_cycles": float(cycles_of(row, design)),
            "row_addition_j": joules_of(row),
        }
    addition = programs.addition(_BITS)
    cycles, joules = cycles_of(addition, design), joules_of(addition) / design.lanes(_BITS)
    c = CONSTANTS
    found |= {"addition_cycles": float(cycles), "addition_j": joules}
    if design.operands == 5:
        found["addition_speedup_ratio"] = int(c.spim_addition_cycles) / cycles
        found["addition_saving_ratio"] = float(c.spim_addition_j) / joules
    price = product_price(design)
    if price is not None:
        product_cycles, product_j = price[0], float(price[1])
        found |= {"product_cycles": float(product_cycles), "product_j": product_j}
        found["product_speedup_ratio"] = int(c.spim_product_cycles) / product_cycles
        found["product_saving_ratio"] = float(c.spim_product_j) / product_j
        macs = sum(work_of(graph, op).macs for op in graph.ops)
        per_s = design.rows_at_once * design.lanes(_LANE) * float(c.clock_hz) / product_cycles
        if macs:
            found["product_bound_frames_per_s"] = per_s / macs
    return found


def warnings(graph: Graph, design: RacetrackDesign) -> tuple[str, ...]:
    """Return what no source says and every energy of this chip therefore leaves out."""
    return ("leakage is not published for racetracks: energy leaves it out, idle power counts as 0",)


def cycles_of(program: Program, design: RacetrackDesign) -> int:
    """Return the cycles of a program in one row, at the level of the design."""
    cycles = command_cycles(design.timing, CONSTANTS)
    return sum(
        cycles[unit, action].cycles * count
        for (unit, action, _), count in program.counts.items()
        if (unit, action) in cycles
    )


def joules_of(program: Program) -> float:
    """Return the energy of a program in one row."""
    prices = energies()
    return sum(float(prices[u, a]) * bits * count for (u, a, bits), count in program.counts.items())
