"""Networks with dropped connections, and the figures that anchors count on them."""

from __future__ import annotations

from pathlib import Path

import pytest

from hwsim.anchors import kept_parameters, read_anchors, weight_bytes
from hwsim.errors import DesignError, InputError
from hwsim.graph.statistics import macs
from hwsim.graph.types import Role
from hwsim.registry import load_workload
from hwsim.run import load


@pytest.mark.parametrize(
    ("name", "declared", "kept"),
    [
        ("mlp_mnist", 669_706, 669_706),
        ("mlp_sparse_2x512", 669_706, 67_901),
        ("mlp_sparse_3x1024", 2_913_290, 294_103),
        ("vgg_cifar", 14_025_866, 14_025_866),
        ("vgg_cifar_sparse", 14_025_866, 5_523_184),
    ],
)
def test_parameters(name: str, declared: int, kept: int) -> None:
    graph = load(name)
    assert graph.parameters == declared
    assert kept_parameters(graph) == kept


def test_vgg_for_cifar_has_the_published_layers() -> None:
    graph = load("vgg_cifar")
    widths = [op for op in graph.ops if op.kind in ("convolution", "gemm")]
    assert [graph.tensors[op.outputs[0]].shape[1] for op in widths] == [
        128,
        128,
        256,
        256,
        512,
        512,
        1024,
        1024,
        10,
    ]
    assert graph.tensors[widths[6].inputs[1]].shape == (1024, 8192)
    assert not any(op.kind == "batch_normalization" for op in graph.ops)


@pytest.mark.parametrize(
    ("name", "knob"), [("mlp_mnist", "sparsity_ratio"), ("vgg_cifar", "linear_sparsity_ratio")]
)
def test_only_linear_weights_are_sparse_and_shapes_stay(name: str, knob: str) -> None:
    dense, sparse = load(name), load_workload(name, {knob: 0.75})
    assert macs(sparse) == macs(dense)
    assert set(sparse.tensors) == set(dense.tensors)
    for tensor in sparse.weights:
        linear = tensor.role is Role.WEIGHT and len(tensor.shape) == 2
        assert tensor.density == (0.25 if linear else 1.0), tensor.name
    for bad in (-0.1, 1.0, "all"):
        with pytest.raises(DesignError, match=rf"{name}\.{knob}"):
            load_workload(name, {knob: bad})


def test_weight_bytes_count_matrix_weights_of_the_chosen_layers() -> None:
    graph = load("lstm_ptb_word")
    assert weight_bytes(graph, ["lstm"]) == 4 * 720_000
    assert weight_bytes(graph) == 4 * (720_000 + 300 * 10_000)
    assert weight_bytes(load("lstm_ptb_word", precision="int8"), ["lstm"]) == 720_000


def test_anchors_need_their_unit(tmp_path: Path) -> None:
    fields = 'published = "1 bit"\ntolerance_ratio = 0\nstatus = "predicted"\nsource = "s"\nwhere = "w"\n'
    path = tmp_path / "anchors.toml"
    path.write_text(
        f'[[anchors]]\nname = "a"\nmetric = "unit_bits"\n{fields}'
        f'[[anchors]]\nname = "b"\nmetric = "cycles"\nunit = "dram"\n{fields}'
        f'[[anchors]]\nname = "c"\nmetric = "weight_saving_ratio"\n{fields}'
    )
    with pytest.raises(InputError) as caught:
        read_anchors(path)
    assert [p.where.rpartition("toml.")[2] for p in caught.value.problems] == [
        "a.unit",
        "b.unit",
        "c.baseline",
    ]
