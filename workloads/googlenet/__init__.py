"""GoogLeNet (Inception v1) without auxiliary heads, in the torchvision and the Caffe form."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from hwsim.graph.build import GraphBuilder
from hwsim.graph.types import Graph
from workloads.layers import global_pool, local_response_norm, start
from workloads.types import ImageConfig, Workload

# Channels of 1x1 | 3x3 reduce, 3x3 | 5x5 reduce, 5x5 | pool projection.
_MODULES: tuple[tuple[str, tuple[int, int, int, int, int, int]], ...] = (
    ("inception_3a", (64, 96, 128, 16, 32, 32)),
    ("inception_3b", (128, 128, 192, 32, 96, 64)),
    ("inception_4a", (192, 96, 208, 16, 48, 64)),
    ("inception_4b", (160, 112, 224, 24, 64, 64)),
    ("inception_4c", (128, 128, 256, 24, 64, 64)),
    ("inception_4d", (112, 144, 288, 32, 64, 64)),
    ("inception_4e", (256, 160, 320, 32, 128, 128)),
    ("inception_5a", (256, 160, 320, 32, 128, 128)),
    ("inception_5b", (384, 192, 384, 48, 128, 128)),
)


class GoogLeNetConfig(ImageConfig):
    """Knobs of GoogLeNet."""

    form: Literal["torchvision", "caffe"] = Field(
        default="torchvision",
        description="torchvision: batch normalization, no biases, a 3x3 kernel in the 5x5 branch; "
        "caffe: biases, local response normalization, a 5x5 kernel.",
    )
    pool_rounding: Literal["ceil", "floor"] = Field(
        default="ceil", description="How the strided pools round their output size."
    )


def build(config: GoogLeNetConfig) -> Graph:
    """Return GoogLeNet.

    Raises
    ------
    hwsim.errors.GraphError
        The image is too small.
    """
    b = start("googlenet", config)
    x = b.input("image", (config.batch, config.image_channels, config.image_size, config.image_size))
    x = _activated(b, config, x, 64, 7, "conv1", stride=2, padding=3)
    x = _pool(b, config, x, 3, "pool1")
    if config.form == "caffe":
        x = local_response_norm(b, x, "norm1")
    x = _activated(b, config, x, 64, 1, "conv2_reduce")
    x = _activated(b, config, x, 192, 3, "conv2", padding=1)
    if config.form == "caffe":
        x = local_response_norm(b, x, "norm2")
    x = _pool(b, config, x, 3, "pool2")
    for name, channels in _MODULES:
        x = _inception(b, config, x, channels, name)
        if name == "inception_3b":
            x = _pool(b, config, x, 3, "pool3")
        if name == "inception_4e":
            x = _pool(b, config, x, 2 if config.form == "torchvision" else 3, "pool4")
    b.output(b.linear(global_pool(b, x, "avgpool"), config.classes, name="classifier"))
    return b.build()


def _inception(
    b: GraphBuilder, config: GoogLeNetConfig, x: str, channels: tuple[int, int, int, int, int, int], name: str
) -> str:
    direct, reduce3, out3, reduce5, out5, projection = channels
    kernel5 = 3 if config.form == "torchvision" else 5
    first = _activated(b, config, x, direct, 1, f"{name}.1x1")
    second = _activated(b, config, x, reduce3, 1, f"{name}.3x3_reduce")
    second = _activated(b, config, second, out3, 3, f"{name}.3x3", padding=1)
    third = _activated(b, config, x, reduce5, 1, f"{name}.5x5_reduce")
    third = _activated(b, config, third, out5, kernel5, f"{name}.5x5", padding=kernel5 // 2)
    fourth = b.max_pool(x, 3, stride=1, padding=1, name=f"{name}.pool")
    fourth = _activated(b, config, fourth, projection, 1, f"{name}.pool_projection")
    return b.concatenate((first, second, third, fourth), 1, f"{name}.concatenate")


def _activated(
    b: GraphBuilder,
    config: GoogLeNetConfig,
    x: str,
    channels: int,
    kernel: int,
    name: str,
    *,
    stride: int = 1,
    padding: int = 0,
) -> str:
    normalized = config.form == "torchvision"
    x = b.conv(x, channels, kernel, stride=stride, padding=padding, bias=not normalized, name=name)
    if normalized:
        x = b.batch_norm(x, f"{name}_bn")
    return b.relu(x, f"{name}_relu")


def _pool(b: GraphBuilder, config: GoogLeNetConfig, x: str, kernel: int, name: str) -> str:
    return b.max_pool(x, kernel, stride=2, ceil_mode=config.pool_rounding == "ceil", name=name)


WORKLOADS = (
    Workload(
        name="googlenet",
        description="GoogLeNet: nine inception modules, no auxiliary heads",
        config=GoogLeNetConfig,
        build=build,
        presets={
            "googlenet": GoogLeNetConfig(),
            "googlenet_caffe": GoogLeNetConfig(form="caffe"),
            "googlenet_onnx": GoogLeNetConfig(form="caffe", pool_rounding="floor"),
        },
        source="torchvision models/googlenet.py (recalled-high); Caffe form: light_inception_v1 of the "
        "ONNX test data",
        notes={
            "googlenet": "The 5x5 branch has 3x3 kernels, as torchvision's released weights have.",
            "googlenet_onnx": "Pools round down, as in light_inception_v1.onnx: maps of 55, 27, 13 and 6.",
        },
    ),
)
