"""MobileNetV1 (Howard et al. 2017)."""

from __future__ import annotations

from pydantic import Field

from hwsim.graph.build import GraphBuilder
from hwsim.graph.types import Graph
from workloads.layers import global_pool, relu6, start
from workloads.types import ImageConfig

_STEM = 32
# Stride of the depthwise and channels of the pointwise convolution of each pair.
_PAIRS = ((1, 64), (2, 128), (1, 128), (2, 256), (1, 256), (2, 512), *((1, 512),) * 5, (2, 1024), (1, 1024))


class MobileNetV1Config(ImageConfig):
    """Knobs of MobileNetV1."""

    width: float = Field(
        default=1.0,
        ge=1 / _STEM,
        le=8,
        description="Multiplier of all channels, rounded down; 1/32 leaves one channel in the stem.",
    )


def build(config: MobileNetV1Config) -> Graph:
    """Return MobileNetV1.

    Raises
    ------
    hwsim.errors.GraphError
        The image is too small.
    """
    b = start("mobilenet_v1", config)
    x = b.input("image", (config.batch, config.image_channels, config.image_size, config.image_size))
    x = _normalized(b, x, int(config.width * _STEM), 3, "stem", stride=2)
    for index, (stride, channels) in enumerate(_PAIRS, start=1):
        have = b.tensor(x).shape[1]
        x = _normalized(b, x, have, 3, f"block{index}.depthwise", stride=stride, groups=have)
        x = _normalized(b, x, int(config.width * channels), 1, f"block{index}.pointwise")
    b.output(b.linear(global_pool(b, x, "avgpool"), config.classes, name="classifier"))
    return b.build()


def _normalized(
    b: GraphBuilder, x: str, channels: int, kernel: int, name: str, *, stride: int = 1, groups: int = 1
) -> str:
    x = b.conv(x, channels, kernel, stride=stride, padding=kernel // 2, groups=groups, bias=False, name=name)
    return relu6(b, b.batch_norm(x, f"{name}_bn"), f"{name}_relu6")
