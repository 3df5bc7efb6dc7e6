"""A graph read as the chip sees it: binary products, and what their comparators and gates absorb."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from hwsim.graph.contraction import MatrixProduct, matrix_products
from hwsim.graph.offload import is_still
from hwsim.graph.ops import op_kind
from hwsim.graph.remember import remembered
from hwsim.graph.types import FormatKind, Graph, Op

PRODUCTS = ("convolution", "binary_convolution", "gemm", "matmul", "binary_matmul")
SIGN_KEEPING = ("clip",)
"""Functions between normalization and sign that change no sign."""


@dataclass(frozen=True, slots=True)
class Layer:
    """A binary product with what follows it on the chip.

    Attributes
    ----------
    op : Op
        The product.
    product : MatrixProduct
        Its sizes.
    posts : tuple of Op
        Absorbed operators in order: normalization, sign, pooling.
    samples, windows : int
        Inputs that follow each other, and windows of each.
    """

    op: Op
    product: MatrixProduct
    posts: tuple[Op, ...]
    samples: int
    windows: int

    @property
    def decides(self) -> bool:
        """Whether the layer ends in bits; otherwise its counts leave the chip."""
        return any(is_sign(op) for op in self.posts)

    @property
    def output(self) -> str:
        """Tensor that leaves the layer."""
        return (self.posts[-1] if self.posts else self.op).outputs[0]

    @property
    def pools(self) -> tuple[Op, ...]:
        """Absorbed pooling operators."""
        return tuple(op for op in self.posts if op.kind == "max_pool")


def is_sign(op: Op) -> bool:
    """Return whether `op` is the sign function."""
    return op.kind == "elementwise" and op.text("function") == "sign"


class Network:
    """Producers and readers of a graph's tensors, and the layers it consists of."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph

    @cached_property
    def producer(self) -> dict[str, Op]:
        """The operator that makes each tensor."""
        return {name: op for op in self.graph.ops for name in op.outputs if name}

    @cached_property
    def readers(self) -> dict[str, list[Op]]:
        """The operators that read each tensor."""
        found: dict[str, list[Op]] = {}
        for op in self.graph.ops:
            for name in op.inputs:
                found.setdefault(name, []).append(op)
        return found

    @cached_property
    def layers(self) -> tuple[Layer, ...]:
        """The layers in order."""
        found = []
        for op in self.graph.ops:
            if op.kind in PRODUCTS and not self.refusal(op):
                (product,) = matrix_products(self.graph, op)
                samples = self._samples(product)
                posts = self.absorbed(op)
                found.append(Layer(op, product, posts, samples, product.m // samples))
        return tuple(found)

    @cached_property
    def absorbed_by(self) -> dict[str, Op]:
        """The product that absorbs each operator, by the operator's name."""
        return {op.name: layer.op for layer in self.layers for op in layer.posts}

    def refusal(self, op: Op) -> str:
        """Return why a product cannot run on crossbars, or ""."""
        products = matrix_products(self.graph, op)
        if op.kind not in PRODUCTS or len(products) != 1:
            return f"{op.kind} is no binary product, and no normalization, sign or pooling behind one"
        (product,) = products
        if (
            not product.right_is_weight
            or self.graph.tensors[product.right].format.kind is not FormatKind.BINARY
        ):
            form = self.graph.tensors[product.right].format
            return f"crossbars hold binary weights, not {form} of {product.right!r}"
        if product.groups > 1 or product.steps > 1:
            return f"{product.groups} groups: crossbars share their rows among all columns"
        if product.window and any(dilation > 1 for dilation in product.window.dilations):
            return f"dilation {list(product.window.dilations)}: windows are dense"
        if op.kind == "gemm" and (op.attributes["alpha"] != 1.0 or op.attributes["beta"] != 1.0):
            return "gemm with factors alpha or beta"
        if product.left != op.inputs[0] or op.attributes.get("trans_a") or op.attributes.get("transpose_a"):
            return "activations stand left of the weights and are not transposed"
        if not product.window and len(self.graph.tensors[product.right].shape) != 2:
            return f"weights {product.right!r} are no matrix"
        if not self.is_binary(product.left):
            form = self.graph.tensors[product.left].format
            return f"crossbar rows take binary inputs, not {form} of {product.left!r}"
        return ""

    def is_binary(self, name: str) -> bool:
        """Return whether a tensor holds -1 and 1 alone: by its format, or because a sign made it.

        What a host computes counts as well: it was asked while its operators were still in the graph.
        """
        while True:
            if self.graph.tensors[name].format.kind is FormatKind.BINARY:
                return True
            op = self.producer.get(name)
            if op is None:
                return False
            if is_sign(op) or op.kind == "offload":
                return True
            if not (op_kind(op.kind).aliases or op.kind in ("max_pool", "transpose")):
                return False
            name = op.inputs[0]

    def absorbed(self, op: Op) -> tuple[Op, ...]:
        """Return the operators behind a product that its comparators and gates do, () if no sign follows."""
        chain, pending, signed, normalized = [], [], False, False
        name = op.outputs[0]
        while name not in self.graph.outputs and len(self.readers.get(name, ())) == 1:
            (follower,) = self.readers[name]
            if follower.inputs[0] != name:
                break
            if follower.kind == "batch_normalization" and not signed and not normalized:
                normalized = True
            elif is_sign(follower) and not signed:
                signed = True
            elif not (follower.kind == "max_pool" or (not signed and _keeps_sign(follower))):
                break
            pending.append(follower)
            if signed:
                chain += pending
                pending = []
            name = follower.outputs[0]
        return tuple(chain)

    def of_full_precision(self, op: Op) -> bool:
        """Return whether `op` belongs to a product that is not binary, prepares inputs or reads classes out.

        A product, and normalizations, functions and pools behind it or behind the network's input; those
        with no product behind them scale the counts of the last layer.
        """
        return self._behind_full_precision(op) or self._reads_out(op)

    def _behind_full_precision(self, op: Op) -> bool:
        while op.kind not in PRODUCTS:
            if not self._is_single(op):
                return False
            before = self.producer.get(op.inputs[0])
            if before is None:
                return op.inputs[0] in self.graph.inputs
            op = before
        products = matrix_products(self.graph, op)
        held = [product for product in products if product.right_is_weight]
        forms = [self.graph.tensors[product.right].format.kind for product in held]
        binary = [self.is_binary(product.left) for product in held]
        return any(form is not FormatKind.BINARY for form in forms) or not all(binary)

    def _reads_out(self, op: Op) -> bool:
        while self._is_single(op):
            if op.outputs[0] in self.graph.outputs:
                return True
            followers = self.readers.get(op.outputs[0], [])
            if len(followers) != 1:
                return False
            (op,) = followers
        return False

    def _is_single(self, op: Op) -> bool:
        """Return whether `op` changes one tensor value by value, or window by window."""
        if op.kind in ("batch_normalization", "max_pool", "elementwise"):
            return sum(name in self.producer or name in self.graph.inputs for name in op.inputs) == 1
        return op.kind == "softmax" or (bool(op.inputs) and op_kind(op.kind).aliases)

    def _samples(self, product: MatrixProduct) -> int:
        """Return the samples that a product sees one after the other."""
        if product.window:
            return product.window.batch
        first = self.graph.tensors[self.graph.inputs[0]].shape if self.graph.inputs else ()
        batch = first[0] if len(first) > 1 else 1
        return batch if batch and product.m % batch == 0 else 1


@remembered
def network_of(graph: Graph) -> Network:
    """Return `graph` as the chip sees it; it is asked operator by operator."""
    return Network(graph)


def _keeps_sign(op: Op) -> bool:
    if op.kind != "elementwise" or op.text("function") not in SIGN_KEEPING:
        return False
    bounds = op.attributes.get("parameters", ())
    return isinstance(bounds, tuple) and len(bounds) == 2 and float(bounds[0]) < 0 < float(bounds[1])


def runs_on_host(graph: Graph, op: Op) -> bool:
    """Return whether `op` lies before or behind the binary layers of a network that has some.

    First and last layers of binary networks are not binary (IR-Net's arrangement), or their inputs and
    classes are not; the crossbars leave those, with normalization, sign and pooling, to a host.
    """
    if all(tensor.format.kind is not FormatKind.BINARY for tensor in graph.tensors.values()):
        return False  # Asked for every operator: without a binary tensor there is no layer to look for.
    network = network_of(graph)
    return bool(network.layers) and network.of_full_precision(op)


def supports(graph: Graph, op: Op) -> str:
    """Return why the chip cannot run `op`, or "" if it can."""
    if is_still(op) or op.kind == "offload":
        return ""
    network = network_of(graph)
    if op.name in network.absorbed_by:
        return ""
    return network.refusal(op)
