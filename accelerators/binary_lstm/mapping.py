"""Which operators the engine runs, and the matrix work of one step of one sample."""

from __future__ import annotations

from dataclasses import dataclass

from accelerators.binary_lstm.weights import Weights
from hwsim.graph.contraction import MatrixProduct, matrix_products
from hwsim.graph.ops import op_kind, work_of
from hwsim.graph.ops.kinds import Category
from hwsim.graph.ops.recurrent import recurrent_sizes
from hwsim.graph.types import Graph, Op

ONE_HOT = "one-hot input"


@dataclass(frozen=True, slots=True)
class Job:
    """The matrix work of an operator, cut into equal visits of the MAC array.

    Attributes
    ----------
    visits : int
        Time steps x samples x directions; rows of a linear layer.
    phases : tuple of int
        MACs of the products that a visit computes, one after another.
    skipped : int
        MACs of all visits that a one-hot input saves.
    scales : int
        Multiplications and additions of a visit that undo the weight scale and fold the normalizations.
    """

    visits: int
    phases: tuple[int, ...]
    skipped: int
    scales: int


def supports(graph: Graph, op: Op) -> str:
    """Return why the engine cannot run `op`, or "" if it can."""
    category = op_kind(op.kind).category
    if category in (Category.VECTOR, Category.MOVEMENT):
        return ""
    if op.kind not in ("lstm", "gru", "rnn", "gemm", "matmul"):
        return "the engine runs recurrent and linear layers, and elementwise operators beside them"
    if not all(product.right_is_weight for product in matrix_products(graph, op)):
        return "one operand has to be a stored weight; both are activations"
    return ""


def job_of(graph: Graph, op: Op, weights: Weights) -> Job:
    """Return the matrix work of `op`.

    A one-hot input selects one column of its weights, so that a visit adds that column only.
    """
    quantized = weights is not Weights.FULL_PRECISION
    products = matrix_products(graph, op)
    if op.kind in ("gemm", "matmul"):
        product = products[0]
        inside = _effective(graph, product)
        visits = product.groups * product.m
        skipped = visits * product.n * (product.k - inside)
        return Job(visits, (inside * product.n,), skipped, product.n if quantized else 0)
    sizes = recurrent_sizes(op.kind, op.attributes, graph.operands(op))
    per_direction = len(products) // sizes.directions
    phases: list[int] = []
    skipped = 0
    for product in products[:per_direction]:
        if product.label.startswith("input_projection"):
            inside = _effective(graph, product)
            phases.append(inside * product.n)
            skipped += product.m * product.n * (product.k - inside)
        elif product.label.startswith("candidate"):
            phases.append(product.k * product.n)
        else:
            phases[-1] += product.k * product.n
    visits = sizes.steps * sizes.batch * sizes.directions
    scales = _scales(op, sizes.gates, sizes.hidden) if quantized else 0
    return Job(visits, tuple(phases), skipped * sizes.directions, scales)


def _scales(op: Op, gates: int, hidden: int) -> int:
    """Return multiplications and additions of the folded normalizations in one step of one sample.

    Two multiplications a gate; the two additions are those of the biases where the network has them. The
    cell of an LSTM takes one of each before its tanh.
    """
    biased = len(op.inputs) > 3 and bool(op.inputs[3])
    per_gate = 2 if biased else 4
    return hidden * (gates * per_gate + (2 if op.kind == "lstm" else 0))


def _effective(graph: Graph, product: MatrixProduct) -> int:
    """Return the inputs that take part in one visit: 1 of a one-hot vector, else all."""
    return 1 if product.k and _is_one_hot(graph, product.left) else product.k


def _is_one_hot(graph: Graph, name: str) -> bool:
    """Return whether a tensor is a one-hot vector, perhaps under another shape."""
    producer = {made: op for op in graph.ops for made in op.outputs}
    while name in producer and op_kind(producer[name].kind).aliases:
        name = producer[name].inputs[0]
    return name in producer and producer[name].kind == "one_hot"


def issued(graph: Graph, op: Op, job: Job) -> tuple[tuple[int, ...], int]:
    """Return gate and state operations of a visit after each phase, and those that are left for the end.

    The gates of a GRU whose candidate waits for them are finished before the candidate's product.
    """
    total = work_of(graph, op).vector_operations
    if op.kind in ("gemm", "matmul"):
        return (job.scales,), total
    each = (total // job.visits if job.visits else 0) + job.scales
    if len(job.phases) == 1:
        return (each,), 0
    hidden, biased = op.int("hidden_size"), len(op.inputs) > 3 and bool(op.inputs[3])
    affine = 2 * (job.scales // 3) + (4 * hidden if biased else 0)
    gates = affine + 3 * hidden
    return (gates, each - gates), 0
