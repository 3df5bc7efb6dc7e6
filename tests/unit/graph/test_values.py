"""Operators in numpy against loops written out, and refusals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from hwsim.errors import InputError, UnsupportedOp
from hwsim.graph.build import GraphBuilder
from hwsim.graph.types import BINARY, FLOAT32, Graph
from hwsim.graph.values import read_samples, run


def convolved(x: np.ndarray, w: np.ndarray, strides: tuple[int, int], pads: tuple[int, ...]) -> np.ndarray:
    """One product after the other; positions outside the image are skipped."""
    height = (x.shape[2] + pads[0] + pads[2] - w.shape[2]) // strides[0] + 1
    width = (x.shape[3] + pads[1] + pads[3] - w.shape[3]) // strides[1] + 1
    out = np.zeros((len(x), len(w), height, width))
    for n, f, i, j in np.ndindex(*out.shape):
        for c, a, b in np.ndindex(*w.shape[1:]):
            row, column = i * strides[0] + a - pads[0], j * strides[1] + b - pads[1]
            if 0 <= row < x.shape[2] and 0 <= column < x.shape[3]:
                out[n, f, i, j] += x[n, c, row, column] * w[f, c, a, b]
    return out


GEOMETRIES = [((1, 1), (0,) * 4), ((2, 1), (1, 0, 2, 1)), ((1, 3), (2,) * 4)]


@pytest.mark.parametrize(("strides", "pads"), GEOMETRIES)
def test_convolution(strides: tuple[int, int], pads: tuple[int, ...]) -> None:
    rng = np.random.default_rng(1)
    b = GraphBuilder("c")
    x, w, bias = b.input("x", (2, 3, 5, 6)), b.weight("w", (4, 3, 3, 2)), b.weight("b", (4,))
    b.output(b.add("convolution", [x, w, bias], name="y", strides=strides, pads=pads))
    arrays = {"x": rng.normal(size=(2, 3, 5, 6)), "w": rng.normal(size=(4, 3, 3, 2)), "b": rng.normal(size=4)}
    expected = convolved(arrays["x"], arrays["w"], strides, pads) + arrays["b"][:, None, None]
    found = run(b.build(), arrays)["y"]
    assert found.shape == b.tensor("y").shape
    assert np.allclose(found, expected, rtol=1e-12)


def test_a_product_of_ones_own_sees_what_is_padding() -> None:
    b = GraphBuilder("c")
    b.output(b.conv(b.input("x", (1, 2, 4, 4)), 3, 3, padding=1, bias=False, name="y"))
    seen = []

    def product(op: object, rows: np.ndarray, inside: np.ndarray, weights: np.ndarray) -> np.ndarray:
        seen.append((rows.shape, inside.sum()))
        assert not (rows * (1 - inside)).any()
        return rows @ weights.T

    rng = np.random.default_rng(2)
    arrays = {"x": rng.normal(size=(3, 2, 4, 4)), "y.weight": rng.normal(size=(3, 2, 3, 3))}
    run(b.build(), arrays, product)
    assert seen == [((48, 18), 3 * 2 * (4 + 3 + 3) ** 2)]


def test_chain_of_the_rest() -> None:
    rng = np.random.default_rng(3)
    b = GraphBuilder("chain")
    x = b.input("x", (2, 4, 6, 6))
    y = b.batch_norm(x, "bn")
    y = b.add("elementwise", y, name="clip", function="clip", parameters=(-1.0, 1.0))
    y = b.max_pool(b.sum(y, x, "add"), 2, stride=2, padding=(0, 1, 0, 1), name="pool")
    y = b.add("pad", y, name="pad", pads=(0, 1, 0, 0, 0, 0, 0, 0))
    y = b.add("slice", y, name="cut", starts=(0, 1), ends=(3, 4), axes=(2, 3), steps=(2, 1))
    y = b.flatten(b.global_average_pool(y, "mean"), "flat")
    b.output(y)
    arrays = {tensor: rng.normal(size=b.shape(tensor)) for tensor in ("x", "bn.scale", "bn.bias", "bn.mean")}
    arrays["bn.variance"] = rng.random(4) + 0.1
    graph, v = b.build(), arrays
    wide = (slice(None), None, None)
    bn = v["bn.scale"][wide] * (v["x"] - v["bn.mean"][wide]) / np.sqrt(v["bn.variance"] + 1e-5)[wide]
    expected = np.clip(bn + v["bn.bias"][wide], -1, 1) + v["x"]
    expected = np.pad(expected, ((0, 0), (0, 0), (0, 0), (1, 1)), constant_values=-np.inf)
    expected = expected.reshape(2, 4, 3, 2, 4, 2).max(axis=(3, 5))
    expected = np.pad(expected, ((0, 0), (1, 0), (0, 0), (0, 0)))[:, :, 0:3:2, 1:4].mean(axis=(2, 3))
    found = run(graph, arrays)
    assert found[graph.outputs[0]].shape == graph.tensors[graph.outputs[0]].shape
    assert np.allclose(found[graph.outputs[0]], expected, rtol=1e-12)


def test_sign_of_zero_is_one() -> None:
    b = GraphBuilder("s")
    b.output(b.add("elementwise", b.input("x", (1, 3)), name="y", function="sign"))
    assert run(b.build(), {"x": np.array([[-0.5, 0.0, 0.5]])})["y"].tolist() == [[-1, 1, 1]]


def test_everything_without_values_is_refused_at_once() -> None:
    b = GraphBuilder("odd")
    y = b.conv(b.input("x", (1, 4, 6, 6)), 4, 3, groups=2, bias=False, name="grouped")
    b.output(b.softmax(b.flatten(y), name="soft"))
    with pytest.raises(UnsupportedOp) as refused:
        run(b.build(), {"x": np.zeros((1, 4, 6, 6)), "grouped.weight": np.zeros((4, 2, 3, 3))})
    assert [p.where for p in refused.value.problems] == ["odd.grouped", "odd.soft"]


@pytest.mark.parametrize(("kind", "attributes"), [
    ("gemm", {"alpha": 0.5}), ("gemm", {"beta": 2.0}), ("gemm", {"trans_a": True}),
    ("matmul", {"transpose_a": True}), ("binary_matmul", {"transpose_a": True}),
])
def test_products_with_factors_or_turned_inputs_are_refused(kind: str, attributes: dict[str, Any]) -> None:
    b = GraphBuilder("factors")
    form = BINARY if kind == "binary_matmul" else FLOAT32
    operands = [b.input("x", (3, 3), format=form), b.weight("w", (3, 3), format=form)]
    b.output(b.add(kind, operands, name="y", format=FLOAT32, **attributes))
    with pytest.raises(UnsupportedOp, match=rf"factors\.y: no values for {kind}"):
        run(b.build(), {"x": np.eye(3), "w": np.eye(3)})


def _layer() -> Graph:
    b = GraphBuilder("layer")
    x, w = b.input("x", (1, 3), format=BINARY), b.weight("w", (2, 3), format=BINARY)
    b.output(b.add("gemm", [x, w], name="y", format=FLOAT32, trans_b=True))
    return b.build()


@pytest.mark.parametrize(("change", "part"), [
    ({"x": np.ones((5, 4))}, "[5, 4]"), ({"x": np.zeros((5, 3))}, "use -1 and 1 only"),
    ({"w": np.full((2, 3), np.inf)}, "no finite numbers"), ({"w": np.array([["a"] * 3] * 2)}, "shape"),
    ({"labels": np.full(5, 2)}, "classes from 0 to 1"),
    ({"labels": np.zeros(4, np.int64)}, "expected 5 whole"),
    ({"v": np.ones(1)}, "belongs to no tensor"), ({"x": np.ones((0, 3))}, "samples"),
])
def test_bad_arrays(change: dict[str, np.ndarray], part: str) -> None:
    good = {"x": np.ones((5, 3)), "w": np.ones((2, 3)), "labels": np.zeros(5, np.int64)}
    arrays, labels = read_samples(_layer(), good)
    assert set(arrays) == {"x", "w"}
    assert len(labels) == 5
    with pytest.raises(InputError) as refused:
        read_samples(_layer(), good | change)
    assert part in str(refused.value)
