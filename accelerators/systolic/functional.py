"""A network on real samples: integer products as the array computes them, one step of rounding a tensor."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from accelerators.systolic.design import SystolicDesign
from hwsim.errors import InputError, Problem
from hwsim.graph.binary import rounded
from hwsim.graph.types import Graph, Op
from hwsim.graph.values import Values, read_samples, run
from hwsim.model.types import FunctionalResult


def classify(graph: Graph, design: SystolicDesign, data: Mapping[str, NDArray[Any]]) -> FunctionalResult:
    """Return the classes of the samples in `data`, with every product in integers of the array's width.

    Parameters
    ----------
    graph : Graph
        As the chip prepared it.
    data : mapping of str to array
        "labels", the network's input, and every weight, bias and constant by its tensor's name.

    Raises
    ------
    InputError
        Everything that is wrong with `data`; sums that the accumulators do not hold.
    UnsupportedOp
        Operators that have no values.
    """
    _refuse_folded(graph, data)
    arrays, labels = read_samples(graph, data)
    reference = run(graph, arrays)[graph.outputs[0]].argmax(axis=1)
    limit = 2.0 ** (design.accumulator_bits - 1)

    def product(op: Op, rows: Values, inside: Values, weights: Values) -> Values:
        (left, left_step), (right, right_step) = (rounded(each, design.operand_bits)
                                                  for each in (rows, weights))
        sums = left @ right.T
        if np.abs(sums).max(initial=0.0) >= limit:
            raise InputError(f"sums reach {np.abs(sums).max():.4g}, accumulators hold "
                             f"{design.accumulator_bits} bits", where=f"{graph.name}.{op.name}",
                             hint="set accumulator_bits")
        exact: Values = sums * (left_step * right_step)
        return exact

    predicted = run(graph, arrays, product)[graph.outputs[0]].argmax(axis=1)
    notes = (f"{design.operand_bits}-bit integers, one step a tensor and layer; biases and vector unit in "
             "floating point",)
    return FunctionalResult(labels, predicted, reference, notes)


def _refuse_folded(graph: Graph, data: Mapping[str, NDArray[Any]]) -> None:
    """Say what became of normalizations that the chip has folded: their arrays fit no tensor any more."""
    folded = [name.removesuffix(".variance") for name in sorted(data)
              if name.endswith(".variance") and name not in graph.tensors]
    if folded:
        raise InputError(problems=[
            Problem(f"data.{name}", "is a normalization that this chip folds into the layer before it",
                    "give a network and weights in which it is folded") for name in folded])
