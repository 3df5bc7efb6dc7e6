"""U-Net (Ronneberger et al. 2015) in the form that keeps the size of the image."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from hwsim.graph.build import GraphBuilder
from hwsim.graph.types import Graph
from workloads.layers import start
from workloads.types import ImageConfig, Workload


class UNetConfig(ImageConfig):
    """Knobs of a U-Net."""

    image_size: int = Field(
        default=256, ge=1, description="Height and width of the image; halves `depth` times."
    )
    classes: int = Field(default=2, ge=1, description="Number of classes.")
    width: int = Field(default=64, ge=1, description="Channels of the first level; doubles at each level.")
    depth: int = Field(default=4, ge=1, le=12, description="How often maps are halved and enlarged again.")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.image_size % 2**self.depth:
            raise ValueError(f"image_size {self.image_size} does not halve {self.depth} times")
        return self


def build(config: UNetConfig) -> Graph:
    """Return a U-Net with batch normalization, padded convolutions and learned enlargement."""
    b = start("unet", config)
    x = b.input("image", (config.batch, config.image_channels, config.image_size, config.image_size))
    levels: list[str] = []
    for level in range(config.depth):
        x = _double(b, x, config.width * 2**level, f"down{level}")
        levels.append(x)
        x = b.max_pool(x, 2, stride=2, name=f"down{level}.pool")
    x = _double(b, x, config.width * 2**config.depth, "bottom")
    for level in reversed(range(config.depth)):
        width = config.width * 2**level
        x = b.conv_transpose(x, width, 2, stride=2, name=f"up{level}.enlarge")
        x = b.concatenate((levels[level], x), 1, f"up{level}.concatenate")
        x = _double(b, x, width, f"up{level}")
    b.output(b.conv(x, config.classes, 1, name="classes"))
    return b.build()


def _double(b: GraphBuilder, x: str, channels: int, name: str) -> str:
    for part in ("conv1", "conv2"):
        x = b.conv(x, channels, 3, padding=1, bias=False, name=f"{name}.{part}")
        x = b.relu(b.batch_norm(x, f"{name}.{part}_bn"), f"{name}.{part}_relu")
    return x


WORKLOADS = (
    Workload(
        name="unet",
        description="U-Net: a contracting and an expanding path joined at every level",
        config=UNetConfig,
        build=build,
        presets={
            "unet": UNetConfig(),
            "unet_small": UNetConfig(width=16, image_size=128),
        },
        source="Ronneberger et al. 2015 with padding and batch normalization, the common tutorial form "
        "(recalled-high); counts measured with an own torch module",
        notes={
            "unet": "31,037,698 parameters, as the common form with two classes.",
            "unet_small": "16 channels at 128 pixels; own size, for short runs.",
        },
    ),
)
