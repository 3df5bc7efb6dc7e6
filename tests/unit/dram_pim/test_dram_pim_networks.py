"""Networks on lanes, banks and passes: what is chosen, what is charged, what is refused."""

from __future__ import annotations

from typing import Any, get_args

import numpy as np
import pytest

from accelerators.dram_pim.design import PRESETS
from accelerators.dram_pim.execute import Subarrays
from accelerators.dram_pim.figures import figures
from accelerators.dram_pim.lower import plan_of, supports
from accelerators.dram_pim.plan import Move, Stage, passes_of
from hwsim.errors import InputError, UnsupportedOp
from hwsim.graph.build import GraphBuilder
from hwsim.graph.types import BINARY, INT8, TERNARY, FormatKind, Graph, NumberFormat
from hwsim.registry import load_workload
from hwsim.run import chip, evaluate, load
from hwsim.trace import reduce
from workloads.bulk_operations import Operation

SIMDRAM = PRESETS["simdram"]
POW2 = NumberFormat(FormatKind.POWER_OF_TWO, 4, 3)


def layer(k: int, n: int, x: NumberFormat, w: NumberFormat, m: int = 1) -> Graph:
    b = GraphBuilder("layer")
    operands = [b.input("x", (m, k), format=x), b.weight("w", (k, n), format=w)]
    kind = "binary_matmul" if x == w == BINARY else "matmul"
    b.output(b.add(kind, operands, name="fc", format=NumberFormat(FormatKind.INTEGER, 32)))
    return b.build()


def stages(graph: Graph, **knobs: Any) -> list[Any]:
    plan = plan_of(graph, graph.ops[0], chip("dram_pim", **knobs).design)
    assert plan is not None
    return list(plan.steps)


@pytest.mark.parametrize(("x", "w", "program", "rows"), [
    (INT8, INT8, "mac_signed", 24), (INT8, TERNARY, "mac_ternary", 17), (INT8, BINARY, "mac_binary", 17),
    (BINARY, INT8, "mac_binary", 17), (BINARY, BINARY, "mac_xnor15", 10), (BINARY, TERNARY, "mac_binary", 10),
    (TERNARY, TERNARY, "mac_ternary", 10),
    (NumberFormat(FormatKind.UNSIGNED, 8), NumberFormat(FormatKind.UNSIGNED, 8), "mac_unsigned", 25),
    (NumberFormat(FormatKind.UNSIGNED, 8), INT8, "mac_signed", 25),
])
def test_formats_choose_the_microprogram_and_the_accumulator(
        x: NumberFormat, w: NumberFormat, program: str, rows: int) -> None:
    steps = [step for step in stages(layer(511, 4, x, w)) if isinstance(step, Stage)]
    accumulate = next(step for step in steps if step.program.startswith("mac"))
    assert (accumulate.program, accumulate.result.rows) == (program, rows)


def test_a_small_layer_spreads_its_sums_over_lanes_and_pays_the_channel() -> None:
    steps = stages(layer(4096, 16, INT8, INT8))
    accumulate = next(s for s in steps if isinstance(s, Stage) and s.program == "mac_signed")
    parts = accumulate.elements // 16
    assert parts > 1
    assert accumulate.repeats * parts == 4096
    moves = [s for s in steps if isinstance(s, Move)]
    assert len(moves) == parts.bit_length() - 1
    assert sum(move.read_bits for move in moves) == 16 * (parts - 1) * accumulate.result.rows


def test_a_wide_layer_runs_in_passes_of_all_lanes() -> None:
    graph = layer(1, 65_536, INT8, INT8, m=40)
    passes = passes_of(next(s for s in stages(graph) if isinstance(s, Stage)), SIMDRAM)
    assert passes.rows == 40
    assert passes.full * passes.banks + passes.rest == 40


