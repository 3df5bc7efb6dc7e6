"""Residual networks for ImageNet and CIFAR-10, with basic and bottleneck blocks."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, PositiveInt, model_validator

from hwsim.graph.build import GraphBuilder
from hwsim.graph.types import Graph
from workloads.layers import global_pool, pad_channels, start, subsample
from workloads.types import ImageConfig, Repeats, Workload

_EXPANSION = {"basic": 1, "bottleneck": 4}


class ResNetConfig(ImageConfig):
    """Knobs of a residual network."""

    block: Literal["basic", "bottleneck"] = Field(
        default="basic", description="basic: two 3x3 convolutions; bottleneck: 1x1, 3x3, 1x1."
    )
    depths: tuple[Repeats, ...] = Field(
        default=(2, 2, 2, 2), min_length=1, description="Residual blocks of each stage."
    )
    widths: tuple[PositiveInt, ...] = Field(
        default=(64, 128, 256, 512),
        min_length=1,
        description="Channels of each stage; a bottleneck leaves four times as many.",
    )
    stem: Literal["imagenet", "cifar"] = Field(
        default="imagenet",
        description="imagenet: 7x7 convolution of stride 2, then a 3x3 pool; cifar: 3x3 of stride 1.",
    )
    shortcut: Literal["projection", "pad"] = Field(
        default="projection",
        description="Where shapes differ: 1x1 convolution, or subsampling and zero channels (option A).",
    )
    stride_in_first: bool = Field(
        default=False, description="Stride in the first 1x1 of a bottleneck (v1) instead of the 3x3 (v1.5)."
    )
    groups: int = Field(
        default=1, ge=1, description="Groups of the 3x3 convolution of a bottleneck (ResNeXt)."
    )
    group_width: int = Field(
        default=64, ge=1, description="Channels of one group of a bottleneck in a stage of 64 channels."
    )

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if len(self.depths) != len(self.widths):
            raise ValueError(f"depths has {len(self.depths)} stages and widths has {len(self.widths)}")
        if self.block == "basic" and (self.groups, self.group_width) != (1, 64):
            raise ValueError("groups and group_width belong to bottleneck blocks; the block is basic")
        if self.shortcut == "pad" and (self.block != "basic" or list(self.widths) != sorted(self.widths)):
            raise ValueError("shortcut 'pad' needs basic blocks and widths that do not shrink")
        return self


def build(config: ResNetConfig) -> Graph:
    """Return a residual network.

    Raises
    ------
    hwsim.errors.GraphError
        The image is too small.
    """
    b = start("resnet", config)
    x = b.input("image", (config.batch, config.image_channels, config.image_size, config.image_size))
    if config.stem == "imagenet":
        x = b.conv(x, config.widths[0], 7, stride=2, padding=3, bias=False, name="conv1")
    else:
        x = b.conv(x, config.widths[0], 3, padding=1, bias=False, name="conv1")
    x = b.relu(b.batch_norm(x, "bn1"), "relu")
    if config.stem == "imagenet":
        x = b.max_pool(x, 3, stride=2, padding=1, name="maxpool")
    for stage, (depth, width) in enumerate(zip(config.depths, config.widths, strict=True), start=1):
        for index in range(depth):
            stride = 2 if stage > 1 and index == 0 else 1
            x = _residual(b, config, x, width, stride, f"layer{stage}.{index}")
    b.output(b.linear(global_pool(b, x, "avgpool"), config.classes, name="fc"))
    return b.build()


def _residual(b: GraphBuilder, config: ResNetConfig, x: str, width: int, stride: int, name: str) -> str:
    body = _bottleneck if config.block == "bottleneck" else _basic
    out = body(b, config, x, width, stride, name)
    short = _shortcut(b, config, x, width * _EXPANSION[config.block], stride, name)
    return b.relu(b.sum(out, short, f"{name}.add"), f"{name}.relu_out")


def _basic(b: GraphBuilder, config: ResNetConfig, x: str, width: int, stride: int, name: str) -> str:
    x = b.conv(x, width, 3, stride=stride, padding=1, bias=False, name=f"{name}.conv1")
    x = b.relu(b.batch_norm(x, f"{name}.bn1"), f"{name}.relu1")
    x = b.conv(x, width, 3, padding=1, bias=False, name=f"{name}.conv2")
    return b.batch_norm(x, f"{name}.bn2")


def _bottleneck(b: GraphBuilder, config: ResNetConfig, x: str, width: int, stride: int, name: str) -> str:
    first, second = (stride, 1) if config.stride_in_first else (1, stride)
    inner = config.groups * (width * config.group_width // 64)
    x = b.conv(x, inner, 1, stride=first, bias=False, name=f"{name}.conv1")
    x = b.relu(b.batch_norm(x, f"{name}.bn1"), f"{name}.relu1")
    x = b.conv(x, inner, 3, stride=second, padding=1, groups=config.groups, bias=False, name=f"{name}.conv2")
    x = b.relu(b.batch_norm(x, f"{name}.bn2"), f"{name}.relu2")
    x = b.conv(x, width * _EXPANSION["bottleneck"], 1, bias=False, name=f"{name}.conv3")
    return b.batch_norm(x, f"{name}.bn3")


def _shortcut(b: GraphBuilder, config: ResNetConfig, x: str, channels: int, stride: int, name: str) -> str:
    have = b.tensor(x).shape[1]
    if stride == 1 and have == channels:
        return x
    if config.shortcut == "projection":
        x = b.conv(x, channels, 1, stride=stride, bias=False, name=f"{name}.downsample")
        return b.batch_norm(x, f"{name}.downsample_bn")
    if stride > 1:
        x = subsample(b, x, stride, f"{name}.subsample")
    return pad_channels(b, x, channels, f"{name}.pad_channels") if have < channels else x


def _cifar(blocks: int) -> ResNetConfig:
    return ResNetConfig(
        depths=(blocks,) * 3, widths=(16, 32, 64), stem="cifar", shortcut="pad", image_size=32, classes=10
    )


def _bottlenecks(*depths: int, groups: int = 1, group_width: int = 64) -> ResNetConfig:
    return ResNetConfig(block="bottleneck", depths=depths, groups=groups, group_width=group_width)


WORKLOADS = (
    Workload(
        name="resnet",
        description="Residual networks; bottlenecks are v1.5 unless stride_in_first is set",
        config=ResNetConfig,
        build=build,
        presets={
            "resnet18": ResNetConfig(),
            "resnet34": ResNetConfig(depths=(3, 4, 6, 3)),
            "resnet50": _bottlenecks(3, 4, 6, 3),
            "resnet101": _bottlenecks(3, 4, 23, 3),
            "resnet152": _bottlenecks(3, 8, 36, 3),
            "resnext50_32x4d": _bottlenecks(3, 4, 6, 3, groups=32, group_width=4),
            "wide_resnet50_2": _bottlenecks(3, 4, 6, 3, group_width=128),
            "resnet18_cifar": ResNetConfig(stem="cifar", image_size=32, classes=10),
            "resnet20_cifar": _cifar(3),
            "resnet32_cifar": _cifar(5),
            "resnet56_cifar": _cifar(9),
        },
        source="torchvision models/resnet.py; CIFAR-10 forms: (n-2)/6 basic blocks a stage",
        notes={
            "resnet18_cifar": "3x3 stem of stride 1 and no pool.",
            "resnet20_cifar": "Shortcuts without weights (option A).",
        },
    ),
)
