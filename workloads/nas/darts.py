"""Networks of DARTS cells (Liu et al. 2019) for CIFAR-10 and ImageNet.

Shapes: quark0/darts cnn/model.py and cnn/genotypes.py (`read` at 28419ac and 8876e79), the genotype DARTS_V2
in copies of that file (`read`). Layers inside an operation: the DARTS operation set, `recalled-high`; the
parameter counts printed in the DARTS README (`read`, 05b0461) confirm them.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, NamedTuple

from pydantic import Field

from hwsim.graph.build import GraphBuilder
from hwsim.graph.types import Graph
from workloads.layers import global_pool, start
from workloads.nas.layers import halve, pool, relu_conv_bn, separable, separable_twice
from workloads.types import ImageConfig, Repeats

_Edges = tuple[tuple[str, int], ...]


class Genotype(NamedTuple):
    """Operation and source state of every edge; two edges in a row make one node, all nodes are joined."""

    normal: _Edges
    reduction: _Edges


GENOTYPES: Mapping[str, Genotype] = MappingProxyType(
    {
        "darts_v1": Genotype(
            (
                ("separable_3", 1),
                ("separable_3", 0),
                ("skip", 0),
                ("separable_3", 1),
                ("skip", 0),
                ("separable_3", 1),
                ("separable_3", 0),
                ("skip", 2),
            ),
            (
                ("max", 0),
                ("max", 1),
                ("skip", 2),
                ("max", 0),
                ("max", 0),
                ("skip", 2),
                ("skip", 2),
                ("average", 0),
            ),
        ),
        "darts_v2": Genotype(
            (
                ("separable_3", 0),
                ("separable_3", 1),
                ("separable_3", 0),
                ("separable_3", 1),
                ("separable_3", 1),
                ("skip", 0),
                ("skip", 0),
                ("dilated_3", 2),
            ),
            (
                ("max", 0),
                ("max", 1),
                ("skip", 2),
                ("max", 1),
                ("max", 0),
                ("skip", 2),
                ("skip", 2),
                ("max", 1),
            ),
        ),
    }
)


class DartsConfig(ImageConfig):
    """Knobs of a network of DARTS cells."""

    image_size: int = Field(default=32, ge=1, description="Height and width of the input image, in pixels.")
    classes: int = Field(default=10, ge=1, description="Number of classes.")
    cells: Repeats = Field(
        default=20, description="Cells; those at one third and two thirds of the way halve the maps."
    )
    width: int = Field(default=36, ge=2, multiple_of=2, description="Channels of the first cells; doubles.")
    genotype: Literal["darts_v1", "darts_v2"] = Field(
        default="darts_v2", description="The searched cells: first-order (v1) or second-order (v2) search."
    )
    stem: Literal["cifar", "imagenet"] = Field(
        default="cifar", description="cifar: one 3x3 convolution; imagenet: three of stride 2."
    )


def build(config: DartsConfig) -> Graph:
    """Return a network of DARTS cells without the auxiliary head of training."""
    b = start("darts", config)
    x = b.input("image", (config.batch, config.image_channels, config.image_size, config.image_size))
    before, last = _stem(b, config, x)
    halved = config.stem == "imagenet"
    width = config.width
    for index in range(config.cells):
        reduction = index in (config.cells // 3, 2 * config.cells // 3)
        width *= 1 + reduction
        before, last = last, _cell(b, config, before, last, width, reduction, halved, f"cell{index}")
        halved = reduction
    b.output(b.linear(global_pool(b, last, "avgpool"), config.classes, name="classifier"))
    return b.build()


def _stem(b: GraphBuilder, config: DartsConfig, x: str) -> tuple[str, str]:
    if config.stem == "cifar":
        x = b.conv(x, 3 * config.width, 3, padding=1, bias=False, name="stem")
        x = b.batch_norm(x, "stem_bn")
        return x, x
    x = b.conv(x, config.width // 2, 3, stride=2, padding=1, bias=False, name="stem0.conv1")
    x = b.relu(b.batch_norm(x, "stem0.bn1"), "stem0.relu")
    x = b.conv(x, config.width, 3, stride=2, padding=1, bias=False, name="stem0.conv2")
    first = b.batch_norm(x, "stem0.bn2")
    second = relu_conv_bn(b, first, config.width, "stem1", kernel=(3, 3), stride=(2, 2), padding=(1, 1))
    return first, second


def _cell(
    b: GraphBuilder,
    config: DartsConfig,
    before: str,
    last: str,
    width: int,
    reduction: bool,
    halved: bool,
    name: str,
) -> str:
    """Add a cell over the two cells before it; `halved`: the last one halved its maps."""
    genotype = GENOTYPES[config.genotype]
    edges = genotype.reduction if reduction else genotype.normal
    fit = halve if halved else relu_conv_bn
    states = [fit(b, before, width, f"{name}.before"), relu_conv_bn(b, last, width, f"{name}.last")]
    for node in range(len(edges) // 2):
        parts = []
        for side, (operation, source) in zip(("left", "right"), edges[2 * node : 2 * node + 2], strict=True):
            stride = 2 if reduction and source < 2 else 1
            parts.append(_operation(b, states[source], operation, stride, f"{name}.node{node}.{side}"))
        states.append(b.sum(parts[0], parts[1], f"{name}.node{node}.add"))
    return b.concatenate(states[2:], 1, f"{name}.concatenate")


def _operation(b: GraphBuilder, x: str, operation: str, stride: int, name: str) -> str:
    channels = b.tensor(x).shape[1]
    if operation == "skip":
        return x if stride == 1 else halve(b, x, channels, name)
    if operation in ("max", "average"):
        return pool(b, x, operation, stride, name)
    kind, kernel = operation.split("_")
    if kind == "dilated":
        return separable(b, x, channels, int(kernel), name, stride=stride, dilation=2)
    return separable_twice(b, x, channels, int(kernel), stride, name)
