"""Laws of the sparsely-connected engine over random layers and designs."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from accelerators.sparse_fc import ACCELERATOR, SparseFcDesign
from accelerators.sparse_fc.lfsr import MAXIMAL_TAPS, kept_words, mask, period_of, spread_seeds
from accelerators.sparse_fc.weights import Weights, decode, pack, quantize
from hwsim.model.prices import price
from hwsim.model.timing import time_trace
from hwsim.trace import reduce, verify_trace
from tests.examples import examples

WIDTHS = st.integers(3, 12)
SHARES = st.one_of(st.just(0.0), st.floats(0.0, 0.999, allow_nan=False))


@st.composite
def designs(draw: st.DrawFn) -> SparseFcDesign:
    bits = draw(st.integers(5, 12))
    return SparseFcDesign(
        weights=draw(st.sampled_from(list(Weights))),
        sparsity_ratio=draw(SHARES),
        neurons=draw(st.integers(1, 20)),
        weight_memory_bits=4096,
        lfsr_bits=bits,
        activation_bits=draw(st.integers(2, 12)),
    )


@examples(80)
@given(design=designs(), seed=st.integers(0, 2**32))
def test_machine_equals_trace_in_cycles_and_events_and_numpy_in_values(
    design: SparseFcDesign, seed: int
) -> None:
    graph = ACCELERATOR.machine_graphs(np.random.default_rng(seed))
    trace, sheet = ACCELERATOR.lower(graph, design), ACCELERATOR.datasheet(design)
    verify_trace(trace)
    result = ACCELERATOR.machine(graph, design, np.random.default_rng(seed))
    assert np.array_equal(result.values, ACCELERATOR.reference(graph, design, np.random.default_rng(seed)))
    assert result.cycles == int(time_trace(trace, price(trace, sheet), sheet).cycles)
    counted: dict[tuple[str, str], int] = {}
    for (_, unit, action), events, _ in reduce(trace).items():
        counted[unit, action] = counted.get((unit, action), 0) + events
    assert dict(result.events) == counted


@given(bits=WIDTHS, inputs=st.integers(1, 300), columns=st.integers(1, 7), shares=st.tuples(SHARES, SHARES))
def test_more_sparsity_keeps_a_subset(
    bits: int, inputs: int, columns: int, shares: tuple[float, float]
) -> None:
    low, high = sorted(shares)
    seeds = spread_seeds(columns, bits)
    more, fewer = (mask(MAXIMAL_TAPS[bits], seeds, inputs, share) for share in (low, high))
    assert bool((more >= fewer).all())


@given(bits=WIDTHS, seed=st.integers(1), share=SHARES, laps=st.integers(1, 3))
def test_a_full_period_keeps_the_same_share_for_every_seed(
    bits: int, seed: int, share: float, laps: int
) -> None:
    period = period_of(bits)
    first = seed % period + 1
    counts = {kept_words(MAXIMAL_TAPS[bits], (start,), laps * period, share) for start in (first, 1)}
    assert len(counts) == 1
    ((kept,),) = counts
    assert abs(kept - (1 - share) * laps * period) <= laps


@given(
    seed=st.integers(0, 2**32),
    inputs=st.integers(1, 40),
    columns=st.integers(1, 8),
    share=SHARES,
    kind=st.sampled_from(list(Weights)),
)
def test_compressed_columns_are_the_masked_weights(
    seed: int, inputs: int, columns: int, share: float, kind: Weights
) -> None:
    rng = np.random.default_rng(seed)
    weights: Any = quantize(rng.normal(0, 0.5, (inputs, columns)), kind)
    kept = mask(MAXIMAL_TAPS[8], spread_seeds(columns, 8), inputs, share)
    columns_stored = pack(weights, kept, kind)
    rebuilt = np.zeros_like(weights)
    for column, codes in enumerate(columns_stored):
        rebuilt[kept[:, column], column] = decode(codes, kind)
    assert np.array_equal(rebuilt, weights * kept)
