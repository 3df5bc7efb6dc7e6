"""Which arrays hold which weights, and how many copies of a layer work side by side."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, replace
from math import ceil

from accelerators.reram_pim.design import ReramDesign
from hwsim.errors import UnsupportedOp
from hwsim.graph.contraction import MatrixProduct, matrix_products
from hwsim.graph.types import FormatKind, Graph, NumberFormat, Op


@dataclass(frozen=True, slots=True)
class Layer:
    """One matrix product in arrays.

    Attributes
    ----------
    op : str
        Operator it belongs to.
    product : MatrixProduct
        Its sizes.
    activation_bits, weight_bits : int
        Bits of its operands.
    reads, slices : int
        Read cycles of one input vector, and cells of one weight.
    row_tiles, column_tiles : int
        Arrays across the inputs and across the outputs, of one group.
    copies : int
        How often its weights are stored, so that as many vectors are multiplied at once.
    """

    op: str
    product: MatrixProduct
    activation_bits: int
    weight_bits: int
    reads: int
    slices: int
    row_tiles: int
    column_tiles: int
    copies: int = 1

    @property
    def arrays(self) -> int:
        """Arrays of one copy."""
        return self.product.groups * self.row_tiles * self.column_tiles

    @property
    def vectors(self) -> int:
        """Input vectors of one group, one after another in time."""
        return self.product.m * self.product.steps

    @property
    def rounds(self) -> int:
        """Vectors that one copy multiplies one after another."""
        return self.product.steps * ceil(self.product.m / self.copies)


def layers_of(graph: Graph, op: Op, design: ReramDesign) -> tuple[Layer, ...]:
    """Return the products of an operator, each with one copy."""
    return tuple(_layer(graph, op, product, design) for product in matrix_products(graph, op))


def _layer(graph: Graph, op: Op, product: MatrixProduct, design: ReramDesign) -> Layer:
    inputs, weights = (bits_of(graph.tensors[name].format) for name in (product.left, product.right))
    slices = design.slices(weights)
    return Layer(
        op.name,
        product,
        inputs,
        weights,
        design.reads(inputs),
        slices,
        ceil(product.k / design.array_rows),
        ceil(product.n * slices / design.array_cols),
    )


def bits_of(form: NumberFormat) -> int:
    """Return bits of an operand in the arrays: one for binary, two for ternary, the width of integers."""
    return {FormatKind.BINARY: 1, FormatKind.TERNARY: 2}.get(form.kind, form.bits)


def placed(graph: Graph, design: ReramDesign) -> dict[str, tuple[Layer, ...]]:
    """Return the layers of every operator with the copies that fit.

    All weights are stored at once. Arrays that are left over go, one copy at a time, to the layer with the
    most rounds of read cycles; equal layers in program order.

    Raises
    ------
    UnsupportedOp
        The weights do not fit the chips of the design.
    """
    layers = [layer for op in graph.ops for layer in layers_of(graph, op, design)]
    needed = sum(layer.arrays for layer in layers)
    if needed > design.arrays:
        one = design.arrays // design.chips
        raise UnsupportedOp(
            f"its weights take {needed:,} arrays, the design has {design.arrays:,}",
            where=graph.name,
            hint=f"set chips={ceil(needed / one)}",
        )
    if design.replicate:
        layers = _with_copies(layers, design.arrays - needed)
    found: dict[str, tuple[Layer, ...]] = {}
    for layer in layers:
        found[layer.op] = (*found.get(layer.op, ()), layer)
    return found


def _with_copies(layers: list[Layer], free: int) -> list[Layer]:
    found = list(layers)
    queue = [(-layer.rounds * layer.reads, index) for index, layer in enumerate(found)]
    heapq.heapify(queue)
    while queue:
        _, index = heapq.heappop(queue)
        layer = found[index]
        wanted = _next_useful(layer)
        cost = (wanted - layer.copies) * layer.arrays
        if wanted > layer.product.m or cost > free:
            continue
        free -= cost
        found[index] = replace(layer, copies=wanted)
        heapq.heappush(queue, (-found[index].rounds * layer.reads, index))
    return found


def _next_useful(layer: Layer) -> int:
    """Return the fewest copies that save a round."""
    rounds = ceil(layer.product.m / layer.copies)
    return layer.product.m + 1 if rounds <= 1 else ceil(layer.product.m / (rounds - 1))
