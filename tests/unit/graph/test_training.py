"""Gradients as operators: numbers against finite differences, MACs against the rule of three."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from numpy.typing import NDArray

import hwsim
from hwsim.errors import GraphError
from hwsim.graph.build import GraphBuilder
from hwsim.graph.ops import work_of
from hwsim.graph.training import training_step
from hwsim.graph.types import FLOAT64, Graph, Op, Phase, Role

Values = dict[str, NDArray[np.float64]]


def convolve(x: NDArray[np.float64], w: NDArray[np.float64], op: Op) -> NDArray[np.float64]:
    """Correlate by loops over the kernel, with strides, pads and dilations."""
    (s, t), pads, (d, e) = op.attributes["strides"], op.attributes["pads"], op.attributes["dilations"]  # type: ignore[misc]
    x = np.pad(x, ((0, 0), (0, 0), (pads[0], pads[2]), (pads[1], pads[3])))  # type: ignore[index, arg-type]
    height, width = (
        (x.shape[2 + i] - (w.shape[2 + i] - 1) * g - 1) // k + 1 for i, (k, g) in enumerate(((s, d), (t, e)))
    )
    out = np.zeros((x.shape[0], w.shape[0], height, width))
    for i in range(w.shape[2]):
        for j in range(w.shape[3]):
            part = x[:, :, i * d : i * d + s * height : s, j * e : j * e + t * width : t]
            out += np.einsum("nchw,oc->nohw", part[:, :, :height, :width], w[:, :, i, j])
    return out


def transpose_convolve(
    y: NDArray[np.float64], w: NDArray[np.float64], op: Op, shape: tuple[int, ...]
) -> NDArray[np.float64]:
    """Scatter every product to where the forward convolution would have read it."""
    (s, t), pads, (d, e) = op.attributes["strides"], op.attributes["pads"], op.attributes["dilations"]  # type: ignore[misc]
    wide = np.zeros((*shape[:2], shape[2] + pads[0] + pads[2], shape[3] + pads[1] + pads[3]))  # type: ignore[index, operator]
    for i in range(w.shape[2]):
        for j in range(w.shape[3]):
            add = np.einsum("nohw,oc->nchw", y, w[:, :, i, j])
            wide[:, :, i * d : i * d + s * y.shape[2] : s, j * e : j * e + t * y.shape[3] : t] += add
    return wide[:, :, pads[0] : pads[0] + shape[2], pads[1] : pads[1] + shape[3]]  # type: ignore[index, operator]


def run(graph: Graph, values: Values) -> Values:
    """Compute every operator of a graph with numpy."""
    found = dict(values)
    for op in graph.ops:
        x = [found[name] for name in op.inputs if name]
        shape = graph.tensors[op.outputs[0]].shape
        found[op.outputs[0]] = compute(op, x, shape)
        assert found[op.outputs[0]].shape == shape
    return found


def compute(op: Op, x: list[NDArray[np.float64]], shape: tuple[int, ...]) -> NDArray[np.float64]:
    at = op.attributes
    if op.kind == "convolution":
        return convolve(x[0], x[1], op) + (x[2].reshape(-1, 1, 1) if len(x) > 2 else 0)
    if op.kind == "transposed_convolution":
        return transpose_convolve(x[0], x[1], op, shape)
    if op.kind == "gemm":
        product = (x[0].T if at["trans_a"] else x[0]) @ (x[1].T if at["trans_b"] else x[1])
        return product + (x[2] if len(x) > 2 else 0)
    if op.kind == "elementwise":
        functions = {
            "relu": lambda a: np.maximum(a, 0),
            "sign": np.sign,
            "multiply": np.multiply,
            "add": np.add,
            "equal": lambda a, b: (a == b).astype(float),
        }
        return np.asarray(functions[str(at["function"])](*x))
    if op.kind == "max_pool":
        (k, m), (n, c, h, w) = at["kernel"], shape  # type: ignore[misc]
        return x[0][:, :, : h * k, : w * m].reshape(n, c, h, k, w, m).max((3, 5))
    if op.kind == "resize":
        return x[0].repeat(shape[2] // x[0].shape[2], 2).repeat(shape[3] // x[0].shape[3], 3)
    if op.kind == "pad":
        half = len(shape)
        return np.pad(x[0], [(at["pads"][i], at["pads"][half + i]) for i in range(half)])  # type: ignore[index]
    if op.kind == "slice":
        return x[0][:, :, : shape[2], : shape[3]]
    if op.kind == "transpose":
        return x[0].transpose(at["permutation"])  # type: ignore[call-overload, no-any-return]
    if op.kind == "reshape":
        return x[0].reshape(shape)
    assert op.kind == "reduce"
    return np.asarray(x[0].sum(tuple(at["axes"])))  # type: ignore[arg-type]


def small(size: int = 9, stride: int = 2, dilation: int = 1) -> Graph:
    b = GraphBuilder("small", format=FLOAT64)
    x = b.relu(b.conv(b.input("x", (2, 2, size, size + 1)), 3, 3, stride=stride, padding=1, name="c1"), "r1")
    x = b.max_pool(x, 2, stride=2, name="p")
    side = b.conv(x, 3, 1, name="c2")
    weight = b.weight("c3.weight", (3, 3, 2, 2))
    wide = b.add(
        "convolution", [side, weight], name="c3", dilations=(dilation,) * 2, pads=(0, 0, dilation, dilation)
    )
    x = b.sum(b.relu(wide, "r2"), x, "join")
    b.output(b.linear(b.flatten(x, "f"), 4, name="fc"))
    return b.build()


@pytest.mark.parametrize(("size", "stride", "dilation"), [(9, 2, 1), (8, 1, 2), (10, 2, 1), (7, 1, 1)])
def test_gradients_equal_finite_differences(size: int, stride: int, dilation: int) -> None:
    graph, random = small(size, stride, dilation), np.random.default_rng(size)
    given = {
        name: random.normal(size=tensor.shape)
        for name, tensor in graph.tensors.items()
        if tensor.role in (Role.INPUT, Role.WEIGHT)
    }
    seed = random.normal(size=(2, 4))
    step = training_step(graph)
    found = run(step, given | {f"gradient.{graph.outputs[0]}": seed})
    loss = lambda values: float((run(graph, values)[graph.outputs[0]] * seed).sum())  # noqa: E731
    weights = [name for name, tensor in graph.tensors.items() if tensor.role is Role.WEIGHT]
    assert len(step.outputs) == 1 + len(weights)
    for name, gradient in zip(_in_order(graph), step.outputs[1:], strict=True):
        assert found[gradient].shape == given[name].shape
        for _ in range(6):
            index = tuple(random.integers(0, given[name].shape))
            shifted = []
            for delta in (1e-6, -1e-6):
                moved = given[name].copy()
                moved[index] += delta
                shifted.append(loss(given | {name: moved}))
            assert found[gradient][index] == pytest.approx(
                (shifted[0] - shifted[1]) / 2e-6, abs=1e-5, rel=1e-5
            )


def _in_order(graph: Graph) -> list[str]:
    return list(
        dict.fromkeys(
            name for op in graph.ops for name in op.inputs if name and graph.tensors[name].role is Role.WEIGHT
        )
    )


def test_vgg16_takes_three_forward_passes() -> None:
    graph = hwsim.load("vgg16_training")
    macs: Counter[Phase] = Counter()
    for op in graph.ops:
        macs[op.phase] += work_of(graph, op).macs
    first = 64 * 3 * 9 * 224 * 224
    assert macs[Phase.FORWARD] == macs[Phase.WEIGHT_GRADIENT] == 15_470_264_320
    assert macs[Phase.INPUT_GRADIENT] == macs[Phase.FORWARD] - first
    assert 2 * sum(macs.values()) == pytest.approx(92.8e9, rel=2e-3)
    assert {graph.tensors[name].shape for name in graph.outputs} >= {(64, 3, 3, 3), (1000, 4096)}


def test_what_has_no_gradient_is_named_at_once() -> None:
    b = GraphBuilder("odd", format=FLOAT64)
    x = b.conv(b.input("x", (1, 4, 8, 8)), 4, 3, name="grouped", groups=2)
    x = b.softmax(b.max_pool(x, 3, stride=2, name="overlapping"), name="soft")
    b.output(b.elementwise("tanh", x, name="tanh"))
    with pytest.raises(GraphError) as caught:
        training_step(b.build())
    text = str(caught.value)
    assert all(word in text for word in ("odd.grouped", "odd.overlapping", "odd.soft", "odd.tanh"))
