"""ONNX files: what is refused and how, open dimensions, constants, control flow, unsupported operators."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from hwsim.errors import InputError, UnsupportedOp
from hwsim.graph.coverage import coverage_of
from hwsim.graph.ops import work_of
from hwsim.graph.types import FLOAT16, INT8, Graph, Role
from hwsim.importers import onnx_read
from hwsim.importers.onnx import import_onnx

F, I64 = TensorProto.FLOAT, TensorProto.INT64


def save(folder: Path, nodes: Sequence[onnx.NodeProto], inputs: dict[str, Any], outputs: dict[str, Any],
         constants: dict[str, np.ndarray] | None = None, opset: int = 17, **more: Any) -> Path:
    """Write a model; shapes are lists, optionally with the element type as `(type, shape)`."""
    def info(name: str, given: Any) -> onnx.ValueInfoProto:
        kind, shape = given if isinstance(given, tuple) else (F, given)
        return helper.make_tensor_value_info(name, kind, shape)

    stored = [numpy_helper.from_array(array, name) for name, array in (constants or {}).items()]
    graph = helper.make_graph(list(nodes), "net", [info(*item) for item in inputs.items()],
                              [info(*item) for item in outputs.items()], stored)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8, **more)
    path = folder / "net.onnx"
    path.write_bytes(model.SerializeToString())
    return path


def relu_net(folder: Path, **more: Any) -> Path:
    return save(folder, [helper.make_node("Relu", ["x"], ["y"])], {"x": [1, 4]}, {"y": None}, **more)


def test_missing_empty_and_foreign_files(tmp_path: Path) -> None:
    for content, reason in [(None, "cannot be read"), (b"", "is empty"),
                            (b"PK\x03\x04" + bytes(40), "zip archive"),
                            (b"\x89HDF\r\n\x1a\n" + bytes(9), "HDF5"),
                            (bytes(4) + b"TFL3", "TensorFlow Lite"),
                            (b"hello, this is no model", "no ONNX file"), (b"\x08\x07", "holds no operator"),
                            (bytes(64), "no ONNX file")]:
        path = tmp_path / "net.onnx"
        path.unlink(missing_ok=True)
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(InputError, match=reason):
            import_onnx(path)
    with pytest.raises(InputError, match="is not a file"):
        import_onnx(tmp_path)


def test_every_truncation_is_refused(tmp_path: Path) -> None:
    whole = relu_net(tmp_path).read_bytes()
    for length in range(len(whole)):
        (tmp_path / "cut.onnx").write_bytes(whole[:length])
        with pytest.raises(InputError):
            import_onnx(tmp_path / "cut.onnx")


def test_too_large_file_is_refused_before_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnx_read, "MAX_FILE_BYTES", 10)
    with pytest.raises(InputError, match=r"2 GB .*external data"):
        import_onnx(relu_net(tmp_path))


@pytest.mark.parametrize("opset", [1, 5, onnx.defs.onnx_opset_version() + 1])
def test_operator_sets_out_of_range(tmp_path: Path, opset: int) -> None:
    with pytest.raises(InputError, match=f"operator set {opset} is not supported"):
        import_onnx(relu_net(tmp_path, opset=opset))


def test_ir_version_out_of_range(tmp_path: Path) -> None:
    path = relu_net(tmp_path)
    model = onnx.load(path)
    model.ir_version = 999
    path.write_bytes(model.SerializeToString())
    with pytest.raises(InputError, match="IR version 999"):
        import_onnx(path)


def test_batch_defaults_to_one_and_other_dimensions_must_be_given(tmp_path: Path) -> None:
    path = save(tmp_path, [helper.make_node("Relu", ["x"], ["y"])], {"x": ["batch", 3, "height", "width"]},
                {"y": None})
    with pytest.raises(InputError) as caught:
        import_onnx(path)
    assert [p.hint for p in caught.value.problems] == [
        "give it one: --dim height=VALUE", "give it one: --dim width=VALUE"]
    graph = import_onnx(path, dimensions={"height": 5, "x.3": 7})
    assert graph.tensors["y"].shape == (1, 3, 5, 7)
    assert graph.provenance["dimensions"] == "batch=1, height=5, x.3=7"


@pytest.mark.parametrize(("dimensions", "reason"), [
    ({"hight": 3}, "did you mean 'height'"), ({"height": 0}, "not an integer between"),
    ({"height": -3}, "not an integer between"), ({"height": 2.5}, "not an integer between"),
    ({"height": 2**40}, "not an integer between")])
def test_wrong_dimensions(tmp_path: Path, dimensions: dict[str, Any], reason: str) -> None:
    path = save(tmp_path, [helper.make_node("Relu", ["x"], ["y"])], {"x": ["batch", "height"]}, {"y": None})
    with pytest.raises(InputError, match=reason):
        import_onnx(path, dimensions=dimensions)


@pytest.mark.parametrize("size", [0, -1, -5])
def test_stored_sizes_below_one_are_refused_with_the_name_of_the_tensor(tmp_path: Path, size: int) -> None:
    path = save(tmp_path, [helper.make_node("Relu", ["x"], ["y"])], {"x": [size, 4]}, {"y": None})
    with pytest.raises(InputError) as caught:
        import_onnx(path)
    assert [(p.where, p.reason) for p in caught.value.problems] == [
        ("net.onnx.x", f"axis 0 has size {size}, must be at least 1")]


@pytest.mark.parametrize("size", [0, -5, 10**18])
def test_absurd_input_sizes(tmp_path: Path, size: int) -> None:
    path = save(tmp_path, [helper.make_node("Relu", ["x"], ["y"])], {"x": [size, 4]}, {"y": None})
    with pytest.raises(InputError, match=r"size|2\*\*48"):
        import_onnx(path)


def test_all_unsupported_types_are_named_at_once(tmp_path: Path) -> None:
    nodes = [helper.make_node("Foo", ["x"], ["a"], name="first"),
             helper.make_node("Foo", ["x"], ["b"], name="second"),
             helper.make_node("Rellu", ["a"], ["c"], name="third"),
             helper.make_node("Add", ["b", "c"], ["y"])]
    path = save(tmp_path, nodes, {"x": [1, 4]}, {"y": None})
    with pytest.raises(UnsupportedOp) as caught:
        import_onnx(path)
    assert caught.value.exit_code == 3
    reasons = [problem.reason for problem in caught.value.problems]
    assert "operator Foo is not supported: 2 node(s), first, second" in reasons
    assert "did you mean 'Relu'" in str(caught.value)
    with pytest.raises(InputError, match="shape cannot be known"):
        import_onnx(path, on_unsupported="traffic")
    with pytest.raises(InputError, match="did you mean 'traffic'"):
        import_onnx(path, on_unsupported="trafic")


@pytest.mark.parametrize("policy", ["traffic", "host"])
def test_unsupported_operators_become_data_movement_when_asked(tmp_path: Path, policy: str) -> None:
    nodes = [helper.make_node("Foo", ["x", "z"], ["a"], name="foo"), helper.make_node("Relu", ["a"], ["y"])]
    path = save(tmp_path, nodes, {"x": [2, 4], "z": [5]}, {"y": None})
    model = onnx.load(path)
    model.graph.value_info.append(helper.make_tensor_value_info("a", F, [3, 7]))
    path.write_bytes(model.SerializeToString())
    graph = import_onnx(path, on_unsupported=policy)
    assert graph.tensors["y"].shape == (3, 7)
    moved = sum(work_of(graph, op).moved_elements for op in graph.ops if op.origin == "Foo")
    assert moved == ((8 + 5) + 21 if policy == "traffic" else 0)
    coverage = coverage_of(graph)
    assert (coverage.nodes_as_data_movement, coverage.nodes_costed, coverage.nodes_unknown) == (1, 1, 0)
    assert "1 modeled as data movement (Foo x1)" in coverage.line()
    assert graph.provenance["on_unsupported"] == policy


def test_weights_of_all_four_origins(tmp_path: Path) -> None:
    weight = np.ones((3, 4), np.float32)
    half = numpy_helper.from_array(np.array([0.5], np.float32))
    nodes = [helper.make_node("Constant", [], ["w2"], value=numpy_helper.from_array(weight)),
             helper.make_node("ConstantOfShape", ["size"], ["w3"], value=half),
             *[helper.make_node("Transpose", [f"w{i}"], [f"t{i}"]) for i in range(1, 5)],
             *[helper.make_node("MatMul", ["x", f"t{i + 1}"], [f"y{i}"]) for i in range(4)]]
    path = save(tmp_path, nodes, {"x": [2, 4], "w4": [3, 4]}, {f"y{i}": None for i in range(4)},
                {"w1": weight, "size": np.array([3, 4]), "w4": weight})
    graph = import_onnx(path)
    assert graph.inputs == ("x",)
    assert {t.name for t in graph.weights} == {"w1", "w2", "w3", "w4"}
    assert all(op.attributes["transpose_b"] for op in graph.ops)
    assert coverage_of(graph).nodes_folded == 6


def test_one_matrix_read_straight_and_transposed_is_one_parameter(tmp_path: Path) -> None:
    nodes = [helper.make_node("Gather", ["table", "ids"], ["e"]),
             helper.make_node("Transpose", ["table"], ["t"]),
             helper.make_node("MatMul", ["e", "t"], ["y"])]
    path = save(tmp_path, nodes, {"ids": (I64, [5])}, {"y": None}, {"table": np.ones((100, 8), np.float32)})
    graph = import_onnx(path)
    assert graph.parameters == 800
    assert graph.tensors["y"].shape == (5, 100)


def test_shape_arithmetic_is_folded_away(tmp_path: Path) -> None:
    nodes = [helper.make_node("Relu", ["x"], ["r"]),
             helper.make_node("Slice", ["x", "zero", "two", "one"], ["s"]),
             helper.make_node("Shape", ["s"], ["shape"]),
             helper.make_node("Gather", ["shape", "zero"], ["n"]),
             helper.make_node("Concat", ["n", "minus"], ["target"], axis=0),
             helper.make_node("Reshape", ["r", "target"], ["y"])]
    path = save(tmp_path, nodes, {"x": ["batch", 6]}, {"y": None},
                {"zero": np.array([0]), "one": np.array([1]), "two": np.array([2]), "minus": np.array([-1])})
    graph = import_onnx(path, dimensions={"batch": 4})
    assert [op.kind for op in graph.ops] == ["elementwise", "reshape"]
    assert graph.tensors["y"].shape == (4, 6)
    assert (coverage_of(graph).nodes_in_file, coverage_of(graph).nodes_folded) == (6, 4)


def test_shapes_that_depend_on_data_are_named(tmp_path: Path) -> None:
    nodes = [helper.make_node("NonZero", ["x"], ["places"]),
             helper.make_node("Reshape", ["x", "target"], ["y"])]
    path = save(tmp_path, nodes, {"x": [2, 4], "target": (I64, [2])}, {"y": None, "places": None})
    with pytest.raises(InputError) as caught:
        import_onnx(path)
    assert [problem.where for problem in caught.value.problems] == ["net.onnx.places", "net.onnx.target"]
    assert "--dim" in caught.value.problems[0].hint


def test_onnxruntime_folds_what_we_cannot(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime", reason="the last resort needs onnxruntime")
    nodes = [helper.make_node("BitShift", ["bits", "by"], ["shifted"], direction="LEFT"),
             helper.make_node("Cast", ["shifted"], ["target"], to=I64),
             helper.make_node("Reshape", ["x", "target"], ["y"])]
    path = save(tmp_path, nodes, {"x": [4, 6]}, {"y": None},
                {"bits": np.array([6, 1], np.uint64), "by": np.array([1, 1], np.uint64)})
    graph = import_onnx(path)
    assert graph.tensors["y"].shape == (12, 2)
    assert graph.provenance["optimised_by"].startswith("onnxruntime")


def test_a_stated_shape_that_contradicts_ours_is_an_error(tmp_path: Path) -> None:
    path = save(tmp_path, [helper.make_node("Relu", ["x"], ["y"], name="act")], {"x": [2, 4]}, {"y": [2, 5]})
    with pytest.raises(InputError, match=r"net.onnx.act: Relu gives 'y' shape \[2, 4\], .* \[2, 5\]"):
        import_onnx(path)


def branch(name: str, op_type: str) -> onnx.GraphProto:
    return helper.make_graph([helper.make_node(op_type, ["x"], [f"{name}_out"])], name, [],
                             [helper.make_tensor_value_info(f"{name}_out", F, [2, 4])])


def test_a_branch_on_a_constant_is_taken_at_import(tmp_path: Path) -> None:
    nodes = [helper.make_node("If", ["flag"], ["y"], then_branch=branch("a", "Relu"),
                              else_branch=branch("b", "Exp"))]
    for flag, function in ((True, "relu"), (False, "exp")):
        path = save(tmp_path, nodes, {"x": [2, 4]}, {"y": None}, {"flag": np.array(flag)})
        assert [op.attributes["function"] for op in import_onnx(path).ops] == [function]


def test_control_flow_on_data_is_refused(tmp_path: Path) -> None:
    nodes = [helper.make_node("If", ["flag"], ["y"], name="choice", then_branch=branch("a", "Relu"),
                              else_branch=branch("b", "Exp"))]
    path = save(tmp_path, nodes, {"x": [2, 4], "flag": (TensorProto.BOOL, [1])}, {"y": None})
    with pytest.raises(InputError, match=r"net.onnx.choice: the branch that If takes depends"):
        import_onnx(path)
    counter = helper.make_tensor_value_info("i", I64, [])
    flags = [helper.make_tensor_value_info(name, TensorProto.BOOL, []) for name in ("c", "c2")]
    body = helper.make_graph([helper.make_node("Identity", ["c"], ["c2"])], "body", [counter, flags[0]],
                             [flags[1]])
    path = save(tmp_path, [helper.make_node("Loop", ["n", ""], ["y"], body=body, name="again")],
                {"n": (I64, [])}, {"y": None})
    with pytest.raises(InputError, match=r"net.onnx.again: Loop runs a sub-graph"):
        import_onnx(path)


def test_local_functions_are_inlined(tmp_path: Path) -> None:
    function = helper.make_function("own", "Twice", ["a"], ["c"], [helper.make_node("Add", ["a", "a"], ["b"]),
                                    helper.make_node("Relu", ["b"], ["c"])], [helper.make_opsetid("", 17)])
    graph = helper.make_graph([helper.make_node("Twice", ["x"], ["y"], domain="own")], "net", [
        helper.make_tensor_value_info("x", F, [2, 4])], [helper.make_tensor_value_info("y", F, None)])
    model = helper.make_model(graph, functions=[function], ir_version=8, opset_imports=[
        helper.make_opsetid("", 17), helper.make_opsetid("own", 1)])
    (tmp_path / "net.onnx").write_bytes(model.SerializeToString())
    imported = import_onnx(tmp_path / "net.onnx")
    assert [op.attributes["function"] for op in imported.ops] == ["add", "relu"]


def test_dangling_names_cycles_and_duplicates(tmp_path: Path) -> None:
    cases: list[tuple[list[onnx.NodeProto], str]] = [
        ([helper.make_node("Relu", ["nowhere"], ["y"])], "reads 'nowhere', which nothing before it produces"),
        ([helper.make_node("Relu", ["b"], ["a"]), helper.make_node("Relu", ["a"], ["b"])], "reads 'b'"),
        ([helper.make_node("Relu", ["x"], ["y"]), helper.make_node("Exp", ["x"], ["y"])], "writes 'y'"),
        ([helper.make_node("Relu", ["x"], ["x"])], "writes 'x'"),
        ([helper.make_node("Relu", ["x"], ["z"])], "no operator produces this output"),
        ([helper.make_node("Relu", ["x"], [])], "Relu writes nothing"),
        ([helper.make_node("Identity", ["x"], ["y"])], "computes nothing")]
    for nodes, reason in cases:
        with pytest.raises(InputError, match=reason):
            import_onnx(save(tmp_path, nodes, {"x": [2, 4]}, {"y": None}))


@pytest.mark.parametrize(("attributes", "weight", "reason"), [
    ({"group": 3}, (6, 4, 3, 3), "groups"), ({"strides": [0, 1]}, (6, 4, 3, 3), "at least 1"),
    ({}, (6, 4, 9, 9), "larger than the padded input"), ({}, (6, 5, 3, 3), "channels"),
    ({"pads": [1, 1]}, (6, 4, 3, 3), "pads"), ({"pads": [-9, 0, 0, 0]}, (6, 4, 3, 3), "below 0"),
    ({"auto_pad": "SOMETIMES"}, (6, 4, 3, 3), "auto_pad"),
    ({"kernel_shape": [5, 5]}, (6, 4, 3, 3), "contradicts"),
    ({"strides": 2}, (6, 4, 3, 3), "must be of type INTS")])
def test_wrong_convolutions_name_the_node(tmp_path: Path, attributes: dict[str, Any], weight: tuple[int, ...],
                                          reason: str) -> None:
    node = helper.make_node("Conv", ["x", "w"], ["y"], name="conv7", **attributes)
    path = save(tmp_path, [node], {"x": [1, 4, 8, 8]}, {"y": None}, {"w": np.ones(weight, np.float32)})
    with pytest.raises(InputError, match=reason) as caught:
        import_onnx(path)
    assert caught.value.problems[0].where.startswith("net.onnx.conv7")


def test_format_override_and_quantized_weights(tmp_path: Path) -> None:
    nodes = [helper.make_node("DequantizeLinear", ["w8", "scale"], ["w"]),
             helper.make_node("MatMul", ["x", "w"], ["y"])]
    path = save(tmp_path, nodes, {"x": [2, 4]}, {"y": None},
                {"w8": np.ones((4, 3), np.int8), "scale": np.array(0.1, np.float32)})
    graph = import_onnx(path, format_override=FLOAT16)
    assert graph.tensors["x"].format == graph.tensors["y"].format == FLOAT16
    assert (graph.tensors["w"].format, graph.tensors["w"].role) == (INT8, Role.WEIGHT)
    assert graph.provenance["format_override"] == "float16"


def test_large_constants_are_never_materialised(tmp_path: Path) -> None:
    nodes = [helper.make_node("ConstantOfShape", ["size"], ["c"]), helper.make_node("Exp", ["c"], ["e"]),
             helper.make_node("Add", ["x", "e"], ["y"])]
    path = save(tmp_path, nodes, {"x": [1]}, {"y": None}, {"size": np.array([2**20, 2**20])})
    assert import_onnx(path).tensors["y"].elements == 2**40
    path = save(tmp_path, nodes, {"x": [1]}, {"y": None}, {"size": np.array([2**40, 2**40])})
    with pytest.raises(InputError, match=r"2\*\*48"):
        import_onnx(path)


def test_external_weights_need_not_be_there(tmp_path: Path) -> None:
    path = save(tmp_path, [helper.make_node("MatMul", ["x", "w"], ["y"])], {"x": [2, 64]}, {"y": None},
                {"w": np.ones((64, 100), np.float32)})
    model = onnx.load(path)
    onnx.save(model, path, save_as_external_data=True, location="weights.bin", size_threshold=0)
    (tmp_path / "weights.bin").unlink()
    graph: Graph = import_onnx(path)
    assert graph.parameters == 6400


def test_sparse_initializers_keep_their_density(tmp_path: Path) -> None:
    path = save(tmp_path, [helper.make_node("MatMul", ["x", "w"], ["y"])], {"x": [2, 4]}, {"y": None})
    model = onnx.load(path)
    values = helper.make_tensor("w", F, [3], [1.0, 2.0, 3.0])
    indices = helper.make_tensor("w_indices", I64, [3], [0, 5, 9])
    model.graph.sparse_initializer.append(helper.make_sparse_tensor(values, indices, [4, 3]))
    path.write_bytes(model.SerializeToString())
    assert import_onnx(path).tensors["w"].density == 0.25


def test_importing_the_package_does_not_import_onnx() -> None:
    code = "import sys, hwsim.importers, hwsim.importers.layer_csv; sys.exit('onnx' in sys.modules)"
    root = Path(__file__).parents[3]
    assert subprocess.run([sys.executable, "-c", code], check=False, cwd=root).returncode == 0


def test_ranges_sizes_and_identities_are_constants(tmp_path: Path) -> None:
    nodes = [helper.make_node("Size", ["x"], ["n"]),
             helper.make_node("Range", ["zero", "n", "two"], ["even"]),
             helper.make_node("EyeLike", ["x"], ["eye"]),
             helper.make_node("Cast", ["even"], ["ids"], to=I64),
             helper.make_node("Shape", ["x"], ["tail"], start=-1),
             helper.make_node("Expand", ["row", "tail"], ["wide"]),
             helper.make_node("Add", ["x", "eye"], ["a"]), helper.make_node("Add", ["a", "wide"], ["b"]),
             helper.make_node("Gather", ["b", "ids"], ["y"], axis=1)]
    path = save(tmp_path, nodes, {"x": [3, 4]}, {"y": None},
                {"zero": np.array(0), "two": np.array(2), "row": np.ones(1, np.float32)})
    graph = import_onnx(path)
    assert [op.kind for op in graph.ops] == ["elementwise", "elementwise", "gather"]
    assert graph.tensors["y"].shape == (3, 6)
    assert coverage_of(graph).nodes_folded == 6


def test_what_only_measures_shapes_is_not_costed(tmp_path: Path) -> None:
    nodes = [helper.make_node("Exp", ["x"], ["unused"]), helper.make_node("Relu", ["x"], ["y"])]
    graph = import_onnx(save(tmp_path, nodes, {"x": [3, 4]}, {"y": None}))
    assert [op.attributes["function"] for op in graph.ops] == ["relu"]
    coverage = coverage_of(graph)
    assert (coverage.nodes_in_file, coverage.nodes_folded, coverage.nodes_unknown) == (2, 1, 0)


def test_outputs_that_are_not_modeled_are_refused_when_read(tmp_path: Path) -> None:
    nodes = [helper.make_node("MaxPool", ["x"], ["y", "places"], kernel_shape=[2]),
             helper.make_node("Cast", ["places"], ["z"], to=F)]
    path = save(tmp_path, nodes, {"x": [1, 2, 8]}, {"y": None, "z": None})
    with pytest.raises(InputError, match="reads 'places', an output of MaxPool that hwsim does not model"):
        import_onnx(path)


def test_classical_models_are_refused_by_operator(tmp_path: Path) -> None:
    node = helper.make_node("LinearClassifier", ["x"], ["y"], domain="ai.onnx.ml", name="tree")
    path = save(tmp_path, [node], {"x": [1, 4]}, {"y": None})
    model = onnx.load(path)
    model.opset_import[0].CopyFrom(helper.make_opsetid("ai.onnx.ml", 1))
    path.write_bytes(model.SerializeToString())
    with pytest.raises(UnsupportedOp, match=r"operator ai.onnx.ml.LinearClassifier is not .* tree"):
        import_onnx(path)
