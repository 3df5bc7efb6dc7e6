"""MobileNetV2 (Sandler et al. 2018)."""

from __future__ import annotations

from pydantic import Field

from hwsim.graph.build import GraphBuilder
from hwsim.graph.types import Graph
from workloads.layers import global_pool, relu6, start
from workloads.types import ImageConfig

_STEM = 32
_HEAD = 1280
# Expansion, channels, blocks and stride of the first block of each stage.
_STAGES = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)


class MobileNetV2Config(ImageConfig):
    """Knobs of MobileNetV2."""

    width: float = Field(
        default=1.0, gt=0, le=8, description="Multiplier of all channels, rounded to a multiple of 8."
    )
    head: int | None = Field(
        default=None,
        ge=1,
        description="Channels of the last 1x1 convolution; by default 1280, scaled up with a width above 1.",
    )


def build(config: MobileNetV2Config) -> Graph:
    """Return MobileNetV2.

    Raises
    ------
    hwsim.errors.GraphError
        The image is too small.
    """
    b = start("mobilenet_v2", config)
    x = b.input("image", (config.batch, config.image_channels, config.image_size, config.image_size))
    x = _normalized(b, x, round_channels(_STEM * config.width), 3, "stem", stride=2)
    number = 0
    for expansion, channels, repeats, first_stride in _STAGES:
        for index in range(repeats):
            number += 1
            stride = first_stride if index == 0 else 1
            x = _block(b, x, round_channels(channels * config.width), expansion, stride, f"block{number}")
    head = config.head or round_channels(_HEAD * max(1.0, config.width))
    x = _normalized(b, x, head, 1, "head")
    b.output(b.linear(global_pool(b, x, "avgpool"), config.classes, name="classifier"))
    return b.build()


def round_channels(channels: float) -> int:
    """Return the multiple of 8 next to `channels`: at least 8, and never more than 10 % below."""
    rounded = max(8, int(channels + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * channels else rounded


def _block(b: GraphBuilder, x: str, channels: int, expansion: int, stride: int, name: str) -> str:
    have = b.tensor(x).shape[1]
    out = x
    if expansion > 1:
        out = _normalized(b, out, have * expansion, 1, f"{name}.expand")
    out = _normalized(
        b, out, have * expansion, 3, f"{name}.depthwise", stride=stride, groups=have * expansion
    )
    out = b.conv(out, channels, 1, bias=False, name=f"{name}.project")
    out = b.batch_norm(out, f"{name}.project_bn")
    if stride > 1 or have != channels:
        return out
    return b.sum(x, out, f"{name}.add")


def _normalized(
    b: GraphBuilder, x: str, channels: int, kernel: int, name: str, *, stride: int = 1, groups: int = 1
) -> str:
    x = b.conv(x, channels, kernel, stride=stride, padding=kernel // 2, groups=groups, bias=False, name=name)
    return relu6(b, b.batch_norm(x, f"{name}_bn"), f"{name}_relu6")
