"""What networks cost, and what is refused in words."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from accelerators.racetrack_pim import ACCELERATOR
from accelerators.racetrack_pim.datasheet import capacity_bits
from accelerators.racetrack_pim.design import PRESETS, RacetrackDesign
from accelerators.racetrack_pim.figures import cycles_of, figures, joules_of
from accelerators.racetrack_pim.mapping import Way, rounds, tasks_of, way_of
from accelerators.racetrack_pim.programs import Programs
from hwsim.errors import DesignError, UnsupportedOp
from hwsim.graph.build import GraphBuilder
from hwsim.graph.contraction import matrix_products
from hwsim.graph.types import BINARY, INT8, INT32, TERNARY, FormatKind, Graph, NumberFormat
from hwsim.model.prices import price
from hwsim.model.timing import time_trace
from hwsim.run import chip, evaluate, load
from hwsim.sustainability import illustrative, serve

TERNARY_CHIP = "racetrack_pim:calibrated_ternary"


def gemm(m: int, k: int, n: int, left: NumberFormat = INT8, right: NumberFormat = INT8) -> Graph:
    b = GraphBuilder("gemm", format=INT8)
    x, w = b.input("x", (m, k), format=left), b.weight("w", (k, n), format=right)
    b.output(b.add("gemm", [x, w], name="fc", format=INT32))
    return b.build()


def test_closed_form_of_the_published_additions() -> None:
    """cycles = 2n + k + s, joules = n (TR + logic) + (3n - 3) write + k n write + s n shift."""
    for trd, k, s, cycles, picojoules in ((7, 5, 5, 26, 22.14), (3, 2, 1, 19, 10.15)):
        design = RacetrackDesign(trd=trd, subarrays_active=1)
        program = Programs(design).addition(8)
        assert cycles_of(program, design) == cycles == 16 + k + s
        joules = joules_of(program) / 64
        assert joules == pytest.approx(picojoules * 1e-12, rel=1e-3)
        by_hand = 8 * (0.504676821 + 0.000958797) + 21 * 0.1 + k * 8 * 0.1 + s * 8 * 0.3
        assert joules == pytest.approx(by_hand * 1e-12, rel=1e-9)


def test_controller_level_is_that_of_spimulator() -> None:
    found = figures(gemm(1, 1, 1), chip(TERNARY_CHIP, timing="controller").design)
    assert found["row_addition_cycles"] == 8 * 17 + 8 * 21 + 7 * 21 == 451
    assert found["row_addition_j"] == pytest.approx(393.285436e-12, rel=1e-6)
    assert "addition_cycles" not in found
    assert "row_addition_cycles" not in figures(gemm(1, 1, 1), PRESETS["calibrated_ternary"])


def test_subarrays_are_required() -> None:
    with pytest.raises(ValidationError, match="no default: give 1 to 64"):
        RacetrackDesign()
    for wrong in (0, 65):
        with pytest.raises(DesignError, match=r"subarrays_active: .*1 to 64.*subarrays_active=8"):
            chip("racetrack_pim", subarrays_active=wrong)


@pytest.mark.parametrize(
    ("knobs", "words"),
    [
        ({"trd": 4}, "3, 5 or 7"),
        ({"redundancy": 2}, "1, 3, 5 or 7"),
        ({"trd": 3, "redundancy": 5}, "cannot vote on 5"),
        ({"accumulator_bits": 24}, "8, 16, 32"),
        ({"accumulator_bits": 512, "wires": 256}, "does not fit 256 wires"),
        ({"domains": 12}, "less padding"),
        ({"wires": 100}, "multiple of 64"),
        ({"timing": "devise"}, "did you mean 'device'"),
    ],
)
def test_knobs_that_make_no_chip(knobs: dict[str, object], words: str) -> None:
    with pytest.raises(DesignError, match=words):
        chip("racetrack_pim", **knobs)


def test_multiplications_that_nobody_published_need_a_model() -> None:
    int16 = NumberFormat(FormatKind.INTEGER, 16)
    for graph, knobs, words in (
        (gemm(1, 2, 2), {"trd": 5}, "at distance 5"),
        (gemm(1, 2, 2), {"timing": "controller"}, "at controller level"),
        (gemm(1, 2, 2, int16, int16), {}, "of 16 bits"),
    ):
        with pytest.raises(UnsupportedOp, match=f"no multiplication {words} .*functional"):
            evaluate(graph, chip("racetrack_pim", **knobs))
        report = evaluate(graph, chip("racetrack_pim", multiply_model="functional", **knobs))
        assert "modeled, not published" in report.layers[0].mapping
    assert "modeled, not published" not in evaluate(gemm(1, 2, 2), TERNARY_CHIP).layers[0].mapping


def test_a_narrow_accumulator_is_an_overflow_and_not_a_wrong_sum() -> None:
    graph = gemm(2, 100, 3, INT8, TERNARY)
    with pytest.raises(DesignError, match="sums of 100 terms take 16 bits, lanes of 8 overflow"):
        evaluate(graph, chip("racetrack_pim", accumulator_bits=8))
    wide, exact = (evaluate(graph, chip("racetrack_pim", accumulator_bits=bits)) for bits in (64, 0))
    assert wide.totals.cycles > exact.totals.cycles


def test_lanes_wider_than_a_cluster_are_refused() -> None:
    int64 = NumberFormat(FormatKind.INTEGER, 64)
    with pytest.raises(UnsupportedOp, match="does not fit clusters of 64 wires"):
        evaluate(gemm(1, 2, 2, int64, int64), chip("racetrack_pim", wires=64, multiply_model="functional"))


def test_powers_of_two_are_refused() -> None:
    form = NumberFormat(FormatKind.POWER_OF_TWO, 4, 3)
    with pytest.raises(UnsupportedOp, match="powers of two"):
        evaluate(gemm(1, 2, 2, INT8, form), TERNARY_CHIP)


@pytest.mark.parametrize(
    ("left", "right", "way"),
    [
        (INT8, INT8, Way.MULTIPLY),
        (INT8, TERNARY, Way.PREDICATED),
        (INT8, BINARY, Way.PREDICATED),
        (BINARY, BINARY, Way.XNOR),
        (TERNARY, INT8, Way.MULTIPLY),
    ],
)
def test_formats_choose_the_way(left: NumberFormat, right: NumberFormat, way: Way) -> None:
    graph = gemm(2, 9, 3, left, right)
    assert way_of(graph, matrix_products(graph, graph.ops[0])[0]) is way


@pytest.mark.parametrize(
    ("operands", "trd"), [(n, trd) for trd in (3, 5, 7) for n in (1, 2, 3, 7, 8, 13, 14, 49)]
)
def test_searches_take_every_candidate_once(operands: int, trd: int) -> None:
    found = rounds(operands, trd)
    assert all(1 <= count <= trd for count, _ in found)
    assert 1 + sum((count - 1) * times for count, times in found) == operands


def test_published_multiplication_in_the_machine() -> None:
    """64 or 105 cycles a pass of products, real bits beside; the sums are stepped."""
    for trd in (3, 7):
        design = chip("racetrack_pim", trd=trd, banks=1, subarrays_active=1, wires=64).design
        graph = gemm(2, 3, 3)
        trace, sheet = ACCELERATOR.lower(graph, design), ACCELERATOR.datasheet(design)
        result = ACCELERATOR.machine(graph, design, np.random.default_rng(1))
        assert np.array_equal(result.values, ACCELERATOR.reference(graph, design, np.random.default_rng(1)))
        assert result.cycles == int(time_trace(trace, price(trace, sheet), sheet).cycles)
        passes = result.events["multiplier", "product"]
        assert passes == 3 * 2  # three terms, six results in lanes of 16 bits, four to a row
        (products, _) = tasks_of(graph, graph.ops[0], design)
        assert (products.rows, products.times) == (2, 3)


def test_parallel_subarrays_divide_time_and_redundancy_multiplies_it() -> None:
    network = load("alexnet_ternary")
    once = evaluate(network, TERNARY_CHIP)
    conv = next(layer for layer in once.layers if layer.name == "conv2")
    twice = evaluate(network, chip(TERNARY_CHIP, subarrays_active=6))
    assert next(x for x in twice.layers if x.name == "conv2").cycles == pytest.approx(
        conv.cycles / 2, rel=0.02
    )
    voted = evaluate(network, chip(TERNARY_CHIP, redundancy=3))
    assert next(x for x in voted.layers if x.name == "conv2").cycles == pytest.approx(
        3 * conv.cycles, rel=0.02
    )


def test_divisions_go_to_the_host_over_the_bus() -> None:
    report = evaluate(load("alexnet_caffe"), TERNARY_CHIP)
    layers = {layer.name: layer for layer in report.layers}
    assert "on the host" in layers["norm1"].mapping
    bits = {e.layer: e.bits for e in report.events if (e.unit, e.action) == ("bus", "transfer")}
    assert bits == {"norm1": 2 * 290_400 * 8, "norm2": 2 * 186_624 * 8}


def test_networks_of_all_kinds_run() -> None:
    rates = {
        name: 1 / evaluate(name, "racetrack_pim").totals.time_s
        for name in (
            "alexnet_ternary",
            "alexnet_binary",
            "lenet5",
            "lenet5_ternary",
            "lenet5_binary",
            "mlp_mnist",
        )
    }
    assert rates["lenet5_ternary"] > rates["lenet5"]
    for preset in ("float32", "calibrated_int8"):
        assert evaluate("vgg16_training", f"racetrack_pim:{preset}").totals.macs > 4e10
    assert 17.7 < 1 / evaluate("alexnet_caffe", "racetrack_pim:calibrated_int8").totals.time_s < 1131


def test_capacity_and_area() -> None:
    design = PRESETS["calibrated_ternary"]
    assert capacity_bits(design) == 2**33
    area = evaluate("lenet5_ternary", TERNARY_CHIP).totals.area_m2
    assert area == pytest.approx(2**33 * 4 * (32e-9) ** 2 * 1.1)
    small = evaluate("lenet5_ternary", chip(TERNARY_CHIP, cell_area_ratio=1)).totals.area_m2
    assert small == pytest.approx(area / 4)


def test_it_can_be_put_into_service_beside_a_gpu() -> None:
    reports = [evaluate("alexnet_ternary", name) for name in ("racetrack_pim", "edge_gpu")]
    served = serve(reports, illustrative(reports), service_life_s=5 * 3.156e7, activity=0.2)
    racetrack = served.chips[0]
    assert racetrack.footprints
    assert "assumed" in racetrack.note
    assert racetrack.engine.throughput_per_s == pytest.approx(1 / reports[0].totals.time_s)


def test_bulk_operations_use_lanes_as_wide_as_their_numbers() -> None:
    """Bits take a wire each, unsigned numbers wrap around in their own width."""
    queries = evaluate("bitmap_index", "racetrack_pim")
    assert "host" not in {unit for unit, joules in queries.totals.energy_j_by_unit.items() if joules}
    b = GraphBuilder("bits", format=NumberFormat(FormatKind.UNSIGNED, 1))
    x, y = (b.input(name, (1000, 512)) for name in "xy")
    b.output(b.add("elementwise", [x, y], name="op", function="and"))
    (task,) = tasks_of(graph := b.build(), graph.ops[0], PRESETS["calibrated_ternary"])
    assert task.rows == 1000
    design = chip("racetrack_pim", multiply_model="functional").design
    for function, lane in (("add", 32), ("maximum", 32), ("multiply", 64)):
        b = GraphBuilder("words", format=NumberFormat(FormatKind.UNSIGNED, 32))
        x, y = (b.input(name, (1000, 512)) for name in "xy")
        b.output(b.add("elementwise", [x, y], name="op", function=function))
        (task,) = tasks_of(graph := b.build(), graph.ops[0], design)
        assert task.rows == 1000 * lane
