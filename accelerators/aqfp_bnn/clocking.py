"""A balanced netlist phase by phase: every cell works once a cycle, in its own phase, on what others hold."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from accelerators.aqfp_bnn.balancing import Balanced
from accelerators.aqfp_bnn.cells import CONSTANT_CELLS, Bits, Cell, compute


def step_waves(
    circuit: Balanced, inputs: Mapping[str, Bits], states: Mapping[str, Bits] | None = None
) -> dict[str, Bits]:
    """Return the outputs of waves that follow each other, one every cycle.

    Parameters
    ----------
    circuit : Balanced
        Balanced inputs and outputs: all of a wave arrive together and leave together.
    inputs : mapping of str to bool[waves, ...]
        Of every input, what it shows in every cycle.
    states : mapping of str to bool[interval, ...], optional
        What loops hold for the first waves; zeros if left out.

    Returns
    -------
    mapping of str to bool[waves, ...]
        Outputs of the same waves, `depth` phases later.
    """
    n, waves = circuit.clocking.clock_phases, len(next(iter(inputs.values())))
    shape = next(iter(inputs.values())).shape[1:]
    held: list[Bits] = [
        compute(cell, (), shape) if cell in CONSTANT_CELLS else np.zeros(shape, bool)
        for cell in circuit.cells
    ]
    phases: list[list[int]] = [[] for _ in range(n)]
    for cell, (kind, level) in enumerate(zip(circuit.cells, circuit.levels, strict=True)):
        if kind not in CONSTANT_CELLS:
            phases[level % n].append(cell)
    feeds = {cell: inputs[name] for name, cell in circuit.inputs.items()}
    loops = {source: (end, name) for name, (source, end) in circuit.states.items()}
    found: dict[str, list[Bits]] = {name: [] for name in circuit.outputs}
    first = min((level for level in circuit.levels if level >= 0), default=0)
    for tick in range(first, circuit.depth + n * (waves - 1) + 1):
        worked = {}
        for cell in phases[tick % n]:
            wave = (tick - circuit.levels[cell]) // n
            if circuit.cells[cell] is Cell.INPUT:
                worked[cell] = feeds[cell][min(max(wave, 0), waves - 1)]
            elif circuit.cells[cell] is Cell.STATE:
                worked[cell] = _preset(circuit, loops[cell][1], wave, states, shape)
            else:
                worked[cell] = _work(circuit, cell, held, shape)
        # A loop ends in the phase in which its state begins: the state takes what its end has just made.
        for cell in phases[tick % n]:
            held[cell] = worked[cell]
        for cell in phases[tick % n]:
            if circuit.cells[cell] is Cell.STATE:
                wave = (tick - circuit.levels[cell]) // n
                if wave >= circuit.interval_cycles:
                    held[cell] = held[loops[cell][0]]
        if tick >= circuit.depth and (tick - circuit.depth) % n == 0:
            for name, cell in circuit.outputs.items():
                found[name].append(held[cell])
    return {name: np.stack(values[:waves]) for name, values in found.items()}


def _preset(
    circuit: Balanced, name: str, wave: int, states: Mapping[str, Bits] | None, shape: tuple[int, ...]
) -> Bits:
    """Return what a loop holds before its first turn has ended."""
    if 0 <= wave < circuit.interval_cycles and states is not None:
        return np.asarray(states[name][wave], dtype=np.bool_)
    return np.zeros(shape, np.bool_)


def _work(circuit: Balanced, cell: int, held: list[Bits], shape: tuple[int, ...]) -> Bits:
    operands = [held[signal // 2] ^ bool(signal & 1) for signal in circuit.fan_ins[cell]]
    return compute(circuit.cells[cell], operands, shape)


def check_phases(circuit: Balanced) -> None:
    """Raise ValueError where a cell reads one too many phases before it, or too many read one."""
    skip, capacity = circuit.clocking.max_phase_skip, circuit.clocking.splitter_outputs
    readers = [0] * len(circuit.cells)
    for cell, signals in enumerate(circuit.fan_ins):
        for signal in signals:
            source = signal // 2
            readers[source] += 1
            gap = circuit.levels[cell] - circuit.levels[source]
            if circuit.cells[source] not in CONSTANT_CELLS and not 1 <= gap <= skip:
                raise ValueError(f"{circuit.name}: cell {cell} reads {source} over {gap} phases")
    for cell in (*circuit.outputs.values(), *(end for _, end in circuit.states.values())):
        readers[cell] += 1
    for cell, count in enumerate(readers):
        allowed = capacity if circuit.cells[cell] is Cell.SPLITTER else 1
        if count > allowed:
            raise ValueError(f"{circuit.name}: {circuit.cells[cell]} {cell} has {count} readers")
