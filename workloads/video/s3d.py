"""S3D (Xie et al. 2018): inception modules over clips, 3-D convolutions split into space and time."""

from __future__ import annotations

from hwsim.graph.build import GraphBuilder
from hwsim.graph.types import Graph
from workloads.layers import start
from workloads.video.config import VideoConfig

# Channels of 1x1 | reduce, separable | reduce, separable | pool projection; a kernel and stride is a pool.
_MODULES: tuple[tuple[int, ...], ...] = (
    (64, 96, 128, 16, 32, 32),
    (128, 128, 192, 32, 96, 64),
    (3, 2),
    (192, 96, 208, 16, 48, 64),
    (160, 112, 224, 24, 64, 64),
    (128, 128, 256, 24, 64, 64),
    (112, 144, 288, 32, 64, 64),
    (256, 160, 320, 32, 128, 128),
    (2, 2),
    (256, 160, 320, 32, 128, 128),
    (384, 192, 384, 48, 128, 128),
)


def build(config: VideoConfig) -> Graph:
    """Return S3D; clips of 16 frames and 224 pixels give two positions in time, whose scores are averaged.

    Raises
    ------
    hwsim.errors.GraphError
        The clip is too small.
    """
    b = start("s3d", config)
    x = b.input("clip", (config.batch, config.image_channels, config.frames, *(config.image_size,) * 2))
    x = _separable(b, x, 64, 7, "stem", stride=2)
    x = b.max_pool(x, (1, 3, 3), stride=(1, 2, 2), padding=(0, 1, 1), name="pool1")
    x = _normalized(b, x, 64, (1, 1, 1), "conv2")
    x = _separable(b, x, 192, 3, "conv3")
    x = b.max_pool(x, (1, 3, 3), stride=(1, 2, 2), padding=(0, 1, 1), name="pool2")
    for index, channels in enumerate(_MODULES, start=3):
        if len(channels) == 2:
            kernel, stride = channels
            x = b.max_pool(
                x, kernel, stride=stride, padding=kernel // 2 if kernel % 2 else 0, name=f"pool{index}"
            )
        else:
            x = _inception(b, x, channels, f"inception{index}")
    x = b.average_pool(x, (2, 7, 7), stride=1, name="avgpool")
    x = b.conv(x, config.classes, 1, name="classifier")
    b.output(b.flatten(b.global_average_pool(x, "scores"), "scores.flatten"))
    return b.build()


def _inception(b: GraphBuilder, x: str, channels: tuple[int, ...], name: str) -> str:
    direct, reduce1, out1, reduce2, out2, projection = channels
    point = (1, 1, 1)
    first = _normalized(b, x, direct, point, f"{name}.direct")
    second = _normalized(b, x, reduce1, point, f"{name}.second_reduce")
    second = _separable(b, second, out1, 3, f"{name}.second")
    third = _normalized(b, x, reduce2, point, f"{name}.third_reduce")
    third = _separable(b, third, out2, 3, f"{name}.third")
    fourth = b.max_pool(x, 3, stride=1, padding=1, name=f"{name}.pool")
    fourth = _normalized(b, fourth, projection, point, f"{name}.pool_projection")
    return b.concatenate((first, second, third, fourth), 1, f"{name}.concatenate")


def _separable(b: GraphBuilder, x: str, channels: int, kernel: int, name: str, *, stride: int = 1) -> str:
    x = _normalized(b, x, channels, (1, kernel, kernel), f"{name}.space", stride=(1, stride, stride))
    return _normalized(b, x, channels, (kernel, 1, 1), f"{name}.time", stride=(stride, 1, 1))


def _normalized(
    b: GraphBuilder,
    x: str,
    channels: int,
    kernel: tuple[int, int, int],
    name: str,
    *,
    stride: tuple[int, int, int] = (1, 1, 1),
) -> str:
    padding = tuple(size // 2 for size in kernel)
    x = b.conv(x, channels, kernel, stride=stride, padding=padding, bias=False, name=name)
    return b.relu(b.batch_norm(x, f"{name}_bn"), f"{name}_relu")
