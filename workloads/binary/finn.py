"""The networks of FINN: perceptrons for binary digits, and CNV for CIFAR-10 without padding."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, PositiveInt

from hwsim.graph.types import BINARY, INT8, Graph
from workloads.binary.layers import activate, convolution, linear, weight_format
from workloads.layers import start
from workloads.types import ImageConfig, Workload, WorkloadConfig

Bits = Literal[1, 2]


class BinaryMlpConfig(WorkloadConfig):
    """Knobs of a perceptron whose every layer is binary, on inputs of one bit."""

    layers: tuple[PositiveInt, ...] = Field(
        default=(784, 1024, 1024, 1024, 10), min_length=2, description="Inputs, widths and outputs."
    )


def build_mlp(config: BinaryMlpConfig) -> Graph:
    """Return binary layers, each normalized; all but the last end in a sign."""
    b = start("binary_mlp", config)
    x = b.input("input", (config.batch, config.layers[0]), format=BINARY)
    last = len(config.layers) - 1
    for index, width in enumerate(config.layers[1:], start=1):
        x = b.batch_norm(linear(b, x, width, f"fc{index}"), f"bn{index}")
        if index < last:
            x = activate(b, x, f"sign{index}", 1)
    b.output(x)
    return b.build()


class CnvConfig(ImageConfig):
    """Knobs of CNV: three pairs of 3x3 convolutions without padding, three linear layers."""

    image_size: int = Field(default=32, ge=1, description="Height and width of the input image, in pixels.")
    classes: int = Field(default=10, ge=1, description="Number of classes.")
    widths: tuple[PositiveInt, ...] = Field(
        default=(64, 128, 256), min_length=1, description="Channels of each pair of convolutions."
    )
    hidden: tuple[PositiveInt, ...] = Field(
        default=(512, 512), description="Widths of the hidden linear layers."
    )
    weight_bits: Bits = Field(default=1, description="Bits of a weight.")
    activation_bits: Bits = Field(default=1, description="Bits of an activation.")


def build_cnv(config: CnvConfig) -> Graph:
    """Return CNV on pixels of eight bits; a pool follows every pair but the last, behind its activation.

    Raises
    ------
    hwsim.errors.GraphError
        The image is too small.
    """
    b = start("cnv", config)
    size = config.image_size
    x = b.input("image", (config.batch, config.image_channels, size, size), format=INT8)
    form, index = weight_format(config.weight_bits), 0
    for stage, width in enumerate(config.widths, start=1):
        for _ in range(2):
            x = b.batch_norm(convolution(b, x, width, 3, f"conv{index}", weights=form), f"bn{index}")
            x = activate(b, x, f"act{index}", config.activation_bits)
            index += 1
        if stage < len(config.widths):
            x = b.max_pool(x, 2, stride=2, name=f"pool{stage}")
    x = b.flatten(x, "flatten")
    for width in config.hidden:
        x = b.batch_norm(linear(b, x, width, f"fc{index}", weights=form), f"bn{index}")
        x = activate(b, x, f"act{index}", config.activation_bits)
        index += 1
    b.output(linear(b, x, config.classes, f"fc{index}", weights=form))
    return b.build()


_SOURCE = "FINN: github Xilinx/BNN-PYNQ, bnn/src/network/*/hw/config.h; github Xilinx/brevitas"

MLP = Workload(
    name="binary_mlp",
    description="Perceptrons for 28 x 28 digits with binary weights, activations and inputs",
    config=BinaryMlpConfig,
    build=build_mlp,
    presets={
        "mlp_lfc_bnn": BinaryMlpConfig(),
        "mlp_sfc_bnn": BinaryMlpConfig(layers=(784, 256, 256, 256, 10)),
        "mlp_tfc_bnn": BinaryMlpConfig(layers=(784, 64, 64, 64, 10)),
    },
    source=_SOURCE,
)

CNV = Workload(
    name="cnv",
    description="CNV of FINN for CIFAR-10: weights and activations of one or two bits",
    config=CnvConfig,
    build=build_cnv,
    presets={
        "cnv_bnn": CnvConfig(),
        "cnv_w1a2": CnvConfig(activation_bits=2),
        "cnv_w2a2": CnvConfig(weight_bits=2, activation_bits=2),
    },
    source=_SOURCE,
    notes={"cnv_bnn": "CNV-W1A1; the first layer takes pixels of eight bits, and no layer is padded."},
)
