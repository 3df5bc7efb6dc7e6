"""Laws of the systolic array: closed forms equal tile walks, the search is exact, more is never slower."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from accelerators.systolic.design import MemoryModel, Objective, SystolicDesign
from accelerators.systolic.lower import _rates
from accelerators.systolic.search import Search
from accelerators.systolic.space import SCRATCHPADS, halvings
from accelerators.systolic.tiles import (
    Epilogue,
    Order,
    Tiling,
    batch_of,
    height_of,
    kernel_positions,
    row_tiles,
)
from hwsim.errors import DesignError
from hwsim.graph.contraction import MatrixProduct
from tests.examples import examples
from tests.laws.products import (
    FLOWS,
    convolutions,
    cuts,
    designs,
    epilogues,
    looked_at,
    plain_epilogues,
    plain_products,
    products,
    tilings,
    walk_tiles,
    walked_cycles,
    walked_traffic,
)


def search_for(product: MatrixProduct, design: SystolicDesign, epilogue: Epilogue) -> Search:
    return Search(product, design, _rates(design), epilogue)


@given(convolutions(), st.data())
def test_row_tiles_of_a_convolution_equal_the_positions_they_look_at(
    product: MatrixProduct, data: st.DataObject
) -> None:
    window = product.window
    assert window is not None
    height = data.draw(st.integers(1, window.output_size[0]))
    found = [tile for tile, count in row_tiles(product, height) for _ in range(count)]
    per_row = product.m // window.batch // window.output_size[0]
    explicit = cuts(window.output_size[0], height)
    assert [tile.m for tile in found] == [(high - low) * per_row for low, high in explicit]
    assert [tile.inputs for tile in found] == [looked_at(window, rows) for rows in explicit]


@given(products, designs(), epilogues, st.data())
@examples(200)
def test_slots_equal_the_explicit_tile_walk(
    product: MatrixProduct, design: SystolicDesign, epilogue: Epilogue, data: st.DataObject
) -> None:
    """All orders, images, groups, steps and halos: an operand is loaded if its tile changed."""
    tiling = data.draw(tilings(product))
    found: Counter[object] = Counter()
    for slots, passes in search_for(product, design, epilogue).slots(tiling):
        for slot, count in slots.counts.items():
            found[slot] += passes * count
    expected: Counter[object] = Counter()
    for tiles in walk_tiles(product, tiling, design, epilogue):
        padded = [((0, 0), 0, (0, 0))] * 2 + tiles + [((0, 0), 0, (0, 0))] * 2
        expected.update((padded[s][0], padded[s - 1][1], padded[s - 2][2]) for s in range(2, len(padded)))
    assert found == expected


@given(products, designs(), epilogues, st.data())
def test_cycles_equal_the_explicit_tile_walk(
    product: MatrixProduct, design: SystolicDesign, epilogue: Epilogue, data: st.DataObject
) -> None:
    tiling = data.draw(tilings(product))
    found = search_for(product, design, epilogue).cycles(tiling)
    assert found == walked_cycles(product, tiling, design, epilogue)


def every_tiling(product: MatrixProduct, design: SystolicDesign) -> list[Tiling]:
    """The stated space, by plain loops: halvings, also cut to the array, if half a scratchpad holds one."""
    positions, found = kernel_positions(product), []
    flows = FLOWS if design.dataflow == "best" else (design.dataflow,)
    room = [8 * getattr(design, name) // 2 for name in SCRATCHPADS]
    whole, batch = height_of(product), batch_of(product)
    places = [(height, 1) for height in halvings(whole)] + [(whole, i) for i in halvings(batch) if i > 1]
    depths, widths = set(halvings(product.k // positions)), set(halvings(product.n))
    depths |= {
        d for size in depths if (d := size * positions // design.array_rows * design.array_rows // positions)
    }
    widths |= {w for size in widths if (w := size // design.array_cols * design.array_cols)}
    for height, images in places:
        tiles = [tile for tile, _ in row_tiles(product, height, images)]
        for k in (positions * depth for depth in sorted(depths, reverse=True)):
            for n in sorted(widths, reverse=True):
                need = (
                    max(tile.inputs for tile in tiles) * (k // positions) * design.operand_bits,
                    k * n * design.operand_bits,
                    max(tile.m for tile in tiles) * n * design.accumulator_bits,
                )
                if design.memory_model is MemoryModel.STALL_FREE:
                    fits = (height, images, k, n) == (whole, batch, product.k, product.n)
                else:
                    fits = all(bits <= have for bits, have in zip(need, room, strict=True))
                found += [
                    Tiling(flow, order, height, k, n, images) for flow in flows for order in Order if fits
                ]
    return found


def tilings_of(search: Search) -> list[tuple[tuple[int, int, int], Tiling]]:
    flows, orders, sizes = search.space.least_cycles.shape
    places = [(f, o, s) for f in range(flows) for o in range(orders) for s in range(sizes)]
    return [(place, search.space.tiling(*place)) for place in places]


@given(products, designs(), epilogues)
@examples(60)
def test_the_space_is_the_stated_one(
    product: MatrixProduct, design: SystolicDesign, epilogue: Epilogue
) -> None:
    expected = every_tiling(product, design)
    try:
        found = [tiling for _, tiling in tilings_of(search_for(product, design, epilogue))]
    except DesignError:
        found = []
    assert Counter(map(str, found)) == Counter(map(str, expected))


def check_candidates(product: MatrixProduct, design: SystolicDesign, epilogue: Epilogue) -> None:
    """Compare every candidate with its walk; one without a finite bound stands in the space twice."""
    search = search_for(product, design, epilogue)
    for (flow, order, size), tiling in tilings_of(search):
        bound = float(search.space.least_cycles[flow, order, size])
        if bound == float("inf"):
            twin = replace(tiling, order=Order.M_OUTER)
            first = walk_tiles(product, twin, design, epilogue)
            assert walk_tiles(product, tiling, design, epilogue) == first
            continue
        exact = walked_cycles(product, tiling, design, epilogue)
        assert bound <= exact * (1 + 1e-12)
        moved = walked_traffic(product, tiling, design, epilogue)
        assert int(search.space.traffic[0, order, size]) == moved
        work = sum(tile[1] for tiles in walk_tiles(product, tiling, design, epilogue) for tile in tiles)
        assert int(search.space.work[flow, 0, size]) == work


@given(products, designs(), epilogues)
@examples(6)
def test_bounds_and_traffic_of_every_candidate(
    product: MatrixProduct, design: SystolicDesign, epilogue: Epilogue
) -> None:
    """The bound never exceeds the exact cycles, the traffic is what the tile walk moves."""
    assume(every_tiling(product, design))
    check_candidates(product, design, epilogue)


@pytest.mark.slow
@given(products, designs(), epilogues)
@examples(40)
def test_bounds_and_traffic_of_many_candidates(
    product: MatrixProduct, design: SystolicDesign, epilogue: Epilogue
) -> None:
    assume(every_tiling(product, design))
    check_candidates(product, design, epilogue)


def exact_cost(search: Search, place: tuple[int, int, int], tiling: Tiling) -> tuple[float, int]:
    """Cost of a candidate and its traffic; both parts are asked of the explicit walk elsewhere."""
    rates, cycles = search.rates, search.cycles(tiling)
    traffic = int(search.space.traffic[0, place[1], place[2]])
    joules = traffic * rates.dram_j + float(search.space.onchip_j[place]) + cycles * rates.leakage_j
    costs = {
        Objective.CYCLES: float(cycles),
        Objective.ENERGY: joules,
        Objective.PRODUCT: joules * cycles,
        Objective.TRAFFIC: float(traffic),
    }
    return costs[search.design.objective], traffic


def check_best(product: MatrixProduct, design: SystolicDesign, epilogue: Epilogue) -> None:
    """Compare the choice with every candidate of the stated space; of equal ones, least traffic wins."""
    search = search_for(product, design, epilogue)
    costs = {str(tiling): exact_cost(search, place, tiling) for place, tiling in tilings_of(search)}
    chosen = costs[str(search.best())]
    assert chosen[0] <= min(cost for cost, _ in costs.values()) * (1 + 1e-12)
    if design.objective is Objective.CYCLES:
        assert chosen == min(costs.values())


@given(products, designs(), epilogues)
@examples(40)
def test_best_is_the_true_optimum(product: MatrixProduct, design: SystolicDesign, epilogue: Epilogue) -> None:
    assume(every_tiling(product, design))
    check_best(product, design, epilogue)


@pytest.mark.slow
@given(plain_products(largest=300), designs(), plain_epilogues)
@examples(60)
def test_best_is_the_true_optimum_of_larger_products(
    product: MatrixProduct, design: SystolicDesign, epilogue: Epilogue
) -> None:
    assume(every_tiling(product, design))
    check_best(product, design, epilogue)


@given(products, designs(Objective.TRAFFIC), epilogues)
@examples(40)
def test_equal_traffic_is_settled_by_work(
    product: MatrixProduct, design: SystolicDesign, epilogue: Epilogue
) -> None:
    assume(every_tiling(product, design))
    search = search_for(product, design, epilogue)
    costs = {
        str(tiling): (int(search.space.traffic[0, order, size]), int(search.space.work[flow, 0, size]))
        for (flow, order, size), tiling in tilings_of(search)
    }
    assert costs[str(search.best())] == min(costs.values())


def best_cycles(product: MatrixProduct, design: SystolicDesign, epilogue: Epilogue) -> int:
    search = search_for(product, design, epilogue)
    return search.cycles(search.best())


@given(products, designs(Objective.CYCLES), epilogues, st.integers(2, 5))
@examples(60)
def test_more_of_anything_is_never_slower(
    product: MatrixProduct, design: SystolicDesign, epilogue: Epilogue, factor: int
) -> None:
    assume(every_tiling(product, design))
    cycles = best_cycles(product, design, epilogue)
    for knob in ("dram_bits_per_s", "vector_lanes", *SCRATCHPADS):
        larger = design.model_copy(update={knob: getattr(design, knob) * factor})
        assert best_cycles(product, larger, epilogue) <= cycles, knob
