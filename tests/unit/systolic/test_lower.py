"""What the lowering writes: traffic by hand, fusion, vector tiles, recurrent steps, and what it refuses."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from accelerators.systolic import lower, prepare, supports
from accelerators.systolic.datasheet import datasheet
from accelerators.systolic.design import PRESETS, Objective, SystolicDesign
from accelerators.systolic.fusion import groups_of
from accelerators.systolic.lower import Chooser
from accelerators.systolic.machine import Chip
from hwsim.errors import InputError, UnsupportedOp
from hwsim.graph.build import GraphBuilder
from hwsim.graph.types import FLOAT32, INT8, INT16, INT32, Graph
from hwsim.model.prices import price
from hwsim.model.timing import time_trace
from hwsim.trace import Trace, reduce
from tests.contract.small_graphs import small_graph

EDGE = PRESETS["edge_32"]


def moved(trace: Trace, unit: str, action: str, node: str | None = None) -> int:
    return sum(
        bits
        for (where, which, what), _, bits in reduce(trace).items()
        if (which, what) == (unit, action) and node in (None, where)
    )


def traffic(graph: Graph, design: SystolicDesign = EDGE) -> tuple[int, int]:
    trace = lower(graph, design)
    return moved(trace, "dram", "read"), moved(trace, "dram", "write")


def cycles(graph: Graph, design: SystolicDesign) -> int:
    trace, sheet = lower(graph, design), datasheet(design)
    return int(time_trace(trace, price(trace, sheet), sheet).cycles)


def gemm(m: int, k: int, n: int, bias: bool = False) -> Graph:
    b = GraphBuilder("net", format=INT8)
    operands = [b.input("x", (m, k)), b.weight("w", (k, n))]
    operands += [b.weight("b", (n,), format=INT32)] if bias else []
    b.output(b.add("gemm", operands, name="fc"))
    return b.build()


def test_a_product_that_fits_is_moved_once() -> None:
    assert traffic(gemm(40, 30, 20)) == (8 * (40 * 30 + 30 * 20), 8 * 40 * 20)


def test_a_bias_is_loaded_with_the_weights() -> None:
    assert traffic(gemm(40, 30, 20, bias=True))[0] == 8 * (40 * 30 + 30 * 20) + 32 * 20


def test_a_product_too_wide_for_the_scratchpads_is_moved_again() -> None:
    """Inputs of 64 words a half, weights of 64, sums of 64: tiles of 8 x 8 x 8 move eight times as often."""
    design = EDGE.model_copy(
        update={"input_scratchpad_bytes": 128, "weight_scratchpad_bytes": 128, "output_scratchpad_bytes": 512}
    )
    read, written = traffic(gemm(64, 64, 64), design)
    assert written == 8 * 64 * 64
    assert read >= 8 * 2 * 64 * 64 * 2
    assert read % (8 * 64 * 64) == 0


def test_convolution_reads_the_image_once_not_its_windows() -> None:
    b = GraphBuilder("net", format=INT8)
    b.output(b.conv(b.input("x", (1, 4, 10, 10)), 6, 3, padding=1, bias=False))
    assert traffic(b.build()) == (8 * (4 * 100 + 6 * 4 * 9), 8 * 6 * 100)


def test_depthwise_groups_read_only_their_own_channel() -> None:
    b = GraphBuilder("net", format=INT8)
    b.output(b.conv(b.input("x", (1, 16, 10, 10)), 16, 3, padding=1, groups=16, bias=False))
    graph = b.build()
    assert traffic(graph) == (8 * (16 * 100 + 16 * 9), 8 * 16 * 100)
    assert reduce(lower(graph, EDGE)).events_of("array", "mac") == 16 * 9 * 100


def test_strides_beyond_the_kernel_skip_rows_but_not_columns() -> None:
    """1 x 1 windows four apart: tiles of one output row look at three of nine rows, each read in full."""
    graph = prepare(small_graph("convolution_strided_over"), EDGE)
    assert traffic(graph, EDGE)[0] == 8 * (3 * 9 + 1)


def test_samples_share_their_weights() -> None:
    b = GraphBuilder("net", format=INT8)
    b.output(b.conv(b.input("x", (5, 4, 10, 10)), 6, 3, padding=1, bias=False))
    assert traffic(b.build())[0] == 8 * (5 * 400 + 6 * 4 * 9)


def test_matrices_of_a_batch_are_all_read() -> None:
    b = GraphBuilder("net", format=INT8)
    b.output(b.matmul(b.input("x", (3, 4, 5)), b.input("y", (3, 5, 6))))
    assert traffic(b.build()) == (8 * 3 * (20 + 30), 8 * 3 * 24)


def test_results_are_written_at_the_width_of_their_tensor() -> None:
    b = GraphBuilder("net", format=INT8)
    b.output(b.add("gemm", [b.input("x", (4, 8)), b.weight("w", (8, 4))], format=INT32))
    assert traffic(b.build())[1] == 32 * 16


# Fusion


def chain(second_reader: bool = False, returned: bool = False, activation: bool = False) -> Graph:
    b = GraphBuilder("net", format=INT8)
    x = b.add("gemm", [b.input("x", (4, 6)), b.weight("w", (6, 5))], name="fc")
    other = b.input("y", (4, 5)) if activation else b.weight("scale", (5,))
    y = b.relu(b.elementwise("multiply", x, other, name="scaled"), "relu")
    b.output(y)
    if second_reader:
        b.output(b.elementwise("negate", x, name="again"))
    if returned:
        b.output(x)
    return b.build()


@pytest.mark.parametrize(
    ("options", "groups"),
    [
        ({}, [["fc", "scaled", "relu"]]),
        ({"second_reader": True}, [["fc"], ["scaled", "relu"], ["again"]]),
        ({"returned": True}, [["fc"], ["scaled", "relu"]]),
        ({"activation": True}, [["fc"], ["scaled", "relu"]]),
    ],
)
def test_elementwise_successors_of_one_reader_run_on_the_way_out(
    options: dict[str, Any], groups: list[list[str]]
) -> None:
    graph = chain(**options)
    found = [[group.head.name, *(op.name for op in group.fused)] for group in groups_of(graph, fuse=True)]
    assert found == groups
    assert [len(group.fused) for group in groups_of(graph, fuse=False)] == [0] * len(graph.ops)


def test_a_fused_operator_moves_nothing_and_keeps_its_operations() -> None:
    graph = chain()
    fused, apart = lower(graph, EDGE), lower(graph, EDGE.model_copy(update={"fuse_elementwise": False}))
    assert moved(fused, "dram", "write") == 8 * 20
    assert moved(apart, "dram", "write") == 3 * 8 * 20
    assert moved(apart, "dram", "read") - moved(fused, "dram", "read") == 2 * 8 * 20
    for name in ("multiply", "compare"):
        assert reduce(fused).events_of("vector", name) == reduce(apart).events_of("vector", name) == 20
    assert fused.notes["relu", "fused_into"] == "fc"
    assert ("relu", "fused_into") not in apart.notes


# The vector unit


def vector_graph(rows: int, cols: int) -> Graph:
    b = GraphBuilder("net", format=INT8)
    b.output(b.elementwise("add", b.input("x", (rows, cols)), b.input("y", (rows, cols)), name="sum"))
    return b.build()


@pytest.mark.parametrize(
    ("reads", "writes", "count"),
    [(0, 0, 1), (2048, 1024, 1), (2049, 1024, 4), (2048, 1025, 4), (4 * 2048 + 1, 0, 16), (0, 17 * 1024, 64)],
)
def test_the_fewest_vector_tiles_fit_half_a_scratchpad(reads: int, writes: int, count: int) -> None:
    """Powers of four; the objective that looks at no times takes the fewest."""
    sizes = {"input_scratchpad_bytes": 512, "output_scratchpad_bytes": 256, "objective": Objective.TRAFFIC}
    assert Chooser(EDGE.model_copy(update=sizes)).vector_tiles.count(reads, 0, writes) == count


def test_the_number_of_vector_tiles_is_the_fastest_of_its_space() -> None:
    """40,000 bits at 204.8 a cycle, 400 cycles of work: every allowed number of tiles, slot by slot."""
    design = EDGE.model_copy(update={"vector_lanes": 4})
    tiles, per_cycle = Chooser(design).vector_tiles, 204.8

    def by_hand(count: int) -> int:
        parts = [
            [total // count + (i < total % count) for i in range(count)] for total in (40000, 1600, 8000)
        ]
        reads, works, writes = ([*part, 0, 0] for part in parts)
        return sum(
            max(
                math.ceil(reads[s] / per_cycle) + math.ceil((writes[s - 2] if s > 1 else 0) / per_cycle),
                math.ceil((works[s - 2] if s > 1 else 0) / 4),
            )
            for s in range(count + 2)
        )

    assert tiles.count(40000, 1600, 8000) == min((4**i for i in range(6)), key=lambda n: (by_hand(n), n))


def test_vector_operators_read_every_operand_and_write_the_result_once() -> None:
    for rows, cols in ((1, 1), (7, 13), (300, 400)):
        assert traffic(vector_graph(rows, cols)) == (2 * 8 * rows * cols, 8 * rows * cols)


def test_a_vector_operator_of_one_tile_by_hand() -> None:
    """40 additions on 3 lanes; 640 bits in and 320 out at 204.8 bits a cycle: 4, then 14 against 2."""
    design = EDGE.model_copy(update={"vector_lanes": 3, "objective": Objective.TRAFFIC})
    assert cycles(vector_graph(4, 10), design) == 4 + 14


def test_no_slot_of_the_vector_unit_overfills_a_scratchpad() -> None:
    design = EDGE.model_copy(update={"input_scratchpad_bytes": 100, "output_scratchpad_bytes": 70})
    trace = lower(vector_graph(37, 11), design)
    rows = trace.rows
    for action, room in (("read", 400), ("write", 280)):
        here = (rows.unit == trace.units.index("dram")) & (rows.action == trace.actions.index(action))
        assert rows.bits[here].max() <= room
        assert int((rows.count * rows.bits)[here].min()) > 0


@pytest.mark.parametrize("name", ["reshape", "identity"])
def test_an_alias_moves_nothing(name: str) -> None:
    graph = small_graph(name)
    trace = lower(prepare(graph, EDGE), EDGE)
    assert traffic(prepare(graph, EDGE)) == (0, 0)
    assert trace.notes["op", "mapping"] == "no data moves"
    assert "op" in trace.nodes


# Recurrent networks


def lstm(steps: int, hidden: int) -> Graph:
    b = GraphBuilder("net", format=INT8)
    operands = [
        b.input("x", (steps, 1, 4)),
        b.weight("w", (1, 4 * hidden, 4)),
        b.weight("r", (1, 4 * hidden, hidden)),
    ]
    b.output(b.add("lstm", operands, name="cell"))
    return b.build()


def test_recurrent_weights_that_fit_stay_for_all_steps() -> None:
    """Each further step reads its projected gates and the last state; the weights come once."""
    per_step = traffic(lstm(9, 8))[0] - traffic(lstm(8, 8))[0]
    assert per_step == 8 * 4 + 8 * 32 + 8 * 8


def test_recurrent_weights_that_do_not_fit_come_at_every_step() -> None:
    small = EDGE.model_copy(update={"weight_scratchpad_bytes": 256})
    per_step = traffic(lstm(9, 8), small)[0] - traffic(lstm(8, 8), small)[0]
    assert per_step >= 8 * 4 * 8 * 8


@pytest.mark.parametrize("kind", ["lstm", "gru", "rnn", "lstm_bidirectional", "gru_after_reset"])
def test_recurrent_steps_follow_each_other(kind: str) -> None:
    """No step can start before the last one has ended: at least its slots and its fill, every step."""
    graph = prepare(small_graph(kind), EDGE)
    one_step = EDGE.array_rows
    assert cycles(graph, EDGE) > 5 * min(one_step, 4)


# Preparing


def test_floating_point_networks_become_integers_of_the_array() -> None:
    prepared = prepare(small_graph("classifier"), EDGE)
    assert {tensor.format for tensor in prepared.weights if len(tensor.shape) > 1} == {INT8}
    assert {tensor.format for tensor in prepared.weights if len(tensor.shape) == 1} <= {INT8, INT32}
    assert "batch_normalization" not in {op.kind for op in prepared.ops}
    assert all(tensor.format != FLOAT32 for tensor in prepared.tensors.values())


def test_integer_networks_keep_their_formats() -> None:
    graph = gemm(4, 5, 6, bias=True)
    assert prepare(graph, EDGE) == graph
    assert prepare(graph, PRESETS["eyeriss_like"]).tensors["w"].format == INT8


def test_integers_wider_than_the_array_are_refused_once_each() -> None:
    b = GraphBuilder("net", format=INT16)
    x = b.add("gemm", [b.input("x", (4, 6)), b.weight("w", (6, 5))], name="fc")
    b.output(b.add("gemm", [x, b.weight("v", (5, 3))], name="head"))
    with pytest.raises(UnsupportedOp) as caught:
        prepare(b.build(), EDGE)
    assert [p.where for p in caught.value.problems] == ["net.fc", "net.head"]
    assert {p.hint for p in caught.value.problems} == {"set operand_bits=16"}


def test_products_too_large_to_count_are_refused_by_name() -> None:
    b = GraphBuilder("net", format=INT8)
    x, w = b.input("x", (2**30, 2**20)), b.weight("w", (2**20, 2**20))
    b.output(b.add("gemm", [x, w], name="huge"))
    with pytest.raises(
        InputError, match=r"net\.huge: 1180591620717411303424 MACs on this array are too"
    ):
        lower(b.build(), EDGE)


def test_every_small_network_is_supported() -> None:
    for name in ("einsum", "einsum_three", "einsum_outer", "einsum_sum", "gemm", "lstm"):
        graph = small_graph(name)
        assert [supports(graph, op) for op in graph.ops] == [""] * len(graph.ops)


def test_trace_size_does_not_follow_the_size_of_images_and_channels() -> None:
    def rows(size: int, channels: int) -> int:
        b = GraphBuilder("net", format=INT8)
        x = b.input("x", (1, channels, size, size))
        b.output(b.conv(x, channels, 3, padding=1, bias=False))
        return lower(b.build(), EDGE).rows.count.size

    assert max(rows(size, channels) for size in (16, 64, 224) for channels in (16, 256)) < 120


def test_the_machine_refuses_what_it_cannot_step() -> None:
    from accelerators.systolic import machine

    with pytest.raises(UnsupportedOp, match=r"systolic\.machine\.op"):
        machine(prepare(small_graph("lstm"), EDGE), EDGE, np.random.default_rng(0))


def test_the_machine_moves_bits_at_the_bandwidth_rounded_up_per_transfer() -> None:
    """7 bits in at 3 a clock take three clocks, 4 out take two more."""
    from accelerators.systolic.machine import TileWork

    design = EDGE.model_copy(update={"clock_hz": 1e9, "dram_bits_per_s": 3e9, "vector_lanes": 2})
    stepped = Chip(design)
    stepped.run([TileWork(load_bits=7, cycles=5, store_bits=4, operations=3)])
    assert stepped.clock == 3 + 5 + 2
    assert dict(stepped.events) == {
        ("dram", "read"): 7,
        ("dram", "write"): 4,
        ("array", "active"): 5,
        ("vector", "issue"): 3,
    }
