"""The blocks of MobileNetV3 (Howard et al. 2019), for classifiers and for networks built on top of them."""

from __future__ import annotations

from typing import NamedTuple

from hwsim.graph.build import GraphBuilder
from workloads.mobilenet.v2 import round_channels

_SQUEEZE = 4


class Block(NamedTuple):
    """One inverted residual.

    Attributes
    ----------
    kernel, expanded, channels : int
        Depthwise kernel, channels of the depthwise convolution, channels of the result.
    squeeze : bool
        Whether channels are weighted by squeeze and excitation.
    function : str
        Activation: relu or hard_swish.
    stride : int
        Of the depthwise convolution.
    tail : bool
        In the dilated form the depthwise convolution has dilation 2 and no stride.
    """

    kernel: int
    expanded: int
    channels: int
    squeeze: bool
    function: str
    stride: int
    tail: bool = False


_R, _H = "relu", "hard_swish"
LARGE = (
    Block(3, 16, 16, False, _R, 1),
    Block(3, 64, 24, False, _R, 2),
    Block(3, 72, 24, False, _R, 1),
    Block(5, 72, 40, True, _R, 2),
    Block(5, 120, 40, True, _R, 1),
    Block(5, 120, 40, True, _R, 1),
    Block(3, 240, 80, False, _H, 2),
    Block(3, 200, 80, False, _H, 1),
    Block(3, 184, 80, False, _H, 1),
    Block(3, 184, 80, False, _H, 1),
    Block(3, 480, 112, True, _H, 1),
    Block(3, 672, 112, True, _H, 1),
    Block(5, 672, 160, True, _H, 2, True),
    Block(5, 960, 160, True, _H, 1, True),
    Block(5, 960, 160, True, _H, 1, True),
)
SMALL = (
    Block(3, 16, 16, True, _R, 2),
    Block(3, 72, 24, False, _R, 2),
    Block(3, 88, 24, False, _R, 1),
    Block(5, 96, 40, True, _H, 2),
    Block(5, 240, 40, True, _H, 1),
    Block(5, 240, 40, True, _H, 1),
    Block(5, 120, 48, True, _H, 1),
    Block(5, 144, 48, True, _H, 1),
    Block(5, 288, 96, True, _H, 2, True),
    Block(5, 576, 96, True, _H, 1, True),
    Block(5, 576, 96, True, _H, 1, True),
)


def normalized(
    b: GraphBuilder,
    x: str,
    channels: int,
    kernel: int,
    function: str,
    name: str,
    *,
    stride: int = 1,
    groups: int = 1,
    dilation: int = 1,
) -> str:
    """Add a convolution that keeps the size up to its stride, a normalization and an activation (or none)."""
    x = b.conv(
        x,
        channels,
        kernel,
        stride=stride,
        padding=dilation * (kernel // 2),
        groups=groups,
        dilation=dilation,
        bias=False,
        name=name,
    )
    x = b.batch_norm(x, f"{name}_bn")
    return b.elementwise(function, x, name=f"{name}_{function}") if function else x


def features(b: GraphBuilder, image: str, blocks: tuple[Block, ...], *, dilated: bool) -> tuple[str, ...]:
    """Add stem, blocks and last 1x1 convolution.

    Parameters
    ----------
    b : GraphBuilder
    image : str
        Tensor [batch, channels, height, width].
    blocks : tuple of Block
        `LARGE` or `SMALL`.
    dilated : bool
        Dilation 2 in place of the last stride, for segmentation.

    Returns
    -------
    tuple of str
        Results of the stem, of every block and of the last convolution, in this order.
    """
    results = [normalized(b, image, blocks[0].channels, 3, _H, "stem", stride=2)]
    for index, block in enumerate(blocks, start=1):
        results.append(_inverted_residual(b, results[-1], block, dilated and block.tail, f"block{index}"))
    results.append(normalized(b, results[-1], 6 * blocks[-1].channels, 1, _H, "last"))
    return tuple(results)


def _inverted_residual(b: GraphBuilder, x: str, block: Block, dilated: bool, name: str) -> str:
    have = b.tensor(x).shape[1]
    out = x
    if block.expanded != have:
        out = normalized(b, out, block.expanded, 1, block.function, f"{name}.expand")
    out = normalized(
        b,
        out,
        block.expanded,
        block.kernel,
        block.function,
        f"{name}.depthwise",
        stride=1 if dilated else block.stride,
        groups=block.expanded,
        dilation=1 + dilated,
    )
    if block.squeeze:
        out = _squeeze_and_excite(b, out, f"{name}.squeeze")
    out = normalized(b, out, block.channels, 1, "", f"{name}.project")
    if block.stride > 1 or have != block.channels:
        return out
    return b.sum(x, out, f"{name}.add")


def _squeeze_and_excite(b: GraphBuilder, x: str, name: str) -> str:
    channels = b.tensor(x).shape[1]
    weights = b.global_average_pool(x, f"{name}.pool")
    weights = b.conv(weights, round_channels(channels // _SQUEEZE), 1, name=f"{name}.reduce")
    weights = b.conv(b.relu(weights, f"{name}.relu"), channels, 1, name=f"{name}.expand")
    weights = b.elementwise("hard_sigmoid", weights, name=f"{name}.hard_sigmoid")
    return b.elementwise("multiply", x, weights, name=f"{name}.scale")
