"""What several chips share: formats, what runs elsewhere, codes of weights, standard cells, pipelines."""

from __future__ import annotations

import numpy as np
import pytest

from hwsim.errors import InputError
from hwsim.graph.build import GraphBuilder
from hwsim.graph.engines import stages_of
from hwsim.graph.offload import is_free, is_still, offload, operand_traffic
from hwsim.graph.passes import store_floats
from hwsim.graph.types import BINARY, INT8, Graph, NumberFormat
from hwsim.graph.weight_codes import decode, encode
from hwsim.model.cells import Cells
from hwsim.model.dataflow import paced, passing_clocks
from hwsim.model.pins import pin_actions, pin_unit, write_pins
from hwsim.registry import load_accelerator
from hwsim.trace import TraceBuilder, reduce


def network() -> Graph:
    b = GraphBuilder("small")
    x = b.input("x", (2, 8, 6, 6))
    x = b.add("elementwise", [x, x], name="sum", function="add")
    x = b.max_pool(x, 2, name="pool")
    x = b.flatten(x, "flat")
    b.output(b.add("gemm", [x, b.weight("w", (3, 72), format=BINARY)], name="fc", trans_b=True))
    return b.build()


def test_floats_are_stored_and_quantized_tensors_keep_their_formats() -> None:
    graph, wide = network(), NumberFormat(INT8.kind, 12)
    found = store_floats(graph, INT8, wide)
    assert found.tensors["x"].format == INT8
    assert found.tensors["w"].format == BINARY
    assert store_floats(found, wide) is found
    b = GraphBuilder("floats")
    b.output(b.add("gemm", [b.input("x", (1, 4)), b.weight("w", (2, 4))], name="fc", trans_b=True))
    stored = store_floats(b.build(), INT8, wide)
    assert (stored.tensors["x"].format, stored.tensors["w"].format) == (INT8, wide)
    assert store_floats(b.build(), INT8).tensors["w"].format == INT8


def test_what_runs_elsewhere_moves_each_tensor_once() -> None:
    graph = offload(network(), frozenset({"sum"}), moves=True)
    ops = {op.name: op for op in graph.ops}
    bits = graph.tensors["x"].bits
    assert operand_traffic(graph, ops["sum"]) == (bits, bits)
    assert (is_still(ops["flat"]), is_still(ops["sum"]), is_free(ops["sum"])) == (True, False, False)
    assert is_free(offload(network(), frozenset({"sum"}), moves=False).ops[0])


def test_pins_pass_what_moves_and_cost_nothing() -> None:
    graph, build = offload(network(), frozenset({"sum"}), moves=True), TraceBuilder()
    for op in graph.ops:
        if op.name in ("sum", "flat"):
            write_pins(build, graph, op, "clamp")
    bits = graph.tensors["x"].bits
    counted = {(unit, action): moved for (_, unit, action), _, moved in reduce(build.build()).items()}
    assert counted == {("io", "clamp"): bits, ("io", "write"): bits}
    assert [(row.unit, row.action) for row in pin_actions("why")] == [("io", "read"), ("io", "write")]
    assert pin_unit().role == "link"


@pytest.mark.parametrize(("kind", "values", "codes"), [
    ("binary", [-1, 1], [0, 1]), ("ternary", [-1, 0, 1], [3, 0, 1]),
])  # fmt: skip
def test_codes_of_narrow_weights(kind: str, values: list[int], codes: list[int]) -> None:
    assert encode(np.array(values), kind, where="w").tolist() == codes
    assert decode(np.array(codes), kind, where="w").tolist() == values
    with pytest.raises(InputError, match=rf"w: \[2\] cannot be stored as {kind} weights"):
        encode(np.array([2]), kind, where="w")
    with pytest.raises(InputError, match=f"w: 2 weights hold the code 10: no {kind} weight"):
        decode(np.array([2, 1, 2]), kind, where="w")


def test_standard_cells_scale_from_the_tables() -> None:
    constants = load_accelerator("finn_bnn").constants
    table = Cells(constants, 45e-9, 0.9)
    assert table.add_j_per_bit.value == pytest.approx(0.03e-12 / 8)
    assert table.gate_j_per_bit.value == pytest.approx(0.2 * 0.03e-12 / 8)
    assert table.memory_j_per_bit.value == pytest.approx(10e-12 / 64)
    half = Cells(constants, 22.5e-9, 1.8)
    assert half.multiply_j_per_bit.value == pytest.approx(0.2e-12 / 8 / 2 * 4)
    assert Cells(constants, 80e-9, 1.0).area(table.adder_bit_m2).value == pytest.approx(4 * 278e-12 / 32)
    assert half.memory_area(10).value == pytest.approx(10 * 140 * 22.5e-9**2)
    assert half.memory_leakage(10).value == pytest.approx(10e-9)


def test_an_operator_without_weights_passes_all_positions_of_its_operands() -> None:
    graph = network()
    stages = stages_of(graph)
    clocks = tuple(0 if stage.product else passing_clocks(graph, stage, 4) for stage in stages)
    # 8 channels on 4 lanes; the pool sees four positions for each of its own; an alias takes no time.
    assert clocks == (2, 4 * 2, 0, 0)
    pipeline = paced(graph, stages, {"fc": "anything"}, clocks)
    assert (pipeline.busy, pipeline.images) == ((72, 72, 0, 0), 2)
    assert (pipeline.interval_cycles, pipeline.busiest) == (72, 0)
    assert pipeline.latency_cycles < pipeline.total_cycles <= pipeline.latency_cycles + 72
