"""How the built-in codes are made: columns that count, shifts of a check polynomial, shifted identities."""

from __future__ import annotations

from collections.abc import Sequence

from hwsim.graph.tanner import TannerGraph

PRIMITIVE = {3: 0b1011, 4: 0b10011, 5: 0b100101, 6: 0b1000011, 7: 0b10001001}
"""Primitive polynomials by degree, bit i the coefficient of x^i (Lin and Costello, Error Control Coding)."""


def hamming_code(checks: int) -> TannerGraph:
    """Return the Hamming code of length 2^checks - 1: column v of the matrix is v + 1 in binary."""
    length = 2**checks - 1
    return TannerGraph(
        length,
        tuple(
            tuple(variable for variable in range(length) if (variable + 1) >> bit & 1)
            for bit in range(checks)
        ),
    )


def bch_code(degree: int, errors: int) -> TannerGraph:
    """Return the narrow-sense binary BCH code of length 2^degree - 1 that corrects `errors` errors.

    The n - k checks are the shifts of the reciprocal of h(x) = (x^n - 1) / g(x).
    """
    length = 2**degree - 1
    generator = 1
    done: set[int] = set()
    for power in range(1, 2 * errors + 1):
        coset = {power * 2**i % length for i in range(degree)}
        if not coset & done:
            generator = _times(generator, _minimal(coset, degree))
        done |= coset
    checking = _quotient((1 << length) | 1, generator)
    taps = [place for place in range(checking.bit_length()) if checking >> place & 1]
    dimension = checking.bit_length() - 1
    return TannerGraph(
        length,
        tuple(tuple(sorted(shift + dimension - tap for tap in taps)) for shift in range(length - dimension)),
    )


def array_code(size: int, rows: int, columns: int) -> TannerGraph:
    """Return the array code of `rows` x `columns` blocks: block (i, j) is the identity shifted by i j.

    With a prime `size` and `columns` <= `size` there are no cycles of four edges, and the rank is
    rows x size - (rows - 1) (Fan 2000).
    """
    if size < 2 or any(size % divisor == 0 for divisor in range(2, size)) or columns > size:
        raise ValueError(f"an array code needs a prime size of at least {columns}, not {size}")
    return shifted_identities(size, [[i * j % size for j in range(columns)] for i in range(rows)])


def tanner_code() -> TannerGraph:
    """Return the (155, 64) code of Tanner, Sridhara and Fuja (2001): block (i, j) shifted by 5^i 2^j mod 31.

    5 has order 3 and 2 has order 5 modulo 31. No cycle has fewer than eight edges.
    """
    return shifted_identities(31, [[5**i * 2**j % 31 for j in range(5)] for i in range(3)])


def shifted_identities(size: int, shifts: Sequence[Sequence[int]]) -> TannerGraph:
    """Return the code whose block (i, j) is the identity of `size`, shifted by ``shifts[i][j]``."""
    return TannerGraph(
        size * len(shifts[0]),
        tuple(
            tuple(j * size + (place + shift) % size for j, shift in enumerate(row))
            for row in shifts
            for place in range(size)
        ),
    )


def _minimal(coset: set[int], degree: int) -> int:
    """Return the product of (x - a^e) over the exponents `coset`, a polynomial over GF(2)."""
    powers = [1]
    for _ in range(2**degree - 2):
        following = powers[-1] << 1
        powers.append(following ^ PRIMITIVE[degree] if following >> degree else following)
    logarithm = {value: exponent for exponent, value in enumerate(powers)}
    factors = [1]
    for exponent in coset:
        shifted = [0, *factors]
        scaled = [powers[(logarithm[value] + exponent) % len(powers)] if value else 0 for value in factors]
        factors = [a ^ b for a, b in zip(shifted, [*scaled, 0], strict=True)]
    return sum(value << place for place, value in enumerate(factors))


def _times(a: int, b: int) -> int:
    product = 0
    for place in range(b.bit_length()):
        if b >> place & 1:
            product ^= a << place
    return product


def _quotient(a: int, b: int) -> int:
    """Return a / b over GF(2); ArithmeticError if b does not divide a."""
    quotient = 0
    while a.bit_length() >= b.bit_length():
        shift = a.bit_length() - b.bit_length()
        quotient |= 1 << shift
        a ^= b << shift
    if a:
        raise ArithmeticError(f"a remainder of {a:#b}")
    return quotient
