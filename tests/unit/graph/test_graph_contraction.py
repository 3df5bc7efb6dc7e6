"""Contractions as matrix products: sizes, roles of the operands, and element counts."""

import itertools

import pytest

from hwsim.graph import GraphBuilder, Window, matrix_products, work_of


def products(build):
    builder = GraphBuilder("g")
    builder.output(build(builder))
    graph = builder.build()
    op = next(op for op in graph.ops if matrix_products(graph, op))
    found = matrix_products(graph, op)
    assert sum(product.macs for product in found) == work_of(graph, op).macs
    return found


def sizes(product):
    return product.groups, product.m, product.k, product.n, product.steps


def test_dense_convolution():
    (product,) = products(lambda b: b.conv(b.input("x", (2, 3, 8, 8)), 5, 3, stride=2, padding=1, name="c"))
    assert sizes(product) == (1, 2 * 16, 27, 5, 1)
    assert (product.left, product.right, product.out) == ("x", "c.weight", "c")
    assert product.right_is_weight
    assert not product.right_shared
    assert product.left_elements == 2 * 3 * 64
    assert product.window == Window((8, 8), (4, 4), (3, 3), (2, 2), (1, 1, 1, 1), (1, 1), 3, 2)


def test_depthwise_convolution_is_one_group_per_channel():
    (product,) = products(lambda b: b.conv(b.input("x", (1, 6, 8, 8)), 12, 3, groups=6))
    assert sizes(product) == (6, 36, 9, 2, 1)
    assert product.window.channels == 1


@pytest.mark.parametrize(("size", "kernel", "stride", "pad", "dilation"), [
    (8, 1, 2, 0, 1), (9, 3, 1, 1, 1), (9, 2, 3, 1, 2), (5, 2, 4, 0, 1), (7, 3, 1, 0, 2), (4, 1, 1, 2, 1)])
def test_distinct_input_elements_equal_a_marked_image(size, kernel, stride, pad, dilation):
    (product,) = products(lambda b: b.conv(b.input("x", (2, 3, size, size)), 5, kernel, stride=stride,
                                           padding=pad,
                                           dilation=dilation))
    starts = range(-pad, size + pad - dilation * (kernel - 1), stride)
    rows = {start + i * dilation for start in starts for i in range(kernel)} & set(range(size))
    assert product.left_elements == 2 * 3 * len(list(itertools.product(rows, rows)))


def test_transposed_convolution_multiplies_then_scatters():
    (product,) = products(lambda b: b.conv_transpose(b.input("x", (2, 4, 5, 5)), 6, 3, stride=2, groups=2))
    assert sizes(product) == (2, 50, 2, 27, 1)
    assert product.window is None
    assert product.left_elements == 2 * 4 * 25


def test_a_weight_on_the_right_takes_the_batch_as_rows():
    (product,) = products(lambda b: b.matmul(b.input("x", (2, 3, 4, 5)), b.weight("w", (5, 7))))
    assert sizes(product) == (1, 24, 5, 7, 1)
    assert product.right_is_weight
    assert not product.right_shared


def test_a_weight_on_the_left_is_turned_to_the_right():
    (product,) = products(lambda b: b.matmul(b.weight("w", (7, 5)), b.input("x", (3, 5, 4)), name="y"))
    assert sizes(product) == (1, 12, 5, 7, 1)
    assert (product.left, product.right, product.out) == ("x", "w", "y")
    assert product.left_elements == 60


def test_a_weight_per_head_makes_groups_and_folds_the_batch():
    (product,) = products(lambda b: b.matmul(b.input("x", (2, 6, 4, 5)), b.weight("w", (6, 5, 7))))
    assert sizes(product) == (6, 8, 5, 7, 1)


def test_two_activations_are_one_product_per_head():
    (product,) = products(lambda b: b.matmul(b.input("q", (2, 6, 4, 5)), b.input("k", (2, 6, 9, 5)),
                                             transpose_b=True))
    assert sizes(product) == (12, 4, 5, 9, 1)
    assert not product.right_is_weight
    assert not product.right_shared
    assert product.left_elements == 240


def test_a_right_activation_without_batch_is_shared():
    (product,) = products(lambda b: b.matmul(b.input("q", (3, 4, 5)), b.input("k", (5, 9))))
    assert sizes(product) == (3, 4, 5, 9, 1)
    assert product.right_shared


def test_vectors_are_matrices_of_one_row_or_column():
    (product,) = products(lambda b: b.matmul(b.input("x", (5,)), b.weight("w", (5, 7))))
    assert sizes(product) == (1, 1, 5, 7, 1)
    (product,) = products(lambda b: b.matmul(b.input("x", (3, 5)), b.input("y", (5,))))
    assert sizes(product) == (1, 3, 5, 1, 1)


def test_gemm_with_weights_on_either_side():
    (product,) = products(lambda b: b.linear(b.input("x", (3, 5)), 7, name="fc"))
    assert (sizes(product), product.right) == ((1, 3, 5, 7, 1), "fc.weight")
    (product,) = products(lambda b: b.add("gemm", [b.weight("w", (5, 7)), b.input("x", (5, 3))],
                                          trans_a=True))
    assert (sizes(product), product.right) == ((1, 3, 5, 7, 1), "w")


def test_einsum_groups_rows_sums_and_columns():
    (product,) = products(lambda b: b.add(
        "einsum", [b.input("q", (2, 3, 4, 5)), b.input("k", (2, 3, 6, 5))], equation="bhqd,bhkd->bhqk"))
    assert sizes(product) == (6, 4, 5, 6, 1)
    (product,) = products(lambda b: b.add("einsum", [b.weight("w", (5, 7)), b.input("x", (2, 3, 5))],
                                          equation="io,bti->bto"))
    assert (sizes(product), product.left, product.right) == ((1, 6, 5, 7, 1), "x", "w")


def test_lstm_projects_all_steps_and_recurs_step_by_step():
    project, recur = products(lambda b: b.lstm(b.input("x", (7, 2, 5)), 6, name="l"))
    assert (sizes(project), project.label) == ((1, 14, 5, 24, 1), "input_projection")
    assert (sizes(recur), recur.label) == ((1, 2, 6, 24, 7), "recurrence")
    assert (project.left, project.right, recur.left, recur.right) == ("x", "l.weight", "l", "l.recurrence")
    assert (project.left_elements, recur.left_elements) == (70, 12)


def test_both_directions_double_the_products():
    found = products(lambda b: b.lstm(b.input("x", (7, 2, 5)), 6, bidirectional=True))
    assert [product.label for product in found] == ["input_projection", "recurrence",
                                                    "input_projection_reverse",
                                                    "recurrence_reverse"]


def test_the_candidate_gate_of_a_gru_waits_for_the_reset_gate():
    found = products(lambda b: b.gru(b.input("x", (7, 2, 5)), 6))
    assert [sizes(product) for product in found] == [(1, 14, 5, 18, 1), (1, 2, 6, 12, 7), (1, 2, 6, 6, 7)]


def test_vector_and_movement_operators_have_no_products():
    builder = GraphBuilder("g")
    builder.output(builder.add("einsum", builder.softmax(builder.input("x", (2, 3))), equation="ij->ji"))
    graph = builder.build()
    assert [matrix_products(graph, op) for op in graph.ops] == [(), ()]
