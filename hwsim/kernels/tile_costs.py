"""Exact costs of a tiling, slot by slot, and the slots themselves, compiled.

Products, tilings and arrays are those of `hwsim.kernels.tile_orders`, prices those of
`hwsim.kernels.tile_search`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hwsim.kernels.compiling import compiled_at_once
from hwsim.kernels.tile_orders import GROUPS, STEPS, Array, Clock, Tiling, stream_of
from hwsim.kernels.tile_streams import MOST_SLOTS, SLOT, SLOTS, TOTAL, Workspace, clear, repeat, whole

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

BY_CYCLES, BY_ENERGY, BY_PRODUCT, BY_TRAFFIC = 0, 1, 2, 3


@compiled_at_once
def cost_of(objective: int, cycles: float, traffic: int, onchip_j: float, prices: Floats) -> float:
    """Return what the objective minimises."""
    if objective == BY_CYCLES:
        return cycles
    energy: float = traffic * prices[1] + onchip_j + cycles * prices[6]
    return energy if objective == BY_ENERGY else energy * cycles


@compiled_at_once
def exact_cycles(
    space: Workspace,
    product: Ints,
    segments: Ints,
    tiling: Tiling,
    array: Array,
    clock: Clock,
    reload: int,
) -> int:
    """Return the cycles of all groups and steps under a tiling, slot by slot."""
    cycles = 0
    for later in range(2 if product[STEPS] > 1 else 1):
        clear(space, 0)
        stays = 1 if later and product[GROUPS] == 1 and not reload else 0
        stream = stream_of(space, product, segments, stays, tiling, array, clock)
        total = whole(space, repeat(space, stream, product[GROUPS]))
        cycles += space[TOTAL + MOST_SLOTS * total] * (product[STEPS] - 1 if later else 1)
    return cycles


@compiled_at_once
def list_slots(
    space: Workspace,
    product: Ints,
    segments: Ints,
    tiling: Tiling,
    array: Array,
    clock: Clock,
    reload: int,
    counts: Ints,
    slots: Ints,
) -> None:
    """Fill counts int64[2, W] and slots int64[2, W, 5]: of the first step, and of each later one."""
    counts[:] = 0
    for later in range(2 if product[STEPS] > 1 else 1):
        clear(space, 1)
        stays = 1 if later and product[GROUPS] == 1 and not reload else 0
        stream = stream_of(space, product, segments, stays, tiling, array, clock)
        total = whole(space, repeat(space, stream, product[GROUPS]))
        for place in range(space[SLOTS]):
            counts[later, place] = space[TOTAL + MOST_SLOTS * total + place]
            slots[later, place] = space[SLOT + 5 * place : SLOT + 5 * place + 5]
