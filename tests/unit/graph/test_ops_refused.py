"""Operators whose operands or attributes do not fit are refused in words, with the shapes in question."""

from __future__ import annotations

import pytest

from hwsim.errors import GraphError
from hwsim.graph import FLOAT32, GraphBuilder
from hwsim.graph.ops.vector import count_normalization, count_pool, count_softmax
from hwsim.graph.types import Op, Shape


def refusal(kind: str, *shapes: Shape, **attributes: object) -> str:
    b = GraphBuilder("net", format=FLOAT32)
    operands = [b.input(f"x{place}", shape) for place, shape in enumerate(shapes)]
    with pytest.raises(GraphError) as caught:
        b.add(kind, operands, name="op", **attributes)
    (problem,) = caught.value.problems
    assert problem.where == "net.op"
    return problem.reason.partition(";")[0]


@pytest.mark.parametrize(
    ("kind", "shapes", "attributes", "reason"),
    [
        (
            "batch_normalization",
            [(5,)] + 4 * [(1,)],
            {},
            "input [5] must have at least 2 axes, channels second",
        ),
        ("layer_normalization", [(2, 6), (2, 6)], {}, "scale [2, 6] does not fit the normalised axes [6]"),
        (
            "layer_normalization",
            [(2, 6), (6,), (2, 6)],
            {},
            "bias [2, 6] does not fit the normalised axes [6]",
        ),
        ("gather_nd", [(3, 4), ()], {}, "indices is a scalar, its last axis must hold index tuples"),
        ("gather_nd", [(3, 4), (2, 3)], {}, "index tuples of 3 numbers do not address data [3, 4]"),
        (
            "gather_nd",
            [(3, 4), (2, 1)],
            {"batch_dims": 1},
            "batch_dims 1: data [3, 4] and indices [2, 1] differ there",
        ),
        (
            "scatter_nd",
            [(5, 2), (3, 1), (4, 3, 2)],
            {},
            "updates [4, 3, 2] must be [3, 2] for indices [3, 1]",
        ),
        ("transpose", [(2, 3)], {"permutation": 1}, "permutation must be a list, not 1"),
        ("softmax", [(2, 3)], {"axis": True}, "axis must be an integer, not True"),
        ("elementwise", [(2, 3)], {"function": 3}, "function must be a text, not 3"),
        ("memory_accesses", [(2, 3)], {"words": (0,)}, "contents [2, 3] must have one axis, the words"),
        ("memory_accesses", [(3,)], {"words": (0, 3)}, "accesses go to words 0 to 3, there are 3 (from 0)"),
        (
            "memory_accesses",
            [(3,)],
            {"words": (0, 1), "writes": (1,)},
            "writes are 1 numbers for 2 accesses",
        ),
        (
            "memory_accesses",
            [(3,)],
            {"words": (0,), "clusters": (0, 0)},
            "clusters says a place for 2 of 3 words",
        ),
        (
            "check_nodes",
            [(2, 4), (2, 4)],
            {"degrees": (2, 1), "variables": (0, 1, 2, 3)},
            "degrees add up to 3, there are 4 edges",
        ),
        (
            "check_nodes",
            [(2, 4), (2, 4)],
            {"degrees": (3, 1), "variables": (0, 1, 2, 3)},
            "a check of degree 1 has nothing to say",
        ),
        (
            "check_nodes",
            [(2, 4), (2, 4), (3,)],
            {"degrees": (2, 2), "variables": (0, 1, 2, 3)},
            "min_sum takes no weights",
        ),
        (
            "check_nodes",
            [(2, 4), (2, 4), (3,)],
            {"degrees": (2, 2), "variables": (0, 1, 2, 3), "rule": "normalized_min_sum"},
            "weights [3] are neither one nor one for each of 4 edges",
        ),
        (
            "variable_nodes",
            [(2, 4), (3, 4)],
            {"variables": (0, 1, 2, 3)},
            "LLRs [2, 4] and messages [3, 4] are not of the same frames",
        ),
        (
            "variable_nodes",
            [(2, 4), (2, 4)],
            {"variables": (0, 1, 2)},
            "messages [2, 4] for 3 edges",
        ),
        (
            "variable_nodes",
            [(2, 4), (2, 4)],
            {"variables": (0, 1, 2, 4)},
            "edges end at variables 0 to 4, there are 4 (from 0)",
        ),
    ],
)
def test_refusals(kind: str, shapes: list[Shape], attributes: dict[str, object], reason: str) -> None:
    assert refusal(kind, *shapes, **attributes) == reason


def test_an_attribute_is_read_as_what_it_is() -> None:
    op = Op("op", "pad", ("x",), ("y",), {"pads": (1, 2), "axis": 3})
    assert (op.ints("pads"), op.int("axis")) == ((1, 2), 3)
    with pytest.raises(TypeError, match=r"^op\.axis is no tuple: 3$"):
        op.ints("axis")
    with pytest.raises(TypeError, match=r"op\.pads is no int: \(1, 2\)"):
        op.int("pads")


def test_nothing_takes_no_work() -> None:
    assert not count_normalization(0, 0, centred=True, scaled=True, shifted=True).primitives
    assert not count_softmax(0, 0, logarithm=False).primitives


def test_pools_by_hand() -> None:
    """Four results of nine positions each."""
    assert count_pool("max", 4, 9, power=1).primitives == {"compare": 32}
    assert count_pool("average", 4, 9, power=1).primitives == {"add": 32, "multiply": 4}
    assert count_pool("lp", 4, 9, power=1).primitives == {"add": 32, "compare": 36}
    assert count_pool("lp", 4, 9, power=2).primitives == {"add": 32, "multiply": 36, "special": 4}
    assert count_pool("lp", 4, 9, power=3).primitives == {"add": 32, "multiply": 40, "special": 40}
