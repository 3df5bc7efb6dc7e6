"""32-bit floating point out of integer operations: the bits that numpy gives."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from accelerators.racetrack_pim import floating
from accelerators.racetrack_pim.design import RacetrackDesign
from accelerators.racetrack_pim.processor import Processor
from accelerators.racetrack_pim.programs import Programs
from accelerators.racetrack_pim.tape import pack, unpack
from tests.unit.racetrack_pim.test_operations import counted

Floats = NDArray[np.float32]
TINY = np.finfo(np.float32).tiny


def normals(rng: np.random.Generator, size: int, near: Floats | None = None, sign: int = 1) -> Floats:
    """Normal numbers of all exponents, or of exponents near those of others (-1: of their inverses)."""
    exponent = rng.integers(1, 255, size)
    if near is not None:
        known = near.view(np.uint32).astype(np.int64) >> 23 & 255
        exponent = np.clip((known if sign > 0 else 254 - known) + rng.integers(-34, 35, size), 1, 254)
    bits = rng.integers(0, 2, size) << 31 | exponent << 23 | rng.integers(0, 2**23, size)
    return bits.astype(np.uint32).view(np.float32)


def computed(operation: Callable[..., NDArray[np.uint64]], x: Floats, y: Floats, trd: int) -> Floats:
    design = RacetrackDesign(trd=trd, subarrays_active=1, domains=16)
    p = Processor(design, len(x) // 8)
    words = [pack(v.view(np.uint32).astype(np.uint64).reshape(-1, 8), 64, 8) for v in (x, y)]
    result = unpack(operation(p, *words), 64, 8).reshape(-1)
    programs = Programs(design)
    program = programs.float_product if operation is floating.multiply else programs.float_sum
    assert p.clusters.events == counted(program, len(x) // 8)
    return result.astype(np.uint32).view(np.float32)


def flushed(values: Floats) -> Floats:
    """Results below the normal range are zeros of their sign."""
    return np.where(np.abs(values) < TINY, np.copysign(np.float32(0), values), values).astype(np.float32)


def assert_same_bits(found: Floats, wanted: Floats) -> None:
    assert np.array_equal(found.view(np.uint32), wanted.view(np.uint32))


@pytest.mark.parametrize("trd", [3, 5, 7])
def test_sums_and_products_of_random_normals(trd: int) -> None:
    rng = np.random.default_rng(trd)
    size = 8 * 400
    x = normals(rng, size)
    for operation, reference, sign in ((floating.multiply, np.multiply, -1), (floating.add, np.add, 1)):
        for y in (normals(rng, size), normals(rng, size, x, sign)):
            with np.errstate(all="ignore"):
                wanted = reference(x, y)
            assert_same_bits(computed(operation, x, y, trd), flushed(wanted))


def test_ties_round_to_even_and_zeros_keep_their_signs() -> None:
    ulp = np.float32(2.0**-23)
    pairs = [
        (1, ulp / 2),
        (1 + ulp, ulp / 2),
        (1, -ulp / 4),
        (1, ulp * 3 / 4),
        (2, -ulp),
        (1, -1),
        (0.0, -0.0),
        (-0.0, -0.0),
        (0.0, 5),
        (-0.0, 3e38),
        (3e38, 3e38),
        (-3e38, -3e38),
        (1, 2.0**-100),
        (2.0**24, 1),
        (2.0**24 - 1, 0.5),
        (TINY, -TINY),
        (TINY * 1.5, -TINY),
        (1 + ulp, 1 + ulp),
        (TINY, 0.5),
        (1.5, 1.5),
        (2 - ulp, 2 - ulp),
        (1 + 3 * ulp, 1 - ulp / 2),
        (2.0**-60, 2.0**-66),
        (3e38, -3e38),
    ]
    x, y = (np.array(column, np.float32) for column in zip(*pairs, strict=True))
    with np.errstate(all="ignore"):
        assert_same_bits(computed(floating.add, x, y, 7), flushed(x + y))
        assert_same_bits(computed(floating.multiply, x, y, 7), flushed(x * y))


@pytest.mark.parametrize("trd", [3, 5, 7])
def test_maxima_of_numbers_of_both_signs(trd: int) -> None:
    rng = np.random.default_rng(trd)
    design = RacetrackDesign(trd=trd, subarrays_active=1, domains=16)
    for count in range(2, trd + 1):
        values = np.stack([normals(rng, 64) for _ in range(count)])
        p = Processor(design, 4)
        words = [pack(v.view(np.uint32).astype(np.int64).reshape(4, 16), 32, 8) for v in values]
        result = unpack(floating.maximum(p, words), 32, 16).reshape(-1).astype(np.uint32).view(np.float32)
        assert_same_bits(result, values.max(0))
        assert p.clusters.events == counted(Programs(design).float_maximum(count), 4)
