"""Matrix products and einsum against numpy on real arrays, MACs against loops."""

import itertools

import numpy as np
import pytest

from hwsim.errors import GraphError
from hwsim.graph import BINARY, GraphBuilder, work_of


def built(kind, *shapes, format=None, **attributes):
    builder = GraphBuilder("g") if format is None else GraphBuilder("g", format=format)
    names = [builder.input(f"x{i}", shape) for i, shape in enumerate(shapes)]
    builder.output(builder.add(kind, names, name="op", **attributes))
    graph = builder.build()
    return graph.tensors["op"].shape, work_of(graph, graph.ops[0])


@pytest.mark.parametrize(("a", "b"), [
    ((3, 4), (4, 5)), ((4,), (4, 5)), ((3, 4), (4,)), ((4,), (4,)), ((2, 3, 4), (4, 5)), ((3, 4), (2, 4, 5)),
    ((2, 1, 3, 4), (6, 4, 5)), ((7, 2, 3, 4), (7, 2, 4, 5)), ((1, 3, 4), (5, 4, 1)), ((4,), (3, 4, 2))])
def test_matmul_follows_numpy(a, b):
    rng = np.random.default_rng(2)
    expected = np.matmul(rng.normal(size=a), rng.normal(size=b))
    shape, work = built("matmul", a, b)
    assert shape == expected.shape
    assert work.macs == sum(1 for _ in itertools.product(range(expected.size), range(a[-1])))


@pytest.mark.parametrize(("transpose_a", "transpose_b"), [(False, True), (True, False), (True, True)])
def test_matmul_with_exchanged_axes(transpose_a, transpose_b):
    a, b = np.zeros((2, 3, 4)), np.zeros((2, 4, 5))
    left = a.swapaxes(1, 2) if transpose_a else a
    right = b.swapaxes(1, 2) if transpose_b else b
    shape, work = built("matmul", left.shape, right.shape, transpose_a=transpose_a, transpose_b=transpose_b)
    assert shape == (2, 3, 5)
    assert work.macs == 2 * 3 * 4 * 5


@pytest.mark.parametrize(("trans_a", "trans_b"), [(False, False), (False, True), (True, False), (True, True)])
def test_gemm_honours_both_transposes(trans_a, trans_b):
    a = (4, 3) if trans_a else (3, 4)
    b = (5, 4) if trans_b else (4, 5)
    shape, work = built("gemm", a, b, (5,), trans_a=trans_a, trans_b=trans_b)
    assert shape == (3, 5)
    assert work.macs == 60
    assert work.primitives == {"add": 15}


def test_gemm_factors_other_than_one_are_multiplications():
    assert built("gemm", (3, 4), (4, 5), (5,), alpha=2.0, beta=0.5)[1].primitives == {"add": 15,
                                                                                      "multiply": 20}
    assert built("gemm", (3, 4), (4, 5), alpha=1, beta=0.5)[1].primitives == {}


def test_binary_matmul_counts_pairs():
    assert built("binary_matmul", (3, 64), (64, 5), format=BINARY)[1].macs == 960


@pytest.mark.parametrize(("kind", "shapes", "message"), [
    ("matmul", ((3, 4), (5, 6)), r"inner sizes 4 and 5 differ in \[3, 4\] x \[5, 6\]"),
    ("matmul", ((), (5, 6)), "a scalar cannot enter a matrix product"),
    ("matmul", ((2, 3, 4), (3, 4, 5)), "do not broadcast"),
    ("matmul", ((0, 4), (4, 5)), "size below 1"),
    ("gemm", ((2, 3, 4), (4, 5)), "gemm multiplies two matrices"),
    ("gemm", ((3, 4), (4, 5), (4,)), r"do not broadcast"),
    ("gemm", ((1, 4), (4, 5), (3, 5)), r"c \[3, 5\] does not broadcast to the product \[1, 5\]"),
    ("binary_matmul", ((3, 4), (4, 5)), "a binary operator needs binary"),
    ("matmul", ((3, 4),), "needs operand 'b'"),
    ("matmul", ((3, 4), (4, 5), (5,)), "takes at most 2 operands, not 3"),
])
def test_operands_that_do_not_fit_are_refused(kind, shapes, message):
    with pytest.raises(GraphError, match=message):
        built(kind, *shapes)


