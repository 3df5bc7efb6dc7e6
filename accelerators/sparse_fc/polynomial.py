"""Decides whether feedback taps give the longest sequence, by the order of x modulo their polynomial."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache


def polynomial_of(taps: Sequence[int]) -> int:
    """Return x^t1 + x^t2 + ... + 1 as a bit mask; bit i is the coefficient of x^i."""
    mask = 1
    for tap in taps:
        mask |= 1 << tap
    return mask


@lru_cache(maxsize=256)
def is_maximal(taps: tuple[int, ...]) -> bool:
    """Return whether a shift register with these taps runs through all 2^n - 1 states that are not zero.

    That is so exactly if x has order 2^n - 1 modulo the feedback polynomial of degree n.

    Parameters
    ----------
    taps : tuple of int
        Exponents of the polynomial without the constant 1; the largest is the width n.
    """
    width = max(taps)
    polynomial, period = polynomial_of(taps), 2**width - 1
    if _power_of_x(period, polynomial, width) != 1:
        return False
    return all(_power_of_x(period // prime, polynomial, width) != 1 for prime in prime_factors(period))


def prime_factors(number: int) -> tuple[int, ...]:
    """Return the different primes that divide `number`."""
    found, divisor = [], 2
    while divisor * divisor <= number:
        if number % divisor == 0:
            found.append(divisor)
            while number % divisor == 0:
                number //= divisor
        divisor += 1
    return (*found, number) if number > 1 else tuple(found)


def _power_of_x(exponent: int, polynomial: int, width: int) -> int:
    """Return x^exponent modulo `polynomial` over GF(2), by squaring."""
    result, base = 1, _reduced(2, polynomial, width)
    while exponent:
        if exponent & 1:
            result = _product(result, base, polynomial, width)
        base = _product(base, base, polynomial, width)
        exponent >>= 1
    return result


def _product(left: int, right: int, polynomial: int, width: int) -> int:
    result = 0
    while right:
        if right & 1:
            result ^= left
        left = _reduced(left << 1, polynomial, width)
        right >>= 1
    return result


def _reduced(value: int, polynomial: int, width: int) -> int:
    return value ^ polynomial if value >> width & 1 else value
