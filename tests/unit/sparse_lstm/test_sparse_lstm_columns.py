"""What a step costs: columns, zero entries, one-hot inputs, bandwidth, and zeros that sequences share."""

from __future__ import annotations

import numpy as np
import pytest

from accelerators.sparse_lstm import ACCELERATOR
from accelerators.sparse_lstm.design import SparseLstmDesign
from accelerators.sparse_lstm.lower import lower
from accelerators.sparse_lstm.zeros import drawn, sizes_of
from hwsim.registry import load_workload
from hwsim.run import chip, evaluate
from tests.unit.sparse_lstm.networks import cell, cycles, design, events, masks, one_hot_cell

HADAMARD = 3


def test_the_array_is_what_the_recalled_numbers_say() -> None:
    published = ACCELERATOR.presets["published"]
    assert isinstance(published, SparseLstmDesign)
    assert (published.pes, published.batch_lanes) == (192, 8)
    beat_bits = published.column_bits(24, 8)
    assert beat_bits * published.clock_hz == published.dram_bits_per_s


def test_a_dense_step_is_columns_times_beats() -> None:
    dense = design(mode="dense")
    for batch, groups in ((1, 1), (8, 1), (9, 2), (16, 2)):
        trace = lower(cell(steps=5, batch=batch, inputs=7, hidden=48), dense)
        assert cycles(trace, dense) == 5 * groups * ((7 + 48) * 8 + HADAMARD * 2)


def test_only_columns_that_are_zero_everywhere_are_skipped() -> None:
    zero = np.zeros((3, 2, 24), dtype=bool)
    zero[0, 0, :20] = True
    zero[0, 1, 10:] = True  # both: 10 to 19
    zero[1] = True
    trace = lower(cell(steps=3, inputs=2), design(), masks(zero))
    steps = (2 + 0) * 4 + HADAMARD, (2 + 14) * 4 + HADAMARD, (2 + 0) * 4 + HADAMARD
    assert cycles(trace, design()) == sum(steps)
    assert trace.skips["cell", "zero state of every sequence"] == (24 + 10 + 24) * 96 * 2


@pytest.mark.parametrize(("bits", "fillers"), [(1, 10), (2, 5), (3, 2), (4, 1), (5, 0), (8, 0)])
def test_a_gap_that_overflows_its_field_costs_zero_entries(bits: int, fillers: int) -> None:
    zero = np.zeros((2, 1, 24), dtype=bool)
    zero[0, 0, 1:22] = True
    chosen = design(offset_bits=bits)
    trace = lower(cell(steps=2, batch=1, inputs=1), chosen, masks(zero))
    assert cycles(trace, chosen) == (1 + 1 + 3 + fillers) * 4 + 2 * HADAMARD
    assert events(trace)["encoder", "entry"] == 3 + fillers + 24


def test_a_one_hot_input_is_one_column_for_each_sequence() -> None:
    dense = design(mode="dense")
    trace = lower(one_hot_cell(steps=3, batch=5), dense)
    assert cycles(trace, dense) == 3 * ((5 + 24) * 4 + HADAMARD)
    assert trace.skips["cell", "one-hot input"] == 3 * 4 * 96 * 5


def test_an_embedded_input_is_never_skipped() -> None:
    everything = np.ones((100, 1, 24), dtype=bool)
    trace = lower(cell(steps=100, batch=1, inputs=30), design(), masks(everything))
    assert cycles(trace, design()) == 100 * (30 * 4 + HADAMARD)


@pytest.mark.parametrize("share", [0.5, 0.25, 0.75, 0.3])
def test_the_stall_factor_is_demand_over_bandwidth(share: float) -> None:
    slow = design(mode="dense", dram_bits_per_s=51.2e9 * share)
    trace = lower(cell(steps=1, batch=8, inputs=1, hidden=240), slow)
    assert cycles(trace, slow) == 241 * -(-40 * 1000 // int(1000 * share)) + 30


def test_more_bandwidth_than_needed_changes_nothing() -> None:
    fast = design(dram_bits_per_s=1e15)
    trace = lower(cell(batch=8), design())
    assert cycles(trace, fast) == cycles(trace, design())


@pytest.mark.parametrize(("early", "segments"), [(True, (3,)), (False, (2, 1))])
def test_a_gru_may_have_to_wait_for_its_reset_gate(early: bool, segments: tuple[int, ...]) -> None:
    dense = design(mode="dense")
    trace = lower(cell("gru", steps=2, inputs=5, hidden=20, linear_before_reset=early), dense)
    recurrent = 20 * sum(-(-part * 20 // 24) for part in segments)
    assert cycles(trace, dense) == 2 * (5 * 3 + recurrent + HADAMARD)


@pytest.mark.parametrize("ratio", [0.0, 0.3, 1.0])
def test_drawn_zeros_have_the_stated_fraction_and_correlation(ratio: float) -> None:
    sizes = sizes_of(graph := cell(steps=400, batch=8, hidden=240), graph.ops[0])
    model = {"correlation": "correlated" if ratio else "independent", "correlation_ratio": ratio}
    zero = drawn(sizes, design(state_sparsity_ratio=0.8, **model), 0)[0].astype(float)
    assert zero.mean() == pytest.approx(0.8, abs=0.005)
    assert np.corrcoef(zero[:, 0].ravel(), zero[:, 5].ravel())[0, 1] == pytest.approx(ratio, abs=0.01)
    shared = zero.min(axis=1).mean()
    assert shared == pytest.approx(ratio * 0.8 + (1 - ratio) * 0.8**8, abs=0.01)


def test_a_larger_batch_only_adds_sequences() -> None:
    knobs = design(state_sparsity_ratio=0.8, correlation="correlated", correlation_ratio=0.3)
    small, large = (drawn(sizes_of(g := cell(batch=batch), g.ops[0]), knobs, 0) for batch in (3, 9))
    assert np.array_equal(small, large[:, :, :3])


def test_energy_is_core_power_times_active_time() -> None:
    report = evaluate(cell(batch=8), chip("sparse_lstm:dense"))
    assert report.totals.energy_j == pytest.approx(76.8e9 / 925.3e9 * report.totals.time_s, rel=1e-12)
    priced = evaluate(cell(batch=8), chip("sparse_lstm:dense", dram_j_per_bit=20e-12))
    moved = sum(row.bits for row in priced.events if row.unit == "dram")
    assert priced.totals.energy_j_by_unit["dram"] == pytest.approx(moved * 20e-12)


@pytest.mark.parametrize(
    ("name", "inputs", "hidden", "weights"),
    [
        ("lstm_ptb_char", 50, 1000, 4_200_000),
        ("lstm_war_and_peace", 83, 512, 1_218_560),
        ("lstm_linux", 101, 512, 1_255_424),
        ("lstm_text8_char", 27, 2000, 16_216_000),
        ("lstm_ptb_word", 300, 300, 720_000),
        ("lstm_smnist", 1, 100, 40_400),
        ("lstm_question_answering", 200, 256, 466_944),
    ],
)
def test_networks_of_the_papers(name: str, inputs: int, hidden: int, weights: int) -> None:
    graph = load_workload(name)
    op = next(op for op in graph.ops if op.kind == "lstm")
    sizes = sizes_of(graph, op)
    assert (sizes.features, sizes.hidden) == (inputs, hidden)
    assert sum(graph.tensors[operand].elements for operand in op.inputs[1:3]) == weights
    assert evaluate(graph, "sparse_lstm").totals.cycles > 0
