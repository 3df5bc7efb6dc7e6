"""AlexNet in its two published forms: one tower (torchvision) and two groups (Caffe)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from hwsim.graph.build import GraphBuilder
from hwsim.graph.types import Graph
from workloads.layers import local_response_norm, start
from workloads.types import ImageConfig, Workload


class AlexNetConfig(ImageConfig):
    """Knobs of AlexNet; the classifier takes the map it gets, so its size follows the image."""

    form: Literal["torchvision", "caffe"] = Field(
        default="torchvision",
        description="torchvision: 64-192-384-256-256 channels, no groups; caffe: 96-256-384-384-256, "
        "two groups in convolutions 2, 4 and 5, local response normalization after the first two.",
    )
    hidden: int = Field(default=4096, ge=1, description="Width of the two hidden linear layers.")


def build(config: AlexNetConfig) -> Graph:
    """Return AlexNet.

    Raises
    ------
    hwsim.errors.GraphError
        The image is too small for the convolutions and pools.
    """
    b = start("alexnet", config)
    x = b.input("image", (config.batch, config.image_channels, config.image_size, config.image_size))
    x = _caffe_features(b, x) if config.form == "caffe" else _torchvision_features(b, x)
    x = b.flatten(x, "flatten")
    for index in (6, 7):
        x = b.relu(b.linear(x, config.hidden, name=f"fc{index}"), f"relu{index}")
    b.output(b.linear(x, config.classes, name="fc8"))
    return b.build()


def _torchvision_features(b: GraphBuilder, x: str) -> str:
    x = b.relu(b.conv(x, 64, 11, stride=4, padding=2, name="conv1"), "relu1")
    x = b.max_pool(x, 3, stride=2, name="pool1")
    x = b.relu(b.conv(x, 192, 5, padding=2, name="conv2"), "relu2")
    x = b.max_pool(x, 3, stride=2, name="pool2")
    x = b.relu(b.conv(x, 384, 3, padding=1, name="conv3"), "relu3")
    x = b.relu(b.conv(x, 256, 3, padding=1, name="conv4"), "relu4")
    x = b.relu(b.conv(x, 256, 3, padding=1, name="conv5"), "relu5")
    return b.max_pool(x, 3, stride=2, name="pool5")


def _caffe_features(b: GraphBuilder, x: str) -> str:
    x = b.relu(b.conv(x, 96, 11, stride=4, name="conv1"), "relu1")
    x = b.max_pool(local_response_norm(b, x, "norm1"), 3, stride=2, name="pool1")
    x = b.relu(b.conv(x, 256, 5, padding=2, groups=2, name="conv2"), "relu2")
    x = b.max_pool(local_response_norm(b, x, "norm2"), 3, stride=2, name="pool2")
    x = b.relu(b.conv(x, 384, 3, padding=1, name="conv3"), "relu3")
    x = b.relu(b.conv(x, 384, 3, padding=1, groups=2, name="conv4"), "relu4")
    x = b.relu(b.conv(x, 256, 3, padding=1, groups=2, name="conv5"), "relu5")
    return b.max_pool(x, 3, stride=2, padding=(0, 0, 1, 1), name="pool5")


WORKLOADS = (
    Workload(
        name="alexnet",
        description="AlexNet: 5 convolutions and 3 linear layers",
        config=AlexNetConfig,
        build=build,
        presets={
            "alexnet": AlexNetConfig(),
            "alexnet_caffe": AlexNetConfig(form="caffe", image_size=227),
        },
        source="torchvision models/alexnet.py; Caffe form: bvlc_alexnet of the ONNX test data",
        notes={
            "alexnet_caffe": "227 x 227 gives the 665.8 M convolution MACs that chips are measured on; "
            "with image_size=224 it equals light_bvlc_alexnet.onnx."
        },
    ),
)
