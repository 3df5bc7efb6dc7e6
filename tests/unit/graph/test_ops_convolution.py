"""Convolutions against naive loops that count every multiply-add."""

import itertools

import numpy as np
import pytest

from hwsim.errors import GraphError
from hwsim.graph import BINARY, GraphBuilder, work_of
from hwsim.graph.ops.convolution import same_pads, window_size


def graph_of(kind, image, weight, bias=False, format=None, **attributes):
    builder = GraphBuilder("g") if format is None else GraphBuilder("g", format=format)
    operands = [builder.input("x", image), builder.weight("w", weight)]
    if bias:
        operands.append(builder.weight("b", (weight[0] if "transposed" not in kind
                                             else weight[1] * attributes.get("groups", 1),)))
    builder.output(builder.add(kind, operands, name="op", **attributes))
    return builder.build()


def naive_convolution(image, weight, strides, pads, dilations, groups):
    """Return the result of plain loops over a padded image, and how many multiply-adds they did."""
    rank = image.ndim - 2
    padded = np.pad(image, [(0, 0), (0, 0), *zip(pads[:rank], pads[rank:], strict=True)])
    reach = [d * (k - 1) for d, k in zip(dilations, weight.shape[2:], strict=True)]
    starts = [range(0, size - r, s) for size, r, s in zip(padded.shape[2:], reach, strides, strict=True)]
    filters = weight.shape[0] // groups
    result = np.zeros((image.shape[0], weight.shape[0], *map(len, starts)))
    count = 0
    for n, f in itertools.product(range(image.shape[0]), range(weight.shape[0])):
        first = (f // filters) * weight.shape[1]
        for place in itertools.product(*(range(len(s)) for s in starts)):
            for c, *offset in itertools.product(*map(range, weight.shape[1:])):
                at = tuple(s[p] + o * d for s, p, o, d in zip(starts, place, offset, dilations, strict=True))
                result[(n, f, *place)] += padded[(n, first + c, *at)] * weight[(f, c, *offset)]
                count += 1
    return result, count


CASES = [
    ((1, 3, 7, 6), (4, 3, 3, 2), (1, 1), (0, 0, 0, 0), (1, 1), 1),
    ((2, 4, 7, 7), (6, 2, 3, 3), (2, 2), (1, 1, 1, 1), (1, 1), 2),
    ((1, 4, 8, 8), (4, 1, 3, 3), (2, 1), (1, 0, 2, 1), (1, 2), 4),
    ((1, 3, 9, 9), (2, 3, 3, 3), (3, 2), (2, 2, 2, 2), (2, 2), 1),
    ((2, 2, 11), (3, 2, 4), (3,), (2, 1), (2,), 1),
    ((1, 2, 4, 5, 4), (2, 1, 2, 3, 2), (1, 2, 1), (0, 1, 0, 1, 1, 0), (1, 1, 2), 2),
    ((1, 8, 1, 1), (3, 8, 1, 1), (1, 1), (0, 0, 0, 0), (1, 1), 1),
]


@pytest.mark.parametrize(("image", "weight", "strides", "pads", "dilations", "groups"), CASES)
def test_convolution_equals_naive_loops_in_shape_and_macs(image, weight, strides, pads, dilations, groups):
    rng = np.random.default_rng(1)
    result, count = naive_convolution(rng.normal(size=image), rng.normal(size=weight), strides, pads,
                                      dilations,
                                      groups)
    graph = graph_of("convolution", image, weight, strides=strides, pads=pads, dilations=dilations,
                     groups=groups)
    assert graph.tensors["op"].shape == result.shape
    assert work_of(graph, graph.ops[0]).macs == count


def test_bias_is_one_addition_per_output_element_and_no_mac():
    plain = graph_of("convolution", (1, 3, 5, 5), (4, 3, 3, 3))
    biased = graph_of("convolution", (1, 3, 5, 5), (4, 3, 3, 3), bias=True)
    work = work_of(biased, biased.ops[0])
    assert work.macs == work_of(plain, plain.ops[0]).macs == 4 * 9 * 27
    assert work.primitives == {"add": 36}


@pytest.mark.parametrize(("size", "kernel", "stride", "pad", "extra", "groups", "dilation"), [
    (4, 3, 2, 1, 1, 1, 1), (5, 2, 3, 0, 0, 2, 2), (3, 4, 1, 2, 0, 1, 1), (1, 2, 2, 0, 0, 1, 1)])
def test_transposed_convolution_equals_scattering_loops(size, kernel, stride, pad, extra, groups, dilation):
    inputs, per_group = 2 * groups, 3
    graph = graph_of("transposed_convolution", (2, inputs, size, size), (inputs, per_group, kernel, kernel),
                     bias=True, strides=(stride,) * 2, pads=(pad,) * 4, output_pads=(extra,) * 2,
                     groups=groups, dilations=(dilation,) * 2)
    reached, count = 0, 0
    for position, offset in itertools.product(range(size), range(kernel)):
        reached = max(reached, position * stride + offset * dilation + 1)
    for _ in itertools.product(range(2), range(inputs), range(per_group), range(size), range(size),
                               range(kernel), range(kernel)):
        count += 1
    side = reached - 2 * pad + extra
    assert graph.tensors["op"].shape == (2, per_group * groups, side, side)
    work = work_of(graph, graph.ops[0])
    assert work.macs == count
    assert work.primitives == {"add": 2 * per_group * groups * side * side}


def test_binary_convolution_counts_pairs_like_macs():
    graph = graph_of("binary_convolution", (1, 8, 6, 6), (4, 8, 3, 3), format=BINARY)
    assert work_of(graph, graph.ops[0]).macs == 16 * 4 * 72


def test_binary_convolution_refuses_wide_operands():
    with pytest.raises(GraphError, match=r"g\.op: operand 'x' is float32, a binary operator needs binary"):
        graph_of("binary_convolution", (1, 8, 6, 6), (4, 8, 3, 3))


@pytest.mark.parametrize(("image", "weight", "attributes", "message"), [
    ((1, 3, 4, 4), (2, 3, 7, 7), {"pads": (1, 1, 1, 1)},
     "kernel 7 .* larger than the padded input 6 .size 4"),
    ((1, 3, 4, 4), (2, 3, 3, 3), {"dilations": (2, 2)}, "dilation 2, so 5 wide"),
    ((1, 4, 4, 4), (6, 4, 1, 1), {"groups": 3}, "3 groups do not divide 4 input and 6 output channels"),
    ((1, 4, 4, 4), (6, 4, 1, 1), {"groups": 0}, "groups is 0"),
    ((1, 4, 4, 4), (6, 3, 1, 1), {}, r"weight \[6, 3, 1, 1\] takes 3 channels x 1 groups, but .* has 4"),
    ((1, 4, 0, 4), (6, 4, 1, 1), {}, r"input \[1, 4, 0, 4\] has a size below 1"),
    ((1, 4, 4, 4), (6, 4, 0, 1), {}, r"weight \[6, 4, 0, 1\] has a size below 1"),
    ((1, 4, 4), (6, 4, 1, 1), {}, "must have as many axes as input"),
    ((1, 4), (6, 4), {}, "1 to 3 spatial axes"),
    ((1, 4, 4, 4), (6, 4, 1, 1), {"strides": (0, 1)}, r"strides \[0, 1\] holds a number below 1"),
    ((1, 4, 4, 4), (6, 4, 1, 1), {"strides": (1, 1, 1)}, "has 3 numbers, 2 spatial axes need 2"),
    ((1, 4, 4, 4), (6, 4, 1, 1), {"pads": (0, 0, -1, 0)}, "holds a number below 0"),
    ((1, 4, 4, 4), (6, 4, 1, 1), {"strides": (1.5, 1)}, "strides must be an integer, not 1.5"),
    ((1, 4, 4, 4), (6, 4, 1, 1), {"strides": 2}, "strides must be a list, not 2"),
    ((1, 4, 4, 4), (6, 4, 1, 1), {"stride": (2, 2)}, "unknown attribute.*did you mean 'strides'"),
])
def test_impossible_convolutions_are_refused_with_the_numbers(image, weight, attributes, message):
    with pytest.raises(GraphError, match=message) as caught:
        graph_of("convolution", image, weight, **attributes)
    assert all(problem.where.startswith("g.op") for problem in caught.value.problems)
    assert f"input {list(image)}" in str(caught.value)


def test_wrong_bias_is_refused():
    builder = GraphBuilder("g")
    operands = [builder.input("x", (1, 3, 4, 4)), builder.weight("w", (2, 3, 1, 1)),
                builder.weight("b", (3,))]
    with pytest.raises(GraphError, match=r"bias \[3\] must be \[2\], one per output channel"):
        builder.add("convolution", operands)


def test_transposed_convolution_refuses_cropping_everything():
    with pytest.raises(GraphError, match="take away more than there is"):
        graph_of("transposed_convolution", (1, 2, 2, 2), (2, 1, 1, 1), pads=(1, 1, 1, 1))


@pytest.mark.parametrize("upper", [True, False])
@pytest.mark.parametrize(("size", "kernel", "stride", "dilation"), [(7, 3, 2, 1), (8, 3, 2, 1), (5, 4, 1, 1),
                                                                   (9, 3, 3, 2), (4, 1, 3, 1)])
def test_same_pads_give_the_input_size_over_the_stride(size, kernel, stride, dilation, upper):
    begin, end = same_pads((size,), (kernel,), (stride,), (dilation,), upper=upper)
    assert window_size(size, kernel, stride, (begin, end), dilation) == -(-size // stride)
    assert 0 <= (end - begin if upper else begin - end) <= 1
