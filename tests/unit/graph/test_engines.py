"""What a chip with an engine for every operator can stream, and why it refuses the rest."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from hwsim.graph import FLOAT32, GraphBuilder
from hwsim.graph.engines import images_of, supports


def reason(write: Callable[[GraphBuilder], str]) -> str:
    b = GraphBuilder("net", format=FLOAT32)
    b.output(write(b))
    graph = b.build()
    return supports(graph, graph.ops[-1])


def image(b: GraphBuilder) -> str:
    return b.input("x", (1, 4, 8, 8))


@pytest.mark.parametrize(
    ("write", "told"),
    [
        (lambda b: b.conv(image(b), 6, 3, padding=1), ""),
        (lambda b: b.linear(b.input("x", (1, 5)), 3), ""),
        (lambda b: b.relu(image(b)), ""),
        (lambda b: b.reshape(image(b), (1, 256)), ""),
        (
            lambda b: b.add("gemm", [b.weight("v", (1, 5)), b.weight("w", (5, 3))]),
            "gemm has no stream of activations",
        ),
        (lambda b: b.transpose(image(b), (0, 2, 1, 3)), "no engine for transpose"),
        (
            lambda b: b.sum(b.input("x", (2, 4)), b.input("one", (1, 4))),
            "mixes the images of a batch, which pass one after another",
        ),
        (lambda b: b.elementwise("tanh", image(b)), "no unit for special"),
        (
            lambda b: b.matmul(b.input("x", (1, 5)), b.input("other", (1, 5)), transpose_b=True),
            "both operands are activations; weights are built in",
        ),
        (lambda b: b.conv(image(b), 4, 3, groups=4), "grouped convolutions have no engine"),
        (
            lambda b: b.add("gemm", [b.input("x", (1, 5)), b.weight("w", (5, 3))]),
            "",
        ),
        (
            lambda b: b.matmul(b.input("x", (1, 7, 5)), b.weight("w", (5, 3))),
            "a linear layer takes one vector an image",
        ),
        (
            lambda b: b.conv(b.input("x", (1, 4, 8)), 4, 3),
            "only convolutions over two axes, not dilated, have an engine",
        ),
    ],
)
def test_what_has_an_engine(write: Callable[[GraphBuilder], str], told: str) -> None:
    assert reason(write) == told


def test_images_of_a_scalar() -> None:
    b = GraphBuilder("net", format=FLOAT32)
    scalar, batch = b.input("scalar", ()), b.input("batch", (3, 2))
    assert (images_of(b.tensor(scalar)), images_of(b.tensor(batch))) == (1, 3)
