"""Counts of a whole network: MACs, parameters, bit operations, memory, and a table of all operators."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce

from hwsim.graph.contraction import MatrixProduct, matrix_products
from hwsim.graph.ops import op_kind, work_of
from hwsim.graph.ops.kinds import Category, Work
from hwsim.graph.types import FormatKind, Graph, NumberFormat, Op, Role, Shape

_FLOAT_ACE_BITS = 16


@dataclass(frozen=True, slots=True)
class OpStatistics:
    """One row of the operator table.

    Attributes
    ----------
    name, kind, origin : str
        Operator, its kind, and what it was called in the source file.
    category : Category
        Contraction, recurrent, vector or movement.
    result_shape : tuple of int
        Shape of the first result.
    macs, vector_operations, moved_elements : int
        Useful work of one execution.
    parameters : int
        Weight elements that the operator reads; tied weights appear in every row that uses them.
    input_bits, weight_bits, output_bits : int
        Stored bits of its activations, weights and constants, and results.
    """

    name: str
    kind: str
    origin: str
    category: Category
    result_shape: Shape
    macs: int
    vector_operations: int
    moved_elements: int
    parameters: int
    input_bits: int
    weight_bits: int
    output_bits: int


def total_work(graph: Graph) -> Work:
    """Return the useful work of one run of the network in which every operator executes."""
    return reduce(Work.__add__, (work_of(graph, op) for op in graph.ops), Work())


def macs(graph: Graph) -> int:
    """Return the multiply-accumulates of one run in which every operator executes; 1 MAC = 2 operations."""
    return sum(work_of(graph, op).macs for op in graph.ops)


def expected_macs(graph: Graph) -> float:
    """Return the multiply-accumulates of an average run: each operator's times its probability."""
    return sum(work_of(graph, op).macs * op.probability for op in graph.ops)


def parameters(graph: Graph) -> int:
    """Return the number of weight elements; tied weights count once, running statistics not at all."""
    return graph.parameters


def weight_bits(graph: Graph) -> int:
    """Return the stored bits of all weights, sparse indices included."""
    return sum(tensor.bits for tensor in graph.weights)


def activation_elements(graph: Graph) -> int:
    """Return the summed result elements of contractions and recurrent layers (timm's `macts`)."""
    return sum(sum(result.elements for result in graph.results(op)[:1] if result is not None)
               for op in graph.ops if op_kind(op.kind).category in (Category.CONTRACTION, Category.RECURRENT))


def bit_operations(graph: Graph) -> int:
    """Return BitOps: the sum of MACs x weight bits x activation bits."""
    return sum(bit_operations_of(graph, op) for op in graph.ops)


def bit_operations_of(graph: Graph, op: Op) -> int:
    """Return the BitOps of one operator."""
    return _weighted_macs(graph, op, lambda number_format: number_format.bits)


def ace(graph: Graph) -> int:
    """Return the arithmetic computation effort: the sum of MACs x bits x bits, floats counting as 16 bits.

    Source: google/aqt@9d1667e, aqt/jax_legacy/jax/compute_cost_utils.py.
    """
    return sum(ace_of(graph, op) for op in graph.ops)


def ace_of(graph: Graph, op: Op) -> int:
    """Return the arithmetic computation effort of one operator."""
    return _weighted_macs(graph, op, lambda number_format: (
        _FLOAT_ACE_BITS if number_format.kind is FormatKind.FLOAT else number_format.bits))


def _weighted_macs(graph: Graph, op: Op, width: Callable[[NumberFormat], int]) -> int:
    def weigh(product: MatrixProduct) -> int:
        left, right = graph.tensors[product.left].format, graph.tensors[product.right].format
        return product.macs * width(left) * width(right)
    return sum(weigh(product) for product in matrix_products(graph, op))


def op_table(graph: Graph) -> tuple[OpStatistics, ...]:
    """Return one row per operator, in execution order."""
    return tuple(_row(graph, op) for op in graph.ops)


def _row(graph: Graph, op: Op) -> OpStatistics:
    work = work_of(graph, op)
    operands = [operand for operand in graph.operands(op) if operand is not None]
    results = [result for result in graph.results(op) if result is not None]
    fixed = [operand for operand in operands if operand.role in (Role.WEIGHT, Role.CONSTANT)]
    return OpStatistics(
        op.name, op.kind, op.origin, op_kind(op.kind).category, results[0].shape, work.macs,
        work.vector_operations, work.moved_elements,
        sum(operand.elements for operand in operands if operand.role is Role.WEIGHT),
        sum(operand.bits for operand in operands if operand not in fixed),
        sum(operand.bits for operand in fixed), sum(result.bits for result in results))
