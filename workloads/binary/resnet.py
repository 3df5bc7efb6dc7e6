"""Residual networks with binary 3x3 convolutions; stem, shortcuts and classifier keep full precision."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, PositiveInt, model_validator

from hwsim.graph.build import GraphBuilder
from hwsim.graph.types import Graph
from workloads.binary.layers import convolution, sign
from workloads.layers import global_pool, pad_channels, start, subsample
from workloads.types import ImageConfig, Repeats, Workload


class BinaryResNetConfig(ImageConfig):
    """Knobs of a binary residual network of basic blocks."""

    depths: tuple[Repeats, ...] = Field(
        default=(2, 2, 2, 2), min_length=1, description="Residual blocks of each stage."
    )
    widths: tuple[PositiveInt, ...] = Field(
        default=(64, 128, 256, 512), min_length=1, description="Channels of each stage."
    )
    stem: Literal["imagenet", "cifar"] = Field(
        default="imagenet",
        description="imagenet: 7x7 convolution of stride 2, then a 3x3 pool; cifar: 3x3 of stride 1.",
    )
    shortcut: Literal["projection", "pad"] = Field(
        default="projection",
        description="Where shapes differ: 1x1 convolution of full precision, or zero channels (option A).",
    )

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if len(self.depths) != len(self.widths):
            raise ValueError(f"depths has {len(self.depths)} stages and widths has {len(self.widths)}")
        if self.shortcut == "pad" and list(self.widths) != sorted(self.widths):
            raise ValueError("shortcut 'pad' needs widths that do not shrink")
        return self


def build(config: BinaryResNetConfig) -> Graph:
    """Return a binary residual network.

    Raises
    ------
    hwsim.errors.GraphError
        The image is too small.
    """
    b = start("binary_resnet", config)
    x = b.input("image", (config.batch, config.image_channels, config.image_size, config.image_size))
    if config.stem == "imagenet":
        x = b.conv(x, config.widths[0], 7, stride=2, padding=3, bias=False, name="conv1")
        x = b.max_pool(b.batch_norm(x, "bn1"), 3, stride=2, padding=1, name="maxpool")
    else:
        x = b.batch_norm(b.conv(x, config.widths[0], 3, padding=1, bias=False, name="conv1"), "bn1")
    x = _hardtanh(b, x, "hardtanh")
    for stage, (depth, width) in enumerate(zip(config.depths, config.widths, strict=True), start=1):
        for index in range(depth):
            stride = 2 if stage > 1 and index == 0 else 1
            x = _block(b, config, x, width, stride, f"layer{stage}.{index}")
    b.output(b.linear(global_pool(b, x, "avgpool"), config.classes, bias=False, name="fc"))
    return b.build()


def _hardtanh(b: GraphBuilder, x: str, name: str) -> str:
    return b.add("elementwise", x, name=name, function="clip", parameters=(-1.0, 1.0))


def _block(b: GraphBuilder, config: BinaryResNetConfig, x: str, width: int, stride: int, name: str) -> str:
    """Add two binary convolutions beside a shortcut of full precision.

    The clip between the two is left out: the sign behind it does not see it.
    """
    out = sign(b, x, f"{name}.sign1")
    out = convolution(b, out, width, 3, f"{name}.conv1", stride=stride, padding=1)
    out = sign(b, b.batch_norm(out, f"{name}.bn1"), f"{name}.sign2")
    out = convolution(b, out, width, 3, f"{name}.conv2", padding=1)
    out = b.sum(b.batch_norm(out, f"{name}.bn2"), _shortcut(b, config, x, width, stride, name), f"{name}.add")
    return _hardtanh(b, out, f"{name}.hardtanh")


def _shortcut(b: GraphBuilder, config: BinaryResNetConfig, x: str, width: int, stride: int, name: str) -> str:
    have = b.tensor(x).shape[1]
    if stride == 1 and have == width:
        return x
    if config.shortcut == "projection":
        x = b.conv(x, width, 1, stride=stride, bias=False, name=f"{name}.downsample")
        return b.batch_norm(x, f"{name}.downsample_bn")
    if stride > 1:
        x = subsample(b, x, stride, f"{name}.subsample")
    return pad_channels(b, x, width, f"{name}.pad_channels") if have < width else x


WORKLOAD = Workload(
    name="binary_resnet",
    description="Residual networks with binary 3x3 convolutions",
    config=BinaryResNetConfig,
    build=build,
    presets={
        "resnet18_bnn": BinaryResNetConfig(),
        "resnet18_cifar_bnn": BinaryResNetConfig(stem="cifar", image_size=32, classes=10),
        "resnet20_bnn": BinaryResNetConfig(
            depths=(3, 3, 3), widths=(16, 32, 64), stem="cifar", shortcut="pad", image_size=32, classes=10
        ),
    },
    source="IR-Net (H. Qin et al., CVPR 2020), github htqin/IR-Net: first convolution, shortcuts and last "
    "linear layer are not binary",
    notes={"resnet20_bnn": "Shortcuts without weights (option A), CIFAR-10."},
)