def test_accumulators_cross_subarrays_when_operands_fill_one() -> None:
    graph = layer(2000, 65_536, INT8, INT8, m=8)
    steps = stages(graph)
    accumulate = next(s for s in steps if isinstance(s, Stage) and s.program == "mac_signed")
    crossing = next(s for s in steps if isinstance(s, Move))
    room = SIMDRAM.data_rows // 16
    assert crossing.read_bits == crossing.write_bits
    accumulators = accumulate.elements * accumulate.result.rows
    assert crossing.read_bits % accumulators == 0
    assert crossing.read_bits >= accumulators * (accumulate.repeats // room - 1)


def test_operands_that_do_not_fit_are_refused_with_the_way_out() -> None:
    with pytest.raises(InputError, match="fill 2272 subarrays, the 16 banks have 512") as caught:
        evaluate(layer(4096, 8192, INT8, INT8, m=256), "dram_pim")
    assert "operands=channel" in caught.value.problems[0].hint
    streamed = evaluate(layer(4096, 8192, INT8, INT8, m=256), chip("dram_pim", operands="channel"))
    assert streamed.totals.bytes_by_memory["channel"] >= 4096 * 8192 * 256 * 2


def test_operands_through_the_channel_cost_more_than_resident_ones() -> None:
    resident, streamed = (evaluate("vector_add", spec).totals.cycles
                          for spec in ("dram_pim:simdram", "dram_pim:simdram_channel"))
    # 3 x 32 bits of 65,536 elements at 128 bits in 1.25 ns.
    assert streamed - resident >= 3 * 32 * 65_536 // 128 * 5


@pytest.mark.parametrize(("write", "reason"), [
    (lambda b, x: b.softmax(x), "exponentials and divisions"),
    (lambda b, x: b.elementwise("tanh", x), "no microprogram for tanh"),
    (lambda b, x: b.lstm(x, 4), "sigmoid and tanh"),
    (lambda b, x: b.add("einsum", [x, x, x], equation="abc,abd,abe->cde"), "no single matrix product"),
    (lambda b, x: b.add("reduce", x, function="prod", axes=(1,)), "no microprogram reduces by prod"),
    (lambda b, x: b.add("elementwise", [x, x], function="bit_shift"), "the same for all lanes"),
    (lambda b, x: b.add("gemm", [b.reshape(x, (3, 10)), b.weight("w", (10, 2))], alpha=0.5), "alpha or beta"),
])
def test_what_no_microprogram_does_is_refused_in_words(write: Any, reason: str) -> None:
    b = GraphBuilder("refused", format=INT8)
    b.output(write(b, b.input("x", (3, 2, 5))))
    graph = b.build()
    with pytest.raises(UnsupportedOp, match=reason):
        evaluate(graph, "dram_pim")


def test_binary_alexnet_runs_and_sign_needs_its_format() -> None:
    binary, integer = (evaluate(name, "dram_pim").totals.time_s for name in ("alexnet_binary", "alexnet"))
    assert binary < integer / 4
    b = GraphBuilder("sign", format=INT8)
    b.output(b.elementwise("sign", b.input("x", (3,))))
    with pytest.raises(UnsupportedOp, match="its result needs the format binary"):
        evaluate(b.build(), "dram_pim")


def test_powers_of_two_and_arithmetic_on_one_bit_are_refused() -> None:
    graph = layer(4, 4, POW2, INT8)
    assert supports(graph, graph.ops[0]) == "powers of two have no microprogram"
    b = GraphBuilder("one_bit", format=BINARY)
    b.output(b.relu(b.input("x", (3,))))
    with pytest.raises(UnsupportedOp, match="numbers of one bit are multiplied and counted"):
        evaluate(b.build(), "dram_pim")


@pytest.mark.parametrize(("operation", "copies"), [("nand", 5), ("nor", 5), ("and", 4), ("not", 2)])
def test_an_inversion_joins_the_logic_before_it(operation: str, copies: int) -> None:
    graph = load_workload("vector_logic", {"operation": operation, "format": "int8"})
    found = figures(graph, PRESETS["ambit"])
    assert found["aap_count"] == 8 * copies
    report = evaluate(graph, "dram_pim:ambit")
    assert [layer.fused_into for layer in report.layers][1:] == ["join"] * (len(graph.ops) - 1)


def test_an_inversion_of_something_read_elsewhere_stays() -> None:
    b = GraphBuilder("both", format=INT8)
    joined = b.elementwise("bitwise_and", b.input("x", (8,)), b.input("y", (8,)))
    b.output(joined, b.elementwise("bitwise_not", joined))
    assert figures(b.build(), PRESETS["ambit"])["aap_count"] == 8 * (4 + 2)


@pytest.mark.parametrize("weeks", [1, 4])
def test_bitmap_query_is_made_of_the_published_operations(weeks: int) -> None:
    graph = load_workload("bitmap_index", {"weeks": weeks, "count": True, "users": 70_000})
    functions = [op.attributes.get("function") for op in graph.ops]
    assert (functions.count("or"), functions.count("and"), functions.count("sum")) == (
        6 * weeks, 2 * weeks - 1, weeks + 1)
    report = evaluate(graph, "dram_pim")
    assert report.totals.cycles > 0


def test_bitmap_query_finds_the_right_users_in_rows() -> None:
    """Run the query operator by operator in two banks of narrow rows."""
    design = chip("dram_pim", page_bits=16, scope="device", banks=2).design
    graph = load_workload("bitmap_index", {"weeks": 2, "users": 100})
    rng = np.random.default_rng(3)
    values = {name: rng.integers(0, 2, 100) for name in graph.inputs}
    exact = dict(values)
    for op in graph.ops:
        plan = plan_of(graph, op, design)
        assert plan is not None
        lanes = {f"x{i}": values[name] for i, name in enumerate(op.inputs)}
        Subarrays(design).run(plan, lanes)
        values[op.outputs[0]] = lanes["out"]
        a, b = (exact[name] for name in op.inputs)
        exact[op.outputs[0]] = a | b if op.text("function") == "or" else a & b
    assert all(np.array_equal(values[name], exact[name]) for name in graph.outputs)


@pytest.mark.parametrize("operation", get_args(Operation))
@pytest.mark.parametrize("preset", ["ambit", "simdram", "elp2im"])
def test_every_bulk_operation_runs_on_every_technique(preset: str, operation: str) -> None:
    graph = load_workload("vector_add", {"operation": operation, "signed": True, "format": "int8"})
    report = evaluate(graph, f"dram_pim:{preset}")
    assert report.totals.cycles > 0
    assert report.totals.energy_j > 0


def test_ternary_and_integer_networks_need_less_and_more_time() -> None:
    ternary, integer = (evaluate(load("alexnet", precision=form), "dram_pim").totals.time_s
                        for form in ("ternary", "int8"))
    assert ternary < integer / 5


def test_batch_of_a_reduction_counts_whole_items_only() -> None:
    """17 one-bit products take two repeats of 15; the padding counts nothing and is no work."""
    graph = layer(17, 3, BINARY, BINARY)
    accumulate = next(s for s in stages(graph, page_bits=1, scope="device", banks=1)
                      if isinstance(s, Stage) and s.program == "mac_xnor15")
    assert accumulate.repeats * 15 * accumulate.elements >= 17 * 3
    accelerator = chip("dram_pim").accelerator
    events = reduce(accelerator.lower(graph, SIMDRAM)).items()
    assert next(count for (_, unit, action), count, _ in events if (unit, action) == ("lanes", "mac")) == 51
