"""Laws of skipping: never slower, never beyond its bound; more zeros never slower, batches share fewer."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from accelerators.sparse_lstm.lower import columns_of, lower
from accelerators.sparse_lstm.zeros import sizes_of
from tests.examples import examples
from tests.unit.sparse_lstm.networks import cell, cycles, design, masks

Zeros = NDArray[np.bool_]


@st.composite
def layers(draw: Any) -> tuple[dict[str, Any], Zeros, dict[str, Any]]:
    """Return sizes of a layer, its zero states, and knobs of the chip."""
    sizes = {
        "steps": draw(st.integers(1, 6)),
        "batch": draw(st.integers(1, 16)),
        "inputs": draw(st.integers(1, 20)),
        "hidden": draw(st.integers(1, 60)),
        "kind": draw(st.sampled_from(["lstm", "gru"])),
    }
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    fraction = draw(st.floats(0, 1))
    zero = rng.random((sizes["steps"], sizes["batch"], sizes["hidden"])) < fraction
    knobs = {
        "offset_bits": draw(st.integers(1, 8)),
        "dram_bits_per_s": draw(st.sampled_from([51.2e9, 20e9, 7.3e9, 1e12])),
    }
    return sizes, zero, knobs


def _cycles(sizes: dict[str, Any], zero: Zeros | None, knobs: dict[str, Any]) -> int:
    chosen = design(**knobs)
    states = {"cell": None} if zero is None else masks(zero)
    return cycles(lower(cell(**sizes), chosen, states), chosen)


@given(layers())
def test_skipping_is_never_slower_and_never_beats_its_bound(case: Any) -> None:
    sizes, zero, knobs = case
    if sizes["kind"] == "gru":  # otherwise its recurrent columns are cut in two and cost more than inputs
        sizes = sizes | {"linear_before_reset": True}
    dense, sparse = _cycles(sizes, zero, knobs | {"mode": "dense"}), _cycles(sizes, zero, knobs)
    shared = np.concatenate([np.ones((1, sizes["hidden"]), bool), zero.all(axis=1)[:-1]])
    inputs, hidden = sizes["inputs"], sizes["hidden"]
    bound = (inputs + hidden) / (inputs + (1 - shared.mean()) * hidden)
    assert 1 <= dense / sparse <= bound * (1 + 1e-12)


@given(layers(), st.integers(0, 2**32))
def test_more_zeros_are_never_slower(case: Any, seed: int) -> None:
    sizes, zero, knobs = case
    more = zero | (np.random.default_rng(seed).random(zero.shape) < 0.3)
    assert _cycles(sizes, more, knobs) <= _cycles(sizes, zero, knobs)


@given(layers())
def test_zero_entries_never_cost_more_than_the_columns_they_replace(case: Any) -> None:
    sizes, zero, knobs = case
    graph = cell(**sizes)
    found = columns_of(sizes_of(graph, graph.ops[0]), masks(zero)["cell"], design(**knobs), zero_start=True)
    assert (found.kept + found.fillers <= sizes["hidden"]).all()
    assert (found.written <= sizes["hidden"]).all()


@given(layers())
def test_effective_sparsity_falls_with_the_batch(case: Any) -> None:
    sizes, zero, knobs = case
    skipped = []
    for batch in range(1, sizes["batch"] + 1):
        trace = lower(cell(**sizes | {"batch": batch}), design(**knobs), masks(zero[:, :batch]))
        work = sizes["hidden"] * {"lstm": 4, "gru": 3}[sizes["kind"]] * batch
        skipped.append(trace.skips["cell", "zero state of every sequence"] / work)
    assert skipped == sorted(skipped, reverse=True)


@examples(30)
@given(st.floats(0, 0.99), st.floats(0, 0.99), st.integers(1, 16), st.sampled_from([0.0, 0.2, 1.0]))
def test_more_sparsity_is_never_slower(one: float, other: float, batch: int, ratio: float) -> None:
    kind = "correlated" if ratio else "independent"
    model = {"correlation": kind, "correlation_ratio": ratio}
    graph, found = cell(steps=5, batch=batch, hidden=30), []
    for fraction in sorted((one, other)):
        chosen = design(state_sparsity_ratio=fraction, offset_bits=2, **model)
        found.append(cycles(lower(graph, chosen), chosen))
    assert found[1] <= found[0]
