"""Exhaustive choice of dataflow, order and tiles of a matrix product.

All candidates are bounded from below in a few array operations; only those whose bound beats the best
exact cost are costed slot by slot, so that the result is the exact optimum of the space.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np

from accelerators.systolic.design import Objective, SystolicDesign
from accelerators.systolic.space import Floats, Rates, SlotClock, Space, enumerate_space
from accelerators.systolic.tiles import IDLE, Epilogue, Measure, TileOrder, TileSlots, Tiling
from hwsim.graph.contraction import MatrixProduct
from hwsim.trace.stream import Slots

SURE = 1 - 1e-12  # bounds are rounded floats: none may exceed the exact cost that it is a bound of


class Search:
    """Finds the best tiling of one product on one design.

    Parameters
    ----------
    product : MatrixProduct
        The product; its groups and steps repeat the same tiles.
    design : SystolicDesign
        Fixed dataflow or best, objective, scratchpads.
    rates : Rates
        Times and prices.
    epilogue : Epilogue
        What is loaded, computed and stored besides.
    """

    def __init__(
        self, product: MatrixProduct, design: SystolicDesign, rates: Rates, epilogue: Epilogue
    ) -> None:
        self.product, self.design, self.rates, self.epilogue = product, design, rates, epilogue
        self._clock = SlotClock(rates, design.vector_lanes)

    @cached_property
    def space(self) -> Space:
        """Every candidate that fits the scratchpads."""
        return enumerate_space(self.product, self.design, self.rates, self.epilogue)

    def best(self) -> Tiling:
        """Return the tiling of least cost; ties go to less DRAM traffic, then to the first listed."""
        space = self.space
        shape = space.least_cycles.shape
        traffic = np.broadcast_to(space.traffic, shape).reshape(-1)
        work = np.broadcast_to(space.work, shape).reshape(-1)
        if self.design.objective is Objective.TRAFFIC:
            return self._tiling(int(np.lexsort((work, traffic))[0]))
        least = space.least_cycles.reshape(-1) * SURE
        bound = self._cost(least, traffic, space.onchip_j.reshape(-1))
        first = int(bound.argmin())
        best = (self._exact_cost(first), int(traffic[first]), first)
        near = np.flatnonzero(bound <= best[0])
        for candidate in near[np.lexsort((traffic[near], bound[near]))].tolist():
            if (bound[candidate], traffic[candidate]) > best[:2]:
                break
            if candidate != first:
                best = min(best, (self._exact_cost(candidate), int(traffic[candidate]), candidate))
        return self._tiling(best[2])

    def _exact_cost(self, candidate: int) -> float:
        flow, order, size = np.unravel_index(candidate, self.space.least_cycles.shape)
        cycles = np.array(float(self.cycles(self._tiling(candidate))))
        traffic, onchip_j = self.space.traffic[0, order, size], self.space.onchip_j[flow, order, size]
        return float(self._cost(cycles, traffic, onchip_j))

    def cycles(self, tiling: Tiling) -> int:
        """Return the exact cycles of all groups and steps under `tiling`."""
        return sum(passes * cycles for cycles, passes in self._passes(tiling, self._clock, 0))

    def slots(self, tiling: Tiling) -> list[tuple[TileSlots, int]]:
        """Return (slots of one pass, passes): the first step, then the further ones."""
        return self._passes(tiling, Slots.one, Slots({}))

    def _passes(self, tiling: Tiling, measure: Measure, nothing: Any) -> list[tuple[Any, int]]:
        order = TileOrder(self.product, tiling, self.design, self.epilogue, measure, nothing)
        groups = self.product.groups
        first = order.stream().times(groups).whole(IDLE)
        if self.product.steps == 1:
            return [(first, 1)]
        stays = groups == 1 and not self.epilogue.reload
        later = order.stream(weights_loaded=stays).times(groups).whole(IDLE)
        return [(first, 1), (later, self.product.steps - 1)]

    def _tiling(self, candidate: int) -> Tiling:
        flow, order, size = np.unravel_index(candidate, self.space.least_cycles.shape)
        return self.space.tiling(int(flow), int(order), int(size))

    def _cost(self, cycles: Floats, traffic: Any, onchip_j: Floats) -> Floats:
        if self.design.objective is Objective.CYCLES:
            return cycles
        energy: Floats = traffic * self.rates.dram_j + onchip_j + cycles * self.rates.leakage_j
        return energy if self.design.objective is Objective.ENERGY else energy * cycles
