"""R(2+1)D-18 (Tran et al. 2018): a residual network with 3-D convolutions split into 2-D and 1-D ones."""

from __future__ import annotations

from hwsim.graph.build import GraphBuilder
from hwsim.graph.types import Graph
from workloads.layers import global_pool, start
from workloads.video.config import VideoConfig

_STEM = (45, 64)
_WIDTHS = (64, 128, 256, 512)
_BLOCKS = 2


def build(config: VideoConfig) -> Graph:
    """Return R(2+1)D-18.

    Raises
    ------
    hwsim.errors.GraphError
        The clip is too small.
    """
    b = start("r2plus1d", config)
    x = b.input("clip", (config.batch, config.image_channels, config.frames, *(config.image_size,) * 2))
    x = b.conv(x, _STEM[0], (1, 7, 7), stride=(1, 2, 2), padding=(0, 3, 3), bias=False, name="stem.space")
    x = b.relu(b.batch_norm(x, "stem.space_bn"), "stem.space_relu")
    x = b.conv(x, _STEM[1], (3, 1, 1), padding=(1, 0, 0), bias=False, name="stem.time")
    x = b.relu(b.batch_norm(x, "stem.time_bn"), "stem.time_relu")
    for stage, width in enumerate(_WIDTHS, start=1):
        for index in range(_BLOCKS):
            x = _residual(b, x, width, 2 if stage > 1 and index == 0 else 1, f"layer{stage}.{index}")
    b.output(b.linear(global_pool(b, x, "avgpool"), config.classes, name="fc"))
    return b.build()


def _residual(b: GraphBuilder, x: str, width: int, stride: int, name: str) -> str:
    have = b.tensor(x).shape[1]
    # As many weights in both parts as one 3x3x3 convolution would have; both pairs of a block use this width.
    middle = have * width * 27 // (have * 9 + 3 * width)
    out = _split_convolution(b, x, middle, width, stride, f"{name}.conv1")
    out = b.relu(out, f"{name}.conv1.relu")
    out = _split_convolution(b, out, middle, width, 1, f"{name}.conv2")
    short = x
    if stride > 1 or have != width:
        short = b.conv(x, width, 1, stride=stride, bias=False, name=f"{name}.downsample")
        short = b.batch_norm(short, f"{name}.downsample_bn")
    return b.relu(b.sum(out, short, f"{name}.add"), f"{name}.relu_out")


def _split_convolution(b: GraphBuilder, x: str, middle: int, width: int, stride: int, name: str) -> str:
    x = b.conv(
        x, middle, (1, 3, 3), stride=(1, stride, stride), padding=(0, 1, 1), bias=False, name=f"{name}.space"
    )
    x = b.relu(b.batch_norm(x, f"{name}.space_bn"), f"{name}.space_relu")
    x = b.conv(x, width, (3, 1, 1), stride=(stride, 1, 1), padding=(1, 0, 0), bias=False, name=f"{name}.time")
    return b.batch_norm(x, f"{name}.time_bn")
