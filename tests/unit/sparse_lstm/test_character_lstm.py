"""The trained networks: run again from their weights, they give the recorded numbers; the chip runs them."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from accelerators.sparse_lstm import ACCELERATOR
from accelerators.sparse_lstm.cell import Formats
from accelerators.sparse_lstm.design import Mode
from accelerators.sparse_lstm.lower import lower
from accelerators.sparse_lstm.machine import Chip, run_layer
from accelerators.sparse_lstm.operands import Layer, Sequence
from accelerators.sparse_lstm.zeros import ZeroStates
from hwsim.registry import load_workload
from hwsim.run import chip, evaluate
from tests.unit.sparse_lstm.networks import cycles, design
from workloads.character_lstm import model as characters
from workloads.character_lstm.text import decode, encode, held_out, paragraphs

MEASURED = tomllib.loads(Path(characters.__file__).with_name("measured.toml").read_text(encoding="utf-8"))
STEPS, SHORT = 1000, 12


@pytest.fixture(scope="module")
def text() -> characters.Ints:
    return characters.load_text()


@pytest.fixture(scope="module")
def masks(text: characters.Ints, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("masks") / "masks.npz"
    pruned = characters.load_model("pruned")
    np.savez(path, lstm0=characters.zero_states(pruned, text, characters.SEQUENCES))
    return path


def test_weights_are_small_and_eight_bits_wide() -> None:
    assert characters.TRAINED.stat().st_size < 1_000_000
    for name in ("dense", "pruned"):
        model = characters.load_model(name)
        assert model.hidden >= 128
        assert model.weight.dtype == model.recurrence.dtype == np.int8
        assert model.recurrence.shape == (model.hidden, 4 * model.hidden)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["dense", "pruned"])
def test_loss_is_the_recorded_one(name: str, text: characters.Ints) -> None:
    loss = characters.bits_per_character(characters.load_model(name), text)
    assert loss == pytest.approx(MEASURED["bits_per_character"][name], abs=5e-7)


@pytest.mark.slow
def test_zero_fractions_are_the_recorded_ones(masks: Path) -> None:
    zero = np.load(masks)["lstm0"]
    assert zero.shape == (STEPS, characters.SEQUENCES, characters.load_model("pruned").hidden)
    for row in MEASURED["batches"]:
        shared = zero[:, : row["batch"]].all(axis=1).mean()
        assert shared == pytest.approx(row["shared_zero_fraction"], abs=5e-7)
    assert MEASURED["batches"][0]["shared_zero_fraction"] > 0.8


@pytest.mark.slow
@pytest.mark.parametrize("row", MEASURED["batches"], ids=lambda row: f"batch {row['batch']}")
def test_speed_ups_are_the_recorded_ones(row: dict[str, Any], masks: Path) -> None:
    graph = load_workload("lstm_character", {"batch": row["batch"]})
    skip, dense = (
        evaluate(graph, chip("sparse_lstm", state_masks=str(masks), mode=mode)).layers[1] for mode in Mode
    )
    assert skip.name == "lstm0"
    assert (skip.cycles, dense.cycles) == (row["skip_cycles"], row["dense_cycles"])
    assert row["speed_up"] == pytest.approx(dense.cycles / skip.cycles, abs=5e-5)


@pytest.mark.parametrize("batch", [1, 4, 16])
def test_the_machine_runs_the_trained_network_bit_for_bit(batch: int, text: characters.Ints) -> None:
    """Real weights, real text: the machine finds the zeros itself, and the trace knows what they cost."""
    model = characters.load_model("pruned")
    rows = 4 * model.hidden
    layer = Layer(
        "lstm",
        model.weight[None],
        model.recurrence[None],
        model.bias[None].astype(np.int64),
        np.zeros((1, rows), np.int64),
        False,
        Formats(8, model.multiplier, model.shift),
    )
    start = np.zeros((1, batch, model.hidden), np.int64)
    fed = Sequence(text[:SHORT, :batch], start, start, True, None, model.threshold)
    machine = Chip(design())
    run = run_layer(machine, layer, fed, lambda _, step: step)
    expected = characters.run(model, text[:SHORT, :batch])
    assert np.array_equal(run.states[0], expected)
    sizes = {"batch": batch, "sequence_length": SHORT, "hidden": model.hidden}
    graph = load_workload("lstm_character", sizes)
    cell_only = replace(graph, ops=graph.ops[:2], outputs=graph.ops[1].outputs[:1])
    known = {"lstm0": ZeroStates((expected == 0).astype(np.uint8)[None], "the machine")}
    assert cycles(lower(cell_only, design(), known), design()) == machine.clock


def test_held_out_text_is_what_python_ships(text: characters.Ints) -> None:
    """Compare with the topics of this Python, if they are the ones the network was trained on."""
    whole, digest = paragraphs()
    shipped = encode(held_out(whole)[0]).reshape(characters.SEQUENCES, -1).T
    same = digest == MEASURED["text"]["topics_sha256"]
    assert np.array_equal(shipped, text) or not same
    assert decode(encode("a b\n~")) == "a b\n~"
    assert decode(encode("\t°")) == "??"


def test_the_readme_shows_the_recorded_numbers() -> None:
    readme = (ACCELERATOR.folder / "README.md").read_text(encoding="utf-8")
    loss = MEASURED["bits_per_character"]
    assert f"{loss['dense']:.3f} dense, {loss['pruned']:.3f} with" in readme
    assert f"a loss of {loss['pruned'] - loss['dense']:.3f}" in readme
    for row in MEASURED["batches"]:
        cells = f"{row['batch']} | {row['shared_zero_fraction']:.1%} | {row['dense_cycles']:,}"
        assert f"| {cells} | {row['skip_cycles']:,} | {row['speed_up']:.2f} |" in readme


def test_networks_of_other_sizes_have_no_weights_but_still_a_graph() -> None:
    small, trained = load_workload("lstm_character", {"hidden": 24}), load_workload("lstm_character")
    assert small.parameters < trained.parameters