def test_a_vector_cannot_be_transposed():
    with pytest.raises(GraphError, match="a vector cannot be transposed"):
        built("matmul", (4,), (4, 5), transpose_a=True)


EQUATIONS = [
    ("ij,jk->ik", (2, 3), (3, 4)), ("ij,jk", (2, 3), (3, 4)), ("bij,bjk->bik", (5, 2, 3), (5, 3, 4)),
    ("bhqd,bhkd->bhqk", (2, 3, 4, 5), (2, 3, 6, 5)), ("...ij,...jk->...ik", (7, 1, 2, 3), (6, 3, 4)),
    ("i,i->", (4,), (4,)), ("i,j->ij", (4,), (3,)), ("ij->ji", (2, 3)), ("ij->", (2, 3)), ("ii->i", (3, 3)),
    ("ij,jk,kl->il", (2, 3), (3, 4), (4, 5)), ("ijk,k->ij", (2, 3, 4), (4,)), ("ba", (2, 3)),
    ("...i->...", (2, 3, 4)), ("abc,cde,bdf,g->aefg", (2, 3, 4), (4, 5, 6), (3, 5, 2), (3,)),
]


@pytest.mark.parametrize("case", EQUATIONS)
def test_einsum_shapes_follow_numpy(case):
    equation, *shapes = case
    rng = np.random.default_rng(3)
    expected = np.einsum(equation, *(rng.normal(size=shape) for shape in shapes))
    assert built("einsum", *shapes, equation=equation)[0] == expected.shape


@pytest.mark.parametrize("case", [case for case in EQUATIONS if len(case) == 3])
def test_einsum_of_two_counts_the_whole_index_space(case):
    equation, *shapes = case
    labels = {}
    for term, shape in zip(equation.split("->")[0].split(","), shapes, strict=True):
        letters = term.replace("...", "")
        spare = len(shape) - len(letters)
        for axis, size in enumerate(shape):
            label = f".{spare - axis}" if axis < spare else letters[axis - spare]
            labels[label] = max(labels.get(label, 1), size)
    loops = sum(1 for _ in itertools.product(*(range(size) for size in labels.values())))
    assert built("einsum", *shapes, equation=equation)[1].macs == loops


def test_einsum_of_three_counts_left_to_right():
    work = built("einsum", (2, 3), (3, 4), (4, 5), equation="ij,jk,kl->il")[1]
    assert work.macs == 2 * 3 * 4 + 2 * 4 * 5


def test_einsum_of_one_reduces_or_moves():
    assert built("einsum", (2, 3), equation="ij->j")[1].primitives == {"add": 3}
    assert built("einsum", (2, 3), equation="ij->ji")[1].moved_elements == 6


@pytest.mark.parametrize(("equation", "shapes", "message"), [
    ("ij,jk->ik", ((2, 3), (4, 5)), "index 'j' of equation 'ij,jk->ik' is 3 and 4 long"),
    ("ij,jk->ik", ((2, 3),), "has 2 terms for 1 operands"),
    ("ij->k", ((2, 3),), "has one that no operand has"),
    ("ij->ii", ((2, 3),), "repeats an index"),
    ("i1->i", ((2, 3),), "letters, commas, one arrow"),
    ("ij->i->j", ((2, 3),), "letters, commas, one arrow"),
    ("ijk->i", ((2, 3),), "does not fit an operand of 2 axes"),
])
def test_bad_equations_are_refused(equation, shapes, message):
    with pytest.raises(GraphError, match=message):
        built("einsum", *shapes, equation=equation)
