"""Every operator type of the importer against ONNX's own shape inference and reference evaluator.

The importer compares each inferred shape with ONNX's and refuses a difference, so a successful import is
the comparison; where ONNX infers nothing, the shape is written here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from hwsim.graph.ops import work_of
from hwsim.graph.types import Graph
from hwsim.importers.onnx import import_onnx
from hwsim.importers.onnx_dimensions import shapes_by_onnx
from hwsim.importers.onnx_fold import FOLDERS, fold
from hwsim.importers.onnx_node import Node
from hwsim.importers.onnx_table import HANDLERS
from hwsim.importers.onnx_values import FORMATS, constant_from_array

FOLDER = Path(__file__).parents[1] / "data" / "onnx"
LIGHT = Path(onnx.__file__).parent / "backend" / "test" / "data" / "light"
I64 = np.int64


@dataclass(frozen=True)
class Case:
    """One node: shapes become inputs of the network, arrays become initializers."""

    kind: str
    operands: tuple[Any, ...]
    kinds: str
    macs: int = 0
    outputs: int = 1
    opset: int = 20
    types: tuple[int, ...] = ()
    attributes: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.kind}-{self.opset}-" + "-".join(self.attributes)


def case(kind: str, operands: list[Any], kinds: str, macs: int = 0, *, outputs: int = 1, opset: int = 20,
         types: tuple[int, ...] = (), **attributes: Any) -> Case:
    return Case(kind, tuple(operands), kinds, macs, outputs, opset, types, attributes)


def weights(*shape: int) -> np.ndarray:
    return np.ones(shape, np.float32)


IMAGE = [1, 4, 8, 8]
U8, I8, BOOL = TensorProto.UINT8, TensorProto.INT8, TensorProto.BOOL
ONE8 = np.ones((), np.uint8)
CASES = [
    case("Conv", [IMAGE, weights(6, 4, 3, 3), weights(6)], "convolution", 36 * 6 * 36),
    case("Conv", [[1, 4, 9], weights(4, 1, 3)], "convolution", 9 * 4 * 3, group=4, auto_pad="SAME_UPPER"),
    case("Conv", [[1, 2, 5, 5, 5], weights(3, 2, 3, 3, 3)], "convolution", 3 * 27 * 54),
    case("Conv", [IMAGE, weights(6, 4, 3, 3)], "convolution", 6 * 16 * 36, dilations=[2, 2]),
    case("ConvTranspose", [IMAGE, weights(4, 6, 3, 3)], "transposed_convolution", 64 * 4 * 54, strides=[2, 2],
         output_padding=[1, 1]),
    case("ConvTranspose", [IMAGE, weights(4, 6, 3, 3)], "transposed_convolution", 64 * 4 * 54, strides=[2, 2],
         auto_pad="SAME_UPPER"),
    case("ConvTranspose", [IMAGE, weights(4, 6, 3, 3)], "transposed_convolution", 64 * 4 * 54, strides=[3, 3],
         output_shape=[23, 25]),
    case("ConvInteger", [IMAGE, np.ones((6, 4, 3, 3), np.uint8)], "convolution", 36 * 6 * 36, types=(U8,)),
    case("QLinearConv", [IMAGE, weights(), ONE8, np.ones((6, 4, 3, 3), np.uint8), weights(), ONE8, weights(),
                         ONE8], "convolution", 36 * 6 * 36, types=(U8,)),
    case("Gemm", [[2, 5], [5, 3], weights(3)], "gemm", 30),
    case("Gemm", [[5, 2], weights(3, 5)], "gemm", 30, transA=1, transB=1, alpha=0.5),
    case("MatMul", [[2, 1, 4, 5], [3, 5, 6]], "matmul", 6 * 4 * 5 * 6),
    case("MatMul", [[5], [2, 5, 6]], "matmul", 60),
    case("MatMulInteger", [[4, 5], np.ones((5, 6), np.uint8)], "matmul", 120, types=(U8,)),
    case("QLinearMatMul", [[4, 5], weights(), ONE8, np.ones((5, 6), np.uint8), weights(), ONE8, weights(),
                           ONE8], "matmul", 120, types=(U8,)),
    case("Einsum", [[2, 4, 5], [2, 5, 6]], "einsum", 240, equation="bij,bjk->bik"),
    case("LSTM", [[7, 2, 3], weights(1, 16, 3), weights(1, 16, 4), weights(1, 32)], "lstm", 7 * 2 * 16 * 7,
         outputs=3, hidden_size=4),
    case("GRU", [[7, 2, 3], weights(2, 12, 3), weights(2, 12, 4)], "gru", 2 * 7 * 2 * 12 * 7, outputs=2,
         hidden_size=4, direction="bidirectional"),
    case("RNN", [[7, 2, 3], weights(1, 4, 3), weights(1, 4, 4)], "rnn", 7 * 2 * 4 * 7, hidden_size=4),
    case("Attention", [[2, 4, 6, 8], [2, 4, 9, 8], [2, 4, 9, 5]],
         "reshape matmul reshape elementwise softmax reshape matmul reshape", 8 * 6 * 9 * (8 + 5), opset=23),
    case("Attention", [[2, 6, 32], [2, 9, 16], [2, 9, 16]],
         "reshape transpose reshape transpose reshape transpose reshape matmul reshape elementwise softmax "
         "reshape matmul reshape transpose reshape", 2 * 4 * 6 * 9 * 16, opset=23, q_num_heads=4,
         kv_num_heads=2),
    *[case(kind, [IMAGE], "elementwise") for kind in (
        "Sqrt", "Reciprocal", "Exp", "Log", "Erf", "Neg", "Abs", "Sign", "Floor", "Ceil", "Round", "Tanh",
        "Sigmoid", "Relu", "HardSwish", "HardSigmoid", "Softplus", "Softsign", "Mish", "Gelu", "LeakyRelu",
        "Elu", "Celu", "Selu", "ThresholdedRelu", "Shrink", "Clip", "IsNaN", "IsInf", "Sin", "Cos", "Tan",
        "Asin",
        "Acos", "Atan", "Sinh", "Cosh", "Asinh", "Acosh", "Atanh")],
    case("Swish", [IMAGE], "elementwise", opset=24),
    case("Clip", [IMAGE, np.float32(0), np.float32(6)], "elementwise"),
    case("Gelu", [IMAGE], "elementwise", approximate="tanh"),
    *[case(kind, [[3, 1, 5], [4, 1]], "elementwise") for kind in (
        "Add", "Sub", "Mul", "Div", "Pow", "Sum", "Mean", "Min", "Max", "Equal", "Greater", "GreaterOrEqual",
        "Less", "LessOrEqual")],
    case("PRelu", [IMAGE, weights(4, 1, 1)], "elementwise"),
    case("Mod", [[3, 4], [4]], "elementwise", fmod=1),
    *[case(kind, [[3, 4], [4]], "elementwise", types=(BOOL, BOOL)) for kind in ("And", "Or", "Xor")],
    case("Not", [[3, 4]], "elementwise", types=(BOOL,)),
    *[case(kind, [[3, 4], [4]], "elementwise", types=(U8, U8)) for kind in (
        "BitwiseAnd", "BitwiseOr", "BitwiseXor")],
    case("BitwiseNot", [[3, 4]], "elementwise", types=(U8,)),
    case("BitShift", [[3, 4], [4]], "elementwise", types=(U8, U8), direction="LEFT"),
    case("Where", [[3, 4], [4], [3, 1]], "elementwise", types=(BOOL,)),
    case("Add", [IMAGE, [4]], "reshape elementwise", opset=6, axis=1, broadcast=1),
    case("BatchNormalization", [IMAGE, *[weights(4)] * 4], "batch_normalization"),
    case("InstanceNormalization", [IMAGE, weights(4), weights(4)], "instance_normalization"),
    case("GroupNormalization", [IMAGE, weights(4), weights(4)], "group_normalization", opset=21,
         num_groups=2),
    case("LayerNormalization", [[2, 5, 8], weights(8), weights(8)], "layer_normalization"),
    case("RMSNormalization", [[2, 5, 8], weights(8)], "rms_normalization", opset=23),
    case("LRN", [IMAGE], "local_response_normalization", size=5),
    case("Softmax", [IMAGE], "softmax", axis=1), case("LogSoftmax", [IMAGE], "softmax"),
    case("Softmax", [IMAGE], "reshape softmax reshape", opset=11),
    case("LpNormalization", [[3, 4]], "reduce elementwise", p=1),
    *[case(kind, [IMAGE], "reduce", opset=17, axes=[2, 3]) for kind in (
        "ReduceMean", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL1", "ReduceL2", "ReduceSumSquare",
        "ReduceLogSum", "ReduceLogSumExp")],
    case("ReduceSum", [IMAGE, np.array([1, -1])], "reduce", keepdims=0),
    case("ReduceMean", [IMAGE], "reduce", keepdims=0),
    case("ArgMax", [IMAGE], "arg_reduce", axis=1), case("ArgMin", [IMAGE], "arg_reduce", keepdims=0),
    case("TopK", [[3, 9], np.array([4])], "top_k", outputs=2),
    case("CumSum", [[3, 9], np.array(1)], "cumulative_sum"),
    case("MaxPool", [IMAGE], "max_pool", kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1),
    case("MaxPool", [IMAGE], "max_pool", kernel_shape=[2, 2], auto_pad="SAME_LOWER"),
    case("AveragePool", [IMAGE], "average_pool", kernel_shape=[3, 3], pads=[1, 1, 1, 1], count_include_pad=1),
    case("LpPool", [IMAGE], "lp_pool", kernel_shape=[2, 2]),
    case("GlobalAveragePool", [IMAGE], "global_average_pool"),
    case("GlobalMaxPool", [IMAGE], "global_max_pool"),
    case("Identity", [IMAGE], ""), case("Dropout", [IMAGE], ""),
    case("Reshape", [IMAGE, np.array([0, -1, 16])], "reshape"), case("Flatten", [IMAGE], "reshape", axis=-2),
    case("Transpose", [IMAGE], "transpose"), case("Transpose", [IMAGE], "transpose", perm=[0, 2, 3, 1]),
    case("Concat", [IMAGE, [1, 3, 8, 8]], "concatenate", axis=-3),
    case("Slice", [IMAGE, np.array([-1, 1]), np.array([-100, 7]), np.array([3, 2]), np.array([-2, 3])],
         "slice"),
    case("Slice", [IMAGE], "slice", opset=9, starts=[1], ends=[2**62], axes=[2]),
    case("Split", [IMAGE], "split", outputs=2, axis=1, num_outputs=2),
    case("Split", [IMAGE, np.array([1, 3])], "split", outputs=2, axis=1),
    case("Split", [IMAGE], "split", outputs=2, opset=11, axis=1, split=[1, 3]),
    case("Squeeze", [[1, 4, 1]], "reshape"), case("Squeeze", [[1, 4, 1], np.array([-1])], "reshape"),
    case("Unsqueeze", [[3, 4], np.array([0, -1])], "reshape"),
    case("Unsqueeze", [[3, 4]], "reshape", opset=11, axes=[1]),
    case("Gather", [[5, 6], np.array([[0, 1]])], "gather", axis=1),
    case("GatherElements", [[3, 6], np.zeros((3, 2), I64)], "gather_elements", axis=1),
    case("GatherND", [[3, 6, 7], np.zeros((3, 2, 1), I64)], "gather_nd", batch_dims=1),
    case("ScatterND", [[4, 5], np.zeros((2, 1), I64), [2, 5]], "scatter_nd", reduction="add"),
    case("ScatterElements", [[4, 5], np.zeros((2, 5), I64), [2, 5]], "scatter_elements",
         reduction="mul"),
    case("Scatter", [[4, 5], np.zeros((2, 5), I64), [2, 5]], "scatter_elements", opset=10),
    case("Pad", [IMAGE, np.array([0, 0, 1, 1, 0, 0, 2, -2])], "pad", mode="edge"),
    case("Pad", [IMAGE, np.array([1, 2]), np.float32(0), np.array([-1])], "pad"),
    case("Pad", [IMAGE], "pad", opset=10, pads=[0, 0, 1, 1, 0, 0, 2, 2]),
    case("Expand", [[3, 1], np.array([2, 1, 4])], "expand"), case("Tile", [[3, 1], np.array([2, 4])], "tile"),
    case("Cast", [IMAGE], "cast", to=TensorProto.FLOAT16), case("Cast", [IMAGE], "", to=TensorProto.FLOAT),
    case("CastLike", [IMAGE, np.ones((), np.int32)], "cast"),
    case("DepthToSpace", [IMAGE], "depth_to_space", blocksize=2),
    case("SpaceToDepth", [IMAGE], "space_to_depth", blocksize=2),
    case("OneHot", [[3], np.array(7), np.array([0.0, 1.0], np.float32)], "one_hot",
         types=(TensorProto.INT64,)),
    case("Trilu", [[4, 4], np.array(1)], "triangle", upper=0),
    case("Resize", [IMAGE, "", np.array([1, 1, 2, 1.5], np.float32)], "resize"),
    case("Resize", [IMAGE, "", "", np.array([1, 4, 5, 20])], "resize", mode="linear"),
    case("Resize", [IMAGE, "", "", np.array([5, 20])], "resize", mode="cubic", axes=[2, 3],
         keep_aspect_ratio_policy="not_larger"),
    case("Resize", [IMAGE, np.array([1, 1, 2, 2], np.float32)], "resize", opset=10),
    case("Upsample", [IMAGE, np.array([1, 1, 2, 2], np.float32)], "resize", opset=9, mode="linear"),
    case("QuantizeLinear", [IMAGE, weights(), ONE8], "quantize"),
    case("DequantizeLinear", [IMAGE, weights(), ONE8], "dequantize", types=(U8,)),
    case("DynamicQuantizeLinear", [IMAGE], "reduce reduce elementwise elementwise quantize", outputs=3),
    case("com.microsoft.FusedMatMul", [[5, 4], weights(6, 5)], "matmul", 120, transA=1, transB=1),
    case("com.microsoft.Gelu", [[3, 4]], "elementwise"),
    case("com.microsoft.QuickGelu", [[3, 4]], "elementwise"),
    case("com.microsoft.FastGelu", [[3, 4], weights(4)], "elementwise elementwise"),
    case("com.microsoft.BiasGelu", [[3, 4], weights(4)], "elementwise elementwise"),
    case("com.microsoft.SkipLayerNormalization", [[2, 3, 4], [2, 3, 4], weights(4), weights(4), weights(4)],
         "elementwise elementwise layer_normalization"),
    case("com.microsoft.SimplifiedLayerNormalization", [[3, 4], weights(4)], "rms_normalization"),
    case("SimplifiedLayerNormalization", [[3, 4], weights(4)], "rms_normalization"),
]
NOT_INFERRED_BY_ONNX = {"GroupNormalization", *(kind for kind in HANDLERS if kind.startswith("com.")),
                        "SimplifiedLayerNormalization"}
# Types that never reach the graph: tested in tests/unit/importers and below.
FOLDED = {"Constant", "ConstantOfShape", "Shape", "Size", "Range", "EyeLike", "NonZero", "If", "Loop", "Scan"}


def build(item: Case) -> onnx.ModelProto:
    inputs, constants, names = [], [], []
    for position, operand in enumerate(item.operands):
        name = f"in{position}"
        if isinstance(operand, str):
            name = ""
        elif isinstance(operand, list):
            kind = item.types[len(inputs)] if len(inputs) < len(item.types) else TensorProto.FLOAT
            inputs.append(helper.make_tensor_value_info(name, kind, operand))
        else:
            constants.append(numpy_helper.from_array(np.asarray(operand), name))
        names.append(name)
    outs = [f"out{i}" for i in range(item.outputs)]
    domain, _, kind = item.kind.rpartition(".")
    nodes = [helper.make_node(kind, names, outs, name="tested", domain=domain, **item.attributes)]
    if not item.kinds:
        nodes.append(helper.make_node("Relu", ["out0"], ["end"]))
        outs = ["end"]
    infos = [onnx.ValueInfoProto(name=name) for name in outs]
    graph = helper.make_graph(nodes, "one", inputs, infos, constants)
    opsets = [helper.make_opsetid("", item.opset), helper.make_opsetid("com.microsoft", 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8)


def load(model: onnx.ModelProto, tmp_path: Path) -> Graph:
    (tmp_path / "one.onnx").write_bytes(model.SerializeToString())
    return import_onnx(tmp_path / "one.onnx")


@pytest.mark.parametrize("item", CASES, ids=str)
def test_operator(item: Case, tmp_path: Path) -> None:
    model = build(item)
    graph = load(model, tmp_path)
    assert " ".join(op.kind for op in graph.ops if op.name != "end") == item.kinds
    assert sum(work_of(graph, op).macs for op in graph.ops) == item.macs
    assert "onnx_shape_inference" not in graph.provenance
    inferred = shapes_by_onnx(model, {})
    for name, (shape, kind) in inferred.items():
        if name in graph.tensors:
            assert graph.tensors[name].shape == shape
            assert graph.tensors[name].format == FORMATS[kind], name
    assert bool(inferred) != (item.kind in NOT_INFERRED_BY_ONNX)


MET_IN_EXPORTS = """
Conv Gemm MatMul Einsum LSTM Add Sub Mul Div Pow Sqrt Reciprocal Exp Erf Neg Tanh Sigmoid Relu Clip HardSwish
HardSigmoid Gelu Where IsNaN Sum BatchNormalization LayerNormalization LRN Softmax ReduceMean ReduceL2 MaxPool
AveragePool GlobalAveragePool Reshape Flatten Transpose Concat Slice Split Squeeze Unsqueeze Gather GatherND
GatherElements ScatterND Pad Expand Cast Identity Dropout Constant ConstantOfShape Shape Range Equal Not And
Mod
"""


def test_every_operator_type_of_the_table_is_tested() -> None:
    assert set(HANDLERS) == {item.kind for item in CASES} | FOLDED


def test_the_59_operator_types_of_real_exports_are_in_the_table() -> None:
    met = set()
    for path in (*LIGHT.glob("*.onnx"), *FOLDER.glob("*.onnx")):
        met |= {node.op_type for node in onnx.load(path).graph.node}
    named = MET_IN_EXPORTS.split()
    assert len(named) == 59
    assert met | set(named) <= set(HANDLERS)


NUMBERS = np.array([[1.5, -2.0, 3.25], [4.0, 0.5, -6.0]], np.float32)
WHOLE = np.array([[7, -3, 2], [5, 4, -9]], I64)
TRUTH = np.array([[True, False, True], [False, False, True]])
FOLDS: list[tuple[str, list[Any], dict[str, Any]]] = [
    *[(kind, [NUMBERS, NUMBERS[::-1]], {}) for kind in ("Add", "Sub", "Mul", "Div", "Min", "Max", "Sum")],
    *[(kind, [WHOLE, np.array([2, 3, -4])], {}) for kind in (
        "Add", "Sub", "Mul", "Div", "Mod", "Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual")],
    ("Mod", [WHOLE, np.array([2, 3, -4])], {"fmod": 1}), ("Pow", [WHOLE, np.array(2)], {}),
    *[(kind, [NUMBERS], {}) for kind in (
        "Neg", "Abs", "Sign", "Floor", "Ceil", "Round", "Exp", "Reciprocal", "Sin", "Cos", "Tanh", "Relu",
        "IsNaN", "Identity")],
    ("Sqrt", [np.abs(NUMBERS)], {}), ("Log", [np.abs(NUMBERS)], {}), ("Dropout", [NUMBERS], {}),
    ("And", [TRUTH, TRUTH[::-1]], {}), ("Or", [TRUTH, TRUTH[::-1]], {}), ("Xor", [TRUTH, TRUTH[::-1]], {}),
    ("Not", [TRUTH], {}), ("Where", [TRUTH, WHOLE, np.array(1)], {}),
    ("Cast", [NUMBERS], {"to": TensorProto.INT64}), ("CastLike", [NUMBERS, WHOLE], {}),
    ("Clip", [WHOLE, np.array(-2), np.array(4)], {}),
    ("Gather", [WHOLE, np.array([[-1, 0]])], {"axis": 1}),
    ("Slice", [WHOLE, np.array([-1]), np.array([-100]), np.array([1]), np.array([-2])], {}),
    ("Split", [WHOLE, np.array([1, 2])], {"axis": 1}), ("Concat", [WHOLE, WHOLE], {"axis": -1}),
    ("Reshape", [WHOLE, np.array([3, -1])], {}), ("Squeeze", [WHOLE[None], np.array([0])], {}),
    ("Unsqueeze", [WHOLE, np.array([0, 3])], {}), ("Transpose", [WHOLE], {}), ("Flatten", [WHOLE[None]], {}),
    ("Expand", [np.array([[1], [2]]), np.array([2, 2, 3])], {}), ("Tile", [WHOLE, np.array([2, 1])], {}),
    ("Trilu", [WHOLE, np.array(1)], {"upper": 0}), ("CumSum", [WHOLE, np.array(1)], {}),
    *[(kind, [WHOLE], {"keepdims": 0}) for kind in ("ReduceProd", "ReduceSum", "ReduceMax", "ReduceMin")],
]


@pytest.mark.parametrize(("kind", "arrays", "attributes"), FOLDS, ids=[row[0] for row in FOLDS])
def test_folding_equals_the_reference(kind: str, arrays: list[Any], attributes: dict[str, Any]) -> None:
    names = [f"in{i}" for i in range(len(arrays))]
    outs = ["a", "b"] if kind == "Split" else ["a"]
    proto = helper.make_node(kind, names, outs, **attributes)
    infos = [helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(array.dtype), array.shape)
             for name, array in zip(names, arrays, strict=True)]
    model = helper.make_model(helper.make_graph([proto], "one", infos, [
        onnx.ValueInfoProto(name=name) for name in outs]), opset_imports=[helper.make_opsetid("", 20)])
    expected = ReferenceEvaluator(model).run(None, dict(zip(names, arrays, strict=True)))
    values = tuple(constant_from_array(name, array, None) for name, array in zip(names, arrays, strict=True))
    node = Node("n", kind, 20, values, tuple(outs), {item.name: item for item in proto.attribute})
    results = fold(node)
    assert results is not None
    for got, wanted in zip(results, expected, strict=True):
        assert got.shape == wanted.shape
        np.testing.assert_allclose(got, wanted, rtol=1e-6)


def test_every_folder_is_tested() -> None:
    assert set(FOLDERS) == {row[0] for row in FOLDS}
