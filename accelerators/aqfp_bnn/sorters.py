"""Bitonic sorters of single bits: OR and AND take the larger and the smaller of two."""

from __future__ import annotations

from dataclasses import dataclass

from accelerators.aqfp_bnn.cells import junctions
from accelerators.aqfp_bnn.netlist import Netlist, NetlistBuilder


@dataclass(frozen=True, slots=True)
class SorterCost:
    """What a balanced bitonic sorter takes.

    Attributes
    ----------
    stages, gates, buffers, junctions, depth : int
        Stages of compare-and-swap, gates, splitters, junctions, and phases.
    """

    stages: int
    gates: int
    buffers: int
    junctions: int
    depth: int


def sorter_cost(inputs: int) -> SorterCost:
    """Return the closed form for n = 2^k inputs: k (k + 1) / 2 stages, n gates and n splitters in each."""
    stages = _power(inputs) * (_power(inputs) + 1) // 2
    gates = inputs * stages
    return SorterCost(stages, gates, gates, junctions(gates, gates), 2 * stages)


def sorter_netlist(inputs: int) -> Netlist:
    """Return Batcher's bitonic sorter of n = 2^k bits, ones first (AFIPS 1968)."""
    _power(inputs)
    build = NetlistBuilder(f"sorter{inputs}")
    wires = build.inputs("x", inputs)
    block = 2
    while block <= inputs:
        apart = block // 2
        while apart:
            for low in range(inputs):
                high = low ^ apart
                if high > low:
                    a, b = wires[low], wires[high]
                    larger, smaller = build.or_(a, b), build.and_(a, b)
                    wires[low], wires[high] = (smaller, larger) if low & block else (larger, smaller)
            apart //= 2
        block *= 2
    for place, signal in enumerate(wires):
        build.output(f"y[{place}]", signal)
    return build.build()


def _power(inputs: int) -> int:
    if inputs < 2 or inputs & (inputs - 1):
        raise ValueError(f"a bitonic sorter of {inputs} inputs: it takes a power of two, at least 2")
    return inputs.bit_length() - 1
