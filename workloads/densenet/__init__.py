"""DenseNet (Huang et al. 2017): every layer of a block reads all layers before it."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, PositiveInt

from hwsim.graph.build import GraphBuilder
from hwsim.graph.types import Graph
from workloads.layers import global_pool, start
from workloads.types import ImageConfig, Repeats, Workload


class DenseNetConfig(ImageConfig):
    """Knobs of DenseNet."""

    depths: tuple[Repeats, ...] = Field(
        default=(6, 12, 24, 16), min_length=1, description="Dense layers of each block."
    )
    growth: PositiveInt = Field(default=32, description="Channels that a dense layer adds.")
    stem_width: PositiveInt = Field(default=64, description="Channels of the first convolution.")
    bottleneck: PositiveInt = Field(
        default=4, description="Channels of a layer's 1x1 convolution, as a multiple of the growth."
    )
    join: Literal["all", "pairwise"] = Field(
        default="all",
        description="all: every layer joins all earlier results anew (torchvision); pairwise: it joins the "
        "last joined tensor and the last result (Caffe).",
    )


def build(config: DenseNetConfig) -> Graph:
    """Return DenseNet.

    Raises
    ------
    hwsim.errors.GraphError
        The image is too small.
    """
    b = start("densenet", config)
    x = b.input("image", (config.batch, config.image_channels, config.image_size, config.image_size))
    x = b.conv(x, config.stem_width, 7, stride=2, padding=3, bias=False, name="conv0")
    x = b.relu(b.batch_norm(x, "norm0"), "relu0")
    x = b.max_pool(x, 3, stride=2, padding=1, name="pool0")
    for index, depth in enumerate(config.depths, start=1):
        x = _block(b, config, x, depth, f"block{index}")
        if index < len(config.depths):
            x = _transition(b, x, f"transition{index}")
    x = b.relu(b.batch_norm(x, "norm5"), "relu5")
    b.output(b.linear(global_pool(b, x, "avgpool"), config.classes, name="classifier"))
    return b.build()


def _block(b: GraphBuilder, config: DenseNetConfig, x: str, depth: int, name: str) -> str:
    parts = [x]
    for index in range(1, depth + 1):
        added = _layer(b, config, x, f"{name}.layer{index}")
        parts = [*parts, added] if config.join == "all" else [x, added]
        x = b.concatenate(parts, 1, f"{name}.join{index}")
    return x


def _layer(b: GraphBuilder, config: DenseNetConfig, x: str, name: str) -> str:
    x = b.relu(b.batch_norm(x, f"{name}.norm1"), f"{name}.relu1")
    x = b.conv(x, config.bottleneck * config.growth, 1, bias=False, name=f"{name}.conv1")
    x = b.relu(b.batch_norm(x, f"{name}.norm2"), f"{name}.relu2")
    return b.conv(x, config.growth, 3, padding=1, bias=False, name=f"{name}.conv2")


def _transition(b: GraphBuilder, x: str, name: str) -> str:
    x = b.relu(b.batch_norm(x, f"{name}.norm"), f"{name}.relu")
    x = b.conv(x, b.tensor(x).shape[1] // 2, 1, bias=False, name=f"{name}.conv")
    return b.average_pool(x, 2, stride=2, name=f"{name}.pool")


WORKLOADS = (
    Workload(
        name="densenet",
        description="DenseNet with bottlenecks and halving transitions",
        config=DenseNetConfig,
        build=build,
        presets={
            "densenet121": DenseNetConfig(),
            "densenet161": DenseNetConfig(depths=(6, 12, 36, 24), growth=48, stem_width=96),
            "densenet169": DenseNetConfig(depths=(6, 12, 32, 32)),
            "densenet201": DenseNetConfig(depths=(6, 12, 48, 32)),
            "densenet121_pairwise": DenseNetConfig(join="pairwise"),
        },
        source="torchvision models/densenet.py; counts measured there",
        notes={"densenet121_pairwise": "As in light_densenet121 of the ONNX test data."},
    ),
)
