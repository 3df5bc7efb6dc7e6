"""One sound file of every format that the command line reads, small, with the commands that read it."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper

from hwsim.__main__ import main
from tests.hostile.mutations import (
    Mutate,
)

ROOT = Path(__file__).parents[2]
Words = tuple[str, ...]

GEMM = "Layer, M, N, K,\nfc1, 7, 33, 20,\nfc2, 30, 5, 64,\n"
CONVOLUTION = (
    "Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, Num Filter, Strides,\n"
    "conv1, 9, 9, 3, 3, 3, 8, 2,\nconv2, 6, 5, 2, 2, 8, 4, 1,\n"
)
SPARSE = "Layer, M, N, K, Batch, Sparsity,\nq, 16, 64, 64, , 2:4,\nscores, 16, 16, 64, 12, ,\n"
NETLIST = """# two bits and a carry
.model add2
.inputs A[0] A[1] B[0] B[1] cin
.outputs S[0] S[1] S[2] y
.gate FA A=A[1] B=B[1] Ci=c0 S=S[1] Co=S[2]
.gate FA A=A[0] B=B[0] \\
   Ci=cin S=S[0] Co=c0
.gate NAND A=A[0] B=c0 Y=y
.end
"""
ALIST = """7 3
3 4
1 1 2 1 2 2 3
4 4 4
1 0 0
2 0 0
1 2 0
3 0 0
1 3 0
2 3 0
1 2 3
1 3 5 7
2 3 6 7
4 5 6 7
"""
PLACES = "R 0 3\nW 1 17\nR 0 4   # next\nW 2 0\nR 1 17\nR 0 3\n"
GRAPH = {"name": "diamond", "size": [3, 8, 6, 6, 2], "ins": [[], [0], [1], [1], [2, 3]]}
SWEEP = """chips = ["systolic:edge_32"]
networks = ["lenet5"]
batch = [1, 2]
precision = ["int8"]
constraints = ["array_rows * array_cols <= 4096", "dataflow != 'is' or array_rows >= 16"]
sampling = "random"
samples = 3
seed = 1
limit = 4
on_unsupported = "error"

[knobs]
array_rows = { powers_of_two = [8, 16] }
array_cols = { equal = "array_rows * 2" }
clock_hz = { from = "200 MHz", to = "1 GHz", points = 2, scale = "log" }
dataflow = ["os", "ws"]

[knobs.systolic]
dram_bits_per_s = ["25 Gb/s"]
"""
SEARCH = """
[search]
method = "response_surface"
objectives = ["energy_j", "max:utilization"]
budget = 4
batch = 2
"""
COMPARISON = """title = "two"
question = "which?"
task = "digits"
network = "digits_32"
baseline = "b"

[service]
life = "5y"
activity = 0.5

[[columns]]
name = "a"
chip = "systolic:edge_32"
batch = 2
precision = "int8"
reservations = ["one"]

[[columns]]
name = "b"
chip = "edge_gpu"
on_unsupported = "host"
knobs = { clock_hz = "1 GHz" }

[[reservations]]
figures = ["time", "energy_j"]
columns = ["a"]
reason = "two"
comparable = false
"""
SCENARIO = """label = "illustrative"
use_intensity = "0.4 kgCO2e/kW/h"
fab_intensity = "0.5 kgCO2e/kW/h"
methods = ["act", "greenchip"]
full_rate = "100 Hz"
note = "assumed"

[engines.edge_gpu]
idle_power = "5 W"
dies = [{ node = "12", area = "350 mm^2", kind = "logic", count = 1, layers = 1 }]

[engines.systolic]
idle_power = "modeled"
active_power = "modeled"
throughput = "modeled"
dies = [{ node = "28", area = "modeled", kind = "logic" }]
"""
CHANNEL = """ebn0_db = [2.0, 4.0]
frames = 20
seed = 1
belief_propagation = 1
"""


@dataclass(frozen=True)
class Specimen:
    """A sound file: what to call it, what it holds, how to damage it, and the commands that read it.

    ``{}`` in a command stands for the file, ``{out}`` for a place to write to, without its suffix.
    """

    format: str
    file: str
    make: Callable[[], bytes]
    damage: Mutate
    commands: Sequence[Words]


def text_file(content: str) -> Callable[[], bytes]:
    return content.encode


def written(words: Words, file: str) -> bytes:
    """Run a command in the folder of this process and return the file that it writes there."""
    Path("net.csv").write_text(GEMM)
    Path("graph.json").write_text(json.dumps(GRAPH))
    assert main([*words, "-o", file, "--quiet"]) == 0, words
    return Path(file).read_bytes()


def report_file() -> bytes:
    return written(("run", "net.csv", "--on", "systolic"), "written.json")


def both_reports_file() -> bytes:
    return written(("compare", "net.csv", "--on", "systolic,edge_gpu"), "written.json")


def plan_file() -> bytes:
    return written(("schedule", "graph.json", "--scratchpad", "16blocks"), "written.json")


def results_file() -> bytes:
    for left in Path().glob("written.db*"):
        left.unlink()
    return written(
        ("sweep", "net.csv", "--on", "systolic", "--knob", "array_rows=8,16", "--engine", "inprocess"),
        "written.db",
    )


def onnx_file() -> bytes:
    """Return a small convolution with a pool and a linear layer, its batch open."""
    rng = np.random.default_rng(3)
    weights = {"w": (4, 3, 3, 3), "b": (4,), "v": (16, 5)}
    model = helper.make_model(
        helper.make_graph(
            [
                helper.make_node(
                    "Conv", ["x", "w", "b"], ["c"], name="conv", strides=[2, 2], pads=[1, 1, 1, 1]
                ),
                helper.make_node("Relu", ["c"], ["r"], name="relu"),
                helper.make_node("MaxPool", ["r"], ["p"], name="pool", kernel_shape=[2, 2], strides=[2, 2]),
                helper.make_node("Reshape", ["p", "shape"], ["f"], name="flat"),
                helper.make_node("MatMul", ["f", "v"], ["y"], name="linear"),
            ],
            "tiny",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 3, 8, 8])],
            [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["batch", 5])],
            [
                *(
                    onnx.numpy_helper.from_array(rng.normal(size=shape).astype(np.float32), name)
                    for name, shape in weights.items()
                ),
                onnx.numpy_helper.from_array(np.array([0, -1], dtype=np.int64), "shape"),
            ],
        ),
        opset_imports=[helper.make_opsetid("", 18)],
        ir_version=8,
    )
    return bytes(model.SerializeToString())


def masks_file() -> bytes:
    buffer = io.BytesIO()
    rng = np.random.default_rng(1)
    np.savez(buffer, **{name: rng.random((32, 2, 64)) < 0.5 for name in ("/LSTM", "/LSTM_1")})
    return buffer.getvalue()


def samples_file(archive: str, count: int) -> Callable[[], bytes]:
    def make() -> bytes:
        buffer = io.BytesIO()
        with np.load(ROOT / "workloads" / archive) as whole:
            np.savez(
                buffer,
                **{
                    name: whole[name][:count] if name in ("input", "labels") else whole[name]
                    for name in whole.files
                },
            )
        return buffer.getvalue()

    return make


def write_companions() -> None:
    """Write the sound files that some commands name beside the damaged one."""
    Path("net.csv").write_text(GEMM)
    Path("graph.json").write_text(json.dumps(GRAPH))
    Path("states.onnx").write_bytes((ROOT / "tests/data/onnx/lstm_2layer.onnx").read_bytes())
