"""Answers about a graph that are asked for again while it is evaluated."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from hwsim.graph.types import Graph

Rest = ParamSpec("Rest")
Answer = TypeVar("Answer")
KEPT = 8


class _Itself:
    """A graph as a key that equals itself alone; graphs of equal content have no cheap hash."""

    __slots__ = ("graph",)

    def __init__(self, graph: Graph) -> None:
        self.graph = graph

    def __hash__(self) -> int:
        return id(self.graph)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Itself) and self.graph is other.graph


def remembered(
    function: Callable[Concatenate[Graph, Rest], Answer],
) -> Callable[Concatenate[Graph, Rest], Answer]:
    """Return `function`, which keeps its last few answers; same graph means the same object.

    Other arguments must be hashable, and answers are shared: nobody may change them.
    """

    def fresh(key: _Itself, *arguments: Any, **named: Any) -> Answer:
        return function(key.graph, *arguments, **named)

    kept: Callable[..., Answer] = lru_cache(maxsize=KEPT)(fresh)

    @wraps(function)
    def asked(graph: Graph, /, *arguments: Rest.args, **named: Rest.kwargs) -> Answer:
        return kept(_Itself(graph), *arguments, **named)

    return asked
