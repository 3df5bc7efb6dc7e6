"""Microprograms on bits against integers, their command counts against the published formulas."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from accelerators.dram_pim.expand import Commands, Kind, library
from tests.examples import examples
from tests.unit.dram_pim.rows import LIBRARIES, run

Ints = NDArray[np.int64]


def ones(values: Ints) -> Ints:
    return np.array([int(value).bit_count() for value in values], np.int64)


def sign(values: Ints, bits: int) -> Ints:
    return values - ((values >> (bits - 1)) << bits)


# Name, what the results are of a, b, a one-bit s, and n; "-" in front: read as two's complement.
BINARY: dict[str, Callable[[Ints, Ints, int], Any]] = {
    "and": lambda a, b, n: a & b, "or": lambda a, b, n: a | b, "xor": lambda a, b, n: a ^ b,
    "nand": lambda a, b, n: ~(a & b), "nor": lambda a, b, n: ~(a | b), "xnor": lambda a, b, n: ~(a ^ b),
    "add": lambda a, b, n: a + b, "subtract": lambda a, b, n: a - b,
    "multiply": lambda a, b, n: a * b, "multiply_signed": lambda a, b, n: sign(a, n) * sign(b, n),
    "greater": lambda a, b, n: a > b, "equal": lambda a, b, n: a == b, "not_equal": lambda a, b, n: a != b,
    "not_greater": lambda a, b, n: a <= b,
    "greater_signed": lambda a, b, n: sign(a, n) > sign(b, n),
    "not_greater_signed": lambda a, b, n: sign(a, n) <= sign(b, n),
    "maximum": lambda a, b, n: np.maximum(a, b), "minimum": lambda a, b, n: np.minimum(a, b),
    "maximum_signed": lambda a, b, n: np.maximum(sign(a, n), sign(b, n)),
    "minimum_signed": lambda a, b, n: np.minimum(sign(a, n), sign(b, n)),
}
UNARY: dict[str, Callable[[Ints, int], Ints]] = {
    "not": lambda a, n: ~a, "copy": lambda a, n: a, "relu": lambda a, n: np.maximum(sign(a, n), 0),
    "absolute": lambda a, n: np.abs(sign(a, n)),
}
each_technique = pytest.mark.parametrize("technique", LIBRARIES)


def lanes(bits: int) -> tuple[Ints, Ints]:
    """All pairs of narrow numbers, some random pairs of wide ones."""
    if bits <= 3:
        pairs = np.array(list(product(range(2**bits), repeat=2)), np.int64)
        return pairs[:, 0], pairs[:, 1]
    rng = np.random.default_rng(bits)
    a, b = rng.integers(0, 2**bits, (2, 70))
    b[:9] = a[:9]
    return a, b


@each_technique
@pytest.mark.parametrize("bits", [1, 2, 3, 8])
def test_binary_programs_compute_what_they_say(technique: str, bits: int) -> None:
    a, b = lanes(bits)
    for name, expected in BINARY.items():
        programs = LIBRARIES[technique]
        (length,) = programs.result_lengths(name, (bits, bits))
        (found,) = run(programs, name, (a, b), (bits, bits))
        assert np.array_equal(found, np.asarray(expected(a, b, bits), np.int64) % 2**length), name


@each_technique
@pytest.mark.parametrize("bits", [1, 2, 3, 8])
def test_unary_programs_shifts_and_constants(technique: str, bits: int) -> None:
    programs, (a, _) = LIBRARIES[technique], lanes(bits)
    for name, expected in UNARY.items():
        (found,) = run(programs, name, (a,), (bits,))
        assert np.array_equal(found, expected(a, bits) % 2**bits), name
    for places in range(bits + 1):
        (left,) = run(programs, "shift_left", (a,), (bits,), parameter=places)
        (right,) = run(programs, "shift_right", (a,), (bits,), parameter=places)
        assert np.array_equal(left, (a << places) % 2**bits)
        assert np.array_equal(right, a >> places)
    (lowest,) = run(programs, "fill", (0 * a, 0 * a + 1), (1, 1), parameter=bits, signed=True)
    assert np.array_equal(lowest, np.full(len(a), -(2 ** (bits - 1))))


@each_technique
@pytest.mark.parametrize("bits", [1, 2, 3, 8])
def test_selection_carries_and_accumulation(technique: str, bits: int) -> None:
    programs, (a, b) = LIBRARIES[technique], lanes(bits)
    rng = np.random.default_rng(1)
    s = rng.integers(0, 2, len(a))
    p, q = s, rng.integers(0, 2, len(a)) * (1 - s)
    wide = 2 * bits + 5
    acc = rng.integers(0, 2**wide, len(a))
    signed_a, signed_b = sign(a, bits), sign(b, bits)
    for name, values, lengths, expected in (
        ("select", (s, a, b), (1, bits, bits), np.where(s, a, b)),
        ("add_carry", (a, b, s), (bits, bits, 1), (a + b + s) % 2**bits),
        ("full_add", (a & 1, b & 1, s), (1, 1, 1), ((a & 1) + (b & 1) + s) & 1),
        ("mac_unsigned", (acc, a, b), (wide, bits, bits), (acc + a * b) % 2**wide),
        ("mac_signed", (acc, a, b), (wide, bits, bits), (acc + signed_a * signed_b) % 2**wide),
        ("mac_ternary", (acc, a, p, q), (wide, bits, 1, 1), (acc + signed_a * (p - q)) % 2**wide),
        ("mac_binary", (acc, a, s), (wide, bits, 1), (acc + signed_a * (2 * s - 1)) % 2**wide),
        ("from_matches", (a, b), (bits, bits + 1), (2 * a - b) % 2 ** (bits + 1)),
    ):
        assert np.array_equal(run(programs, name, values, lengths)[0], expected), name


@each_technique
def test_one_bit_products_are_counted(technique: str) -> None:
    rng = np.random.default_rng(2)
    a, b = rng.integers(0, 2**15, (2, 200))
    acc = rng.integers(0, 2**7, 200)
    programs = LIBRARIES[technique]
    (found,) = run(programs, "mac_xnor15", (acc, a, b), (7, 15, 15))
    assert np.array_equal(found, (acc + 15 - ones(a ^ b)) % 2**7)
    assert np.array_equal(run(programs, "count15", (a,), (15,))[0], ones(a))
    assert np.array_equal(run(programs, "count7", (a % 128,), (7,))[0], ones(a % 128))


@pytest.mark.parametrize("bits", range(1, 9))
def test_reductions_over_rows(bits: int) -> None:
    a, _ = lanes(bits)
    programs = LIBRARIES["simdram"]
    assert np.array_equal(run(programs, "and_reduction", (a,), (bits,))[0], a == 2**bits - 1)
    assert np.array_equal(run(programs, "or_reduction", (a,), (bits,))[0], a > 0)
    assert np.array_equal(run(programs, "xor_reduction", (a,), (bits,))[0], ones(a) % 2)


@each_technique
@examples(15)
@given(data=st.data(), bits=st.integers(1, 32))
def test_arithmetic_of_any_width(technique: str, data: st.DataObject, bits: int) -> None:
    numbers = st.lists(st.integers(0, 2**bits - 1), min_size=3, max_size=3)
    a, b = (np.array(data.draw(numbers), np.int64) for _ in range(2))
    programs = LIBRARIES[technique]
    for name in ("add", "subtract", "greater", "maximum_signed", "xnor"):
        (length,) = programs.result_lengths(name, (bits, bits))
        expected = np.asarray(BINARY[name](a, b, bits), np.int64) % 2**length
        assert np.array_equal(run(programs, name, (a, b), (bits, bits))[0], expected), name


@each_technique
@pytest.mark.parametrize("name", ["add", "maximum", "maximum_signed", "minimum", "minimum_signed"])
def test_accumulators_may_take_the_place_of_their_first_operand(technique: str, name: str) -> None:
    a, b = lanes(3)
    (found,) = run(LIBRARIES[technique], name, (a, b), (3, 3), in_place=True)
    assert np.array_equal(found, BINARY[name](a, b, 3) % 8)


@pytest.mark.parametrize("bits", [3, 8, 16, 32])
def test_the_public_select_is_wrong_as_written_and_ours_is_not(bits: int) -> None:
    """A simulator that only counts cannot tell the two apart: they are equally long."""
    rng = np.random.default_rng(bits)
    s, (a, b) = rng.integers(0, 2, 100), rng.integers(0, 2**bits, (2, 100))
    public, ours = library("simdram_as_published", "ambit", "logic"), LIBRARIES["simdram"]
    every = np.where(s, 2**bits - 1, 0)
    lengths = (1, bits, bits)
    assert np.array_equal(run(public, "select", (s, a, b), lengths)[0], every | b)
    assert np.array_equal(run(ours, "select", (s, a, b), lengths)[0], np.where(s, a, b))
    assert public.count("select", lengths).total == ours.count("select", lengths).total == 7 * bits


@pytest.mark.parametrize("bits", [3, 8, 16])
def test_the_public_absolute_is_wrong_as_written_and_ours_is_not(bits: int) -> None:
    rng = np.random.default_rng(bits)
    a = rng.integers(0, 2**bits, 100)
    public, ours = library("simdram_as_published", "ambit", "logic"), LIBRARIES["simdram"]
    expected = np.abs(sign(a, bits)) % 2**bits
    # T2 is never written before it is read, so the program has no defined result at all.
    with pytest.raises(Exception, match="reads row 2, which holds nothing"):
        run(public, "absolute", (a,), (bits,))
    assert np.array_equal(run(ours, "absolute", (a,), (bits,))[0], expected)
    assert public.count("absolute", (bits,)).total == ours.count("absolute", (bits,)).total == 10 * bits - 1


PUBLISHED: dict[str, tuple[int, Callable[[int], Commands]]] = {
    "add": (2, lambda n: Commands(ap=2 * n, aap=6 * n + 1)),
    "subtract": (2, lambda n: Commands(ap=n, aap=7 * n + 1)),
    "greater": (2, lambda n: Commands(ap=n, aap=2 * n + 2)),
    "equal": (2, lambda n: Commands(ap=2 * n, aap=2 * n + 3)),
    "maximum": (2, lambda n: Commands(ap=2 * n, aap=8 * n + 2)),
    "minimum": (2, lambda n: Commands(ap=2 * n, aap=8 * n + 2)),
    "and": (2, lambda n: Commands(aap=4 * n)), "not": (1, lambda n: Commands(aap=2 * n)),
    "xor": (2, lambda n: Commands(aap=8 * n)), "relu": (1, lambda n: Commands(aap=3 * n + (n - 1) % 2)),
    "absolute": (1, lambda n: Commands(aap=10 * n - 1)),
    "and_reduction": (1, lambda n: Commands(aap=5 * (n // 2) + 2)),
    "or_reduction": (1, lambda n: Commands(aap=5 * (n // 2) + 2)),
    "xor_reduction": (1, lambda n: Commands(aap=6 * (n // 2) + 2)),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_simdram_commands_are_as_many_as_published(name: str) -> None:
    operands, formula = PUBLISHED[name]
    for bits in (1, 2, 7, 8, 16, 32, 64):
        found, expected = LIBRARIES["simdram"].count(name, (bits,) * operands), formula(bits)
        assert (found.ap, found.aap, found.app, found.tapp) == (expected.ap, expected.aap, 0, 0), bits


@pytest.mark.parametrize(("bits", "aap", "ap"), [(8, 495, 168), (16, 2015, 720), (32, 8127, 2976)])
def test_multiplication_commands(bits: int, aap: int, ap: int) -> None:
    found = LIBRARIES["simdram"].count("multiply", (bits, bits))
    assert (found.aap, found.ap) == (aap, ap)
    assert found.total == 11 * bits**2 - 5 * bits - 1


@pytest.mark.parametrize(("name", "bits", "opened"), [
    ("add", 8, (66, 16, 32)), ("add", 16, (130, 32, 64)), ("add", 32, (258, 64, 128)),
    ("multiply", 8, (814, 112, 232)),
])
def test_activations_by_rows(name: str, bits: int, opened: tuple[int, int, int]) -> None:
    found = LIBRARIES["simdram"].count(name, (bits, bits))
    assert (found.single, found.double, found.triple) == opened


def test_ambit_logic_takes_the_published_copies() -> None:
    for name, operands, aap, ap in (("not", 1, 2, 0), ("and", 2, 4, 0), ("or", 2, 4, 0), ("nand", 2, 5, 0),
                                    ("nor", 2, 5, 0), ("xor", 2, 5, 2), ("xnor", 2, 5, 2)):
        found = LIBRARIES["ambit"].count(name, (1,) * operands)
        assert (found.aap, found.ap) == (aap, ap), name


@each_technique
@examples(20)
@given(bits=st.integers(1, 12))
def test_counting_equals_writing_out(technique: str, bits: int) -> None:
    programs = LIBRARIES[technique]
    for name in (*BINARY, *UNARY):
        lengths = (bits,) * (2 if name in BINARY else 1)
        counted, commands = programs.count(name, lengths), programs.expand(name, lengths)
        kinds = [int((commands[:, 0] == kind).sum()) for kind in Kind]
        opened = np.concatenate([(commands[:, part] >= 0).sum(axis=1) for part in (slice(1, 4), slice(5, 8))])
        assert counted == Commands(kinds[0], kinds[1], kinds[2] + kinds[3], kinds[4] + kinds[5],
                                   *(int((opened == rows).sum()) for rows in (1, 2, 3))), name
