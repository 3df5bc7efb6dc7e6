"""Vector operators against naive code over numbers that count the operations done to them."""

import itertools
import math
from collections import Counter

import numpy as np
import pytest

from hwsim.errors import GraphError
from hwsim.graph import BOOLEAN, FLOAT16, INT8, INT64, GraphBuilder, work_of
from hwsim.graph.ops.vector import ELEMENTWISE, REDUCTIONS

TALLY = Counter()


class Number:
    """A float that counts the elementary operations applied to it, in one shared tally."""

    def __init__(self, value):
        self.value = float(value.value if isinstance(value, Number) else value)

    def _count(self, name, value):
        TALLY[name] += 1
        return Number(value)

    def __add__(self, other):
        return self._count("add", self.value + Number(other).value)

    def __sub__(self, other):
        return self._count("add", self.value - Number(other).value)

    def __mul__(self, other):
        return self._count("multiply", self.value * Number(other).value)

    def __truediv__(self, other):
        return self._count("divide", self.value / Number(other).value)

    def larger(self, other):
        return self._count("compare", max(self.value, Number(other).value))

    def smaller(self, other):
        return self._count("compare", min(self.value, Number(other).value))

    def special(self, function):
        return self._count("special", function(self.value))


def total(numbers):
    numbers = list(numbers)
    result = numbers[0]
    for number in numbers[1:]:
        result = result + number
    return result


def largest(numbers):
    numbers = list(numbers)
    result = numbers[0]
    for number in numbers[1:]:
        result = result.larger(number)
    return result


def tally_of(function):
    TALLY.clear()
    function()
    return dict(TALLY)


def numbers(count):
    rng = np.random.default_rng(4)
    return [Number(value) for value in rng.uniform(0.5, 2.0, size=count)]


def work(kind, *shapes, **attributes):
    builder = GraphBuilder("g")
    names = [builder.input(f"x{i}", shape) for i, shape in enumerate(shapes)]
    builder.output(builder.add(kind, names, name="op", **attributes))
    graph = builder.build()
    return graph.tensors["op"].shape, dict(work_of(graph, graph.ops[0]).primitives)


def sigmoid(x):
    return x.special(lambda v: 1 / (1 + math.exp(-v)))


def softplus(x):
    return (x.special(math.exp) + 1).special(math.log)


DEFINITIONS = {
    "add": lambda x, y: x + y,
    "subtract": lambda x, y: x - y,
    "multiply": lambda x, y: x * y,
    "divide": lambda x, y: x / y,
    "power": lambda x, y: (x.special(math.log) * y).special(math.exp),
    "square": lambda x: x * x,
    "cube": lambda x: x * x * x,
    "reciprocal": lambda x: Number(1) / x,
    "negate": lambda x: Number(0) - x,
    "relu": lambda x: x.larger(0),
    "clip": lambda x: x.larger(0).smaller(6),
    "sigmoid": sigmoid,
    "tanh": lambda x: x.special(math.tanh),
    "hard_sigmoid": lambda x: (x * 0.2 + 0.5).larger(0).smaller(1),
    "hard_swish": lambda x: x * (x * (1 / 6) + 0.5).larger(0).smaller(1),
    "gelu": lambda x: (x * 0.5) * ((x * math.sqrt(0.5)).special(math.erf) + 1),
    "gelu_tanh": lambda x: (x * 0.5) * (((x + x * x * x * 0.044715) * math.sqrt(2 / math.pi))
                                        .special(math.tanh) + 1),
    "silu": lambda x: x * sigmoid(x),
    "softplus": softplus,
    "mish": lambda x: x * softplus(x).special(math.tanh),
    "softsign": lambda x: x / (x.larger(-x.value) + 1),
    "modulo": lambda x, y: x - y * (x / y),
}


@pytest.mark.parametrize("function", DEFINITIONS)
def test_elementwise_cost_is_that_of_the_definition(function):
    arity = ELEMENTWISE[function].operands
    expected = tally_of(lambda: [DEFINITIONS[function](*numbers(arity)) for _ in range(6)])
    shape, counts = work("elementwise", *((2, 3),) * arity, function=function)
    assert shape == (2, 3)
    assert counts == expected


