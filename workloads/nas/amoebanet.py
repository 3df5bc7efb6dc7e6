"""AmoebaNet-D (Real et al. 2019) for ImageNet.

Cells and network: kakaobrain/torchgpipe benchmarks/models/amoebanet (`read` at fe52c4d and a471026), which
follows the TensorFlow release. Two slips of that file are not followed: an average pool under the name of a
max pool, and a ReLU on the image.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from hwsim.graph.build import GraphBuilder
from hwsim.graph.types import Graph
from workloads.layers import global_pool, start
from workloads.nas.layers import halve, pool, relu_conv_bn
from workloads.types import ImageConfig

_NORMAL = (
    ("conv_1x1", 1),
    ("max", 1),
    ("none", 1),
    ("conv_1x7_7x1", 0),
    ("conv_1x1", 0),
    ("conv_1x7_7x1", 0),
    ("max", 2),
    ("none", 2),
    ("average", 1),
    ("conv_1x1", 5),
)
_REDUCTION = (
    ("max_2x2", 0),
    ("max", 0),
    ("none", 2),
    ("conv_3x3", 1),
    ("conv_1x7_7x1", 2),
    ("max", 2),
    ("none", 3),
    ("max_2x2", 1),
    ("average", 2),
    ("conv_1x1", 3),
)
_JOINED = {"implementation": (0, 3, 4, 6), "paper": (4, 5, 6)}
_REDUCTION_JOINED = (4, 5, 6)


class AmoebanetConfig(ImageConfig):
    """Knobs of AmoebaNet-D."""

    cells: int = Field(
        default=18,
        ge=3,
        le=1024,
        multiple_of=3,
        description="Normal cells, in three equal groups with a reduction cell between them.",
    )
    width: int = Field(
        default=208, ge=16, multiple_of=16, description="Channels of a state in the first normal cells."
    )
    normal_join: Literal["implementation", "paper"] = Field(
        default="implementation",
        description="States that a normal cell joins: 0, 3, 4, 6 as released, or 4, 5, 6 as in the paper.",
    )


def build(config: AmoebanetConfig) -> Graph:
    """Return AmoebaNet-D without the auxiliary head of training.

    Raises
    ------
    hwsim.errors.GraphError
        The image does not halve evenly.
    """
    b = start("amoebanet_d", config)
    x = b.input("image", (config.batch, config.image_channels, config.image_size, config.image_size))
    width = config.width // 4
    x = b.conv(x, width, 3, stride=2, padding=1, bias=False, name="stem")
    before = last = b.batch_norm(x, "stem_bn")
    groups = config.cells // 3
    plan = [True, True, *[False] * groups, True, *[False] * groups, True, *[False] * groups]
    halved = False
    for index, reduction in enumerate(plan):
        width *= 1 + reduction
        before, last = last, _cell(b, config, before, last, width, reduction, halved, f"cell{index}")
        halved = reduction
    b.output(b.linear(global_pool(b, last, "avgpool"), config.classes, name="classifier"))
    return b.build()


def _cell(
    b: GraphBuilder,
    config: AmoebanetConfig,
    before: str,
    last: str,
    width: int,
    reduction: bool,
    halved: bool,
    name: str,
) -> str:
    """Add a cell over the two cells before it; `halved`: the last one halved its maps."""
    states = [relu_conv_bn(b, last, width, f"{name}.last"), before]
    if halved:
        states[1] = halve(b, before, width, f"{name}.before")
    elif b.tensor(before).shape[1] != width:
        states[1] = relu_conv_bn(b, before, width, f"{name}.before")
    edges = _REDUCTION if reduction else _NORMAL
    for node in range(len(edges) // 2):
        parts = []
        for side, (operation, source) in zip(("left", "right"), edges[2 * node : 2 * node + 2], strict=True):
            stride = 2 if reduction and source < 2 else 1
            parts.append(_operation(b, states[source], operation, stride, f"{name}.node{node}.{side}"))
        states.append(b.sum(parts[0], parts[1], f"{name}.node{node}.add"))
    joined = _REDUCTION_JOINED if reduction else _JOINED[config.normal_join]
    return b.concatenate([states[state] for state in joined], 1, f"{name}.concatenate")


def _operation(b: GraphBuilder, x: str, operation: str, stride: int, name: str) -> str:
    width = b.tensor(x).shape[1]
    if operation == "none":
        return x
    if operation in ("max", "average"):
        return pool(b, x, operation, stride, name)
    if operation == "max_2x2":
        return b.max_pool(x, 2, stride=stride, name=name)
    if operation == "conv_1x1":
        return relu_conv_bn(b, x, width, name, stride=(stride, stride))
    x = relu_conv_bn(b, x, width // 4, f"{name}.narrow")
    if operation == "conv_3x3":
        x = relu_conv_bn(
            b, x, width // 4, f"{name}.3x3", kernel=(3, 3), stride=(stride, stride), padding=(1, 1)
        )
    else:
        x = relu_conv_bn(b, x, width // 4, f"{name}.1x7", kernel=(1, 7), stride=(1, stride), padding=(0, 3))
        x = relu_conv_bn(b, x, width // 4, f"{name}.7x1", kernel=(7, 1), stride=(stride, 1), padding=(3, 0))
    return relu_conv_bn(b, x, width, f"{name}.widen")
