"""Arithmetic of folds: how long a tile occupies the array, and which scratchpad words it touches.

A fold holds a part of the product of at most rows x cols elements in the array and streams the rest past
it. With P elements along the rows, Q along the columns and T streamed:

    output-stationary   P = M, Q = N, T = K    results leave on one bus per column
    weight-stationary   P = K, Q = N, T = M    weights are written row by row first
    input-stationary    P = K, Q = M, T = N    inputs are written row by row first

All functions take ints or integer arrays alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from accelerators.systolic.design import Dataflow, FoldModel, SystolicDesign

Size = Any  # an int or an integer array; results have the type of the arguments


def fold_shape(dataflow: Dataflow, m: Size, k: Size, n: Size) -> tuple[Size, Size, Size]:
    """Return (P, Q, T): elements along rows, along columns, and streamed."""
    if dataflow is Dataflow.OUTPUT_STATIONARY:
        return m, n, k
    if dataflow is Dataflow.WEIGHT_STATIONARY:
        return k, n, m
    return k, m, n


def tile_cycles(
    dataflow: Dataflow, m: Size, k: Size, n: Size, rows: int, cols: int, model: FoldModel
) -> Size:
    """Return the cycles for which a tile of m x k x n occupies the array.

    With r, c the used rows and columns of a fold and a preload of r cycles for stationary operands:

    SCALESIM and SEQUENTIAL
        sum over folds of preload + T + r + c - 2; SCALESIM takes r = rows, c = cols for every fold
        (SCALE-Sim 3.0: K + R + C - 2 output-stationary, T + 2R + C - 2 otherwise).
    OVERLAPPED
        folds start max(T, r) apart, because a column bus moves one word a cycle: r results of the last fold
        output-stationary, r held words of the next one otherwise. The tile ends with the last result of
        any fold, which leaves T + r + c - 2 after its start (r of the tallest fold for held operands,
        whose sums pass every row in use).
    """
    p, q, t = fold_shape(dataflow, m, k, n)
    loads = dataflow is not Dataflow.OUTPUT_STATIONARY
    row_folds, col_folds = -(-p // rows), -(-q // cols)
    if model is FoldModel.SCALESIM:
        return row_folds * col_folds * (t + rows + cols - 2 + (rows if loads else 0))
    if model is FoldModel.SEQUENTIAL:
        skew = (1 + loads) * col_folds * p + row_folds * q
        return row_folds * col_folds * (t - 2) + skew
    return _overlapped_cycles((p, q, t), (row_folds, col_folds), rows, cols, loads)


def _overlapped_cycles(
    sizes: tuple[Size, Size, Size], folds: tuple[Size, Size], rows: int, cols: int, loads: bool
) -> Size:
    """Return when the last result of any fold leaves: full and edge folds may each be the last to finish."""
    (p, q, t), (row_folds, col_folds) = sizes, folds
    last_rows, last_cols = p - (row_folds - 1) * rows, q - (col_folds - 1) * cols
    used_rows, used_cols = _least(p, rows), _least(q, cols)
    full, edge = _most(t, rows), _most(t, last_rows)
    per_column = (row_folds - 1) * full + edge
    shift, leaving = (edge - _most(t, used_rows), used_rows) if loads else (0, last_rows)
    down = _most((row_folds - 1) * full + shift + leaving, _most(row_folds - 2, 0) * full + used_rows)
    across = _most((col_folds - 1) * per_column + last_cols, _most(col_folds - 2, 0) * per_column + used_cols)
    return (used_rows if loads else 0) + down + across + t - 2


@dataclass(frozen=True, slots=True)
class Words:
    """Scratchpad words of a tile: read from inputs and weights, written to and read from accumulators."""

    input_reads: Size
    weight_reads: Size
    output_writes: Size
    output_reads: Size


def tile_words(dataflow: Dataflow, m: Size, k: Size, n: Size, rows: int, cols: int, later: Size) -> Words:
    """Return the scratchpad words that a tile moves between scratchpads and array.

    Parameters
    ----------
    dataflow : Dataflow
        One of the three.
    m, k, n : int or array
        Tile sizes.
    rows, cols : int
        Array size.
    later : bool or array of bool
        True if the accumulators already hold partial sums of this output tile.
    """
    p, q, _ = fold_shape(dataflow, m, k, n)
    row_folds, col_folds = -(-p // rows), -(-q // cols)
    if dataflow is Dataflow.OUTPUT_STATIONARY:
        return Words(m * k * col_folds, k * n * row_folds, m * n, m * n * later)
    sums = m * n * row_folds
    accumulated = m * n * (row_folds - 1 + later)
    if dataflow is Dataflow.WEIGHT_STATIONARY:
        return Words(m * k * col_folds, k * n, sums, accumulated)
    return Words(m * k, k * n * col_folds, sums, accumulated)


def register_bits(dataflow: Dataflow, design: SystolicDesign) -> int:
    """Return the register bits that one MAC writes.

    Both operands and the partial sum move or change output-stationary; otherwise one operand stays put.
    """
    moving = 2 if dataflow is Dataflow.OUTPUT_STATIONARY else 1
    return moving * design.operand_bits + design.accumulator_bits


def _least(value: Size, bound: int) -> Size:
    return min(value, bound) if isinstance(value, int) else np.minimum(value, bound)


def _most(one: Size, other: Size) -> Size:
    if isinstance(one, int) and isinstance(other, int):
        return max(one, other)
    return np.maximum(one, other)
