"""A network on real samples: quantized weights behind the masks of the registers, inputs of a few bits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from accelerators.sparse_fc.design import SparseFcDesign
from accelerators.sparse_fc.lfsr import mask
from accelerators.sparse_fc.mapping import NeuronLayer, layer_of
from accelerators.sparse_fc.weights import quantize
from hwsim.graph.binary import rounded
from hwsim.graph.passes import set_precision
from hwsim.graph.types import FLOAT32, Graph, Op
from hwsim.graph.values import Values, read_samples, run
from hwsim.model.types import FunctionalResult


def classify(graph: Graph, design: SparseFcDesign, data: Mapping[str, NDArray[Any]]) -> FunctionalResult:
    """Return the classes of the samples in `data` as the neurons find them.

    Parameters
    ----------
    graph : Graph
        Fully connected layers, as the chip prepared them.
    data : mapping of str to array
        "labels", the network's input, and every weight, bias and constant by its tensor's name. Weights are
        quantized to what the neurons store; those that the registers drop count as zero.

    Raises
    ------
    InputError
        Everything that is wrong with `data`, and layers that the registers cannot connect.
    UnsupportedOp
        Operators that have no values.
    """
    layers = [layer_of(graph, op, design) for op in graph.ops if op.kind in ("gemm", "matmul")]
    plain = set_precision(graph, tensors={layer.weight: FLOAT32 for layer in layers})
    arrays, labels = read_samples(plain, data)
    reference = run(plain, arrays)[graph.outputs[0]].argmax(axis=1)
    stored, notes, warnings = dict(arrays), [], []
    for layer in layers:
        kept = _kept(layer, design)
        given = _by_input(layer, arrays[layer.weight])
        used = quantize(given, design.weights) * kept
        stored[layer.weight] = _by_input(layer, used.astype(np.float64))
        notes.append(f"{layer.op.name}: {int(kept.sum()):,} of {kept.size:,} connections kept")
        if not np.isin(given, (-1.0, 0.0, 1.0)).all():
            warnings.append(f"{layer.op.name}: weights are no signs: the neurons store their signs, unscaled")
        unlike = int(((given != 0) & ~kept).sum())
        if unlike:
            warnings.append(f"{layer.op.name}: the registers drop {unlike:,} weights that are not zero: the "
                            "network was not trained with these masks")

    def product(op: Op, rows: Values, inside: Values, weights: Values) -> Values:
        whole, step = rounded(rows, design.activation_bits)
        sums: Values = (whole @ weights.T) * step
        return sums

    predicted = run(plain, stored, product)[graph.outputs[0]].argmax(axis=1)
    notes.append(f"{design.weights} weights, inputs of {design.activation_bits} bits; output stage in "
                 "floating point")
    return FunctionalResult(labels, predicted, reference, tuple(notes), tuple(warnings))


def _kept(layer: NeuronLayer, design: SparseFcDesign) -> NDArray[np.bool_]:
    """Return bool[inputs, columns]: the connections of a layer."""
    if not layer.sparsity_ratio:
        return np.ones((layer.inputs, layer.columns), dtype=np.bool_)
    return mask(design.feedback, layer.seeds, layer.inputs, layer.sparsity_ratio)


def _by_input(layer: NeuronLayer, weights: Values) -> Values:
    """Return weights [inputs, columns] from the tensor's own order, or the other way round."""
    turned = layer.op.attributes.get("trans_b", layer.op.attributes.get("transpose_b", False))
    return weights.T if turned else weights
