"""Runs a microprogram on numbers: packed and bit by bit, which must agree."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from accelerators.dram_pim.execute import verify_commands
from accelerators.dram_pim.expand import Library, bind, library
from accelerators.dram_pim.parse import CELLS
from hwsim.kernels.dram_rows import from_rows, pack, run_commands, run_commands_bitwise, to_rows, unpack

Ints = NDArray[np.int64]
FILES = {"ambit": ("ambit", "logic"), "simdram": ("simdram", "ambit", "logic"), "elp2im": ("elp2im", "logic")}
LIBRARIES = {name: library(*files) for name, files in FILES.items()}


def run(programs: Library, name: str, values: Sequence[Ints], lengths: Sequence[int], *, signed: bool = False,
        parameter: int = 0, in_place: bool = False) -> list[Ints]:
    """Return the results of a program, a number a lane; `in_place` puts the first over the first operand."""
    commands = programs.expand(name, lengths, parameter)
    table = list(range(programs.rows(name, lengths, parameter)))
    first = len(CELLS) + sum(lengths)
    results = programs.result_lengths(name, lengths, parameter)
    program = programs.program(name)
    if program.results[0].name in {array.name for array in program.operands}:
        first = len(CELLS)
    elif in_place:
        table[first : first + lengths[0]] = range(len(CELLS), len(CELLS) + lengths[0])
        first = len(CELLS)
    commands = bind(commands, table)
    lanes = len(values[0])
    bits = np.random.default_rng(0).integers(0, 2, (max(table) + 1, lanes)).astype(np.uint8)
    bits[CELLS.index("C0")], bits[CELLS.index("C1")] = 0, 1
    at = len(CELLS)
    for value, length in zip(values, lengths, strict=True):
        bits[at : at + length] = to_rows(np.asarray(value, np.int64), length)
        at += length
    verify_commands(commands, {6, 7, *range(len(CELLS), at)})
    words, single = pack(bits), bits.copy()
    run_commands(words, commands)
    run_commands_bitwise(single, commands)
    assert np.array_equal(unpack(words, lanes), single), name
    assert not single[CELLS.index("C0")].any()
    assert single[CELLS.index("C1")].all()
    found = []
    for length in results:
        found.append(from_rows(single[first : first + length], signed=signed))
        first += length
    return found
