"""The nine complete networks inside the onnx package against counts that were made without this importer.

Counts: convolution = output elements x weights per output channel, Gemm = output elements x inner size; the
MACs of resnet50 and vgg19 are those of torch's FlopCounterMode on the torchvision networks as well.
Parameters: weights and biases of Conv and Gemm, in millions.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import onnx
import pytest

from hwsim.graph.coverage import coverage_of
from hwsim.graph.ops import work_of
from hwsim.graph.types import Graph
from hwsim.importers import load_network

LIGHT = Path(onnx.__file__).parent / "backend" / "test" / "data" / "light"

#        file                 nodes Conv Gemm  MACs          parameters / 1e6
ROWS = [("light_bvlc_alexnet", 40, 5, 3, 654_560_384, "60.965"),
        ("light_zfnet512", 38, 5, 3, 1_481_727_008, "87.251"),
        ("light_vgg19", 82, 16, 3, 19_632_062_464, "143.667"),
        ("light_squeezenet", 105, 26, 0, 349_151_936, "1.235"),
        ("light_inception_v1", 237, 57, 1, 1_431_556_352, "6.999"),
        ("light_shufflenet", 446, 49, 1, 124_664_528, "1.366"),
        ("light_resnet50", 415, 53, 1, 4_089_184_256, "25.504"),
        ("light_inception_v2", 916, 69, 1, 2_018_851_840, "11.175"),
        ("light_densenet121", 1746, 121, 0, 2_834_161_664, "7.895")]


def contraction_parameters(graph: Graph) -> int:
    names = {name for op in graph.ops if op.kind in ("convolution", "gemm") for name in op.inputs[1:]}
    return sum(graph.tensors[name].elements for name in names)


def test_all_nine_networks_are_in_the_table() -> None:
    assert {path.stem for path in LIGHT.glob("*.onnx")} == {row[0] for row in ROWS}


@pytest.mark.parametrize(("name", "nodes", "convolutions", "gemms", "macs", "millions"), ROWS)
def test_counts_equal_the_table(name: str, nodes: int, convolutions: int, gemms: int, macs: int,
                                millions: str) -> None:
    graph = load_network(LIGHT / f"{name}.onnx")
    kinds = [op.kind for op in graph.ops]
    assert (kinds.count("convolution"), kinds.count("gemm")) == (convolutions, gemms)
    assert sum(work_of(graph, op).macs for op in graph.ops) == macs
    assert f"{contraction_parameters(graph) / 1e6:.3f}" == millions
    coverage = coverage_of(graph)
    assert coverage.nodes_in_file == nodes
    assert coverage.nodes_folded + coverage.nodes_costed == nodes
    assert coverage.nodes_unknown == coverage.nodes_as_data_movement == 0
    assert coverage.macs == macs


@pytest.mark.parametrize("name", [row[0] for row in ROWS])
def test_every_weight_is_known_though_none_is_an_initializer(name: str) -> None:
    graph = load_network(LIGHT / f"{name}.onnx")
    assert len(graph.inputs) == 1
    produced = {name for op in graph.ops for name in op.outputs}
    for op in graph.ops:
        if op.kind in ("convolution", "gemm"):
            assert op.inputs[1] not in produced
            assert graph.tensors[op.inputs[1]].role == "weight"


def test_peak_memory_of_importing_resnet50_stays_below_300_mb() -> None:
    # VmHWM is the child's own peak; ru_maxrss starts from what its parent held when it was forked.
    code = ("import sys; from pathlib import Path; from hwsim.importers import load_network; "
            "load_network(sys.argv[1]); status = Path('/proc/self/status').read_text(); "
            "sys.stdout.write(status.partition('VmHWM:')[2].split()[0])")
    command = [sys.executable, "-c", code, str(LIGHT / "light_resnet50.onnx")]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2])
    assert int(done.stdout) / 1024 < 300