def test_every_elementwise_function_costs_something_and_builds():
    for name, row in ELEMENTWISE.items():
        shape, counts = work("elementwise", *((4, 5),) * (row.operands + row.variadic), function=name)
        assert shape == (4, 5)
        assert sum(counts.values()) >= 20, name


@pytest.mark.parametrize(("function", "expected"), [
    ("sum", {"add": 12}), ("mean", {"add": 12, "multiply": 6}), ("maximum", {"compare": 12})])
def test_variadic_functions_cost_per_further_operand(function, expected):
    assert work("elementwise", (2, 3), (3,), (2, 1), function=function) == ((2, 3), expected)


@pytest.mark.parametrize("shapes", [((2, 3), (3,)), ((4, 1, 3), (2, 1)), ((), (2, 2)), ((1,), (5, 1, 1))])
def test_elementwise_broadcasts_like_numpy(shapes):
    expected = np.broadcast_shapes(*shapes)
    assert work("elementwise", *shapes, function="add") == (expected, {"add": math.prod(expected)})


@pytest.mark.parametrize(("function", "shapes", "message"), [
    ("subtrac", ((2,), (2,)), "unknown elementwise function 'subtrac'.*did you mean 'subtract'"),
    ("add", ((2,),), "add takes 2 operands, not 1"),
    ("relu", ((2,), (2,)), "relu takes 1 operands, not 2"),
    ("add", ((2,), (3,)), r"shapes \[2\], \[3\] do not broadcast: sizes \[2, 3\] meet at axis -1"),
])
def test_bad_elementwise_is_refused(function, shapes, message):
    with pytest.raises(GraphError, match=message):
        work("elementwise", *shapes, function=function)


def layer_norm(values, *, scaled, shifted, centred=True):
    n = len(values)
    if centred:
        mean = total(values) * (1 / n)
        values = [value - mean for value in values]
    variance = total(value * value for value in values) * (1 / n)
    inverse = Number(1) / (variance + 1e-5).special(math.sqrt)
    values = [value * inverse for value in values]
    if scaled:
        values = [value * 0.5 for value in values]
    if shifted:
        values = [value + 0.5 for value in values]


@pytest.mark.parametrize(("scaled", "shifted"), [(False, False), (True, False), (True, True)])
def test_layer_normalization_equals_naive_code(scaled, shifted):
    expected = tally_of(lambda: [layer_norm(numbers(5), scaled=scaled, shifted=shifted) for _ in range(6)])
    shapes = ((2, 3, 5), *((5,),) * (scaled + shifted))
    assert work("layer_normalization", *shapes) == ((2, 3, 5), expected)


def test_rms_normalization_equals_naive_code():
    expected = tally_of(lambda: [layer_norm(numbers(5), scaled=True, shifted=False, centred=False)
                                 for _ in range(6)])
    assert work("rms_normalization", (2, 3, 5), (5,)) == ((2, 3, 5), expected)


def test_instance_and_group_normalization_equal_naive_code():
    expected = tally_of(lambda: [layer_norm(numbers(20), scaled=True, shifted=True) for _ in range(2 * 6)])
    assert work("instance_normalization", (2, 6, 4, 5), (6,), (6,)) == ((2, 6, 4, 5), expected)
    expected = tally_of(lambda: [layer_norm(numbers(40), scaled=True, shifted=True) for _ in range(2 * 3)])
    assert work("group_normalization", (2, 6, 4, 5), (6,), (6,), groups=3) == ((2, 6, 4, 5), expected)


def test_batch_normalization_is_scale_and_shift():
    shapes = ((2, 3, 4), *((3,),) * 4)
    assert work("batch_normalization", *shapes) == ((2, 3, 4), {"multiply": 24, "add": 24})


def softmax(values, *, logarithm):
    top = largest(values)
    shifted = [value - top for value in values]
    exponentials = [value.special(math.exp) for value in shifted]
    summed = total(exponentials)
    if logarithm:
        bottom = summed.special(math.log)
        return [value - bottom for value in shifted]
    return [value / summed for value in exponentials]


