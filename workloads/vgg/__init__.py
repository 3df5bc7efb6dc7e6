"""VGG: stages of 3x3 convolutions, each followed by a 2x2 pool, then a classifier."""

from __future__ import annotations

from typing import Self

from pydantic import Field, PositiveInt, model_validator

from hwsim.graph.training import training_step
from hwsim.graph.types import Graph
from workloads.layers import linear, start
from workloads.types import ImageConfig, Repeats, Workload


class VggConfig(ImageConfig):
    """Knobs of VGG; the classifier takes the map it gets, so its size follows the image."""

    depths: tuple[Repeats, ...] = Field(
        default=(2, 2, 3, 3, 3), min_length=1, description="Convolutions of each stage."
    )
    widths: tuple[PositiveInt, ...] = Field(
        default=(64, 128, 256, 512, 512), min_length=1, description="Channels of each stage."
    )
    hidden: tuple[PositiveInt, ...] = Field(
        default=(4096, 4096), description="Widths of the hidden linear layers; may be empty."
    )
    batch_normalization: bool = Field(
        default=False, description="Normalize after every convolution, which then has no bias."
    )

    linear_sparsity_ratio: float = Field(
        default=0.0, ge=0, lt=1, description="Share of the weights of every linear layer that are not there."
    )

    training: bool = Field(default=False, description="Add the gradients of activations and weights.")

    @model_validator(mode="after")
    def _same_stages(self) -> Self:
        if len(self.depths) != len(self.widths):
            raise ValueError(f"depths has {len(self.depths)} stages and widths has {len(self.widths)}")
        return self


def build(config: VggConfig) -> Graph:
    """Return a VGG network.

    Raises
    ------
    hwsim.errors.GraphError
        The image is too small for the pools, or a step of training is asked for with batch normalization.
    """
    b = start("vgg", config)
    x = b.input("image", (config.batch, config.image_channels, config.image_size, config.image_size))
    for stage, (depth, width) in enumerate(zip(config.depths, config.widths, strict=True), start=1):
        for index in range(1, depth + 1):
            place = f"{stage}_{index}"
            x = b.conv(x, width, 3, padding=1, bias=not config.batch_normalization, name=f"conv{place}")
            if config.batch_normalization:
                x = b.batch_norm(x, f"bn{place}")
            x = b.relu(x, f"relu{place}")
        x = b.max_pool(x, 2, stride=2, name=f"pool{stage}")
    x = b.flatten(x, "flatten")
    for index, width in enumerate(config.hidden, start=1):
        x = b.relu(
            linear(b, x, width, f"fc{index}", sparsity=config.linear_sparsity_ratio), f"fc{index}_relu"
        )
    b.output(linear(b, x, config.classes, "classifier", sparsity=config.linear_sparsity_ratio))
    return training_step(b.build()) if config.training else b.build()


_SMALL = VggConfig(
    depths=(2, 2, 2), widths=(128, 256, 512), hidden=(), batch_normalization=True, image_size=32, classes=10
)

_CIFAR = _SMALL.model_copy(update={"hidden": (1024, 1024), "batch_normalization": False})

WORKLOADS = (
    Workload(
        name="vgg",
        description="VGG: stages of 3x3 convolutions and a large classifier",
        config=VggConfig,
        build=build,
        presets={
            "vgg11": VggConfig(depths=(1, 1, 2, 2, 2)),
            "vgg13": VggConfig(depths=(2, 2, 2, 2, 2)),
            "vgg16": VggConfig(),
            "vgg16_training": VggConfig(training=True),
            "vgg16_bn": VggConfig(batch_normalization=True),
            "vgg19": VggConfig(depths=(2, 2, 4, 4, 4)),
            "vgg_small": _SMALL,
            "vgg_cifar": _CIFAR,
            "vgg_cifar_sparse": _CIFAR.model_copy(update={"linear_sparsity_ratio": 0.9}),
        },
        source="torchvision models/vgg.py; vgg_small recalled-high (the usual body of binary networks); "
        "vgg_cifar: Ardakani, Condo, Gross, Sparsely-Connected Neural Networks (ICLR 2017)",
        notes={
            "vgg_small": "CIFAR-10: 128-128-M-256-256-M-512-512-M-fc.",
            "vgg_cifar": "CIFAR-10: 128-128-M-256-256-M-512-512-M-1024-1024-10, biases, no normalization.",
            "vgg_cifar_sparse": "90 % of the connections of every linear layer dropped.",
        },
    ),
)
