"""The machine: equal to trace, fold and dense integers; its kernels equal to plain Python."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from accelerators.sparse_lstm import ACCELERATOR
from accelerators.sparse_lstm.cell import Formats
from accelerators.sparse_lstm.lower import lower
from accelerators.sparse_lstm.machine import Chip, run_layer
from accelerators.sparse_lstm.operands import Layer, Sequence, dense_states
from tests.unit.sparse_lstm.networks import cell, cycles, design, events

KNOBS: list[dict[str, Any]] = [
    {},
    {"mode": "dense"},
    {"state_sparsity_ratio": 0.7, "correlation": "independent", "offset_bits": 1},
    {"state_sparsity_ratio": 0.9, "correlation": "correlated", "correlation_ratio": 0.8, "offset_bits": 2},
    {"state_sparsity_ratio": 0.9, "correlation": "correlated", "correlation_ratio": 1.0, "mode": "dense"},
    {"tiles": 1, "pes_per_tile": 6, "weights_per_cycle": 3, "dram_bits_per_s": 4.7e9},
    {"tiles": 2, "pes_per_tile": 5, "weights_per_cycle": 10, "weight_bits": 4, "activation_bits": 5},
]


@pytest.mark.parametrize("knobs", KNOBS, ids=lambda knobs: "-".join(map(str, knobs.values())))
def test_machine_equals_trace_fold_and_dense_integers(knobs: dict[str, Any]) -> None:
    chosen = design(**knobs)
    for seed in range(12):
        graph = ACCELERATOR.machine_graphs(np.random.default_rng(seed))
        trace = lower(graph, chosen)
        result = ACCELERATOR.machine(graph, chosen, np.random.default_rng(seed))
        expected = ACCELERATOR.reference(graph, chosen, np.random.default_rng(seed))
        assert np.array_equal(result.values, expected), seed
        assert result.cycles == cycles(trace, chosen), seed
        assert {key: count for key, count in result.events.items() if count} == events(trace), seed


def _layer(kind: str, rng: np.random.Generator, *, linear_before_reset: bool = False) -> Layer:
    hidden, inputs, rows = 20, 5, {"lstm": 80, "gru": 60}[kind]
    return Layer(
        kind,
        rng.integers(-127, 128, (1, inputs, rows)).astype(np.int8),
        rng.integers(-127, 128, (1, hidden, rows)).astype(np.int8),
        rng.integers(-3000, 3000, (1, rows)),
        rng.integers(-3000, 3000, (1, rows)),
        linear_before_reset,
        Formats(8, 1, 8),
    )


def _fed(layer: Layer, rng: np.random.Generator, threshold: int) -> Sequence:
    start = np.zeros((1, 3, layer.hidden), np.int64)
    return Sequence(rng.integers(-127, 128, (6, 3, 5)), start, start, True, None, threshold)


@pytest.mark.parametrize(("kind", "early"), [("lstm", False), ("gru", False), ("gru", True)])
@pytest.mark.parametrize("knobs", [{"offset_bits": 1}, {"dram_bits_per_s": 17e9, "mode": "dense"}])
def test_kernels_equal_their_plain_twins(kind: str, early: bool, knobs: dict[str, Any]) -> None:
    rng = np.random.default_rng(5)
    layer = _layer(kind, rng, linear_before_reset=early)
    fed = _fed(layer, rng, threshold=60)
    chips = Chip(design(**knobs)), Chip(design(**knobs), plain=True)
    runs = [run_layer(one, layer, fed, lambda _, step: step) for one in chips]
    assert np.array_equal(runs[0].states, runs[1].states)
    assert chips[0].clock == chips[1].clock
    assert chips[0].events == chips[1].events
    assert (runs[0].states == 0).any()


@pytest.mark.parametrize(("kind", "threshold"), [("lstm", 30), ("gru", 90)])
def test_zeros_that_the_machine_finds_itself_cost_what_the_trace_says(
    kind: str, threshold: int, tmp_path: Path
) -> None:
    """Prune by threshold on the machine, hand its masks to the lowering, and compare."""
    rng = np.random.default_rng(3)
    layer = _layer(kind, rng)
    fed = _fed(layer, rng, threshold=threshold)
    chip = Chip(design(offset_bits=2))
    run = run_layer(chip, layer, fed, lambda _, step: step)
    assert np.array_equal(run.states[0], dense_states(layer, fed, 0, list(range(6))))
    np.savez(tmp_path / "masks.npz", cell=run.zero[0].astype(bool))
    chosen = design(offset_bits=2, state_masks=str(tmp_path / "masks.npz"))
    trace = lower(cell(kind, steps=6, batch=3, inputs=5, hidden=20), chosen)
    assert 0.2 < run.zero.mean() < 1
    assert cycles(trace, chosen) == chip.clock
    assert {key: count for key, count in chip.events.items() if count} == events(trace)


def test_rates_that_do_not_fit_64_bits_are_stepped_exactly() -> None:
    chosen = design(dram_bits_per_s=1.0000000000000002e9, clock_hz=123456789.12345679)
    graph = cell(steps=2, batch=2, inputs=1, hidden=3)
    result = ACCELERATOR.machine(graph, chosen, np.random.default_rng(0))
    assert result.cycles == cycles(lower(graph, chosen), chosen)


@pytest.mark.parametrize("bits", [4, 5, 8])
def test_tables_stay_within_their_formats(bits: int) -> None:
    f = Formats(bits, 1, 8)
    index = np.arange(-512, 512)
    assert f.sigmoid(index).min() == 0
    assert f.sigmoid(index).max() == 2**bits - 1
    assert f.tanh(index).max() == -f.tanh(index).min() == 2 ** (bits - 1) - 1
    assert (np.diff(f.sigmoid(index)) >= 0).all()
    cell_value = np.array([[0, f.largest_cell, -f.largest_cell]])
    assert f.tanh_of_cell(cell_value).tolist() == [[0, f.largest, -f.largest]]
