"""What handlers of ONNX operators ask of a node, and how a node that cannot answer says so."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from hwsim.errors import GraphError
from hwsim.graph.types import FLOAT32, INT64
from hwsim.importers.onnx_node import Node, Unresolved
from hwsim.importers.onnx_values import Value, array_format, constant_from_tensor


def value(name: str, array: Any = None, *, constant: bool = False) -> Value:
    if array is None:
        return Value(name, (2, 3), FLOAT32, constant)
    data = np.asarray(array)
    return Value(name, data.shape, INT64, True, data=data)


def node(*inputs: Value | None, **attributes: Any) -> Node:
    given = {name: helper.make_attribute(name, item) for name, item in attributes.items()}
    return Node("n", "Kind", 17, inputs, ("y",), given)


def test_inputs_that_are_there_and_absent_ones() -> None:
    asked = node(value("x"), None)
    assert asked.input(0).name == "x"
    assert (asked.optional(1), asked.optional(2)) == (None, None)
    assert [asked.has(position) for position in range(3)] == [True, False, False]
    for position in (1, 2):
        with pytest.raises(GraphError, match=f"^Kind has 2 inputs, input {position} is missing$"):
            asked.input(position)


def test_values_that_decide_a_shape_have_to_be_known() -> None:
    assert node(value("x", [3, 4])).static_ints(0) == (3, 4)
    assert node(value("x", 5)).static_ints(0) == (5,)
    assert node(value("x", [5])).static_int(0) == 5
    with pytest.raises(Unresolved, match=r"^x: is computed from the network's inputs, and Kind needs them"):
        node(value("x")).static(0)
    with pytest.raises(Unresolved, match=r"^w: holds values that are not stored or cannot be evaluated, and"):
        node(value("w", constant=True)).static(0)


@pytest.mark.parametrize("array", [[1.5], [[1], [2]]])
def test_a_list_of_integers_is_nothing_else(array: Any) -> None:
    with pytest.raises(GraphError, match="input 0 must be a list of integers, it is"):
        node(value("x", array)).static_ints(0)


@pytest.mark.parametrize("array", [[1, 2], 1.5, []])
def test_one_integer_is_nothing_else(array: Any) -> None:
    with pytest.raises(GraphError, match="input 0 must be one integer, it is"):
        node(value("x", array)).static_int(0)


def test_attributes_in_their_type() -> None:
    inner = helper.make_graph([], "inner", [], [])
    full = node(i=3, many=[1, 2], f=0.5, t="text", g=inner)
    assert (full.integer("i"), full.integers("many"), full.number("f", 1.0)) == (3, (1, 2), 0.5)
    assert (full.text("t", "other"), full.graph("g").name) == ("text", "inner")
    empty = node()
    assert (empty.integer("i", 7), empty.integers("many", (7,)), empty.number("f", 1.0)) == (7, (7,), 1.0)
    assert empty.text("t", "other") == "other"


@pytest.mark.parametrize("ask", [Node.integer, Node.integers, Node.graph])
def test_an_attribute_without_a_default_has_to_be_there(ask: Callable[[Node, str], object]) -> None:
    with pytest.raises(GraphError, match=r"^Kind needs the attribute 'a'$"):
        ask(node(), "a")


def test_an_attribute_of_another_type_is_refused() -> None:
    for ask, wanted in ((Node.integer, "INT"), (Node.integers, "INTS"), (Node.graph, "GRAPH")):
        with pytest.raises(GraphError, match=f"^attribute 'a' of Kind must be of type {wanted}$"):
            ask(node(a="text"), "a")  # type: ignore[operator]


def test_axes_as_an_input_or_an_attribute() -> None:
    assert node(value("x"), value("axes", [-1, 0])).axes(1, 3) == (2, 0)
    assert node(value("x"), axes=[1, -3]).axes(1, 3) == (1, 0)
    assert node(value("x")).axes(1, 3) is None
    for axis in (3, -4):
        with pytest.raises(GraphError, match=f"^axis {axis} is outside a tensor of rank 3$"):
            node(value("x"), axes=[axis]).axes(1, 3)


def test_elements_that_are_no_numbers(tmp_path: Any) -> None:
    for array, name in ((np.array(["a"]), "STRING"), (np.zeros(1, "m8[s]"), r"timedelta64\[s\]")):
        with pytest.raises(GraphError, match=f"element type {name} is not supported"):
            array_format(array, None)
    text = helper.make_tensor("names", TensorProto.STRING, [1], [b"a"])
    with pytest.raises(GraphError) as caught:
        constant_from_tensor("names", text, tmp_path / "net.onnx", None)
    (problem,) = caught.value.problems
    assert (problem.where, problem.reason) == ("net.onnx.names", "element type STRING is not supported")
    unknown = onnx.TensorProto(data_type=99, dims=[1])
    with pytest.raises(GraphError, match="element type 99 is not supported"):
        constant_from_tensor("later", unknown, tmp_path / "net.onnx", None)
    with pytest.raises(GraphError, match=r"shape \[-1\] has a negative size"):
        constant_from_tensor("bad", onnx.TensorProto(data_type=1, dims=[-1]), tmp_path / "net.onnx", None)
