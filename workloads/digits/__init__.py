"""Small networks for 8 x 8 handwritten digits, trained here: weights and test samples lie beside."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, PositiveInt

from hwsim.graph.types import Graph
from workloads.layers import start
from workloads.types import Workload, WorkloadConfig


class DigitsConfig(WorkloadConfig):
    """Knobs of a digits network; the trained weights fit the presets only."""

    hidden: tuple[PositiveInt, ...] = Field(default=(100, 200), description="Hidden widths, first to last.")
    activation: Literal["sigmoid", "tanh", "relu"] = Field(
        default="sigmoid", description="Function after every hidden layer."
    )


def build(config: DigitsConfig) -> Graph:
    """Return 64 pixels, the hidden layers and 10 classes."""
    b = start("digits", config)
    x = b.input("input", (config.batch, 64))
    for index, width in enumerate(config.hidden, start=1):
        x = b.linear(x, width, name=f"fc{index}")
        x = b.elementwise(config.activation, x, name=f"{config.activation}{index}")
    b.output(b.linear(x, 10, name=f"fc{len(config.hidden) + 1}"))
    return b.build()


WORKLOADS = (
    Workload(
        name="digits",
        description="Perceptrons for 8 x 8 handwritten digits, with trained weights in workloads/digits",
        config=DigitsConfig,
        build=build,
        presets={
            "digits_100_200": DigitsConfig(),
            "digits_32": DigitsConfig(hidden=(32,)),
            "digits_tanh_32": DigitsConfig(hidden=(32,), activation="tanh"),
            "digits_relu_32": DigitsConfig(hidden=(32,), activation="relu"),
        },
        source="trained by workloads/digits/train.py",
    ),
)
