"""What the arrays compute, bit for bit: slices of weights, bits of inputs, saturating converters."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from accelerators.reram_pim.design import Encoding, ReramDesign
from hwsim.errors import InputError
from hwsim.graph.types import FormatKind, NumberFormat

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Stored:
    """Weights as cells.

    Attributes
    ----------
    cells : int64[row_tiles, rows, columns]
        Levels; rows beyond the weights hold zero and are never driven.
    flipped : bool[row_tiles, columns]
        Columns that hold the complement of their cells.
    offset, scale : int
        A weight is scale x (its cells' number) - offset.
    slices : int
        Neighbouring columns of one weight, least significant first.
    """

    cells: Ints
    flipped: NDArray[np.bool_]
    offset: int
    scale: int
    slices: int


def store(weights: Ints, form: NumberFormat, design: ReramDesign) -> Stored:
    """Write weights [k, n] into cells, row tile by row tile.

    Raises
    ------
    InputError
        A weight outside of its format.
    """
    offset, scale, bits = _code(form)
    numbers = _numbers(weights, form, "weights")
    slices, base = design.slices(bits), 2**design.cell_bits
    tiles = -(-weights.shape[0] // design.array_rows)
    padded = np.zeros((tiles * design.array_rows, weights.shape[1]), np.int64)
    padded[: len(numbers)] = numbers
    digits = np.stack([(padded >> (design.cell_bits * i)) & (base - 1) for i in range(slices)], axis=-1)
    cells = digits.reshape(tiles, design.array_rows, -1)
    flipped = np.zeros((tiles, cells.shape[2]), bool)
    if design.encoding is Encoding.FLIPPED:
        used = np.minimum(len(numbers) - np.arange(tiles) * design.array_rows, design.array_rows)
        flipped = 2 * cells.sum(1) > (used * (base - 1))[:, None]
        driven = np.arange(design.array_rows)[None, :, None] < used[:, None, None]
        cells = np.where(flipped[:, None, :] & driven, base - 1 - cells, cells)
    return Stored(cells, flipped, offset, scale, slices)


def _code(form: NumberFormat) -> tuple[int, int, int]:
    """Return offset, scale and bits of the unsigned number that stands for a value."""
    if form.kind is FormatKind.BINARY:
        return 1, 2, 1
    if form.kind is FormatKind.TERNARY:
        return 1, 1, 2
    return (0, 1, form.bits) if form.kind is FormatKind.UNSIGNED else (2 ** (form.bits - 1), 1, form.bits)


def _numbers(values: Ints, form: NumberFormat, where: str) -> Ints:
    """Return the unsigned numbers that stand for `values`; InputError for values outside of their format."""
    offset, scale, bits = _code(form)
    numbers, rest = np.divmod(values + offset, scale)
    if numbers.size and (numbers.min() < 0 or numbers.max() >= 2**bits or rest.any()):
        raise InputError(f"{where} from {values.min()} to {values.max()} do not fit {form}", where=where)
    return np.asarray(numbers)


def input_digits(values: Ints, form: NumberFormat, design: ReramDesign) -> tuple[Ints, Ints, int]:
    """Return what the drivers apply in each read cycle, int64[reads, ...], its weight, and the zero point.

    A value is the sum of weight x digit minus the zero point. With one bit a cycle, two's complement gives
    the highest bit a negative weight and needs no zero point. InputError for a value outside of its format:
    a negative one needs a format with a sign.
    """
    offset, scale, bits = _code(form)
    signed = form.kind is FormatKind.INTEGER and design.dac_bits == 1
    numbers = _numbers(values, form, "inputs")
    if signed:
        numbers = values % 2**bits
    reads = design.reads(bits)
    digits = np.stack([(numbers >> (design.dac_bits * i)) & (2**design.dac_bits - 1) for i in range(reads)])
    weights = np.array([scale * 2 ** (design.dac_bits * i) for i in range(reads)], np.int64)
    if signed:
        weights[-1] = -weights[-1]
    return digits, weights, 0 if signed else offset


def read(digits: Ints, stored: Stored, design: ReramDesign) -> Ints:
    """Return what the converters give for one read cycle of vectors [..., k], int64[..., row_tiles, columns].

    Complemented columns are turned back by the number of driven levels, which is counted beside the array.
    """
    tiles, rows, _ = stored.cells.shape
    padded = np.zeros((*digits.shape[:-1], tiles * rows), np.int64)
    padded[..., : digits.shape[-1]] = digits
    split = padded.reshape(*digits.shape[:-1], tiles, rows)
    sums = np.einsum("...tr,trc->...tc", split, stored.cells)
    converted = np.minimum(sums, 2**design.adc_bits - 1)
    full = split.sum(-1)[..., None] * (2**design.cell_bits - 1)
    return np.asarray(np.where(stored.flipped, full - converted, converted))


def combine(converted: Ints, stored: Stored, design: ReramDesign) -> Ints:
    """Shift and add slices and row tiles, int64[..., n]: the product of one read cycle's digits."""
    summed = converted.sum(-2).reshape(*converted.shape[:-2], -1, stored.slices)
    return np.asarray(summed @ (2 ** (design.cell_bits * np.arange(stored.slices))))


def product(
    vectors: Ints, weights: Ints, inputs: NumberFormat, form: NumberFormat, design: ReramDesign
) -> Ints:
    """Return vectors [..., k] times weights [k, n] as the arrays compute it, int64[..., n].

    Exact wherever no column exceeds the converter; otherwise what saturated columns leave of it.
    """
    stored = store(weights, form, design)
    digits, places, zero = input_digits(vectors, inputs, design)
    found = np.zeros((*vectors.shape[:-1], weights.shape[1]), np.int64)
    for applied, place in zip(digits, places, strict=True):
        numbers = combine(read(applied, stored, design), stored, design)
        found += place * (stored.scale * numbers - stored.offset * applied.sum(-1)[..., None])
    return np.asarray(found - zero * weights.sum(0))
