"""Layers that networks are made of, as one or a few operators with their weights."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

from hwsim.errors import GraphError
from hwsim.graph.types import NumberFormat, Phase, Shape, Sparsity, Tensor

Sizes = int | Sequence[int]


def spread(sizes: Sizes, axes: int) -> tuple[int, ...]:
    """Return one size per axis: an int is repeated, a sequence taken as it is."""
    return (sizes,) * axes if isinstance(sizes, int) else tuple(sizes)


def both_ends(padding: Sizes, axes: int) -> tuple[int, ...]:
    """Return pads in ONNX order from one padding, one per axis, or already one per end."""
    sizes = spread(padding, axes)
    return sizes if len(sizes) == 2 * axes else sizes * 2


class Layers(ABC):
    """Layers on top of `add`, `weight` and `constant`; every method returns the name of its result.

    Parameters of a layer called ``conv_1`` are named ``conv_1.weight``, ``conv_1.bias`` and so on.
    """

    @abstractmethod
    def add(self, kind: str, inputs: Sequence[str] | str, *, name: str = "", outputs: int | Sequence[str] = 1,
            format: NumberFormat | Sequence[NumberFormat] | None = None, origin: str = "",
            probability: float = 1.0, phase: Phase = Phase.FORWARD, **attributes: object) -> str:
        """Append an operator."""

    @abstractmethod
    def add_many(self, kind: str, inputs: Sequence[str] | str, *, outputs: int | Sequence[str],
                 name: str = "", format: NumberFormat | Sequence[NumberFormat] | None = None,
                 origin: str = "", probability: float = 1.0, phase: Phase = Phase.FORWARD,
                 **attributes: object) -> tuple[str, ...]:
        """Append an operator with several results."""

    @abstractmethod
    def weight(self, name: str, shape: Sequence[int], *, format: NumberFormat | None = None,
               sparsity: Sparsity | None = None) -> str:
        """Declare a parameter."""

    @abstractmethod
    def constant(self, name: str, shape: Sequence[int], *, format: NumberFormat = ...) -> str:
        """Declare a constant."""

    @abstractmethod
    def tensor(self, name: str) -> Tensor:
        """Return a tensor."""

    @abstractmethod
    def unique(self, stem: str) -> str:
        """Return a name that is not taken."""

    def _vector(self, name: str, length: int, wanted: bool) -> list[str]:
        return [self.weight(name, (length,))] if wanted else []

    def _channels(self, x: str) -> int:
        shape = self.tensor(x).shape
        if len(shape) < 2:
            raise GraphError(f"{list(shape)} has no channel axis", where=x)
        return shape[1]

    def conv(self, x: str, channels: int, kernel: Sizes, *, stride: Sizes = 1, padding: Sizes = 0,
             groups: int = 1, dilation: Sizes = 1, bias: bool = True, name: str = "") -> str:
        """Convolution with `channels` outputs; `padding`: one number, one per axis, or starts then ends."""
        name = name or self.unique("conv")
        axes = max(1, len(self.tensor(x).shape) - 2)
        depth = self._channels(x) // max(1, groups)
        weight = self.weight(f"{name}.weight", (channels, depth, *spread(kernel, axes)))
        return self.add("convolution", [x, weight, *self._vector(f"{name}.bias", channels, bias)], name=name,
                        strides=spread(stride, axes), pads=both_ends(padding, axes),
                        dilations=spread(dilation, axes), groups=groups)

    def conv_transpose(self, x: str, channels: int, kernel: Sizes, *, stride: Sizes = 1, padding: Sizes = 0,
                       output_padding: Sizes = 0, groups: int = 1, dilation: Sizes = 1, bias: bool = True,
                       name: str = "") -> str:
        """Transposed convolution with `channels` outputs."""
        name = name or self.unique("conv_transpose")
        axes = max(1, len(self.tensor(x).shape) - 2)
        depth = channels // max(1, groups)
        weight = self.weight(f"{name}.weight", (self._channels(x), depth, *spread(kernel, axes)))
        return self.add("transposed_convolution", [x, weight, *self._vector(f"{name}.bias", channels, bias)],
                        name=name, strides=spread(stride, axes), pads=both_ends(padding, axes), groups=groups,
                        dilations=spread(dilation, axes), output_pads=spread(output_padding, axes))

    def linear(self, x: str, features: int, *, bias: bool = True, name: str = "") -> str:
        """Fully connected layer over the last axis: a gemm on matrices, else a matmul and an addition."""
        name = name or self.unique("linear")
        shape = self.tensor(x).shape
        width = shape[-1] if shape else 0
        if len(shape) == 2:
            weight = self.weight(f"{name}.weight", (features, width))
            return self.add("gemm", [x, weight, *self._vector(f"{name}.bias", features, bias)], name=name,
                            trans_b=True)
        product = self.add("matmul", [x, self.weight(f"{name}.weight", (width, features))], name=name)
        if not bias:
            return product
        return self.add("elementwise", [product, self.weight(f"{name}.bias", (features,))],
                        name=f"{name}.add", function="add")

    def matmul(self, a: str, b: str, *, transpose_a: bool = False, transpose_b: bool = False,
               name: str = "") -> str:
        """Batched matrix product of two tensors."""
        return self.add("matmul", [a, b], name=name or self.unique("matmul"), transpose_a=transpose_a,
                        transpose_b=transpose_b)

    def elementwise(self, function: str, *operands: str, name: str = "") -> str:
        """Elementwise function of broadcast operands."""
        return self.add("elementwise", operands, name=name or self.unique(function), function=function)

    def relu(self, x: str, name: str = "") -> str:
        """Rectified linear unit."""
        return self.elementwise("relu", x, name=name)

    def sum(self, a: str, b: str, name: str = "") -> str:
        """Elementwise sum of two tensors, as at the end of a residual branch."""
        return self.elementwise("add", a, b, name=name)

    def batch_norm(self, x: str, name: str = "") -> str:
        """Batch normalization with stored statistics, which are constants and no parameters."""
        name = name or self.unique("batch_norm")
        size, form = (self._channels(x),), self.tensor(x).format
        operands = [x, self.weight(f"{name}.scale", size), self.weight(f"{name}.bias", size)]
        operands += [self.constant(f"{name}.{part}", size, format=form) for part in ("mean", "variance")]
        return self.add("batch_normalization", operands, name=name)

    def layer_norm(self, x: str, name: str = "", *, bias: bool = True) -> str:
        """Layer normalization over the last axis."""
        name = name or self.unique("layer_norm")
        width = self.tensor(x).shape[-1]
        operands = [x, self.weight(f"{name}.scale", (width,)), *self._vector(f"{name}.bias", width, bias)]
        return self.add("layer_normalization", operands, name=name)

    def softmax(self, x: str, axis: int = -1, name: str = "") -> str:
        """Softmax along `axis`."""
        return self.add("softmax", x, name=name or self.unique("softmax"), axis=axis)

    def max_pool(self, x: str, kernel: Sizes, *, stride: Sizes | None = None, padding: Sizes = 0,
                 ceil_mode: bool = False, name: str = "") -> str:
        """Max pooling; the stride is the kernel when not given."""
        return self._pool("max_pool", x, kernel, stride, padding, ceil_mode, name)

    def average_pool(self, x: str, kernel: Sizes, *, stride: Sizes | None = None, padding: Sizes = 0,
                     ceil_mode: bool = False, name: str = "") -> str:
        """Average pooling; the stride is the kernel when not given."""
        return self._pool("average_pool", x, kernel, stride, padding, ceil_mode, name)

    def _pool(self, kind: str, x: str, kernel: Sizes, stride: Sizes | None, padding: Sizes, ceil_mode: bool,
              name: str) -> str:
        axes = max(1, len(self.tensor(x).shape) - 2)
        return self.add(kind, x, name=name or self.unique(kind), kernel=spread(kernel, axes),
                        strides=spread(kernel if stride is None else stride, axes),
                        pads=both_ends(padding, axes), ceil_mode=ceil_mode)

    def global_average_pool(self, x: str, name: str = "") -> str:
        """Mean of every channel; spatial axes stay, with size 1."""
        return self.add("global_average_pool", x, name=name or self.unique("global_average_pool"))

    def reshape(self, x: str, shape: Sequence[int], name: str = "") -> str:
        """Reshape to the same elements under another shape; one size may be -1."""
        return self.add("reshape", x, name=name or self.unique("reshape"), shape=tuple(shape))

    def flatten(self, x: str, name: str = "") -> str:
        """All axes after the first as one."""
        shape: Shape = self.tensor(x).shape
        return self.add("reshape", x, name=name or self.unique("flatten"), shape=(shape[0], -1))

    def transpose(self, x: str, permutation: Sequence[int], name: str = "") -> str:
        """Axes in another order."""
        return self.add("transpose", x, name=name or self.unique("transpose"), permutation=tuple(permutation))

    def concatenate(self, parts: Sequence[str], axis: int = 1, name: str = "") -> str:
        """Tensors joined along `axis`."""
        return self.add("concatenate", parts, name=name or self.unique("concatenate"), axis=axis)

    def lstm(self, x: str, hidden: int, *, bidirectional: bool = False, bias: bool = True,
             name: str = "") -> str:
        """LSTM over [steps, batch, features]; returns [steps, batch, hidden], or twice hidden both ways."""
        return self._recurrent("lstm", 4, x, hidden, bidirectional, bias, name)

    def gru(self, x: str, hidden: int, *, bidirectional: bool = False, bias: bool = True,
            name: str = "") -> str:
        """GRU over [steps, batch, features]; returns [steps, batch, hidden], or twice hidden both ways."""
        return self._recurrent("gru", 3, x, hidden, bidirectional, bias, name)

    def _recurrent(self, kind: str, gates: int, x: str, hidden: int, bidirectional: bool, bias: bool,
                   name: str) -> str:
        name = name or self.unique(kind)
        shape = self.tensor(x).shape
        if len(shape) != 3:
            raise GraphError(f"{list(shape)} must be [steps, batch, features]", where=x)
        directions, rows = 1 + bidirectional, gates * hidden
        operands = [x, self.weight(f"{name}.weight", (directions, rows, shape[2])),
                    self.weight(f"{name}.recurrence", (directions, rows, hidden))]
        if bias:
            operands.append(self.weight(f"{name}.bias", (directions, 2 * rows)))
        y = self.add(kind, operands, name=name, direction="bidirectional" if bidirectional else "forward")
        if bidirectional:
            y = self.transpose(y, (0, 2, 1, 3), f"{name}.transpose")
        return self.reshape(y, (shape[0], shape[1], directions * hidden), f"{name}.reshape")

    def attention(self, x: str, heads: int, *, mask: str = "", bias: bool = True, name: str = "") -> str:
        """Multi-head self-attention of [batch, tokens, width]; `mask` is added to the scores."""
        name = name or self.unique("attention")
        shape = self.tensor(x).shape
        if len(shape) != 3 or heads < 1 or shape[2] % heads:
            raise GraphError(f"{list(shape)} must be [batch, tokens, width] with width divisible by "
                             f"{heads} heads", where=x)
        batch, tokens, width = shape
        parts = {}
        for part, order in (("query", (0, 2, 1, 3)), ("key", (0, 2, 3, 1)), ("value", (0, 2, 1, 3))):
            split = self.reshape(self.linear(x, width, bias=bias, name=f"{name}.{part}"),
                                 (batch, tokens, heads, width // heads), f"{name}.{part}.split")
            parts[part] = self.transpose(split, order, f"{name}.{part}.heads")
        scores = self.matmul(parts["query"], parts["key"], name=f"{name}.scores")
        scale = self.constant(f"{name}.scale", (), format=self.tensor(x).format)
        scores = self.elementwise("multiply", scores, scale, name=f"{name}.scaled")
        if mask:
            scores = self.elementwise("add", scores, mask, name=f"{name}.masked")
        weights = self.softmax(scores, name=f"{name}.softmax")
        mixed = self.matmul(weights, parts["value"], name=f"{name}.context")
        joined = self.reshape(self.transpose(mixed, (0, 2, 1, 3), f"{name}.context.heads"),
                              (batch, tokens, width), f"{name}.context.join")
        return self.linear(joined, width, bias=bias, name=f"{name}.projection")

    def embedding(self, indices: str, rows: int, width: int, name: str = "") -> str:
        """Look-up of `indices` in a table of `rows` vectors of `width` elements."""
        name = name or self.unique("embedding")
        return self.add("gather", [self.weight(f"{name}.weight", (rows, width)), indices], name=name)
