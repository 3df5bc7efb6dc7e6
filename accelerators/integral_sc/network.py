"""A graph read as the chip sees it: runs of fully connected layers and neurons that stream together."""

from __future__ import annotations

from dataclasses import dataclass

from hwsim.graph.contraction import MatrixProduct, matrix_products
from hwsim.graph.offload import is_still
from hwsim.graph.types import Graph, Op

NEURONS = ("sigmoid", "tanh", "relu")
"""Activations that one saturating state machine per neuron stands for."""


@dataclass(frozen=True, slots=True)
class Segment:
    """Operators that run at once: streams pass from one to the next clock by clock.

    Attributes
    ----------
    ops : tuple of Op
        In order; the first owns the latency.
    samples : int
        Inputs that follow each other.
    """

    ops: tuple[Op, ...]
    samples: int


def supports(graph: Graph, op: Op) -> str:
    """Return why the chip cannot run `op`, or "" if it can."""
    if is_still(op) or op.kind == "offload":
        return ""
    if op.kind == "elementwise":
        function = op.text("function")
        return "" if function in NEURONS else f"no state machine for {function}"
    if op.kind not in ("gemm", "matmul"):
        return f"{op.kind} is no fully connected layer and no neuron"
    (product,) = matrix_products(graph, op)
    if not product.right_is_weight:
        return "both operands are activations; weights are built in"
    return "several products at once are no fully connected layer" if product.groups > 1 else ""


def product_of(graph: Graph, op: Op) -> MatrixProduct | None:
    """Return the matrix product of `op`, None for a neuron or an alias."""
    return next(iter(matrix_products(graph, op)), None)


def samples_of(graph: Graph, op: Op) -> int:
    """Return how many inputs follow each other in `op`."""
    product = product_of(graph, op)
    if product is not None:
        return product.m
    shape = graph.tensors[op.outputs[0]].shape
    return max(1, shape[0]) if len(shape) > 1 else 1


def segments_of(graph: Graph) -> list[Segment | Op]:
    """Return segments, and between them the operators that are none: aliases and what runs elsewhere."""
    found: list[Segment | Op] = []
    for op in graph.ops:
        if is_still(op) or op.kind == "offload":
            found.append(op)
            continue
        samples = samples_of(graph, op)
        last = found[-1] if found else None
        if isinstance(last, Segment) and last.samples == samples and last.ops[-1].outputs[0] in op.inputs:
            found[-1] = Segment((*last.ops, op), samples)
        else:
            found.append(Segment((op,), samples))
    return found
