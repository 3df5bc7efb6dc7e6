"""VGG-small with binary convolutions between a first and a last layer of full precision."""

from __future__ import annotations

from typing import Self

from pydantic import Field, PositiveInt, model_validator

from hwsim.graph.types import Graph
from workloads.binary.layers import convolution, linear, sign
from workloads.layers import start
from workloads.types import ImageConfig, Repeats, Workload


class BinaryVggConfig(ImageConfig):
    """Knobs of a binary VGG; the first convolution and the last linear layer are not binary."""

    image_size: int = Field(default=32, ge=1, description="Height and width of the input image, in pixels.")
    classes: int = Field(default=10, ge=1, description="Number of classes.")
    depths: tuple[Repeats, ...] = Field(
        default=(2, 2, 2), min_length=1, description="Convolutions of each stage."
    )
    widths: tuple[PositiveInt, ...] = Field(
        default=(128, 256, 512), min_length=1, description="Channels of each stage."
    )

    @model_validator(mode="after")
    def _same_stages(self) -> Self:
        if len(self.depths) != len(self.widths):
            raise ValueError(f"depths has {len(self.depths)} stages and widths has {len(self.widths)}")
        return self


def build(config: BinaryVggConfig) -> Graph:
    """Return convolution, pool, normalization and sign, over and over; the pool precedes the normalization.

    Raises
    ------
    hwsim.errors.GraphError
        The image is too small for the pools.
    """
    b = start("binary_vgg", config)
    x = b.input("image", (config.batch, config.image_channels, config.image_size, config.image_size))
    index = 0
    for stage, (depth, width) in enumerate(zip(config.depths, config.widths, strict=True), start=1):
        for place in range(1, depth + 1):
            if index == 0:
                x = b.conv(x, width, 3, padding=1, bias=False, name="conv0")
            else:
                x = convolution(b, x, width, 3, f"conv{index}", padding=1)
            if place == depth:
                x = b.max_pool(x, 2, stride=2, name=f"pool{stage}")
            x = sign(b, b.batch_norm(x, f"bn{index}"), f"sign{index}")
            index += 1
    b.output(linear(b, b.flatten(x, "flatten"), config.classes, "fc", weights=b.format))
    return b.build()


WORKLOAD = Workload(
    name="binary_vgg",
    description="VGG-small for CIFAR-10 with binary weights and activations",
    config=BinaryVggConfig,
    build=build,
    presets={"vgg_small_bnn": BinaryVggConfig()},
    source="IR-Net (H. Qin et al., CVPR 2020), github htqin/IR-Net: first convolution and last linear layer "
    "are not binary",
    notes={"vgg_small_bnn": "Input of the last layer are signs; its weights are of full precision."},
)