@pytest.mark.parametrize("logarithm", [False, True])
@pytest.mark.parametrize("axis", [0, 1, -1])
def test_softmax_equals_naive_code(axis, logarithm):
    shape = (2, 3, 4)
    expected = tally_of(lambda: [softmax(numbers(shape[axis]), logarithm=logarithm)
                                 for _ in range(24 // shape[axis])])
    assert work("softmax", shape, axis=axis, logarithm=logarithm) == (shape, expected)


def test_local_response_normalization_equals_naive_code():
    def one(window):
        scaled = total(value * value for value in window) * 1e-4 + 1
        return window[0] / (scaled.special(math.log) * 0.75).special(math.exp)

    def element():
        one(numbers(5))
        TALLY["multiply"] -= 4  # four of the five squares were computed for the neighbours
    expected = tally_of(lambda: [element() for _ in range(24)])
    assert work("local_response_normalization", (2, 3, 2, 2), size=5) == ((2, 3, 2, 2), expected)


REDUCE = {
    "sum": total,
    "mean": lambda values: total(values) * (1 / 4),
    "max": largest,
    "l1": lambda values: total(value.larger(-value.value) for value in values),
    "l2": lambda values: total(value * value for value in values).special(math.sqrt),
    "sum_square": lambda values: total(value * value for value in values),
    "log_sum": lambda values: total(values).special(math.log),
}


@pytest.mark.parametrize("function", REDUCE)
def test_reductions_equal_naive_code(function):
    expected = tally_of(lambda: [REDUCE[function](numbers(4)) for _ in range(6)])
    assert work("reduce", (2, 4, 3), function=function, axes=(1,)) == ((2, 1, 3), expected)


def test_log_sum_exp_equals_naive_code():
    def one(values):
        top = largest(values)
        return total((value - top).special(math.exp) for value in values).special(math.log) + top
    expected = tally_of(lambda: [one(numbers(4)) for _ in range(6)])
    assert work("reduce", (2, 4, 3), function="log_sum_exp", axes=(1,))[1] == expected


@pytest.mark.parametrize("keep_dims", [True, False])
@pytest.mark.parametrize("axes", [(0,), (-1, 0), (1, 2), ()])
def test_reduced_shapes_follow_numpy(axes, keep_dims):
    expected = np.zeros((2, 3, 4)).sum(axis=axes or None, keepdims=keep_dims).shape
    for function in REDUCTIONS:
        assert work("reduce", (2, 3, 4), function=function, axes=axes, keep_dims=keep_dims)[0] == expected


def pool(values, function):
    if function == "max":
        return largest(values)
    if function == "lp":
        return total(value * value for value in values).special(math.sqrt)
    return total(values) * (1 / len(values))


@pytest.mark.parametrize(("kind", "function"), [("max_pool", "max"), ("average_pool", "average"),
                                                ("lp_pool", "lp")])
def test_pools_equal_naive_windows(kind, function):
    shape, kernel, strides, pads = (2, 3, 7, 6), (3, 2), (2, 1), (1, 0, 1, 1)
    rows = range(0, 7 + 2 - 3 + 1, 2)
    columns = range(0, 6 + 1 - 2 + 1, 1)
    expected = tally_of(lambda: [pool(numbers(6), function)
                                 for _ in itertools.product(range(6), rows, columns)])
    got = work(kind, shape, kernel=kernel, strides=strides, pads=pads)
    assert got == ((2, 3, len(rows), len(columns)), expected)


@pytest.mark.parametrize(("size", "kernel", "stride", "pad"), [(7, 2, 2, 0), (6, 3, 2, 1), (5, 2, 3, 1),
                                                              (112, 3, 2, 0), (4, 1, 3, 0)])
def test_ceil_mode_keeps_windows_that_start_inside(size, kernel, stride, pad):
    end = size + 2 * pad
    starts = [start for start in range(0, end, stride)
              if start + kernel <= end or (start < size + pad and start - stride + kernel < end)]
    shape, _ = work("max_pool", (1, 1, size), kernel=(kernel,), strides=(stride,), pads=(pad, pad),
                    ceil_mode=True)
    assert shape == (1, 1, len(starts))


def test_global_pools_reduce_all_positions():
    assert work("global_average_pool", (2, 3, 4, 5)) == ((2, 3, 1, 1), {"add": 6 * 19, "multiply": 6})
    assert work("global_max_pool", (2, 3, 4)) == ((2, 3, 1), {"compare": 18})


def test_resize_counts_taps_of_resized_axes():
    shape = (1, 2, 3, 4)
    assert work("resize", shape, sizes=(1, 2, 6, 8)) == ((1, 2, 6, 8), {})
    assert work("resize", shape, sizes=(1, 2, 6, 4), mode="linear")[1] == {"multiply": 96, "add": 48}
    assert work("resize", shape, sizes=(1, 2, 6, 8), mode="cubic")[1] == {"multiply": 1536, "add": 1440}


def test_top_k_cumulative_sum_and_arg_reduce():
    assert work("top_k", (2, 10), k=3) == ((2, 3), {"compare": 40})
    expected = tally_of(lambda: [list(itertools.accumulate(numbers(5))) for _ in range(4)])
    assert work("cumulative_sum", (4, 5), axis=1) == ((4, 5), expected)
    assert work("arg_reduce", (4, 5), function="max", axis=1, keep_dims=False) == ((4,), {"compare": 16})


def test_quantize_and_dequantize_with_and_without_zero_point():
    assert work("quantize", (2, 3), ()) == ((2, 3), {"multiply": 6, "logic": 6, "compare": 12})
    assert work("dequantize", (2, 3), (3,), (3,)) == ((2, 3), {"multiply": 6, "add": 6})


def test_default_formats_of_results():
    builder = GraphBuilder("g", format=FLOAT16)
    x, s = builder.input("x", (2, 3)), builder.weight("s", ())
    zero = builder.constant("zero", (), format=INT8)
    kinds = {"less": BOOLEAN, "relu": FLOAT16}
    assert builder.tensor(builder.add("elementwise", [x, x], function="less")).format == kinds["less"]
    assert builder.tensor(builder.relu(x)).format == kinds["relu"]
    assert builder.tensor(builder.add("arg_reduce", x, function="min")).format == INT64
    quantized = builder.add("quantize", [x, s, zero])
    assert builder.tensor(quantized).format == INT8
    assert builder.tensor(builder.add("dequantize", [quantized, s])).format == FLOAT16
    values, indices = builder.add_many("top_k", x, k=1, outputs=2)
    assert (builder.tensor(values).format, builder.tensor(indices).format) == (FLOAT16, INT64)


@pytest.mark.parametrize(("kind", "shapes", "attributes", "message"), [
    ("softmax", ((2, 3),), {"axis": 2}, "axis 2 is outside a tensor of rank 2"),
    ("reduce", ((2, 3),), {"function": "sum", "axes": (0, -2)}, "names an axis twice"),
    ("reduce", ((2, 3),), {"function": "su"}, "unknown reduction 'su'.*did you mean 'sum'"),
    ("reduce", ((2, 3),), {}, "function: missing attribute"),
    ("top_k", ((2, 3),), {"k": 4}, "k is 4, axis 1 has 3 elements"),
    ("top_k", ((2, 3),), {"k": True}, "k must be an integer, not True"),
    ("max_pool", ((1, 2, 3),), {"kernel": (4,)}, "kernel 4 .* larger than the padded input 3"),
    ("max_pool", ((1, 2, 3),), {"kernel": (0,)}, "must be 1 sizes of at least 1"),
    ("max_pool", ((1, 2),), {"kernel": ()}, "at least one spatial axis"),
    ("lp_pool", ((1, 2, 3),), {"kernel": (2,), "power": 0}, "power is 0"),
    ("group_normalization", ((1, 6, 3),), {"groups": 4}, "groups 4 must be at least 1 and divide 6"),
    ("batch_normalization", ((1, 6), (6,), (6,), (5,), (6,)), {}, r"mean \[5\] must be \[6\]"),
    ("layer_normalization", ((1, 6), (5,)), {}, "do not broadcast"),
    ("local_response_normalization", ((1, 6, 2),), {"size": 0}, "size 0 must be at least 1"),
    ("resize", ((1, 6, 2),), {"sizes": (1, 6)}, "must give every axis"),
    ("resize", ((1, 6, 2),), {"sizes": (1, 6, 4), "mode": "best"}, "mode is 'best'"),
    ("quantize", ((2, 3), (2,)), {}, "fits neither the whole tensor nor axis 1"),
])
def test_bad_vector_operators_are_refused(kind, shapes, attributes, message):
    with pytest.raises(GraphError, match=message):
        work(kind, *shapes, **attributes)
