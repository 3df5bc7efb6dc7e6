"""The cell that NASNet-A and PNASNet-5 share in TensorFlow-Slim: five pairs of operations over two inputs.

Source: tensorflow/models research/slim/nets/nasnet/nasnet_utils.py (`read` at 08eebbc).
"""

from __future__ import annotations

from typing import NamedTuple

from hwsim.graph.build import GraphBuilder
from workloads.nas.layers import halve, pool, relu_conv_bn, same, separable_twice


class Cell(NamedTuple):
    """What a cell computes.

    States 0 and 1 are the fitted outputs of the last cell and the one before; every pair adds one state.

    Attributes
    ----------
    pairs : tuple
        Per pair two edges: operation and source state.
    joined : tuple of int
        States that the result is concatenated from.
    """

    pairs: tuple[tuple[tuple[str, int], tuple[str, int]], ...]
    joined: tuple[int, ...]


def stem(b: GraphBuilder, x: str, channels: int) -> str:
    """Add the 3x3 convolution of stride 2, without padding, that ImageNet forms begin with."""
    return b.batch_norm(b.conv(x, channels, 3, stride=2, bias=False, name="stem"), "stem_bn")


def slim_cell(b: GraphBuilder, cell: Cell, last: str, before: str, width: int, stride: int, name: str) -> str:
    """Add a cell of `width` channels a state.

    Parameters
    ----------
    b : GraphBuilder
    cell : Cell
    last, before : str
        Outputs of the last cell and the one before; ``""`` for the latter takes `last` as it is.
    width : int
        Channels of every state.
    stride : int
        2 halves the maps: it applies to operations on states 0 and 1.
    name : str
        Prefix of the operators.

    Returns
    -------
    str
        The joined states [batch, joined x width, height, width].
    """
    second = _fit(b, before, last, width, f"{name}.before") if before else last
    states = [relu_conv_bn(b, last, width, f"{name}.last"), second]
    for index, pair in enumerate(cell.pairs):
        parts = [
            _operation(
                b, states[source], operation, width, stride if source < 2 else 1, f"{name}.pair{index}.{side}"
            )
            for side, (operation, source) in zip(("left", "right"), pair, strict=True)
        ]
        states.append(b.sum(parts[0], parts[1], f"{name}.pair{index}.add"))
    joined = [_joinable(b, states[state], width, f"{name}.joined{state}") for state in cell.joined]
    return b.concatenate(joined, 1, f"{name}.concatenate")


def _fit(b: GraphBuilder, before: str, last: str, width: int, name: str) -> str:
    """Bring an earlier output to the maps and the width of this cell."""
    if b.tensor(before).shape[2:] != b.tensor(last).shape[2:]:
        return halve(b, before, width, name)
    if b.tensor(before).shape[1] != width:
        return relu_conv_bn(b, before, width, name)
    return before


def _joinable(b: GraphBuilder, state: str, width: int, name: str) -> str:
    """Project a state that still has the channels of the stem; only the first CIFAR cell joins one."""
    if b.tensor(state).shape[1] == width:
        return state
    return b.batch_norm(b.conv(state, width, 1, bias=False, name=name), f"{name}_bn")


def _operation(b: GraphBuilder, x: str, operation: str, width: int, stride: int, name: str) -> str:
    have = b.tensor(x).shape[1]
    if operation == "none":
        if stride == 1 and have == width:
            return x
        padding = same(b, x, (1, 1), stride)[:2]
        return relu_conv_bn(b, x, width, name, stride=(stride, stride), padding=(padding[0], padding[1]))
    if operation in ("max", "average"):
        x = pool(b, x, operation, stride, name)
        return _joinable(b, x, width, f"{name}.fit")
    return separable_twice(b, x, width, int(operation.removeprefix("separable_")), stride, name)
