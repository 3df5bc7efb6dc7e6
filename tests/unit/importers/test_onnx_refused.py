"""Single ONNX operators whose arguments do not fit, refused in words; and constants folded by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper

from hwsim.errors import GraphError, InputError
from hwsim.graph.types import FLOAT32, Graph
from hwsim.importers.onnx import import_onnx
from hwsim.importers.onnx_fold import fold
from hwsim.importers.onnx_node import Node
from hwsim.importers.onnx_values import Value
from tests.unit.importers.test_onnx_reading import save

F32 = np.float32


def single(
    folder: Path, kind: str, shapes: list[Any], *, outputs: int = 1, opset: int = 17, **more: Any
) -> Graph:
    """Import one operator; a shape is a network input, an array a constant, None an absent operand."""
    names, inputs, constants = [], {}, {}
    for place, given in enumerate(shapes):
        names.append("" if given is None else f"x{place}")
        if isinstance(given, np.ndarray):
            constants[f"x{place}"] = given
        elif given is not None:
            inputs[f"x{place}"] = given
    results = [f"y{place}" for place in range(outputs)]
    node = helper.make_node(kind, names, results, **more)
    extra = {} if inputs else {"unused": [1]}
    path = save(folder, [node], inputs | extra, dict.fromkeys(results), constants, opset)
    return import_onnx(path)


def ints(*items: int) -> np.ndarray:
    return np.array(items, np.int64)


@pytest.mark.parametrize(
    ("kind", "shapes", "more", "told"),
    [
        ("Flatten", [[2, 3]], {"axis": 3}, "axis 3 is outside a tensor of rank 2"),
        ("Squeeze", [[2, 1], ints(0)], {}, "axes [0] of [2, 1] cannot be squeezed"),
        ("Unsqueeze", [[2], ints(0, 0)], {}, "axes [0, 0] names an axis twice"),
        ("Split", [[4]], {"axis": 2, "outputs": 2}, "axis 2 is outside a tensor of rank 1"),
        ("Split", [[4], ints(1, 1, 2)], {"outputs": 2}, "3 sizes for 2 outputs"),
        ("Split", [[4]], {"outputs": 2, "opset": 18, "num_outputs": 3}, "num_outputs is 3, the node has 2"),
        ("Pad", [[2, 3], ints(1, 1)], {}, "pads [1, 1] must give both ends of 2 axes"),
        ("Expand", [[2, 1], ints(2, 0)], {}, "shape [2, 0] holds a size below 1"),
        ("Tile", [[2], ints(2), ints(0)], {"opset": 5}, "operator set 5 is not supported"),
        (
            "OneHot",
            [[3], np.array([1.5], F32), np.array([0, 1], F32)],
            {},
            "input 1 must be one whole number",
        ),
        ("Resize", [[1, 1, 4, 4], None, np.array([1, 1, 2], F32)], {}, "3 scales for 4 axes"),
        ("Resize", [[1, 1, 4, 4], None, np.array([1, 1, 2, 0], F32)], {}, "must be positive"),
        ("Resize", [[1, 1, 4, 4], None, None, ints(1, 1, 8)], {}, "sizes [1, 1, 8] must be 4 numbers"),
        (
            "Resize",
            [[1, 4], None, None, ints(8)],
            {"axes": [3], "opset": 18},
            "axes [3] lie outside a tensor",
        ),
        ("ConstantOfShape", [ints(2, -1)], {}, "shape [2, -1] has a negative size"),
        ("Range", [ints(0), ints(5), ints(0)], {}, "one start, one limit and one step other than 0"),
        (
            "Range",
            [np.array(0, F32), np.array(np.inf, F32), np.array(1, F32)],
            {},
            "a range from 0.0 to inf by 1.0",
        ),
        ("Reshape", [[2, 3], ints(2, 3, 0)], {}, "copies axis 2, which [2, 3] does not have"),
        ("Reshape", [[2, 3], ints(4, -1)], {}, "cannot reshape [2, 3] to [4, -1]"),
        ("Slice", [[2, 3], ints(0), ints(1), ints(0, 1)], {}, "do not fit each other or rank 2"),
        ("Softmax", [[2, 3]], {"axis": 2}, "axis 2 is outside a tensor of rank 2"),
        ("MaxPool", [[1, 4]], {"kernel_shape": [2, 2]}, "a kernel [2, 2] does not fit input [1, 4]"),
        ("MaxPool", [[1, 1, 4, 4]], {"kernel_shape": [2, 2], "auto_pad": "SAME"}, "auto_pad is 'SAME'"),
        (
            "MaxPool",
            [[1, 1, 4, 4]],
            {"kernel_shape": [2, 2], "strides": [0, 1]},
            "must be 2 numbers of at least",
        ),
        (
            "ConvTranspose",
            [[1, 1, 4, 4], np.ones((1, 1, 2, 2), F32)],
            {"strides": [2], "auto_pad": "SAME_UPPER"},
            "strides, dilations and output_padding must be 2 numbers each",
        ),
        (
            "ConvTranspose",
            [[1, 1, 4, 4], np.ones((1, 1, 2, 2), F32)],
            {"output_shape": [8]},
            "output_shape [8] must give 2 sizes",
        ),
    ],
)
def test_arguments_that_do_not_fit(
    tmp_path: Path, kind: str, shapes: list[Any], more: dict[str, Any], told: str
) -> None:
    with pytest.raises(InputError) as caught:
        single(tmp_path, kind, shapes, **more)
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("policy", "expected"),
    [("stretch", (1, 1, 8, 2)), ("not_larger", (1, 1, 4, 2)), ("not_smaller", (1, 1, 8, 4))],
)
def test_resizing_keeps_proportions_as_asked(tmp_path: Path, policy: str, expected: tuple[int, ...]) -> None:
    graph = single(
        tmp_path,
        "Resize",
        [[1, 1, 8, 4], None, None, ints(8, 2)],
        opset=18,
        axes=[2, 3],
        keep_aspect_ratio_policy=policy,
    )
    assert graph.tensors[graph.outputs[0]].shape == expected


def test_a_sum_over_no_axes_is_nothing(tmp_path: Path) -> None:
    path = save(
        tmp_path,
        [
            helper.make_node("ReduceSum", ["x", "none"], ["a"], noop_with_empty_axes=1),
            helper.make_node("Relu", ["a"], ["y"]),
        ],
        {"x": [2, 3]},
        {"y": None},
        {"none": ints()},
        opset=18,
    )
    assert [op.kind for op in import_onnx(path).ops] == ["elementwise"]


def test_loops_and_branches_that_depend_on_the_input(tmp_path: Path) -> None:
    body = helper.make_graph([], "body", [], [])
    loop = helper.make_node("Loop", ["n", "c", "x"], ["y"], body=body)
    path = save(
        tmp_path, [loop], {"x": [2], "n": (TensorProto.INT64, []), "c": (TensorProto.BOOL, [])}, {"y": None}
    )
    with pytest.raises(InputError, match="runs a sub-graph a number of times that only the running network"):
        import_onnx(path)
    branch = helper.make_node("If", ["c"], ["y"], then_branch=body, else_branch=body)
    path = save(tmp_path, [branch], {"c": (TensorProto.BOOL, [])}, {"y": None})
    with pytest.raises(InputError, match="the branch that If takes depends on the network's inputs"):
        import_onnx(path)


def folded(kind: str, *arrays: Any, opset: int = 17, outputs: int = 1, **more: Any) -> list[Any]:
    inputs = tuple(
        None if array is None else Value(f"x{place}", np.shape(array), FLOAT32, True, data=np.asarray(array))
        for place, array in enumerate(arrays)
    )
    attributes = {name: helper.make_attribute(name, item) for name, item in more.items()}
    names = tuple(f"y{place}" for place in range(outputs))
    found = fold(Node("n", kind, opset, inputs, names, attributes))
    assert found is not None
    return [array.tolist() for array in found]


@pytest.mark.parametrize(
    ("kind", "arrays", "more", "expected"),
    [
        ("Div", [ints(7, -7, 7), ints(2, 2, -2)], {}, [3, -3, -3]),
        ("Div", [np.array([1.0]), np.array([4.0])], {}, [0.25]),
        ("Mod", [ints(7, -7), ints(3, 3)], {}, [1, 2]),
        ("Mod", [ints(7, -7), ints(3, 3)], {"fmod": 1}, [1, -1]),
        ("Max", [ints(1, 5), ints(3, 2), ints(2, 9)], {}, [3, 9]),
        ("Clip", [ints(1, 5, 9), None, None], {}, [1, 5, 9]),
        ("Clip", [ints(1, 5, 9), np.array(2), np.array(6)], {}, [2, 5, 6]),
        ("Flatten", [np.arange(8).reshape(2, 2, 2)], {"axis": 2}, [[0, 1], [2, 3], [4, 5], [6, 7]]),
        ("CastLike", [np.array([1.7]), ints(0)], {}, [1]),
        ("Tile", [ints(1, 2), ints(2)], {}, [1, 2, 1, 2]),
        ("CumSum", [ints(1, 2, 3), np.array(0)], {}, [1, 3, 6]),
        ("Trilu", [np.ones((2, 2), int), np.array(0)], {"upper": 0}, [[1, 0], [1, 1]]),
        ("ReduceSum", [ints(1, 2, 3), ints()], {"noop_with_empty_axes": 1}, [1, 2, 3]),
        ("ReduceSum", [ints(1, 2, 3), ints(0)], {"keepdims": 0}, 6),
        ("Slice", [ints(1, 2, 3, 4)], {"opset": 9, "starts": [1], "ends": [3], "axes": [0]}, [2, 3]),
        ("Reshape", [ints(1, 2), ints(0, -1)], {}, [[1], [2]]),
        ("Unsqueeze", [ints(1, 2)], {"opset": 11, "axes": [0]}, [[1, 2]]),
    ],
)
def test_constants_are_folded_as_onnx_says(
    kind: str, arrays: list[Any], more: dict[str, Any], expected: Any
) -> None:
    assert folded(kind, *arrays, **more) == [expected]


@pytest.mark.parametrize(
    ("arrays", "more", "expected"),
    [
        ([ints(1, 2, 3, 4, 5)], {}, [[1, 2, 3], [4, 5]]),
        ([ints(1, 2, 3, 4, 5), ints(1, 4)], {}, [[1], [2, 3, 4, 5]]),
        ([ints(1, 2, 3, 4, 5)], {"opset": 11, "split": [4, 1]}, [[1, 2, 3, 4], [5]]),
    ],
)
def test_constants_are_split(arrays: list[Any], more: dict[str, Any], expected: Any) -> None:
    assert folded("Split", *arrays, outputs=2, **more) == expected


@pytest.mark.parametrize(
    ("kind", "arrays", "more", "told"),
    [
        ("Div", [ints(1), ints(0)], {}, "integer division by zero"),
        ("Mod", [ints(1), ints(0)], {}, "integer division by zero"),
        ("Gather", [ints(1, 2), ints(2)], {}, "an index lies outside an axis of 2 elements"),
        ("Expand", [ints(1), ints(5000)], {}, "result too large to fold"),
        ("Tile", [ints(1), ints(5000)], {}, "result too large to fold"),
        ("CumSum", [ints(1), np.array(0)], {"reverse": 1}, "an exclusive or reversed running sum"),
    ],
)
def test_constants_that_cannot_be_folded(
    kind: str, arrays: list[Any], more: dict[str, Any], told: str
) -> None:
    with pytest.raises(GraphError, match=f"{kind} of constants fails: {told}"):
        folded(kind, *arrays, **more)


def test_what_is_no_constant_is_not_folded() -> None:
    unknown = Value("x", (2,), FLOAT32)
    assert fold(Node("n", "Neg", 17, (unknown,), ("y",), {})) is None
    assert fold(Node("n", "Conv", 17, (), ("y",), {})) is None
