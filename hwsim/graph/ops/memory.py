"""Sequences of reads and writes of words in a memory: the network of a memory that computes nothing."""

from __future__ import annotations

from hwsim.errors import GraphError
from hwsim.graph.ops.kinds import (
    Attributes,
    Category,
    Operand,
    OpKind,
    Required,
    Tensors,
    Work,
    ints_of,
    need,
    show,
)
from hwsim.graph.types import Op, Shape


def _infer(attributes: Attributes, operands: Tensors) -> tuple[Shape, ...]:
    shape, words = need(operands, 0).shape, ints_of(attributes, "words")
    writes = ints_of(attributes, "writes")
    if len(shape) != 1:
        raise GraphError(f"contents {show(shape)} must have one axis, the words")
    if words and not 0 <= min(words) <= max(words) < shape[0]:
        raise GraphError(f"accesses go to words {min(words)} to {max(words)}, there are {shape[0]} (from 0)")
    if len(writes) not in (0, len(words)) or not set(writes) <= {0, 1}:
        raise GraphError(
            f"writes are {len(writes)} numbers for {len(words)} accesses; give one 0 or 1 for each"
        )
    for name in ("clusters", "domains"):
        if len(ints_of(attributes, name)) not in (0, shape[0]):
            raise GraphError(f"{name} says a place for {len(ints_of(attributes, name))} of {shape[0]} words")
    return (shape,)


def _work(op: Op, operands: Tensors, results: Tensors) -> Work:
    return Work(moved_elements=len(op.ints("words")))


KINDS = (
    OpKind(
        "memory_accesses",
        Category.MOVEMENT,
        (Operand("contents"),),
        (Operand("contents"),),
        {"words": Required.INTS, "writes": (), "clusters": (), "domains": ()},
        _infer,
        _work,
        "Reads (writes: 0) and writes (1) of words of `contents` [n], one after another. `clusters` and "
        "`domains` say where each word lies in a racetrack memory, if the sequence came with places.",
    ),
)
