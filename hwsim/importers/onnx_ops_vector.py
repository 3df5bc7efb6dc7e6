"""ONNX operators of the vector unit: elementwise functions, normalizations, reductions and pooling."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np

from hwsim.errors import GraphError
from hwsim.importers.onnx_node import Node
from hwsim.importers.onnx_ops_contraction import spatial
from hwsim.importers.onnx_values import Value
from hwsim.importers.onnx_walk import Handler, Walker

_ELEMENTWISE = {
    "Add": "add", "Sub": "subtract", "Mul": "multiply", "Div": "divide", "Mod": "modulo", "Sum": "sum",
    "Mean": "mean", "Min": "minimum", "Max": "maximum", "Sqrt": "sqrt", "Reciprocal": "reciprocal",
    "Exp": "exp", "Log": "log", "Erf": "erf", "Neg": "negate", "Abs": "absolute", "Sign": "sign",
    "Floor": "floor",
    "Ceil": "ceil", "Round": "round", "Tanh": "tanh", "Sigmoid": "sigmoid", "Relu": "relu", "PRelu": "prelu",
    "HardSwish": "hard_swish", "Softplus": "softplus", "Softsign": "softsign", "Mish": "mish",
    "Where": "where", "IsNaN": "is_nan", "IsInf": "is_infinite", "Equal": "equal", "Greater": "greater",
    "GreaterOrEqual": "greater_or_equal", "Less": "less", "LessOrEqual": "less_or_equal", "And": "and",
    "Or": "or", "Xor": "xor", "Not": "not", "BitwiseAnd": "bitwise_and", "BitwiseOr": "bitwise_or",
    "BitwiseXor": "bitwise_xor", "BitwiseNot": "bitwise_not", "BitShift": "bit_shift", "Sin": "sin",
    "Cos": "cos", "Tan": "tan", "Asin": "asin", "Acos": "acos", "Atan": "atan", "Sinh": "sinh",
    "Cosh": "cosh", "Asinh": "asinh", "Acosh": "acosh", "Atanh": "atanh",
}
# Functions with parameters of their own: attribute names and defaults of ONNX.
_PARAMETRIC = {
    "LeakyRelu": ("leaky_relu", (("alpha", 0.01),)), "Elu": ("elu", (("alpha", 1.0),)),
    "Celu": ("celu", (("alpha", 1.0),)), "Selu": ("selu", (("alpha", 1.67326), ("gamma", 1.0507))),
    "ThresholdedRelu": ("thresholded_relu", (("alpha", 1.0),)),
    "Shrink": ("shrink", (("lambd", 0.5), ("bias", 0.0))),
    "HardSigmoid": ("hard_sigmoid", (("alpha", 0.2), ("beta", 0.5))), "Swish": ("silu", (("alpha", 1.0),)),
    "com.microsoft.QuickGelu": ("silu", (("alpha", 1.702),)),
}
_REDUCTIONS = {
    "ReduceSum": "sum", "ReduceMean": "mean", "ReduceMax": "max", "ReduceMin": "min", "ReduceProd": "prod",
    "ReduceL1": "l1", "ReduceL2": "l2", "ReduceSumSquare": "sum_square", "ReduceLogSum": "log_sum",
    "ReduceLogSumExp": "log_sum_exp",
}
_SIMPLE_POWERS = {2.0: "square", 3.0: "cube", 0.5: "sqrt", -1.0: "reciprocal"}


def _elementwise(function: str) -> Handler:
    def handle(node: Node, walker: Walker) -> Sequence[Value]:
        return walker.emit(node, "elementwise", _with_axis(node, walker), function=function)
    return handle


def _with_axis(node: Node, walker: Walker) -> list[Value | None]:
    """Return the operands; before operator set 7 the second is aligned at an axis, not at the end."""
    operands = list(node.inputs)
    channelwise = node.kind == "PRelu"
    if node.opset >= 7 or len(operands) != 2 or not ("axis" in node.attributes or channelwise):
        return operands
    first, second = node.input(0), node.input(1)
    axis = (1 if channelwise else node.integer("axis")) % max(1, len(first.shape))
    if channelwise and second.elements == 1:
        return operands
    missing = len(first.shape) - axis - len(second.shape)
    if missing > 0:
        shape = (*second.shape, *(1,) * missing)
        operands[1] = walker.step(node, "reshape", [second], "aligned", shape=shape)
    return operands


def _parametric(function: str, parameters: tuple[tuple[str, float], ...]) -> Handler:
    def handle(node: Node, walker: Walker) -> Sequence[Value]:
        values = tuple(node.number(name, default) for name, default in parameters)
        return walker.emit(node, "elementwise", [node.input(0)], function=function, parameters=values)
    return handle


def _power(node: Node, walker: Walker) -> Sequence[Value]:
    base, exponent = node.input(0), node.input(1)
    if exponent.data is not None and exponent.elements == 1 and not base.constant:
        function = _SIMPLE_POWERS.get(float(np.asarray(exponent.data, dtype=np.float64).reshape(-1)[0]))
        if function is not None and len(exponent.shape) <= len(base.shape):
            return walker.emit(node, "elementwise", [base], function=function)
    return walker.emit(node, "elementwise", [base, exponent], function="power")


def _clip(node: Node, walker: Walker) -> Sequence[Value]:
    bounds = [value.data for value in node.inputs[1:3] if value is not None and value.data is not None]
    parameters = tuple(float(item.reshape(-1)[0]) for item in bounds
                       if item.size == 1 and item.dtype.kind in "iuf")
    if "min" in node.attributes or "max" in node.attributes:
        parameters = (node.number("min", -math.inf), node.number("max", math.inf))
    return walker.emit(node, "elementwise", [node.input(0)], function="clip",
                       parameters=tuple(item for item in parameters if math.isfinite(item)))


def _gelu(node: Node, walker: Walker) -> Sequence[Value]:
    function = "gelu_tanh" if node.text("approximate", "none") == "tanh" else "gelu"
    return walker.emit(node, "elementwise", [node.input(0)], function=function)


def _bias_gelu(function: str) -> Handler:
    def handle(node: Node, walker: Walker) -> Sequence[Value]:
        value = node.input(0)
        if node.has(1):
            value = walker.step(node, "elementwise", [value, node.input(1)], "biased", function="add")
        return walker.emit(node, "elementwise", [value], function=function)
    return handle


def _batch_norm(node: Node, walker: Walker) -> Sequence[Value]:
    return walker.emit(node, "batch_normalization", [node.input(i) for i in range(5)],
                       epsilon=node.number("epsilon", 1e-5))


def _scaled(kind: str) -> Handler:
    def handle(node: Node, walker: Walker) -> Sequence[Value]:
        attributes: dict[str, Any] = {"epsilon": node.number("epsilon", 1e-5)}
        if kind in ("layer_normalization", "rms_normalization"):
            attributes["axis"] = node.integer("axis", -1)
        if kind == "group_normalization":
            attributes["groups"] = node.integer("num_groups")
        operands = [node.input(0), *(node.optional(i) for i in (1, 2))]
        return walker.emit(node, kind, operands[:2 if kind == "rms_normalization" else 3], **attributes)
    return handle


def _skip_norm(node: Node, walker: Walker) -> Sequence[Value]:
    # input, skip, gamma, beta, bias
    total = walker.step(node, "elementwise", [node.input(0), node.input(1)], "sum", function="add")
    if node.has(4):
        total = walker.step(node, "elementwise", [total, node.input(4)], "biased", function="add")
    return walker.emit(node, "layer_normalization", [total, node.input(2), node.optional(3)], axis=-1,
                       epsilon=node.number("epsilon", 1e-5))


def _lrn(node: Node, walker: Walker) -> Sequence[Value]:
    return walker.emit(node, "local_response_normalization", [node.input(0)], size=node.integer("size"),
                       alpha=node.number("alpha", 1e-4), beta=node.number("beta", 0.75),
                       bias=node.number("bias", 1.0))


def _softmax(logarithm: bool) -> Handler:
    def handle(node: Node, walker: Walker) -> Sequence[Value]:
        value = node.input(0)
        rank = len(value.shape)
        axis = node.integer("axis", -1 if node.opset >= 13 else 1)
        if not -rank <= axis < max(rank, 1):
            raise GraphError(f"axis {axis} is outside a tensor of rank {rank}")
        axis %= max(rank, 1)
        row = math.prod(value.shape[axis:])
        if node.opset >= 13 or row == value.shape[axis]:
            return walker.emit(node, "softmax", [value], axis=axis, logarithm=logarithm)
        # Before operator set 13 a softmax ran over everything from `axis` on.
        flat = walker.step(node, "reshape", [value], "flat", shape=(*value.shape[:axis], row))
        result = walker.step(node, "softmax", [flat], "rows", axis=axis, logarithm=logarithm)
        return walker.emit(node, "reshape", [result], shape=value.shape)
    return handle


def _lp_normalization(node: Node, walker: Walker) -> Sequence[Value]:
    function = "l1" if node.integer("p", 2) == 1 else "l2"
    norm = walker.step(node, "reduce", [node.input(0)], "norm", function=function,
                       axes=(node.integer("axis", -1),), keep_dims=True)
    return walker.emit(node, "elementwise", [node.input(0), norm], function="divide")


def _reduce(function: str) -> Handler:
    def handle(node: Node, walker: Walker) -> Sequence[Value]:
        value = node.input(0)
        axes = node.axes(1, len(value.shape))
        if not axes and node.integer("noop_with_empty_axes", 0):
            return [value]
        if not value.shape:
            return [value]
        return walker.emit(node, "reduce", [value], function=function, axes=axes or (),
                           keep_dims=bool(node.integer("keepdims", 1)))
    return handle


def _arg(function: str) -> Handler:
    def handle(node: Node, walker: Walker) -> Sequence[Value]:
        return walker.emit(node, "arg_reduce", [node.input(0)], function=function,
                           axis=node.integer("axis", 0), keep_dims=bool(node.integer("keepdims", 1)))
    return handle


def _top_k(node: Node, walker: Walker) -> Sequence[Value]:
    kept = node.static_int(1) if node.has(1) else node.integer("k")
    return walker.emit(node, "top_k", [node.input(0)], k=kept, axis=node.integer("axis", -1),
                       largest=bool(node.integer("largest", 1)), sorted=bool(node.integer("sorted", 1)))


def _cumulative(node: Node, walker: Walker) -> Sequence[Value]:
    return walker.emit(node, "cumulative_sum", [node.input(0)], axis=node.static_int(1),
                       exclusive=bool(node.integer("exclusive", 0)), reverse=bool(node.integer("reverse", 0)))


def _pool(kind: str) -> Handler:
    def handle(node: Node, walker: Walker) -> Sequence[Value]:
        kernel = node.integers("kernel_shape")
        attributes: dict[str, Any] = {"kernel": kernel, "ceil_mode": bool(node.integer("ceil_mode", 0))}
        if kind == "average_pool":
            attributes["count_include_pad"] = bool(node.integer("count_include_pad", 0))
        if kind == "lp_pool":
            attributes["power"] = node.integer("p", 2)
        window = spatial(node, node.input(0), kernel)
        return walker.emit(node, kind, [node.input(0)], **attributes, **window)
    return handle


def _whole(kind: str) -> Handler:
    def handle(node: Node, walker: Walker) -> Sequence[Value]:
        return walker.emit(node, kind, [node.input(0)])
    return handle


HANDLERS: Mapping[str, Handler] = MappingProxyType({
    **{name: _elementwise(function) for name, function in _ELEMENTWISE.items()},
    **{name: _parametric(*row) for name, row in _PARAMETRIC.items()},
    **{name: _reduce(function) for name, function in _REDUCTIONS.items()},
    "Pow": _power, "Clip": _clip, "Gelu": _gelu, "com.microsoft.Gelu": _gelu,
    "com.microsoft.FastGelu": _bias_gelu("gelu_tanh"), "com.microsoft.BiasGelu": _bias_gelu("gelu"),
    "BatchNormalization": _batch_norm, "InstanceNormalization": _scaled("instance_normalization"),
    "GroupNormalization": _scaled("group_normalization"),
    "LayerNormalization": _scaled("layer_normalization"),
    "RMSNormalization": _scaled("rms_normalization"),
    "SimplifiedLayerNormalization": _scaled("rms_normalization"),
    "com.microsoft.SimplifiedLayerNormalization": _scaled("rms_normalization"),
    "com.microsoft.SkipLayerNormalization": _skip_norm, "LRN": _lrn,
    "Softmax": _softmax(False), "LogSoftmax": _softmax(True), "LpNormalization": _lp_normalization,
    "ArgMax": _arg("max"), "ArgMin": _arg("min"), "TopK": _top_k, "CumSum": _cumulative,
    "MaxPool": _pool("max_pool"), "AveragePool": _pool("average_pool"), "LpPool": _pool("lp_pool"),
    "GlobalAveragePool": _whole("global_average_pool"), "GlobalMaxPool": _whole("global_max_pool"),
})
