"""Laws of the binary/ternary LSTM engine over random layers and designs."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from accelerators.binary_lstm import ACCELERATOR, BinaryLstmDesign
from accelerators.binary_lstm.machine import Engine
from accelerators.binary_lstm.weights import Weights, encode, quantize
from hwsim.model.prices import price
from hwsim.model.timing import time_trace
from hwsim.trace import reduce, verify_trace
from tests.examples import examples


@st.composite
def designs(draw: st.DrawFn) -> BinaryLstmDesign:
    return BinaryLstmDesign(
        weights=draw(st.sampled_from(list(Weights))),
        mac_units=draw(st.integers(1, 30)),
        memory_bits_per_cycle=draw(st.integers(1, 60)),
        vector_lanes=draw(st.integers(1, 30)),
        activation_bits=draw(st.integers(6, 16)),
    )


def cycles_of(design: BinaryLstmDesign, seed: int) -> int:
    graph = ACCELERATOR.machine_graphs(np.random.default_rng(seed))
    trace, sheet = ACCELERATOR.lower(graph, design), ACCELERATOR.datasheet(design)
    verify_trace(trace)
    return int(time_trace(trace, price(trace, sheet), sheet).cycles)


@examples(80)
@given(design=designs(), seed=st.integers(0, 2**32))
def test_machine_equals_trace_in_cycles_and_events_and_numpy_in_values(
    design: BinaryLstmDesign, seed: int
) -> None:
    graph = ACCELERATOR.machine_graphs(np.random.default_rng(seed))
    result = ACCELERATOR.machine(graph, design, np.random.default_rng(seed))
    assert np.array_equal(result.values, ACCELERATOR.reference(graph, design, np.random.default_rng(seed)))
    assert result.cycles == cycles_of(design, seed)
    counted: dict[tuple[str, str], int] = {}
    for (_, unit, action), events, _ in reduce(ACCELERATOR.lower(graph, design)).items():
        counted[unit, action] = counted.get((unit, action), 0) + events
    assert dict(result.events) == counted


@given(
    seed=st.integers(0, 2**32),
    rows=st.integers(1, 12),
    widths=st.lists(st.integers(1, 12), min_size=1, max_size=3),
    design=designs(),
)
def test_products_are_the_integer_matrix_products(
    seed: int, rows: int, widths: list[int], design: BinaryLstmDesign
) -> None:
    rng, engine = np.random.default_rng(seed), Engine(design)
    quantized = design.weights is not Weights.FULL_PRECISION
    parts, expected = [], []
    for width in widths:
        vector = rng.integers(-2048, 2048, width)
        if quantized:
            matrix = quantize(rng.normal(0, 1, (rows, width)), 1.0, design.weights, rng=rng)
        else:
            matrix = rng.integers(-2048, 2048, (rows, width))
        expected.append(matrix @ vector)
        parts.append((encode(matrix, design.weights) if quantized else matrix, vector))
    for found, wanted in zip(engine.products(parts), expected, strict=True):
        assert np.array_equal(found, wanted)
    macs = rows * sum(widths)
    bits = macs * design.weight_bits
    assert engine.clock == max(-(-macs // design.mac_units), -(-bits // design.memory_bits_per_cycle))
    if quantized:
        assert engine.additions + engine.subtractions + engine.skips == macs


@given(
    design=designs(),
    seed=st.integers(0, 2**32),
    knob=st.sampled_from(ACCELERATOR.lane_knobs),
    factor=st.integers(2, 9),
)
def test_more_lanes_are_never_slower(design: BinaryLstmDesign, seed: int, knob: str, factor: int) -> None:
    more = design.model_copy(update={knob: getattr(design, knob) * factor})
    assert cycles_of(more, seed) <= cycles_of(design, seed)


@given(
    seed=st.integers(0, 2**32),
    kind=st.sampled_from([Weights.BINARY, Weights.TERNARY]),
    scale=st.floats(1e-3, 10.0),
    stochastic=st.booleans(),
)
def test_quantized_weights_keep_sign_and_survive_a_second_quantization(
    seed: int, kind: Weights, scale: float, stochastic: bool
) -> None:
    rng = np.random.default_rng(seed)
    trained = rng.normal(0, scale, 50)
    once = quantize(trained, scale, kind, rng=rng if stochastic else None)
    if kind is Weights.TERNARY or not stochastic:
        assert bool((once * np.sign(trained) >= 0).all())
    assert np.array_equal(quantize(once * scale, scale, kind), once)
    assert np.array_equal(quantize(once * scale, scale, kind, rng=rng), once)
