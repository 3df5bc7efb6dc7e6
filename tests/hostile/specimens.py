"""One sound file of every format that the command line reads, small, with the commands that read it."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper

from hwsim.__main__ import main
from tests.hostile.mutations import (
    Mutate,
    damaged_archive,
    damaged_bytes,
    damaged_json,
    damaged_lines,
    damaged_toml,
)
from tests.hostile.onnx_changes import damaged_model

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


def _text(content: str) -> Callable[[], bytes]:
    return content.encode


def written(words: Words, file: str) -> bytes:
    """Run a command in the folder of this process and return the file that it writes there."""
    Path("net.csv").write_text(GEMM)
    Path("graph.json").write_text(json.dumps(GRAPH))
    assert main([*words, "-o", file, "--quiet"]) == 0, words
    return Path(file).read_bytes()


def _report() -> bytes:
    return written(("run", "net.csv", "--on", "systolic"), "written.json")


def _both_reports() -> bytes:
    return written(("compare", "net.csv", "--on", "systolic,edge_gpu"), "written.json")


def _plan() -> bytes:
    return written(("schedule", "graph.json", "--scratchpad", "16blocks"), "written.json")


def _results() -> bytes:
    for left in Path().glob("written.db*"):
        left.unlink()
    return written(
        ("sweep", "net.csv", "--on", "systolic", "--knob", "array_rows=8,16", "--engine", "inprocess"),
        "written.db",
    )


def _onnx() -> bytes:
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


def _masks() -> bytes:
    buffer = io.BytesIO()
    rng = np.random.default_rng(1)
    np.savez(buffer, **{name: rng.random((32, 2, 64)) < 0.5 for name in ("/LSTM", "/LSTM_1")})
    return buffer.getvalue()


def _samples(archive: str, count: int) -> Callable[[], bytes]:
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


def _run(network: str, chip: str, *more: str) -> Words:
    return ("run", network, "--on", chip, *more)


def _functional(network: str, chip: str) -> Words:
    return _run(network, chip, "--on-unsupported", "host", "--functional", "{}", "-o", "{out}.json")


@cache
def specimens() -> tuple[Specimen, ...]:
    """Return all specimens; the commands of one are tried in turn."""
    layered = tuple(
        _run("{}", chip, "-o", "{out}.json")
        for chip in ("systolic", "edge_gpu", "dram_pim", "reram_pim", "sparse_fc", "finn_bnn", "aqfp_bnn")
    )
    models = (
        _run("{}", "systolic", "-o", "{out}.json"),
        _run("{}", "edge_gpu", "--dim", "batch=2"),
        _run("{}", "systolic", "--on-unsupported", "traffic", "--batch", "3"),
        (
            "schedule",
            "{}",
            "--scratchpad",
            "4KiB",
            "--solver",
            "none",
            "--time-limit",
            "1",
            "-o",
            "{out}.svg",
        ),
    )
    return (
        Specimen("onnx", "tiny.onnx", _onnx, damaged_model, models),
        Specimen("csv", "gemm.csv", _text(GEMM), damaged_lines, layered),
        Specimen("csv", "convolution.csv", _text(CONVOLUTION), damaged_lines, layered),
        Specimen("csv", "sparse.csv", _text(SPARSE), damaged_lines, layered),
        Specimen(
            "netlist",
            "add.net",
            _text(NETLIST),
            damaged_lines,
            (
                _run("{}", "invertible_logic", "-o", "{out}.json"),
                _run("{}", "invertible_logic", "--clamp", "none"),
                _run("{}", "dram_pim"),
            ),
        ),
        Specimen("netlist", "add.blif", _text(NETLIST), damaged_lines, (_run("{}", "invertible_logic"),)),
        Specimen(
            "alist",
            "hamming.alist",
            _text(ALIST),
            damaged_lines,
            (
                _run("{}", "min_sum_decoder", "-o", "{out}.json"),
                _run("{}", "min_sum_decoder", "--batch", "2"),
            ),
        ),
        Specimen(
            "trace",
            "names.memtrace",
            _text((ROOT / "tests/data/traces/vectors.memtrace").read_text()),
            damaged_lines,
            (_run("{}", "racetrack_memory", "-o", "{out}.json"),),
        ),
        Specimen(
            "trace",
            "places.memtrace",
            _text(PLACES),
            damaged_lines,
            (
                _run("{}", "racetrack_memory", "-o", "{out}.csv"),
                _run("{}", "racetrack_memory", "--set", "placement=arrangement"),
            ),
        ),
        Specimen(
            "schedule graph",
            "graph.json",
            _text(json.dumps(GRAPH)),
            damaged_json,
            (
                (
                    "schedule",
                    "{}",
                    "--scratchpad",
                    "16blocks",
                    "--solver",
                    "none",
                    "--time-limit",
                    "1",
                    "-o",
                    "{out}.json",
                ),
                ("schedule", "{}", "--sweep", "14blocks:20blocks:2", "--solver", "none", "--time-limit", "1"),
            ),
        ),
        Specimen("plan", "plan.json", _plan, damaged_json, (("schedule", "graph.json", "--verify", "{}"),)),
        Specimen(
            "report",
            "report.json",
            _report,
            damaged_json,
            (
                ("explain", "{}"),
                ("compare", "{}", "-o", "{out}.html"),
                ("explain", "{}", "--json"),
                ("compare", "{}", "--timeline", "{out}.json"),
            ),
        ),
        Specimen(
            "report",
            "reports.json",
            _both_reports,
            damaged_json,
            (("compare", "{}", "-o", "{out}.csv"), ("explain", "{}")),
        ),
        Specimen(
            "sweep",
            "sweep.toml",
            _text(SWEEP),
            damaged_toml,
            (
                ("sweep", "{}", "--dry-run"),
                ("sweep", "{}", "--engine", "inprocess", "--limit", "2", "-o", "{out}.db", "-o", "{out}.csv"),
            ),
        ),
        Specimen(
            "sweep",
            "search.toml",
            _text(SWEEP.replace('"random"\nsamples = 3', '"search"') + SEARCH),
            damaged_toml,
            (("sweep", "{}", "--engine", "inprocess", "-o", "{out}.db", "--limit", "2"),),
        ),
        Specimen(
            "scenario",
            "scenario.toml",
            _text(SCENARIO),
            damaged_toml,
            (
                (
                    "compare",
                    "net.csv",
                    "--on",
                    "systolic,edge_gpu",
                    "--service-life",
                    "5y",
                    "--scenario",
                    "{}",
                    "-o",
                    "{out}.html",
                ),
            ),
        ),
        Specimen(
            "functional settings",
            "channel.toml",
            _text(CHANNEL),
            damaged_toml,
            (
                _run("hamming_7_4", "min_sum_decoder", "--functional", "{}"),
                _run("bch_15_11", "min_sum_decoder", "--functional", "{}"),
            ),
        ),
        Specimen(
            "functional settings",
            "offset.toml",
            _text(CHANNEL + "offsets = 0.5\n"),
            damaged_toml,
            (_run("hamming_7_4", "min_sum_decoder:offset_min_sum", "--functional", "{}"),),
        ),
        Specimen(
            "functional samples",
            "digits.npz",
            _samples("digits/digits_32.npz", 4),
            damaged_archive,
            (
                _functional("digits_32", "integral_sc"),
                _functional("digits_32", "integral_sc:binary_radix_65nm"),
            ),
        ),
        Specimen(
            "functional samples",
            "relu.npz",
            _samples("digits/digits_relu_32.npz", 4),
            damaged_archive,
            (_functional("digits_relu_32", "dram_pim"),),
        ),
        Specimen(
            "functional samples",
            "binary.npz",
            _samples("binary/digits_mlp_bnn.npz", 4),
            damaged_archive,
            (
                _functional("digits_mlp_bnn", "finn_bnn"),
                _functional("digits_mlp_bnn", "aqfp_bnn:illustrative"),
                _functional("digits_mlp_bnn", "mst_bnn"),
            ),
        ),
        Specimen(
            "masks",
            "masks.npz",
            _masks,
            damaged_archive,
            (_run("states.onnx", "sparse_lstm", "--set", "state_masks={}", "-o", "{out}.json"),),
        ),
        Specimen(
            "results",
            "results.db",
            _results,
            damaged_bytes,
            (
                ("pareto", "{}", "-o", "{out}.svg"),
                (
                    "sweep",
                    "net.csv",
                    "--on",
                    "systolic",
                    "--knob",
                    "array_rows=8,16,32",
                    "--engine",
                    "inprocess",
                    "-o",
                    "{}",
                    "-o",
                    "{out}.csv",
                ),
                ("pareto", "{}", "--json", "--objectives", "energy_j,max:utilization"),
            ),
        ),
    )


def write_companions() -> None:
    """Write the sound files that some commands name beside the damaged one."""
    Path("net.csv").write_text(GEMM)
    Path("graph.json").write_text(json.dumps(GRAPH))
    Path("states.onnx").write_bytes((ROOT / "tests/data/onnx/lstm_2layer.onnx").read_bytes())
