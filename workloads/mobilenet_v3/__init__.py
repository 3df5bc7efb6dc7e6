"""MobileNetV3: inverted residuals with squeeze and excitation, large and small."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from hwsim.graph.types import Graph
from workloads.layers import global_pool, start
from workloads.mobilenet_v3.layers import LARGE, SMALL, features
from workloads.types import ImageConfig, Workload

_HIDDEN = {"large": 1280, "small": 1024}


class MobileNetV3Config(ImageConfig):
    """Knobs of MobileNetV3."""

    size: Literal["large", "small"] = Field(default="large", description="Which of the two networks.")


def build(config: MobileNetV3Config) -> Graph:
    """Return MobileNetV3.

    Raises
    ------
    hwsim.errors.GraphError
        The image is too small.
    """
    b = start("mobilenet_v3", config)
    x = b.input("image", (config.batch, config.image_channels, config.image_size, config.image_size))
    x = features(b, x, LARGE if config.size == "large" else SMALL, dilated=False)[-1]
    x = b.linear(global_pool(b, x, "avgpool"), _HIDDEN[config.size], name="hidden")
    x = b.elementwise("hard_swish", x, name="hidden_hard_swish")
    b.output(b.linear(x, config.classes, name="classifier"))
    return b.build()


WORKLOADS = (
    Workload(
        name="mobilenet_v3",
        description="MobileNetV3: 15 or 11 inverted residual blocks",
        config=MobileNetV3Config,
        build=build,
        presets={
            "mobilenet_v3_large": MobileNetV3Config(),
            "mobilenet_v3_small": MobileNetV3Config(size="small"),
        },
        source="torchvision models/mobilenetv3.py; counts measured there",
    ),
)
