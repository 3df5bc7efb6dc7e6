"""Multilayer perceptrons on flat inputs."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, PositiveInt, model_validator

from hwsim.graph.types import Graph
from workloads.layers import linear, start
from workloads.types import Workload, WorkloadConfig


class MlpConfig(WorkloadConfig):
    """Knobs of a multilayer perceptron."""

    layers: tuple[PositiveInt, ...] = Field(
        default=(784, 512, 512, 10), description="Inputs, hidden widths and outputs, first to last."
    )
    activation: Literal["relu", "sigmoid", "tanh"] = Field(
        default="relu", description="Function after every hidden layer."
    )
    bias: bool = Field(default=True, description="Biases in the linear layers.")
    sparsity_ratio: float = Field(
        default=0.0, ge=0, lt=1, description="Share of the weights of every linear layer that are not there."
    )
    batch_normalization: bool = Field(default=False, description="Normalize before every activation.")

    @model_validator(mode="after")
    def _ends(self) -> Self:
        if len(self.layers) < 2:
            raise ValueError(f"layers needs at least inputs and outputs and has {len(self.layers)} entries")
        return self


def build(config: MlpConfig) -> Graph:
    """Return a multilayer perceptron; the last layer has no activation."""
    b = start("mlp", config)
    x = b.input("input", (config.batch, config.layers[0]))
    last = len(config.layers) - 1
    for index, width in enumerate(config.layers[1:], start=1):
        x = linear(b, x, width, f"fc{index}", bias=config.bias, sparsity=config.sparsity_ratio)
        if index == last:
            break
        if config.batch_normalization:
            x = b.batch_norm(x, f"bn{index}")
        x = b.elementwise(config.activation, x, name=f"{config.activation}{index}")
    b.output(x)
    return b.build()


WORKLOADS = (
    Workload(
        name="mlp",
        description="Multilayer perceptrons for 28 x 28 digits",
        config=MlpConfig,
        build=build,
        presets={
            "mlp_mnist": MlpConfig(),
            "mlp_lenet_300_100": MlpConfig(layers=(784, 300, 100, 10)),
            "mlp_mnist_100_200": MlpConfig(layers=(784, 100, 200, 10), activation="sigmoid"),
            "mlp_mnist_300_600": MlpConfig(layers=(784, 300, 600, 10), activation="sigmoid"),
            "mlp_mnist_3x1024": MlpConfig(
                layers=(784, 1024, 1024, 1024, 10), bias=False, batch_normalization=True
            ),
            "mlp_sparse_2x512": MlpConfig(sparsity_ratio=0.9),
            "mlp_sparse_3x1024": MlpConfig(layers=(784, 1024, 1024, 1024, 10), sparsity_ratio=0.9),
            "mlp_digits_masked": MlpConfig(
                layers=(64, 512, 512, 10), bias=False, batch_normalization=True, sparsity_ratio=0.9
            ),
        },
        source="common sizes (recalled-high); mlp_sparse: Ardakani, Condo, Gross, Sparsely-Connected Neural "
        "Networks (ICLR 2017)",
        notes={
            "mlp_mnist_100_200": "Of Ardakani et al., stochastic computing (TVLSI 2017); sigmoid.",
            "mlp_mnist_300_600": "Of Ardakani et al., stochastic computing (TVLSI 2017); sigmoid.",
            "mlp_mnist_3x1024": "The size binary networks are often shown on.",
            "mlp_sparse_2x512": "90 % of the connections of every layer dropped.",
            "mlp_sparse_3x1024": "90 % of the connections of every layer dropped; biases, no normalization.",
            "mlp_digits_masked": "8 x 8 digits, signs behind the masks of sparse_fc:mlp_90, trained by "
            "benchmarks/masked_digits.py; weights in workloads/mlp/digits_masked.npz.",
        },
    ),
)
