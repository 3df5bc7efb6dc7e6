"""Which operators are layers of neurons, which ride on their outputs, and how a layer is cut into passes."""

from __future__ import annotations

from dataclasses import dataclass

from accelerators.sparse_fc.design import SparseFcDesign
from accelerators.sparse_fc.lfsr import kept_words, repeated_inputs
from hwsim.errors import InputError
from hwsim.graph.contraction import MatrixProduct, matrix_products, stationary
from hwsim.graph.ops import op_kind
from hwsim.graph.types import Graph, Op, Role

STAGE_FUNCTIONS = ("relu", "sign", "sigmoid", "tanh", "add", "multiply")


@dataclass(frozen=True, slots=True)
class NeuronLayer:
    """A fully connected layer as the neurons see it.

    Attributes
    ----------
    op : Op
        The matrix product.
    weight : str
        Tensor of its weights.
    rows, inputs, columns : int
        Samples one after another, inputs per sample, and neurons asked for.
    sparsity_ratio : float
        Share of connections dropped.
    seeds : tuple of int
        First state of the register of each column.
    kept : tuple of int
        Weights that each column keeps.
    """

    op: Op
    weight: str
    rows: int
    inputs: int
    columns: int
    sparsity_ratio: float
    seeds: tuple[int, ...]
    kept: tuple[int, ...]

    def passes(self, neurons: int) -> int:
        """Return how often the inputs are sent until every column has had a neuron."""
        return -(-self.columns // neurons)

    def describe(self, design: SparseFcDesign) -> str:
        """Return the mapping in words, repeats of the registers included."""
        total = self.inputs * self.columns
        text = f"{self.passes(design.neurons)} passes, {sum(self.kept)} of {total} connections kept"
        again = repeated_inputs(self.inputs, design.lfsr_bits) if self.sparsity_ratio else 0
        if again:
            text += f", {again} of {self.inputs} inputs repeat states of the {design.lfsr_bits}-bit registers"
        return text


def layer_of(graph: Graph, op: Op, design: SparseFcDesign) -> NeuronLayer:
    """Return `op` as a layer of neurons.

    Raises
    ------
    InputError
        If there are fewer seeds than columns, or network and design disagree on the sparsity.
    """
    product = matrix_products(graph, op)[0]
    sparsity = _sparsity(graph, product, design)
    seeds = design.seeds_of(product.n) if sparsity else (1,) * product.n
    kept = kept_words(design.feedback, seeds, product.k, sparsity)
    return NeuronLayer(op, product.right, product.m, product.k, product.n, sparsity, seeds, kept)


def _sparsity(graph: Graph, product: MatrixProduct, design: SparseFcDesign) -> float:
    weight = graph.tensors[product.right]
    stated = None if weight.sparsity is None else round(1.0 - weight.density, 12)
    if isinstance(design.sparsity_ratio, str):
        return stated or 0.0
    if stated is not None and abs(stated - design.sparsity_ratio) > 1e-9:
        raise InputError(
            f"the network drops {stated:.4g} of {product.right}, the design {design.sparsity_ratio:.4g}",
            hint=f"set sparsity_ratio={stated:.4g}, or sparsity_ratio=network to follow it",
        )
    return design.sparsity_ratio


def supports(graph: Graph, op: Op) -> str:
    """Return why the neurons cannot run `op`, or "" if they can."""
    if op.kind == "offload" or op_kind(op.kind).aliases or not any(op.inputs):
        return ""
    if op.kind in ("gemm", "matmul"):
        return _why_no_layer(graph, op)
    if _stage_operand(graph, op) is not None:
        return "" if _behind_neurons(graph, op) else "its operand comes out of no fully connected layer"
    return "neurons run fully connected layers, and on their outputs " + ", ".join(
        (*STAGE_FUNCTIONS, "batch_normalization")
    )


def _why_no_layer(graph: Graph, op: Op) -> str:
    product = matrix_products(graph, op)[0]
    if not product.right_is_weight or product.groups > 1:
        return "both operands are activations"
    if op.kind == "gemm" and (op.attributes["alpha"], op.attributes["beta"]) != (1.0, 1.0):
        return "neurons have no multiplier for alpha and beta"
    return ""


def _stage_operand(graph: Graph, op: Op) -> str | None:
    """Return the operand that the output stage works on, None if `op` is not one of its functions."""
    if op.kind == "batch_normalization":
        return op.inputs[0]
    if op.kind != "elementwise" or op.attributes["function"] not in STAGE_FUNCTIONS:
        return None
    moving = [name for name in op.inputs if not stationary(graph.tensors[name])]
    size = graph.tensors[op.outputs[0]].shape
    return moving[0] if len(moving) == 1 and graph.tensors[moving[0]].shape == size else None


def _behind_neurons(graph: Graph, op: Op) -> bool:
    producer = {name: made for made in graph.ops for name in made.outputs}
    current: Op | None = op
    while current is not None:
        source = current.inputs[0] if op_kind(current.kind).aliases else _stage_operand(graph, current)
        if source is None or graph.tensors[source].role is Role.INPUT or source not in producer:
            return False
        current = producer[source]
        if current.kind in ("gemm", "matmul"):
            return not _why_no_layer(graph, current)
    return False


def head_of(graph: Graph, op: Op) -> str:
    """Return the layer of neurons whose outputs `op` works on."""
    producer = {name: made for made in graph.ops for name in made.outputs}
    current = op
    while current.kind not in ("gemm", "matmul"):
        source = current.inputs[0] if op_kind(current.kind).aliases else _stage_operand(graph, current)
        current = producer[source or ""]
    return current.name


__all__ = ["NeuronLayer", "head_of", "layer_of", "supports"]
