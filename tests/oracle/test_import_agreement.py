"""One network through ONNX, a layer list and the built-in builder: the same counts, layer by layer.

A layer list expresses convolutions and linear layers only, without bias; so MACs, weights (biases taken
away) and the geometry of every matrix product are compared, not the operators in between.
"""

from __future__ import annotations

import math
from collections import Counter
from pathlib import Path

import pytest

from hwsim.graph.contraction import matrix_products
from hwsim.graph.ops import work_of
from hwsim.graph.types import Graph, Role
from hwsim.importers import load_network
from hwsim.importers.layer_csv import export_layer_csv, import_layer_csv
from workloads import alexnet, resnet

DATA = Path(__file__).parents[1] / "data"
NAMES = ["alexnet", "resnet18"]


def built(name: str) -> Graph:
    family = {"alexnet": alexnet, "resnet18": resnet}[name]
    for workload in family.WORKLOADS:
        if name in workload.presets:
            return workload.build(workload.presets[name])
    raise AssertionError(name)


def layers(graph: Graph) -> Counter[tuple[int, int, int, int]]:
    return Counter((p.groups, p.m, p.k, p.n) for op in graph.ops for p in matrix_products(graph, op))


def macs_by_layer(graph: Graph) -> list[int]:
    return sorted(macs for op in graph.ops if (macs := work_of(graph, op).macs))


def matrix_weights(graph: Graph) -> int:
    names = {p.right for op in graph.ops for p in matrix_products(graph, op) if p.right_is_weight}
    return sum(graph.tensors[name].elements for name in names)


@pytest.mark.parametrize("name", NAMES)
def test_three_ways_give_the_same_counts(name: str, tmp_path: Path) -> None:
    by_onnx = load_network(DATA / "onnx" / f"{name}.onnx")
    by_hand = load_network(DATA / "csv" / f"{name}.csv")
    by_builder = built(name)
    export_layer_csv(by_onnx, tmp_path / "out.csv")
    by_export = load_network(tmp_path / "out.csv")
    graphs = [by_onnx, by_hand, by_builder, by_export]
    assert len({sum(macs_by_layer(graph)) for graph in graphs}) == 1
    assert all(macs_by_layer(graph) == macs_by_layer(by_onnx) for graph in graphs)
    assert all(layers(graph) == layers(by_onnx) for graph in graphs)
    assert len({matrix_weights(graph) for graph in graphs}) == 1


def test_alexnet_parameters_of_onnx_equal_the_builder() -> None:
    # ResNet-18 differs on purpose: its exporter folded scale and shift of the batch norms into biases.
    assert load_network(DATA / "onnx" / "alexnet.onnx").parameters == built("alexnet").parameters


def test_light_alexnet_equals_the_caffe_form() -> None:
    import onnx

    light = Path(onnx.__file__).parent / "backend" / "test" / "data" / "light" / "light_bvlc_alexnet.onnx"
    caffe = next(w for w in alexnet.WORKLOADS if "alexnet_caffe" in w.presets)
    config = caffe.presets["alexnet_caffe"].model_copy(update={"image_size": 224})
    imported, made = load_network(light), caffe.build(config)
    assert layers(imported) == layers(made)
    assert imported.parameters == made.parameters


@pytest.mark.slow
def test_grouped_layers_become_sublayers_and_keep_their_macs(tmp_path: Path) -> None:
    graph = load_network(DATA / "onnx" / "mobilenet_v2.onnx")
    notes = export_layer_csv(graph, tmp_path / "mobilenet.csv")
    back = import_layer_csv(tmp_path / "mobilenet.csv")
    assert sum(macs_by_layer(back)) == sum(macs_by_layer(graph)) == 300_774_272
    assert any("sub-layers" in note for note in notes)
    assert any("padding" in note for note in notes)


def test_scalesim_derives_the_same_matrix_products() -> None:
    lines = (DATA / "csv" / "scalesim_shapes.csv").read_text().splitlines()
    header = lines[0].split(",")
    rows = [dict(zip(header, line.split(","), strict=True)) for line in lines[1:]]
    assert len(rows) == 67
    for row in rows:
        m, k, n, macs = (int(row[column]) for column in ("M", "K", "N", "macs"))
        assert m * k * n == macs
        graph = import_text(row)
        (product,) = matrix_products(graph, graph.ops[0])
        assert (product.m, product.k, product.n) == (m, k, n), row
        assert product.macs == macs


def import_text(row: dict[str, str]) -> Graph:
    import tempfile

    if row["type"] == "gemm":
        text = f"Layer, M, N, K,\n{row['layer']}, {row['M']}, {row['N']}, {row['K']},\n"
    else:
        columns = ("ifmap_h", "ifmap_w", "filt_h", "filt_w", "ch", "num_filt", "stride")
        text = ("Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, Num Filter, "
                "Strides,\n" + ", ".join([row["layer"], *(row[column] for column in columns)]) + ",\n")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "layer.csv"
        path.write_text(text)
        return import_layer_csv(path)


def test_weights_of_layer_lists_are_parameters() -> None:
    graph = load_network(DATA / "csv" / "resnet18.csv")
    weights = [tensor for tensor in graph.tensors.values() if tensor.role is Role.WEIGHT]
    assert len(weights) == len(graph.ops) == 21
    assert graph.parameters == sum(math.prod(tensor.shape) for tensor in weights)
