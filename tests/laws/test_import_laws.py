"""Whatever happens to a file, a reader answers with a graph or an InputError: no other exception, no hang."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import onnx
import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from hwsim.errors import InputError
from hwsim.graph.ops import work_of
from hwsim.graph.types import Graph
from hwsim.importers.layer_csv import export_layer_csv, import_layer_csv
from hwsim.importers.onnx import import_onnx
from hwsim.run import evaluate
from tests.examples import examples
from tests.hostile.onnx_changes import (
    change_attribute,
    change_initializer,
    change_input,
    change_size,
    change_type,
)

DATA = Path(__file__).parents[1] / "data"
PACKAGE = Path(onnx.__file__).parent / "backend" / "test" / "data"
MODELS = [PACKAGE / "light" / "light_bvlc_alexnet.onnx",
          *(DATA / "onnx" / f"{name}.onnx" for name in (
              "rnn", "lstm_2layer", "lstm_2layer_dynamo", "gru_bidirectional", "alexnet",
              "resnet18_dynamic")),
          *sorted((PACKAGE / "pytorch-operator").glob("*/model.onnx")),
          *sorted((PACKAGE / "simple").glob("test_[eg]*/model.onnx"))]
BLOBS = [path.read_bytes() for path in MODELS]
LISTS = [(DATA / "csv" / name).read_text() for name in ("alexnet.csv", "resnet18.csv")]
LISTS += ["Layer, M, N, K, Batch, Sparsity,\nq, 16, 64, 64, , 2:4,\nscores, 16, 16, 64, 12, ,\n"]

HOUSE = examples(800, suppress_health_check=list(HealthCheck))


def mutate_bytes(data: bytes, rng: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(rng.choice([1, 1, 1, 2, 4, 16])):
        if not changed:
            break
        at = rng.randrange(len(changed))
        action = rng.randrange(5)
        if action == 0:
            changed[at] ^= 1 << rng.randrange(8)
        elif action == 1:
            changed[at] = rng.randrange(256)
        elif action == 2:
            del changed[at:at + rng.choice([1, 2, 8, 100])]
        elif action == 3:
            changed[at:at] = bytes(rng.randrange(256) for _ in range(rng.choice([1, 4, 9])))
        elif rng.random() < 0.3:
            del changed[at:]
    return bytes(changed)


def remove_node(model: onnx.ModelProto, node: onnx.NodeProto, rng: random.Random) -> None:
    model.graph.node.remove(node)


def change_opset(model: onnx.ModelProto, node: onnx.NodeProto, rng: random.Random) -> None:
    model.opset_import[0].version = rng.choice([1, 6, 7, 9, 11, 13, 18, 21, 23, 99])


CHANGES: list[Callable[[onnx.ModelProto, onnx.NodeProto, random.Random], None]] = [
    change_attribute, change_attribute, change_input, change_initializer, change_initializer, change_size,
    change_type, remove_node, change_opset]


def answer(read: Callable[[], Graph], *, chip: str = "") -> None:
    """Run `read`; anything but a costed graph or an InputError with a message is let through and fails.

    With a chip, the graph is also evaluated on it, which again ends in a report or an InputError.
    """
    refusal, graph = None, None
    try:
        graph = read()
        if chip:
            report = evaluate(graph, chip, on_unsupported="traffic")
            assert report.totals.macs == sum(work_of(graph, op).macs for op in graph.ops)
    except InputError as error:
        refusal = error
    if refusal is None:
        assert graph is not None
        assert all(work_of(graph, op).macs >= 0 for op in graph.ops)
    else:
        assert str(refusal)
        assert refusal.exit_code in (2, 3)


@HOUSE
@given(blob=st.sampled_from(BLOBS), rng=st.randoms(use_true_random=False))
def test_damaged_bytes(blob: bytes, rng: random.Random, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.getbasetemp() / "damaged.onnx"
    path.write_bytes(mutate_bytes(blob, rng))
    answer(lambda: import_onnx(path))


@examples(500, suppress_health_check=list(HealthCheck))
@given(blob=st.sampled_from(BLOBS), rng=st.randoms(use_true_random=False),
       policy=st.sampled_from(["error", "traffic"]))
def test_damaged_networks(blob: bytes, rng: random.Random, policy: str,
                          tmp_path_factory: pytest.TempPathFactory) -> None:
    model = onnx.ModelProto.FromString(blob)
    for _ in range(rng.choice([1, 1, 2, 3])):
        if model.graph.node:
            rng.choice(CHANGES)(model, rng.choice(model.graph.node), rng)
    path = tmp_path_factory.getbasetemp() / "changed.onnx"
    path.write_bytes(model.SerializeToString())
    chip = "systolic" if rng.random() < 0.2 else ""
    answer(lambda: import_onnx(path, on_unsupported=policy), chip=chip)


FIELDS = ["0", "-3", "2.5", "1e18", "1" * 5000, "x", "", " ", "\N{SUPERSCRIPT TWO}", "nan", "1:4", "4:1",
          '"', "7", "\x00", "DP", "2147483647", "\N{ARABIC-INDIC DIGIT FIVE}"]


def mutate_text(text: str, rng: random.Random) -> bytes:
    lines = [line.split(",") for line in text.splitlines()]
    for _ in range(rng.choice([1, 1, 2, 5])):
        line = rng.choice(lines)
        at = rng.randrange(len(line))
        action = rng.randrange(6)
        if action < 3:
            line[at] = rng.choice(FIELDS)
        elif action == 3:
            del line[at:at + 1]
        elif action == 4:
            line.insert(at, rng.choice(FIELDS))
        else:
            lines.append(list(rng.choice(lines)))
        lines = [line for line in lines if line] or [[""]]
    whole = "\n".join(",".join(line) for line in lines).encode()
    return mutate_bytes(whole, rng) if rng.random() < 0.3 else whole


@HOUSE
@given(text=st.sampled_from(LISTS), rng=st.randoms(use_true_random=False))
def test_damaged_layer_lists(text: str, rng: random.Random,
                             tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.getbasetemp() / "damaged.csv"
    path.write_bytes(mutate_text(text, rng))
    answer(lambda: import_layer_csv(path))


SIZES = st.integers(1, 12)
ROWS = st.tuples(SIZES, SIZES, SIZES, SIZES, SIZES, SIZES, st.integers(1, 5))


@examples(150)
@given(rows=st.lists(ROWS, min_size=1, max_size=5))
def test_written_lists_read_back_the_same(rows: list[tuple[int, ...]],
                                          tmp_path_factory: pytest.TempPathFactory) -> None:
    text = "Layer name,IFMAP Height,IFMAP Width,Filter Height,Filter Width,Channels,Num Filter,Strides,\n"
    for index, (height, width, down, across, channels, filters, stride) in enumerate(rows):
        sizes = (height + down, width + across, down, across, channels, filters, stride)
        text += f"layer{index}," + ",".join(map(str, sizes)) + ",\n"
    folder = tmp_path_factory.getbasetemp()
    (folder / "a.csv").write_text(text)
    first = import_layer_csv(folder / "a.csv")
    export_layer_csv(first, folder / "b.csv")
    second = import_layer_csv(folder / "b.csv")
    for one, other, row in zip(first.ops, second.ops, rows, strict=True):
        height, width, down, across, channels, filters, stride = row
        outputs = (-(-(height + stride) // stride), -(-(width + stride) // stride))
        assert first.tensors[one.name].shape == second.tensors[other.name].shape == (1, filters, *outputs)
        assert work_of(first, one) == work_of(second, other)
        assert work_of(first, one).macs == outputs[0] * outputs[1] * filters * channels * down * across
