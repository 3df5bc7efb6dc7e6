"""How far each layer is unfolded: SIMD inputs times PE outputs a clock, given or chosen."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from accelerators.finn_bnn.design import FinnBnnDesign
from hwsim.errors import InputError, Problem
from hwsim.graph.engines import Stage, operand_bits, stages_of
from hwsim.graph.types import FormatKind, Graph


@dataclass(frozen=True, slots=True)
class Fold:
    """A layer as its engine sees it.

    Attributes
    ----------
    k, n : int
        Inputs and outputs, filled up to whole words where the host needs them.
    simd, pe : int
        Inputs and outputs worked on in a clock; they divide `k` and `n`.
    pixels : int
        Positions of one image.
    bits : int
        Products of two bits in one multiplication.
    """

    k: int
    n: int
    simd: int
    pe: int
    pixels: int
    bits: int

    @property
    def clocks(self) -> int:
        """Clocks of one position: K / SIMD x N / PE."""
        return (self.k // self.simd) * (self.n // self.pe)

    @property
    def bit_lanes(self) -> int:
        """Products of two bits a clock."""
        return self.simd * self.pe * self.bits


def folds_of(graph: Graph, design: FinnBnnDesign) -> dict[str, Fold]:
    """Return the fold of every layer with weights, by operator.

    Raises
    ------
    InputError
        Pairs that divide no layer or are too few or too many; layers that do not fit the chip.
    """
    layers = [stage for stage in stages_of(graph) if stage.product is not None]
    if not layers:
        return {}
    sizes = _sizes(graph, layers, design)
    given = design.pairs
    if given and len(given) != len(layers):
        raise InputError(
            f"{len(given)} pairs SIMDxPE for {len(layers)} layers with weights",
            where="finn_bnn.folding",
            hint=f"{', '.join(stage.op.name for stage in layers)}; or leave the folding automatic",
        )
    if given:
        _check_pairs(layers, sizes, given)
        folds = [_fold(size, pair) for size, pair in zip(sizes, given, strict=True)]
    else:
        folds = _fastest(sizes, design)
    lanes = sum(fold.bit_lanes for fold in folds)
    if lanes > design.bit_lanes:
        raise InputError(
            f"{graph.name} needs {lanes} bit lanes even as folded, the chip has {design.bit_lanes}",
            where="finn_bnn.bit_lanes",
            hint=f"set bit_lanes={lanes}",
        )
    return {stage.op.name: fold for stage, fold in zip(layers, folds, strict=True)}


def _sizes(graph: Graph, layers: list[Stage], design: FinnBnnDesign) -> list[tuple[int, int, int, int]]:
    """Return (k, n, pixels, bits) of every layer."""
    word, found = design.host_word_bits, []
    for stage in layers:
        product = stage.product
        if product is None:
            continue
        activation, weight = operand_bits(graph, product)
        k, n = product.k, product.n
        binary = graph.tensors[product.left].format.kind is FormatKind.BINARY
        if product.left in graph.inputs and product.window is None and binary:
            k = -(-k // word) * word
        if stage is layers[-1]:
            n = -(-n // word) * word
        found.append((k, n, stage.pixels, activation * weight))
    return found


def _check_pairs(
    layers: list[Stage], sizes: list[tuple[int, int, int, int]], given: tuple[tuple[int, int], ...]
) -> None:
    problems = []
    for stage, (k, n, _, _), (simd, pe) in zip(layers, sizes, given, strict=True):
        where = f"finn_bnn.folding.{stage.op.name}"
        if k % simd:
            problems.append(Problem(where, f"SIMD {simd} does not divide the {k} inputs of an output"))
        if n % pe:
            problems.append(Problem(where, f"PE {pe} does not divide the {n} outputs"))
    if problems:
        raise InputError(problems=problems)


def _fold(size: tuple[int, int, int, int], pair: tuple[int, int]) -> Fold:
    k, n, pixels, bits = size
    return Fold(k, n, pair[0], pair[1], pixels, bits)


def _fastest(sizes: list[tuple[int, int, int, int]], design: FinnBnnDesign) -> list[Fold]:
    """Return the folds of the shortest interval that fits, each with the fewest lanes that keep to it.

    Clocks of a layer fall with its lanes alone, so one interval decides all of them: bisection over the
    clocks that any layer can take.
    """
    choices = [
        [(k * n // lanes * pixels, lanes * bits, pair) for lanes, pair in _pairs(k, n)]
        for k, n, pixels, bits in sizes
    ]
    intervals = sorted({clocks for layer in choices for clocks, _, _ in layer})
    low, high = 0, len(intervals) - 1
    while low < high:
        middle = (low + high) // 2
        if _lanes(choices, intervals[middle]) <= design.bit_lanes:
            high = middle
        else:
            low = middle + 1
    chosen = [next(item for item in layer if item[0] <= intervals[low]) for layer in choices]
    return [_fold(size, item[2]) for size, item in zip(sizes, chosen, strict=True)]


def _lanes(choices: list[list[tuple[int, int, tuple[int, int]]]], interval: int) -> float:
    total = 0.0
    for layer in choices:
        total += next((lanes for clocks, lanes, _ in layer if clocks <= interval), float("inf"))
    return total


@lru_cache(maxsize=4096)
def _pairs(k: int, n: int) -> tuple[tuple[int, tuple[int, int]], ...]:
    """Return every product of a divisor of `k` and one of `n`, rising, with the pair of the largest SIMD."""
    found: dict[int, tuple[int, int]] = {}
    for simd in _divisors(k):
        for pe in _divisors(n):
            if simd >= found.get(simd * pe, (0, 0))[0]:
                found[simd * pe] = (simd, pe)
    return tuple(sorted(found.items()))


@lru_cache(maxsize=4096)
def _divisors(number: int) -> tuple[int, ...]:
    small = [d for d in range(1, int(number**0.5) + 1) if number % d == 0]
    return tuple(sorted({*small, *(number // d for d in small)}))
