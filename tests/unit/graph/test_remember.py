"""Answers are kept for the same graph and arguments only."""

from __future__ import annotations

from hwsim.graph.build import GraphBuilder
from hwsim.graph.remember import KEPT, remembered
from hwsim.graph.types import Graph


def graph() -> Graph:
    b = GraphBuilder("g")
    b.output(b.relu(b.input("x", (1, 2)), name="y"))
    return b.build()


def test_the_same_object_is_answered_once_and_an_equal_one_again() -> None:
    asked = []

    @remembered
    def sizes(network: Graph, scale: int, *, more: int = 0) -> list[int]:
        asked.append(network)
        return [scale + more]

    first, equal = graph(), graph()
    assert first == equal
    assert sizes(first, 1) is sizes(first, 1)
    assert sizes(first, 1) is not sizes(equal, 1)
    assert sizes(first, 2, more=1) == [3]
    assert len(asked) == 3
    for scale in range(KEPT):
        sizes(equal, 10 + scale)
    sizes(first, 1)
    assert len(asked) == 3 + KEPT + 1
    assert sizes.__name__ == "sizes"
