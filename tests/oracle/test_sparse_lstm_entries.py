"""Entries of the encoder, counted again on strings; steps of the card, added up one by one."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest

from accelerators.sparse_lstm.lower import lower
from accelerators.sparse_lstm.zeros import count_entries
from hwsim.kernels.sparse_columns import encode
from tests.unit.sparse_lstm.networks import cell, cycles, design, masks


def entries_of(line: str, bits: int) -> list[tuple[int, str]]:
    """Return (offset, kept or filler) of a line of z (zero) and k (kept), one character at a time."""
    found, gap = [], 0
    for letter in line.rstrip("z"):
        if letter == "k":
            found.append((gap, "k"))
            gap = 0
        elif gap == 2**bits - 1:
            found.append((gap, "z"))
            gap = 0
        else:
            gap += 1
    return found


@pytest.mark.parametrize("bits", [1, 2, 3, 8])
@pytest.mark.parametrize("fraction", [0.0, 0.3, 0.9, 0.99, 1.0])
def test_entries_equal_a_walk_over_strings(bits: int, fraction: float) -> None:
    rng = np.random.default_rng(int(100 * fraction) + bits)
    zero = (rng.random((9, 4, 131)) < fraction ** (1 / 4)).astype(np.uint8)
    kept, fillers = count_entries(zero, bits)
    for step, states in enumerate(zero):
        line = "".join("z" if column.all() else "k" for column in states.T)
        expected = entries_of(line, bits)
        assert kept[step] == line.count("k")
        assert fillers[step] == sum(kind == "z" for _, kind in expected)
        position, offset = np.empty(131, np.int64), np.empty(131, np.int64)
        count = encode(states, bits, position, offset)
        written = zip(position[:count].tolist(), offset[:count].tolist(), strict=True)
        assert [(gap, "k" if place >= 0 else "z") for place, gap in written] == expected
        places = np.cumsum(offset[:count] + 1) - 1
        assert [match.start() for match in re.finditer("k", line)] == places[position[:count] >= 0].tolist()


@pytest.mark.parametrize(("batch", "inputs", "hidden"), [(1, 1, 100), (8, 30, 30), (9, 3, 41), (16, 7, 24)])
def test_cycles_equal_the_card(batch: int, inputs: int, hidden: int) -> None:
    """cols * ceil(4H / 24) * ceil(B / 8) + 3 * ceil(H / 24) * ceil(B / 8), step by step."""
    rng = np.random.default_rng(hidden)
    zero = rng.random((11, batch, hidden)) < 0.97
    total, before = 0, np.ones((batch, hidden), dtype=bool)
    for state in zero:
        columns = inputs + int((~before).any(axis=0).sum())
        total += (columns * math.ceil(4 * hidden / 24) + 3 * math.ceil(hidden / 24)) * math.ceil(batch / 8)
        before = state
    trace = lower(cell(steps=11, batch=batch, inputs=inputs, hidden=hidden), design(), masks(zero))
    assert cycles(trace, design()) == total
