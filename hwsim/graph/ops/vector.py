"""What vector operators cost: one table of elementary operations, and the functions that apply it.

Counts are per **output element** unless the row says otherwise; e = input elements, r = result elements,
g = normalised groups, w = window positions (padding included), n = operands of a variadic function.
special = exp, log, tanh, sigmoid, sqrt, erf, sin and their like: one table look-up or iteration each.

=========================  ======================================================================
operator                   elementary operations
=========================  ======================================================================
elementwise                the row of `ELEMENTWISE` for its function
batch_normalization        multiply 1, add 1 (inference: statistics folded into scale and shift)
layer/group/instance       multiply 2 (square, normalise), add 1 (centre), + multiply 1 with a scale,
  normalization            + add 1 with a bias; two sums, add 2 * (e - g); per group: multiply 2
                           (1/size twice), add 1 (epsilon), special 1 (sqrt), divide 1
rms_normalization          multiply 2, + multiply 1 with a scale, + add 1 with a bias; one sum, add e - g;
                           per group: multiply 1, add 1, special 1, divide 1
local_response             multiply 3, add size, special 2 (power as exp of log), divide 1
softmax                    add 1 (subtract maximum), special 1, divide 1; per row of length l:
                           compare l - 1, add l - 1
log_softmax                add 2, special 1; per row of length l: compare l - 1, add l - 1, special 1
reduce sum                 add e - r
reduce mean                add e - r, multiply r
reduce max, min            compare e - r
reduce prod                multiply e - r
reduce l1                  compare e, add e - r
reduce l2                  multiply e, add e - r, special r
reduce sum_square          multiply e, add e - r
reduce log_sum             add e - r, special r
reduce log_sum_exp         compare e - r, add e + (e - r) + r, special e + r
arg_reduce                 compare e - r
max_pool (also global)     compare w - 1
average_pool (also global) add w - 1, multiply 1
lp_pool                    p = 1: compare w, add w - 1; p = 2: multiply w, add w - 1, special 1;
                           other p: special w + 1, multiply w + 1, add w - 1
resize                     nearest: the element moves; linear over a axes: multiply 2**a,
                           add 2**a - 1; cubic: multiply 4**a, add 4**a - 1
quantize                   multiply 1, logic 1 (round), compare 2 (saturate), + add 1 with a zero point
dequantize                 multiply 1, + add 1 with a zero point
top_k                      compare e * ceil(log2(k + 1)) (binary search in the k best so far)
cumulative_sum             add e - e / length of the axis
einsum of one operand      add index space - r
lstm, per cell and step    special 5, multiply 3, add 1, + add 8 with biases; peepholes multiply 3, add 3
gru, per cell and step     special 3, multiply 3, add 2, + add 6 with biases
rnn, per cell and step     special 1, + add 2 with biases
=========================  ======================================================================

Definitions of the functions: ONNX operator documentation. MACs are never counted here. In recurrent
layers the recurrent product goes on accumulating where the input product ended, so joining them costs
no addition.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from hwsim.graph.ops.kinds import Work


@dataclass(frozen=True, slots=True)
class Function:
    """One elementwise function.

    Attributes
    ----------
    operands : int
        Number of operands; of variadic functions the least number.
    primitives : mapping of str to int
        Elementary operations per output element; of variadic functions per operand after the first.
    logical : bool
        True when the result is a truth value.
    variadic : bool
        True when any number of operands from `operands` on is taken.
    once : mapping of str to int
        Elementary operations of a variadic function that occur once per output element.
    """

    operands: int
    primitives: Mapping[str, int]
    logical: bool = False
    variadic: bool = False
    once: Mapping[str, int] = field(default_factory=dict)


_SPECIALS = ("sigmoid", "tanh", "erf", "exp", "log", "sqrt", "cos", "sin", "tan", "acos", "asin", "atan",
             "cosh", "sinh", "acosh", "asinh", "atanh")
_COMPARISONS = ("equal", "not_equal", "greater", "greater_or_equal", "less", "less_or_equal")

ELEMENTWISE: Mapping[str, Function] = MappingProxyType({
    **{name: Function(1, {"special": 1}) for name in _SPECIALS},
    **{name: Function(2, {"compare": 1}, logical=True) for name in _COMPARISONS},
    "add": Function(2, {"add": 1}),
    "subtract": Function(2, {"add": 1}),
    "multiply": Function(2, {"multiply": 1}),
    "divide": Function(2, {"divide": 1}),
    "modulo": Function(2, {"divide": 1, "multiply": 1, "add": 1}),
    "power": Function(2, {"special": 2, "multiply": 1}),
    "square": Function(1, {"multiply": 1}),
    "cube": Function(1, {"multiply": 2}),
    "reciprocal": Function(1, {"divide": 1}),
    "negate": Function(1, {"add": 1}),
    "absolute": Function(1, {"compare": 1}),
    "sign": Function(1, {"compare": 1}),
    "floor": Function(1, {"logic": 1}),
    "ceil": Function(1, {"logic": 1}),
    "round": Function(1, {"logic": 1}),
    "relu": Function(1, {"compare": 1}),
    "clip": Function(1, {"compare": 2}),
    "leaky_relu": Function(1, {"compare": 1, "multiply": 1}),
    "prelu": Function(2, {"compare": 1, "multiply": 1}),
    "thresholded_relu": Function(1, {"compare": 1}),
    "shrink": Function(1, {"compare": 2, "add": 1}),
    "elu": Function(1, {"compare": 1, "special": 1, "add": 1, "multiply": 1}),
    "celu": Function(1, {"compare": 1, "special": 1, "add": 1, "multiply": 2}),
    "selu": Function(1, {"compare": 1, "special": 1, "add": 1, "multiply": 2}),
    "hard_sigmoid": Function(1, {"multiply": 1, "add": 1, "compare": 2}),
    "hard_swish": Function(1, {"multiply": 2, "add": 1, "compare": 2}),
    "gelu": Function(1, {"multiply": 3, "add": 1, "special": 1}),
    "gelu_tanh": Function(1, {"multiply": 6, "add": 2, "special": 1}),
    "silu": Function(1, {"special": 1, "multiply": 1}),
    "softplus": Function(1, {"special": 2, "add": 1}),
    "softsign": Function(1, {"compare": 1, "add": 1, "divide": 1}),
    "mish": Function(1, {"special": 3, "add": 1, "multiply": 1}),
    "is_nan": Function(1, {"compare": 1}, logical=True),
    "is_infinite": Function(1, {"compare": 1}, logical=True),
    "and": Function(2, {"logic": 1}, logical=True),
    "or": Function(2, {"logic": 1}, logical=True),
    "xor": Function(2, {"logic": 1}, logical=True),
    "not": Function(1, {"logic": 1}, logical=True),
    "bitwise_and": Function(2, {"logic": 1}),
    "bitwise_or": Function(2, {"logic": 1}),
    "bitwise_xor": Function(2, {"logic": 1}),
    "bitwise_not": Function(1, {"logic": 1}),
    "bit_shift": Function(2, {"logic": 1}),
    "where": Function(3, {"logic": 1}),
    "minimum": Function(1, {"compare": 1}, variadic=True),
    "maximum": Function(1, {"compare": 1}, variadic=True),
    "sum": Function(1, {"add": 1}, variadic=True),
    "mean": Function(1, {"add": 1}, variadic=True, once={"multiply": 1}),
})


def count_elementwise(function: str, operands: int, elements: int) -> Work:
    """Return the work of an elementwise `function` of `operands` tensors with `elements` results."""
    row = ELEMENTWISE[function]
    if not row.variadic:
        return Work(primitives={name: count * elements for name, count in row.primitives.items()})
    counts = {name: count * elements * (operands - 1) for name, count in row.primitives.items()}
    return Work(primitives=counts) + Work(primitives={name: n * elements for name, n in row.once.items()})


def count_normalization(elements: int, groups: int, *, centred: bool, scaled: bool, shifted: bool) -> Work:
    """Return the work of normalising `elements` in `groups`; `centred` subtracts the mean (not in RMS)."""
    if not elements:
        return Work()
    sums = 2 if centred else 1
    multiplies = elements * (2 + scaled) + groups * sums
    adds = sums * (elements - groups) + groups + elements * (centred + shifted)
    return Work(primitives={"multiply": multiplies, "add": adds, "special": groups, "divide": groups})


def count_local_response(elements: int, size: int) -> Work:
    """Return the work of a local response normalisation over `size` neighbouring channels."""
    return Work(primitives={"multiply": 3 * elements, "add": size * elements, "special": 2 * elements,
                            "divide": elements})


def count_softmax(elements: int, rows: int, *, logarithm: bool) -> Work:
    """Return the work of a (log-)softmax of `elements` in `rows` independent rows."""
    if not elements:
        return Work()
    inside = elements - rows
    if logarithm:
        return Work(primitives={"compare": inside, "add": 2 * elements + inside, "special": elements + rows})
    return Work(primitives={"compare": inside, "add": elements + inside, "special": elements,
                            "divide": elements})


def count_reduction(function: str, elements: int, results: int) -> Work:
    """Return the work of reducing `elements` to `results` with `function`, a key of `REDUCTIONS`."""
    per_element, per_step, per_result = REDUCTIONS[function]
    steps = max(0, elements - results)
    counts = Work(primitives=dict.fromkeys(per_element, elements))
    counts += Work(primitives=dict.fromkeys(per_step, steps))
    return counts + Work(primitives=dict.fromkeys(per_result, results))


REDUCTIONS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]] = MappingProxyType({
    "sum": ((), ("add",), ()),
    "mean": ((), ("add",), ("multiply",)),
    "max": ((), ("compare",), ()),
    "min": ((), ("compare",), ()),
    "prod": ((), ("multiply",), ()),
    "l1": (("compare",), ("add",), ()),
    "l2": (("multiply",), ("add",), ("special",)),
    "sum_square": (("multiply",), ("add",), ()),
    "log_sum": ((), ("add",), ("special",)),
    "log_sum_exp": (("special", "add"), ("add", "compare"), ("special", "add")),
})


def count_pool(function: str, results: int, window: int, *, power: int = 2) -> Work:
    """Return the work of pooling `window` positions into each of `results`; function max, average or lp."""
    steps = results * (window - 1)
    if function == "max":
        return Work(primitives={"compare": steps})
    if function == "average":
        return Work(primitives={"add": steps, "multiply": results})
    if power == 1:
        return Work(primitives={"compare": results * window, "add": steps})
    if power == 2:
        return Work(primitives={"multiply": results * window, "add": steps, "special": results})
    powers = results * (window + 1)
    return Work(primitives={"special": powers, "multiply": powers, "add": steps})


def count_resize(mode: str, results: int, axes: int) -> Work:
    """Return the work of resampling to `results` elements along `axes` axes by `mode`."""
    if mode == "nearest" or not axes:
        return Work(moved_elements=results)
    taps = {"linear": 2, "cubic": 4}[mode] ** axes
    return Work(primitives={"multiply": taps * results, "add": (taps - 1) * results})


def count_top_k(elements: int, kept: int) -> Work:
    """Return the comparisons that keep the `kept` best of each row, by binary search in a sorted list."""
    return Work(primitives={"compare": elements * math.ceil(math.log2(kept + 1))})
