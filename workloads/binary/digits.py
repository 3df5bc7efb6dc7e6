"""Small binary networks for 8 x 8 handwritten digits, trained here: weights and test samples lie beside."""

from __future__ import annotations

from pydantic import Field, PositiveInt

from hwsim.graph.types import BINARY, Graph
from workloads.binary.layers import convolution, linear, sign
from workloads.layers import start
from workloads.types import Workload, WorkloadConfig

PIXELS, CLASSES = 64, 10


class DigitsMlpConfig(WorkloadConfig):
    """Knobs of the binary perceptron; the trained weights fit the preset only."""

    hidden: tuple[PositiveInt, ...] = Field(
        default=(256, 256), min_length=1, description="Hidden widths, first to last."
    )
    levels: int = Field(default=3, ge=1, le=16, description="Signs of a pixel, one a level that it reaches.")


class DigitsCnnConfig(WorkloadConfig):
    """Knobs of the binary convolutional network; the trained weights fit the preset only."""

    widths: tuple[PositiveInt, ...] = Field(
        default=(32, 64, 64), min_length=1, max_length=4, description="Channels, first to last."
    )


def build_mlp(config: DigitsMlpConfig) -> Graph:
    """Return binary layers on a few signs of every pixel, and a last layer of full precision."""
    b = start("binary_digits_mlp", config)
    x = b.input("input", (config.batch, config.levels * PIXELS), format=BINARY)
    for index, width in enumerate(config.hidden, start=1):
        x = sign(b, b.batch_norm(linear(b, x, width, f"fc{index}"), f"bn{index}"), f"sign{index}")
    b.output(linear(b, x, CLASSES, f"fc{len(config.hidden) + 1}", weights=b.format, bias=True))
    return b.build()


def build_cnn(config: DigitsCnnConfig) -> Graph:
    """Return a first convolution of full precision, binary ones with pools, and a last linear layer."""
    b = start("binary_digits_cnn", config)
    x = b.input("image", (config.batch, 1, 8, 8))
    for index, width in enumerate(config.widths):
        if index == 0:
            x = b.conv(x, width, 3, padding=1, bias=False, name="conv0")
        else:
            x = convolution(b, x, width, 3, f"conv{index}", padding=1)
            x = b.max_pool(x, 2, stride=2, name=f"pool{index}")
        x = sign(b, b.batch_norm(x, f"bn{index}"), f"sign{index}")
    b.output(linear(b, b.flatten(x, "flatten"), CLASSES, "fc", weights=b.format, bias=True))
    return b.build()


_SOURCE = "trained by workloads/binary/train.py"

MLP = Workload(
    name="binary_digits_mlp",
    description="Binary perceptron for 8 x 8 digits, with trained weights in workloads/binary",
    config=DigitsMlpConfig,
    build=build_mlp,
    presets={"digits_mlp_bnn": DigitsMlpConfig()},
    source=_SOURCE,
    notes={
        "digits_mlp_bnn": "Three signs a pixel: whether it reaches 1/6, 1/2 and 5/6 of the largest; trained "
        "twice, digits_mlp_mst.npz with a loss that draws channels together.",
    },
)

CNN = Workload(
    name="binary_digits_cnn",
    description="Binary convolutional network for 8 x 8 digits, with trained weights in workloads/binary",
    config=DigitsCnnConfig,
    build=build_cnn,
    presets={"digits_cnn_bnn": DigitsCnnConfig()},
    source=_SOURCE,
    notes={"digits_cnn_bnn": "Pixels are numbers in [0, 1]; the first and the last layer are not binary."},
)
