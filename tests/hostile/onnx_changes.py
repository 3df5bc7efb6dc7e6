"""Damage done to an ONNX model: attributes, inputs, initializers, sizes, operators, or bytes of the file."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable

import onnx

from hwsim.importers.onnx_table import HANDLERS
from tests.hostile.mutations import damaged_bytes

NUMBERS = [0, 1, -1, 2, 3, 7, 255, 4096, 100_000, 2**31, 10**18, -(10**18), 2**63 - 1, -(2**63)]
TYPES = [*sorted(kind for kind in HANDLERS if "." not in kind), "NonMaxSuppression", "Foo", ""]
Change = Callable[[onnx.ModelProto, onnx.NodeProto, random.Random], None]


def change_attribute(model: onnx.ModelProto, node: onnx.NodeProto, rng: random.Random) -> None:
    if not node.attribute:
        name = rng.choice(["axis", "axes", "perm", "pads", "strides", "group", "auto_pad", "to"])
        node.attribute.add(
            name=name,
            type=rng.choice([1, 2, 3, 6, 7]),
            i=rng.choice(NUMBERS),
            ints=[rng.choice(NUMBERS)],
            s=b"SAME_UPPER",
        )
        return
    attribute = rng.choice(node.attribute)
    if attribute.ints:
        attribute.ints[rng.randrange(len(attribute.ints))] = rng.choice(NUMBERS)
    elif attribute.HasField("i"):
        attribute.i = rng.choice(NUMBERS)
    elif attribute.HasField("f"):
        attribute.f = rng.choice([0.0, -1.0, float("nan"), float("inf")])
    elif attribute.HasField("t") and attribute.t.dims:
        attribute.t.dims[0] = rng.choice(NUMBERS)
    else:
        attribute.name = "other"


def change_input(model: onnx.ModelProto, node: onnx.NodeProto, rng: random.Random) -> None:
    names = [name for item in model.graph.node for name in item.output]
    names += [item.name for item in (*model.graph.initializer, *model.graph.input)] + ["", "nowhere"]
    if not node.input or rng.random() < 0.3:
        node.input.append(rng.choice(names))
    elif rng.random() < 0.2:
        del node.input[-1]
    else:
        node.input[rng.randrange(len(node.input))] = rng.choice(names)


def change_initializer(model: onnx.ModelProto, node: onnx.NodeProto, rng: random.Random) -> None:
    if not model.graph.initializer:
        return
    tensor = rng.choice(model.graph.initializer)
    if tensor.dims and rng.random() < 0.4:
        tensor.dims[rng.randrange(len(tensor.dims))] = rng.choice(NUMBERS)
    elif tensor.data_type == onnx.TensorProto.INT64:
        count = max(1, len(tensor.raw_data) // 8)
        tensor.raw_data = b"".join(struct.pack("<q", rng.choice(NUMBERS)) for _ in range(count))
    else:
        tensor.data_type = rng.randrange(30)


def change_size(model: onnx.ModelProto, node: onnx.NodeProto, rng: random.Random) -> None:
    if not model.graph.input:
        return
    dims = rng.choice(model.graph.input).type.tensor_type.shape.dim
    (rng.choice(dims) if dims else dims.add()).dim_value = rng.choice(NUMBERS)


def change_type(model: onnx.ModelProto, node: onnx.NodeProto, rng: random.Random) -> None:
    node.op_type = rng.choice(TYPES)


def remove_node(model: onnx.ModelProto, node: onnx.NodeProto, rng: random.Random) -> None:
    model.graph.node.remove(node)


def change_opset(model: onnx.ModelProto, node: onnx.NodeProto, rng: random.Random) -> None:
    model.opset_import[0].version = rng.choice([1, 6, 7, 9, 11, 13, 18, 21, 23, 99])


CHANGES: list[Change] = [
    change_attribute,
    change_attribute,
    change_input,
    change_initializer,
    change_initializer,
    change_size,
    change_type,
    remove_node,
    change_opset,
]


def damaged_model(blob: bytes, rng: random.Random) -> bytes:
    """Change up to three things in the model (mostly), or bytes of the file."""
    if rng.random() < 0.4:
        return damaged_bytes(blob, rng)
    model = onnx.ModelProto.FromString(blob)
    for _ in range(rng.choice([1, 1, 2, 3])):
        if model.graph.node:
            rng.choice(CHANGES)(model, rng.choice(model.graph.node), rng)
    return bytes(model.SerializeToString())
