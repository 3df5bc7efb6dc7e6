"""AlexNet in its two published forms: one tower (torchvision) and two groups (Caffe)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from hwsim.graph.build import GraphBuilder
from hwsim.graph.passes import set_precision
from hwsim.graph.types import INT8, TERNARY, Graph
from workloads.binary.layers import convolution as binary_convolution
from workloads.binary.layers import linear as binary_linear
from workloads.binary.layers import sign as binary_sign
from workloads.layers import local_response_norm, start
from workloads.types import ImageConfig, Workload


class AlexNetConfig(ImageConfig):
    """Knobs of AlexNet; the classifier takes the map it gets, so its size follows the image."""

    form: Literal["torchvision", "caffe"] = Field(
        default="torchvision",
        description="torchvision: 64-192-384-256-256 channels, no groups; caffe: 96-256-384-384-256, "
        "two groups in convolutions 2, 4 and 5, local response normalization after the first two.",
    )
    quantization: Literal["none", "ternary", "binary"] = Field(
        default="none",
        description="ternary: weights of every layer are -1, 0 or 1 beside activations of 8 bits; binary: "
        "weights and activations of all layers but the first and the last are -1 or 1.",
    )
    response_normalization: bool = Field(
        default=True,
        description="Local response normalization in the Caffe form; without it, it is left out.",
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
    if config.quantization == "none":
        return _full(b, config)
    if config.quantization == "binary":
        return _binary(b, config)
    return set_precision(_full(b, config), weights=TERNARY, activations=INT8)


def _full(b: GraphBuilder, config: AlexNetConfig) -> Graph:
    x = b.input("image", (config.batch, config.image_channels, config.image_size, config.image_size))
    x = (
        _caffe_features(b, x, config.response_normalization)
        if config.form == "caffe"
        else _torchvision_features(b, x)
    )
    x = b.flatten(x, "flatten")
    for index in (6, 7):
        x = b.relu(b.linear(x, config.hidden, name=f"fc{index}"), f"relu{index}")
    b.output(b.linear(x, config.classes, name="fc8"))
    return b.build()


def _binary(b: GraphBuilder, config: AlexNetConfig) -> Graph:
    """Put normalization and sign between layers, pools before them; first and last layer take 8 bits."""
    b.format = INT8
    x = b.input("image", (config.batch, config.image_channels, config.image_size, config.image_size))
    for index, (channels, kernel, stride, padding, pooled) in enumerate(_LAYERS, start=1):
        if index == 1:
            x = b.conv(x, channels, kernel, stride=stride, padding=padding, bias=False, name="conv1")
        else:
            x = binary_convolution(b, x, channels, kernel, f"conv{index}", stride=stride, padding=padding)
        if pooled:
            x = b.max_pool(x, 3, stride=2, name=f"pool{index}")
        x = binary_sign(b, b.batch_norm(x, f"bn{index}"), f"sign{index}")
    x = b.flatten(x, "flatten")
    for index in (6, 7):
        x = binary_linear(b, x, config.hidden, f"fc{index}")
        x = binary_sign(b, b.batch_norm(x, f"bn{index}"), f"sign{index}")
    b.output(binary_linear(b, x, config.classes, "fc8", weights=INT8))
    return b.build()


# Channels, kernel, stride, padding, and whether a 3x3 pool follows: the form of torchvision.
_LAYERS = (
    (64, 11, 4, 2, True),
    (192, 5, 1, 2, True),
    (384, 3, 1, 1, False),
    (256, 3, 1, 1, False),
    (256, 3, 1, 1, True),
)


def _torchvision_features(b: GraphBuilder, x: str) -> str:
    x = b.relu(b.conv(x, 64, 11, stride=4, padding=2, name="conv1"), "relu1")
    x = b.max_pool(x, 3, stride=2, name="pool1")
    x = b.relu(b.conv(x, 192, 5, padding=2, name="conv2"), "relu2")
    x = b.max_pool(x, 3, stride=2, name="pool2")
    x = b.relu(b.conv(x, 384, 3, padding=1, name="conv3"), "relu3")
    x = b.relu(b.conv(x, 256, 3, padding=1, name="conv4"), "relu4")
    x = b.relu(b.conv(x, 256, 3, padding=1, name="conv5"), "relu5")
    return b.max_pool(x, 3, stride=2, name="pool5")


def _caffe_features(b: GraphBuilder, x: str, normalized: bool) -> str:
    x = b.relu(b.conv(x, 96, 11, stride=4, name="conv1"), "relu1")
    x = b.max_pool(local_response_norm(b, x, "norm1") if normalized else x, 3, stride=2, name="pool1")
    x = b.relu(b.conv(x, 256, 5, padding=2, groups=2, name="conv2"), "relu2")
    x = b.max_pool(local_response_norm(b, x, "norm2") if normalized else x, 3, stride=2, name="pool2")
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
            "alexnet_ternary": AlexNetConfig(
                form="caffe", image_size=227, quantization="ternary", response_normalization=False
            ),
            "alexnet_binary": AlexNetConfig(quantization="binary"),
        },
        source="torchvision models/alexnet.py; Caffe form: bvlc_alexnet of the ONNX test data",
        notes={
            "alexnet_ternary": "Caffe's form with ternary weights, activations of 8 bits and no response "
            "normalization; the network that processing-in-memory papers report is recalled, not confirmed.",
            "alexnet_binary": "XNOR-Net's arrangement: first and last layer are not binary (recalled).",
            "alexnet_caffe": "227 x 227 gives the 665.8 M convolution MACs that chips are measured on; "
            "with image_size=224 it equals light_bvlc_alexnet.onnx.",
        },
    ),
)
