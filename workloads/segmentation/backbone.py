"""ResNet-50 with dilation in place of its last two strides, under torchvision's segmentation networks."""

from __future__ import annotations

from hwsim.graph.build import GraphBuilder

_DEPTHS = (3, 4, 6, 3)
_WIDTHS = (64, 128, 256, 512)
_EXPANSION = 4
# Stride of each stage, and dilation of its first block and of the others.
_STRIDES = (1, 2, 1, 1)
_DILATIONS = ((1, 1), (1, 1), (1, 2), (2, 4))


def normalized(
    b: GraphBuilder,
    x: str,
    channels: int,
    kernel: int,
    name: str,
    *,
    stride: int = 1,
    dilation: int = 1,
    relu: bool = True,
) -> str:
    """Add a convolution that keeps the size up to its stride, a normalization and, if wanted, a ReLU."""
    x = b.conv(
        x,
        channels,
        kernel,
        stride=stride,
        padding=dilation * (kernel // 2),
        dilation=dilation,
        bias=False,
        name=name,
    )
    x = b.batch_norm(x, f"{name}_bn")
    return b.relu(x, f"{name}_relu") if relu else x


def dilated_resnet50(b: GraphBuilder, image: str) -> tuple[str, str]:
    """Add ResNet-50 whose maps stay at an eighth of the image.

    Parameters
    ----------
    b : GraphBuilder
    image : str
        Tensor [batch, channels, height, width].

    Returns
    -------
    tuple of str
        Results of the third stage [batch, 1024, height / 8, width / 8] and of the fourth, 2048 channels.
    """
    x = normalized(b, image, _WIDTHS[0], 7, "conv1", stride=2)
    x = b.max_pool(x, 3, stride=2, padding=1, name="maxpool")
    stages = []
    for stage, (depth, width) in enumerate(zip(_DEPTHS, _WIDTHS, strict=True)):
        for index in range(depth):
            stride, dilation = _STRIDES[stage] if index == 0 else 1, _DILATIONS[stage][index > 0]
            x = _bottleneck(b, x, width, stride, dilation, index == 0, f"layer{stage + 1}.{index}")
        stages.append(x)
    return stages[2], stages[3]


def _bottleneck(
    b: GraphBuilder, x: str, width: int, stride: int, dilation: int, project: bool, name: str
) -> str:
    out = normalized(b, x, width, 1, f"{name}.conv1")
    out = normalized(b, out, width, 3, f"{name}.conv2", stride=stride, dilation=dilation)
    out = normalized(b, out, _EXPANSION * width, 1, f"{name}.conv3", relu=False)
    short = x
    if project:
        short = normalized(b, x, _EXPANSION * width, 1, f"{name}.downsample", stride=stride, relu=False)
    return b.relu(b.sum(out, short, f"{name}.add"), f"{name}.relu_out")
