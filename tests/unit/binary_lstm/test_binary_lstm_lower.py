"""Cycles by the formula of the model card, one-hot columns, prices, and what the engine refuses."""

from __future__ import annotations

import numpy as np
import pytest

from accelerators.binary_lstm import ACCELERATOR, PRESETS
from accelerators.binary_lstm.machine import Engine
from accelerators.binary_lstm.mapping import ONE_HOT, job_of
from accelerators.binary_lstm.weights import Weights
from hwsim.errors import DesignError, UnsupportedOp
from hwsim.graph.build import GraphBuilder
from hwsim.graph.types import INT64, Graph
from hwsim.run import chip, evaluate


def recurrent(
    kind: str = "lstm", *, features: int = 7, hidden: int = 5, one_hot: bool = False, **attributes: object
) -> Graph:
    b = GraphBuilder("net")
    gates = {"lstm": 4, "gru": 3, "rnn": 1}[kind]
    ways = 2 if attributes.get("direction") == "bidirectional" else 1
    x = b.input("ids", (6, 2), format=INT64) if one_hot else b.input("x", (6, 2, features))
    if one_hot:
        x = b.add("one_hot", x, name="code", depth=features)
    w, r = b.weight("w", (ways, gates * hidden, features)), b.weight("r", (ways, gates * hidden, hidden))
    b.output(b.add(kind, [x, w, r], name="cell", **attributes))
    return b.build()


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("one_hot", [False, True])
def test_cycles_of_a_step_follow_the_formula(preset: str, one_hot: bool) -> None:
    features, hidden = 7, 5
    target = chip(f"binary_lstm:{preset}", mac_units=9, memory_bits_per_cycle=11, vector_lanes=4)
    design = target.design
    macs = 4 * hidden * ((1 if one_hot else features) + hidden)
    operations = 9 * hidden + (0 if design.weights is Weights.FULL_PRECISION else hidden * (4 * 4 + 2))
    step = max(-(-macs // 9), -(-macs * design.weight_bits // 11)) + -(-operations // 4)
    report = evaluate(recurrent(features=features, hidden=hidden, one_hot=one_hot), target)
    cell = next(layer for layer in report.layers if layer.kind == "lstm")
    assert cell.cycles == 6 * 2 * step == report.totals.cycles


@pytest.mark.parametrize(
    ("preset", "cycles"),
    [("full_precision", 40040), ("binary_high_speed", 4004), ("ternary_high_speed", 8008)],
)
def test_ptb_character_step(preset: str, cycles: int) -> None:
    """4 x 1000 x (1 + 1000) MACs: the recurrent part alone is 40000 cycles of 100 units, 100 us."""
    report = evaluate("lstm_ptb_char", f"binary_lstm:{preset}")
    cell = next(layer for layer in report.layers if layer.kind == "lstm")
    assert cell.busy_cycles_by_unit["mac_units"] == 100 * cycles
    assert cell.bytes_by_memory["memory"] * 8 == 100 * 4_004_000 * PRESETS[preset].weight_bits


def test_one_hot_input_adds_one_column_and_names_the_rest() -> None:
    graph, design = recurrent(features=7, hidden=5, one_hot=True), PRESETS["binary_low_power"]
    job = job_of(graph, graph.ops[1], design.weights)
    assert job.phases == (4 * 5 * (1 + 5),)
    assert ACCELERATOR.lower(graph, design).skips == {("cell", ONE_HOT): 6 * 2 * 4 * 5 * 6}
    assert ACCELERATOR.lower(recurrent(), design).skips == {}


def test_candidate_of_a_gru_waits_for_its_gates() -> None:
    graph = recurrent("gru")
    assert job_of(graph, graph.ops[0], Weights.BINARY).phases == (3 * 5 * 7 + 2 * 5 * 5, 5 * 5)
    after = recurrent("gru", linear_before_reset=True)
    assert job_of(after, after.ops[0], Weights.BINARY).phases == (3 * 5 * (7 + 5),)


def test_gates_of_a_gru_are_finished_before_its_candidate() -> None:
    target = chip("binary_lstm:full_precision", mac_units=1000, memory_bits_per_cycle=12000, vector_lanes=4)
    gates, candidate = 3 * 5, (8 - 3) * 5
    step = 1 + -(-gates // 4) + 1 + -(-candidate // 4)
    assert evaluate(recurrent("gru"), target).totals.cycles == 6 * 2 * step
    at_once = 1 + -(-(gates + candidate) // 4)
    assert evaluate(recurrent("gru", linear_before_reset=True), target).totals.cycles == 6 * 2 * at_once


@pytest.mark.parametrize("kind", ["lstm", "gru", "rnn"])
def test_both_directions_take_twice_the_time(kind: str) -> None:
    one, two = (
        evaluate(recurrent(kind, direction=way), "binary_lstm").totals.cycles
        for way in ("reverse", "bidirectional")
    )
    assert two == 2 * one


def test_equal_bandwidth_explains_the_high_speed_designs() -> None:
    bits = {name: (design.mac_units * design.weight_bits) for name, design in PRESETS.items()}
    assert bits == {name: design.memory_bits_per_cycle for name, design in PRESETS.items()}
    assert bits == {
        "binary_high_speed": 1000,
        "ternary_high_speed": 1000,
        "binary_low_power": 100,
        "ternary_low_power": 200,
        "full_precision": 1200,
    }


@pytest.mark.parametrize(
    ("preset", "picojoules"),
    [("full_precision", 8.4), ("binary_low_power", 0.925), ("ternary_low_power", 1.525)],
)
def test_energy_of_a_mac(preset: str, picojoules: float) -> None:
    sheet = ACCELERATOR.datasheet(PRESETS[preset])
    row = next(row for row in sheet.actions if (row.unit, row.action) == ("mac_units", "mac"))
    assert row.energy is not None
    assert row.energy.value == pytest.approx(picojoules * 1e-12)
    assert str(row.energy.kind) == "unconfirmed"


def test_a_narrow_memory_stalls_the_units_and_a_price_charges_it() -> None:
    graph = recurrent(features=40, hidden=30)
    wide, narrow = (evaluate(graph, chip("binary_lstm", memory_bits_per_cycle=n)) for n in (1000, 100))
    assert wide.totals.stall_cycles == 0
    assert narrow.totals.stall_cycles_by_cause["memory.read"] == narrow.totals.cycles - wide.totals.cycles > 0
    assert wide.totals.energy_j == pytest.approx(narrow.totals.energy_j)
    charged = evaluate(graph, chip("binary_lstm", memory_j_per_bit=1e-12))
    bits = 8 * charged.totals.bytes_by_memory["memory"]
    assert charged.totals.energy_j - wide.totals.energy_j == pytest.approx(bits * 1e-12)


@pytest.mark.parametrize("preset", ["binary_low_power", "ternary_low_power"])
def test_samples_of_a_batch_follow_one_another(preset: str) -> None:
    one, eight = (evaluate(load_ptb(batch), f"binary_lstm:{preset}") for batch in (1, 8))
    cells = [next(layer for layer in report.layers if layer.kind == "lstm") for report in (one, eight)]
    assert cells[1].cycles == 8 * cells[0].cycles


def load_ptb(batch: int) -> Graph:
    b = GraphBuilder("ptb")
    b.output(b.lstm(b.input("x", (3, batch, 20)), 30, name="cell"))
    return b.build()


def test_terms_are_added_subtracted_or_skipped() -> None:
    engine = Engine(PRESETS["ternary_low_power"])
    stored = np.array([[0b01, 0b11, 0b00, 0b01]])
    (sums,) = engine.products([(stored, np.array([5, 7, 11, -13]))])
    assert sums.tolist() == [5 - 7 - 13]
    assert (engine.additions, engine.subtractions, engine.skips) == (2, 1, 1)
    assert engine.clock == 1


@pytest.mark.parametrize(
    ("knobs", "place"),
    [
        ({"weights": "octal"}, "weights"),
        ({"memory_bits_per_cycle": 0}, "memory_bits_per_cycle"),
        ({"mac_units": 0}, "mac_units"),
        ({"memory_j_per_bit": -1e-12}, "memory_j_per_bit"),
        ({"clock_hz": float("inf")}, "clock_hz"),
        ({"activation_bits": 5}, "activation_bits"),
    ],
)
def test_bad_knobs_are_refused(knobs: dict[str, object], place: str) -> None:
    with pytest.raises(DesignError, match=rf"binary_lstm\.{place}: "):
        chip("binary_lstm", **knobs)


def test_convolutions_and_products_of_activations_are_refused_in_words() -> None:
    b = GraphBuilder("net")
    b.output(b.conv(b.input("x", (1, 2, 4, 4)), 3, 3, name="conv"))
    with pytest.raises(UnsupportedOp, match=r"net\.conv: .*recurrent and linear layers"):
        evaluate(b.build(), "binary_lstm")
    b = GraphBuilder("net")
    b.output(b.matmul(b.input("x", (2, 3)), b.input("y", (3, 4)), name="mm"))
    with pytest.raises(UnsupportedOp, match=r"net\.mm: .*both are activations"):
        evaluate(b.build(), "binary_lstm")


@pytest.mark.parametrize("preset", PRESETS)
def test_prepared_weights_have_the_format_of_the_design(preset: str) -> None:
    design = PRESETS[preset]
    prepared = ACCELERATOR.prepare(recurrent(), design)
    assert {prepared.tensors[name].format.bits for name in ("w", "r")} == {design.weight_bits}
    assert prepared.tensors["x"].format.bits == 12
