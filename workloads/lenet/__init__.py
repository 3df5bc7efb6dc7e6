"""LeNet-5 for handwritten digits, with full, ternary or binary weights."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from hwsim.graph.passes import set_precision
from hwsim.graph.types import INT8, TERNARY, Graph
from workloads.binary.layers import convolution, linear, sign
from workloads.layers import start
from workloads.types import ImageConfig, Workload


class LeNetConfig(ImageConfig):
    """Knobs of LeNet-5; the third convolution is the linear layer over the map that it gets."""

    image_size: int = Field(default=32, ge=16, description="Height and width of the input image, in pixels.")
    image_channels: int = Field(default=1, ge=1, description="Channels of the input image.")
    classes: int = Field(default=10, ge=1, description="Number of classes.")
    quantization: Literal["none", "ternary", "binary"] = Field(
        default="none",
        description="ternary: weights are -1, 0 or 1 beside activations of 8 bits; binary: weights and "
        "activations of all layers but the first and the last are -1 or 1.",
    )


def build(config: LeNetConfig) -> Graph:
    """Return convolution, pool, convolution, pool and three linear layers of 120, 84 and 10.

    Raises
    ------
    hwsim.errors.GraphError
        The image is too small for the convolutions and pools.
    """
    b = start("lenet", config)
    if config.quantization == "binary":
        b.format = INT8
    binary = config.quantization == "binary"
    x = b.input("image", (config.batch, config.image_channels, config.image_size, config.image_size))
    x = b.conv(x, 6, 5, bias=not binary, name="conv1")
    if not binary:
        x = b.average_pool(b.relu(x, "relu1"), 2, stride=2, name="pool1")
        x = b.average_pool(b.relu(b.conv(x, 16, 5, name="conv2"), "relu2"), 2, stride=2, name="pool2")
        x = b.flatten(x, "flatten")
        for index, width in ((3, 120), (4, 84)):
            x = b.relu(b.linear(x, width, name=f"fc{index}"), f"relu{index}")
        b.output(b.linear(x, config.classes, name="fc5"))
        graph = b.build()
        return (
            graph
            if config.quantization == "none"
            else set_precision(graph, weights=TERNARY, activations=INT8)
        )
    x = sign(b, b.batch_norm(b.max_pool(x, 2, stride=2, name="pool1"), "bn1"), "sign1")
    x = b.max_pool(convolution(b, x, 16, 5, "conv2"), 2, stride=2, name="pool2")
    x = b.flatten(sign(b, b.batch_norm(x, "bn2"), "sign2"), "flatten")
    for index, width in ((3, 120), (4, 84)):
        x = sign(b, b.batch_norm(linear(b, x, width, f"fc{index}"), f"bn{index}"), f"sign{index}")
    b.output(linear(b, x, config.classes, "fc5", weights=INT8))
    return b.build()


WORKLOADS = (
    Workload(
        name="lenet",
        description="LeNet-5: two convolutions and three linear layers for digits",
        config=LeNetConfig,
        build=build,
        presets={
            "lenet5": LeNetConfig(),
            "lenet5_ternary": LeNetConfig(quantization="ternary"),
            "lenet5_binary": LeNetConfig(quantization="binary"),
        },
        source="LeCun et al., Proc. IEEE 86(11), 1998, with rectifiers and a full second "
        "convolution, as is usual now",
        notes={"lenet5_binary": "First and last layer are not binary; pools take the maximum."},
    ),
)
