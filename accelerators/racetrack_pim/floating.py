"""32-bit floating-point sums and products out of integer operations on lanes of 64 bits.

Rounding is to nearest, ties to even; results are those of IEEE 754 whenever operands and result are normal
numbers or zeros. Numbers below the normal range count as zeros of their sign, results below it become zeros,
results above it infinities; infinities and NaN as operands are not modeled.
"""

from __future__ import annotations

from collections.abc import Sequence

from accelerators.racetrack_pim.processor import Processor
from accelerators.racetrack_pim.programs import FLOAT_BITS, FLOAT_LANE, SIGNIFICAND
from accelerators.racetrack_pim.tape import Words

_W = FLOAT_LANE
_FIELD, _FRACTION, _ONE = 0xFF << 23, 0x7FFFFF, 1 << 23
_SIGN, _MAGNITUDE = 1 << 31, 0x7FFFFFFF
_PLACE = 38  # of a significand's lowest bit: 31 places of alignment lose nothing, one carry fits below bit 63


def multiply(p: Processor, a: Words, b: Words) -> Words:
    """Return products of the numbers in the low halves of lanes."""
    normal = _is_normal(p, a) & _is_normal(p, b)
    product = p.product(_significand(p, a, p.all), _significand(p, b, p.all), SIGNIFICAND, _W, signed=False)
    top = p.predicate(product, 47, _W)
    aligned = p.copy([(product, top), (p.displaced(product, 1, _W), ~top)])
    odd = p.predicate(aligned, 24, _W)
    rounded = p.total([aligned, p.constant(0x7FFFFF, _W), p.constant(1, _W) & odd], _W)
    fraction = p.displaced(rounded, -SIGNIFICAND, _W)
    field = p.constant(_FIELD, _W)
    # The significand brings its leading one along, which counts as one step of the exponent.
    bias, carry = p.constant(-(128 << 23), _W), p.constant(_ONE, _W) & top
    result = p.total([a & field, b & field, bias, carry, fraction], _W)
    return _finished(p, result, p.logic("xor", a, b), normal, p.all)


def add(p: Processor, a: Words, b: Words) -> Words:
    """Return sums of the numbers in the low halves of lanes."""
    magnitude, field, one = p.constant(_MAGNITUDE, _W), p.constant(_FIELD, _W), p.constant(1, _W)
    below = p.predicate(p.total([a & magnitude, ~(b & magnitude), one], _W), 63, _W)
    big, small = p.copy([(a, ~below), (b, below)]), p.copy([(a, below), (b, ~below)])
    opposite = p.predicate(p.logic("xor", a, b), 31, _W)
    distance = p.total([big & field, ~(small & field), one], _W)
    more = p.displaced(_significand(p, big, _is_normal(p, big)), _PLACE, _W)
    less = p.displaced(_significand(p, small, _is_normal(p, small)), _PLACE, _W)
    for place in range(5):
        apart = p.predicate(distance, 23 + place, _W)
        less = p.copy([(p.displaced(less, -(1 << place), _W), apart), (less, ~apart)])
    far = p.none
    for place in (28, 29, 30):
        far = far | p.predicate(distance, place, _W)
    less = p.copy([(less, ~far)])
    exact = p.total([more, less ^ opposite, one & opposite], _W)
    lowered = []
    for step in (32, 16, 8, 4, 2, 1):
        short = p.predicate(p.total([exact, p.constant(-(1 << (63 - step)), _W)], _W), 63, _W)
        exact = p.copy([(p.displaced(exact, step, _W), short), (exact, ~short)])
        lowered.append(p.constant(-(step << 23), _W) & short)
    alive, odd = p.predicate(exact, 62, _W), p.predicate(exact, 39, _W)
    rounded = p.total([exact, p.constant((1 << 38) - 1, _W), one & odd], _W)
    fraction = p.displaced(rounded, -39, _W)
    result = p.total([big & field, fraction, *lowered], _W)
    return _finished(p, result, big, alive, alive | ~opposite)


def maximum(p: Processor, numbers: Sequence[Words]) -> Words:
    """Return the largest of the numbers in lanes of 32 bits, and the way back from their order.

    Positive numbers with their sign inverted and negative ones inverted as a whole are in order as unsigned
    integers.
    """
    sign = p.constant(_SIGN, FLOAT_BITS)
    best = p.maximum(numbers, FLOAT_BITS, [sign | p.bit(x, 31, FLOAT_BITS) for x in numbers])
    positive = p.predicate(best, 31, FLOAT_BITS)
    return p.copy([(best ^ sign, positive), (~best, ~positive)])


def _is_normal(p: Processor, x: Words) -> Words:
    """Return where the exponent is not zero: adding its largest value carries."""
    field = p.constant(_FIELD, _W)
    return p.predicate(p.total([x & field, field], _W), 31, _W)


def _significand(p: Processor, x: Words, leading: Words) -> Words:
    one = p.constant(_ONE, _W)
    return p.copy([(x, p.constant(_FRACTION, _W)), (one, one & leading)])


def _finished(p: Processor, result: Words, sign: Words, alive: Words, signed: Words) -> Words:
    """Return exponent and fraction with a sign, zero or infinity where the exponent left its range."""
    low = p.predicate(p.total([result, p.constant(-_ONE, _W)], _W), 63, _W)
    high = ~p.predicate(p.total([result, p.constant(-_FIELD, _W)], _W), 63, _W)
    number = p.constant(_MAGNITUDE, _W) & alive
    infinite, bit = p.constant(_FIELD, _W), p.constant(_SIGN, _W)
    return p.copy([(result, number & ~low & ~high), (infinite, number & high), (sign, bit & signed)])
