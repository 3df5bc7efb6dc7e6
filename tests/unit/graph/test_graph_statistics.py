"""Counts of whole networks."""

from dataclasses import replace

import pytest

from hwsim.graph import (
    BFLOAT16,
    BINARY,
    INT4,
    INT8,
    Category,
    GraphBuilder,
    Sparsity,
    Storage,
    Work,
    ace,
    bit_operations,
    macs,
    op_table,
    parameters,
    set_precision,
    total_work,
)
from hwsim.graph.statistics import activation_elements, expected_macs, weight_bits


@pytest.fixture
def network():
    builder = GraphBuilder("net")
    x = builder.conv(builder.input("x", (1, 3, 8, 8)), 4, 3, name="conv")
    q = builder.reshape(builder.relu(x, "relu"), (4, 36))
    builder.output(builder.matmul(q, q, transpose_b=True, name="gram"))
    return builder.build()


CONV, GRAM = 36 * 4 * 27, 4 * 4 * 36


def test_totals(network):
    assert macs(network) == CONV + GRAM
    assert parameters(network) == 112
    assert weight_bits(network) == 112 * 32
    assert activation_elements(network) == 144 + 16
    assert total_work(network) == Work(CONV + GRAM, {"add": 144, "compare": 144})


def test_bit_operations_use_the_bits_of_both_operands(network):
    graph = set_precision(network, weights=INT4, activations=INT8)
    assert bit_operations(graph) == CONV * 4 * 8 + GRAM * 8 * 8
    assert ace(graph) == bit_operations(graph)
    assert bit_operations(set_precision(graph, tensors={"conv.weight": BINARY})) == CONV * 8 + GRAM * 64


def test_ace_counts_floats_as_sixteen_bits(network):
    assert ace(network) == (CONV + GRAM) * 256
    assert ace(set_precision(network, weights=BFLOAT16, activations=INT8)) == CONV * 16 * 8 + GRAM * 64
    assert bit_operations(network) == (CONV + GRAM) * 1024


def test_probabilities_scale_the_expectation_only(network):
    halved = replace(network, ops=(*network.ops[:-1], replace(network.ops[-1], probability=0.5)))
    assert macs(halved) == CONV + GRAM
    assert expected_macs(halved) == CONV + GRAM / 2


def test_sparse_weights_are_stored_smaller(network):
    weight = network.tensors["conv.weight"]
    sparse = replace(weight, sparsity=Sparsity(0.25, storage=Storage.BITMAP))
    graph = replace(network, tensors={**network.tensors, "conv.weight": sparse})
    assert weight_bits(graph) == 108 + 27 * 32 + 4 * 32


def test_the_table_has_one_row_per_operator(network):
    rows = op_table(network)
    assert [row.name for row in rows] == [op.name for op in network.ops]
    conv = rows[0]
    assert (conv.category, conv.macs, conv.parameters) == (Category.CONTRACTION, CONV, 112)
    assert (conv.input_bits, conv.weight_bits, conv.output_bits) == (192 * 32, 112 * 32, 144 * 32)
    assert conv.result_shape == (1, 4, 6, 6)
    assert sum(row.macs for row in rows) == macs(network)
