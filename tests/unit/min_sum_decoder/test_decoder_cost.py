"""Counts, cycles and prices of the decoder, and everything it refuses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwsim.__main__ import main
from hwsim.errors import DesignError, InputError
from hwsim.functional import read_arrays
from hwsim.graph.build import GraphBuilder
from hwsim.graph.ops import work_of
from hwsim.graph.tanner import decoder
from hwsim.graph.types import Role
from hwsim.graph.verify import verify_graph
from hwsim.model.types import Counted
from hwsim.report.rate import Rate
from hwsim.run import chip, evaluate, load
from tests.examples import examples
from tests.unit.min_sum_decoder.test_alist import HAMMING
from tests.unit.min_sum_decoder.test_decoding import counts, monte_carlo
from workloads.codes.constructions import array_code

EDGES, DEGREE, CHECKS = 432, 24, 18


def evaluated(network: str = "bch_63_45", preset: str = "min_sum", batch: int = 1, **knobs: Any) -> Any:
    return evaluate(load(network, batch=batch), chip(f"min_sum_decoder:{preset}", **knobs))


@examples(30)
@given(st.integers(1, 500), st.integers(1, 12), st.integers(1, 4))
def test_cycles_are_two_sweeps_over_the_edges(processors: int, iterations: int, frames: int) -> None:
    found = evaluated(batch=frames, edge_processors=processors, iterations=iterations)
    assert found.totals.cycles == frames * iterations * 2 * -(-EDGES // processors)


def test_combined_phases_take_one_clock_an_iteration_and_need_all_processors() -> None:
    assert evaluated(edge_processors=EDGES, iterations=7, combined_phases=True).totals.cycles == 7
    with pytest.raises(InputError, match=r"needs a processor for each of 432 edges, there are 431") as caught:
        evaluated(edge_processors=EDGES - 1, combined_phases=True)
    assert "set edge_processors=432" in str(caught.value)


@pytest.mark.parametrize(
    ("preset", "search", "expected"),
    [
        ("min_sum", "tournament", {"add": 864, "compare": 486, "logic": 846}),
        ("min_sum", "sequential", {"add": 864, "compare": 810, "logic": 846}),
        ("offset_min_sum", "tournament", {"add": 864 + 432, "compare": 486 + 432, "logic": 846}),
        ("normalized_min_sum", "tournament", {"add": 864, "compare": 486, "logic": 846, "multiply": 432}),
        ("sum_product", "tournament", {"add": 864, "special": 864, "multiply": 3 * 18 * 22}),
    ],
)
def test_work_of_all_iterations(preset: str, search: str, expected: dict[str, int]) -> None:
    target = chip(f"min_sum_decoder:{preset}", search=search, iterations=3)
    prepared = target.accelerator.prepare(load("bch_63_45"), target.design)
    verify_graph(prepared)
    total: dict[str, int] = {}
    for op in prepared.ops:
        for name, count in work_of(prepared, op).primitives.items():
            total[name] = total.get(name, 0) + count
    assert total == {name: 3 * count for name, count in expected.items()}
    assert len(prepared.ops) == 6


def test_offset_min_sum_has_no_multiplications() -> None:
    found = evaluated(preset="neural_offset_min_sum")
    assert not [row for row in found.events if row.unit == "multipliers" and row.count]
    assert [row for row in evaluated(preset="neural_normalized_min_sum").events if row.unit == "multipliers"]


@pytest.mark.parametrize(("sharing", "weights"), [("all", 1), ("iterations", 432), ("none", 5 * 432)])
def test_weights_follow_their_sharing(sharing: str, weights: int) -> None:
    target = chip("min_sum_decoder:neural_offset_min_sum", weight_sharing=sharing)
    prepared = target.accelerator.prepare(load("bch_63_45"), target.design)
    verify_graph(prepared)
    assert prepared.parameters == weights
    assert {tensor.name.rpartition(".")[2] for tensor in prepared.weights} == {"offsets"}
    assert all(tensor.role is Role.WEIGHT for tensor in prepared.weights)


def test_totals_are_wide_enough_for_every_sum() -> None:
    for name in ("hamming_7_4", "bch_63_36"):
        target = chip("min_sum_decoder")
        prepared = target.accelerator.prepare(load(name), target.design)
        variables = prepared.ops[1].ints("variables")
        widest = max(variables.count(variable) for variable in variables)
        bits = prepared.tensors[prepared.outputs[0]].format.bits
        assert 2 ** (bits - 2) <= 31 * (widest + 1) <= 2 ** (bits - 1) - 1


def test_energy_grows_with_bits_and_falls_with_the_square_of_the_supply() -> None:
    joules = [evaluated(llr_bits=bits, llr_steps_ratio=2.0).totals.energy_j for bits in (4, 6, 8)]
    assert joules[0] < joules[1] < joules[2]
    high, low = (evaluated(supply_v=supply) for supply in (1.0, 0.5))

    def switched(report: Any) -> float:
        return sum(row.energy_j for row in report.events if row.action != "leakage")

    assert switched(low) == pytest.approx(switched(high) / 4)


@pytest.mark.parametrize(
    ("knobs", "message"),
    [
        ({"stored_edges": 400}, r"432 edges, the message memory has room for 400 .*stored_edges=432"),
        ({"stored_codeword_bits": 60}, r"codewords of 63 bits, .* room for 60"),
        ({"rule": "sum_product", "llr_bits": 12}, r"12 bits at 2 steps reach LLRs of 1024; .* up to 24"),
    ],
)
def test_what_the_chip_has_no_room_for(knobs: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        evaluated(**knobs)


@pytest.mark.parametrize(
    ("knobs", "message"),
    [
        ({"offset_ratio": -0.1}, "offset_ratio"),
        ({"factor_ratio": -1}, "factor_ratio"),
        ({"llr_bits": 1}, "llr_bits"),
        ({"rule": "minsum"}, "did you mean 'min_sum'"),
        ({"iterations": 0}, "iterations"),
        ({"edge_processors": 0}, "edge_processors"),
    ],
)
def test_knobs_out_of_range(knobs: dict[str, Any], message: str) -> None:
    with pytest.raises(DesignError, match=message):
        chip("min_sum_decoder", **knobs)


def test_networks_of_layers_are_refused_in_words() -> None:
    with pytest.raises(InputError, match=r"no step of a message-passing decoder.*alist"):
        evaluate("mlp_mnist", "min_sum_decoder")


def test_a_code_on_another_chip_is_costed_as_vector_work_or_refused() -> None:
    assert evaluate("hamming_7_4", "systolic").totals.cycles > 0
    with pytest.raises(InputError, match="check_nodes"):
        evaluate("hamming_7_4", "integral_sc")


GOOD: dict[str, Any] = {"ebn0_db": [3.0], "frames": 10}
NEURAL = {"rule": "offset_min_sum", "weight_sharing": "iterations"}


@pytest.mark.parametrize(
    ("change", "knobs", "message"),
    [
        ({"ebn0_db": None}, {}, "ebn0_db: missing"),
        ({"ebn0_db": []}, {}, r"ebn0_db: has shape \[0\]"),
        ({"ebn0_db": [[1.0]]}, {}, r"ebn0_db: has shape \[1, 1\]"),
        ({"ebn0_db": [1.0, 1.0]}, {}, "1.0 is given twice"),
        ({"ebn0_db": [100.0]}, {}, "100.0 is outside -30 to 60 dB"),
        ({"ebn0_db": [float("nan")]}, {}, "not finite"),
        ({"frames": 0}, {}, "0 is no whole number from 1"),
        ({"frames": 1.5}, {}, "1.5 is no whole number"),
        ({"frames": [5]}, {}, r"\[5\] is no whole number"),
        ({"seed": -1}, {}, "-1 is no whole number from 0"),
        ({"belief_propagation": 2}, {}, "2 is no whole number from 0 to 1"),
        ({"frame": 5}, {}, "frame: no such setting .*did you mean 'frames'"),
        ({"offsets": 0.5}, {}, "offsets: the rule min_sum takes none"),
        ({"factors": 0.5}, {"rule": "offset_min_sum"}, "factors: the rule offset_min_sum takes none"),
        ({}, NEURAL, "offsets: missing: 432 numbers for weight_sharing=iterations"),
        ({"offsets": np.zeros(431)}, NEURAL, "has 431 numbers, .* needs 432 numbers: 5 iterations"),
        ({"offsets": np.full(432, -0.25)}, NEURAL, "holds -0.25, must not be below 0"),
        ({"offsets": np.full(432, np.inf)}, NEURAL, "not finite"),
        ({"factors": 4.5}, {"rule": "normalized_min_sum"}, "holds 4.5, must not be above 4"),
        ({"factors": "a"}, {"rule": "normalized_min_sum"}, "numbers are needed"),
    ],
)
def test_bad_settings_are_refused(change: dict[str, Any], knobs: dict[str, Any], message: str) -> None:
    data = {name: value for name, value in (GOOD | change).items() if value is not None}
    with pytest.raises(InputError, match=message):
        monte_carlo("bch_63_45", data, **knobs)


def test_all_bad_settings_are_named_at_once() -> None:
    with pytest.raises(InputError) as caught:
        monte_carlo("bch_63_45", {"ebn0_db": [99.0], "frames": -1, "seeds": 1, "offsets": 1.0})
    assert {problem.where for problem in caught.value.problems} == {
        f"data.{name}" for name in ("ebn0_db", "frames", "seeds", "offsets")}


def test_a_graph_that_is_no_decoder_has_no_values() -> None:
    b = GraphBuilder("half")
    operands = [b.input("llr", (1, 4)), b.state("messages", (1, 4))]
    b.output(b.add("variable_nodes", operands, name="op", variables=(0, 1, 2, 3)))
    with pytest.raises(InputError, match="half: is no decoder"):
        monte_carlo(b.build(), GOOD)


def test_a_code_too_large_to_encode_is_costed_but_not_run() -> None:
    graph = decoder("huge", array_code(3499, 3, 6))
    with pytest.raises(InputError, match="huge: 10497 x 20994 checks are too many to encode densely"):
        monte_carlo(graph, GOOD)


def test_overflowing_llrs_are_warned_and_never_wrap() -> None:
    result = monte_carlo("bch_63_45", {"ebn0_db": 20.0, "frames": 64}, llr_bits=2, llr_steps_ratio=8.0)
    assert "100% of the channel's LLRs saturate at 20 dB" in result.warnings[0]
    assert counts(result)[0]["bit_error"][0] == 0


def test_bits_that_fail_together_widen_the_interval() -> None:
    (point,) = monte_carlo("bch_63_45", {"ebn0_db": 4.0, "frames": 640}).points
    bits, frames = point.rates["bit_error"], point.rates["frame_error"]
    assert (frames.trials, frames.independent_share) == (640, 1.0)
    assert bits.trials == 640 * 63
    assert 1 / 63 <= bits.independent_share < 1 / 3
    alone = Rate(bits.count, bits.trials).interval
    together = Rate.of(bits).interval
    assert together[0] < alone[0] < bits.count / bits.trials < alone[1] < together[1]


def test_intervals_cover_the_truth_as_often_as_they_say() -> None:
    """40 small runs against one large: the bit error rate lies in about 95 % of their intervals."""
    data = {"ebn0_db": 3.0, "belief_propagation": 0}
    large = monte_carlo("bch_15_11", data | {"frames": 200_000, "seed": 99}).points[0].rates
    inside = {"frame_error": 0, "bit_error": 0}
    for seed in range(100):
        rates = monte_carlo("bch_15_11", data | {"frames": 256, "seed": seed}).points[0].rates
        for name in inside:
            low, high = Rate.of(rates[name]).interval
            inside[name] += low <= large[name].count / large[name].trials <= high
    assert 88 <= inside["frame_error"] <= 100
    assert 88 <= inside["bit_error"] <= 100


def test_a_rate_of_zero_has_an_interval() -> None:
    low, high = Rate.of(Counted(0, 6300, 100 / 6300)).interval
    assert low == 0
    assert high == pytest.approx(1.96**2 / (100 + 1.96**2), rel=1e-3)


def test_settings_are_read_from_toml(tmp_path: Path) -> None:
    path = tmp_path / "channel.toml"
    path.write_text("ebn0_db = [1, 2.5]\nframes = 10\noffsets = [[0.5, 0.25]]\n")
    arrays = read_arrays(path)
    assert arrays["ebn0_db"].tolist() == [1.0, 2.5]
    assert arrays["frames"].shape == ()
    assert arrays["offsets"].shape == (1, 2)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("ebn0_db = ", "is not valid TOML"),
        ("frames = 'many'", r"channel\.toml\.frames: 'many' is no number"),
        ("frames = [1, [2]]", "is no number and no list of numbers"),
        ("[frames]\nx = 1", "is no number and no list of numbers"),
        ("frames = 1979-05-27", "is no number"),
    ],
)
def test_bad_toml_is_refused(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "channel.toml"
    path.write_text(content)
    with pytest.raises(InputError, match=message):
        read_arrays(path)


def test_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, channel = tmp_path / "code.alist", tmp_path / "channel.toml"
    code.write_text(HAMMING)
    channel.write_text("ebn0_db = [2.0, 4.0]\nframes = 128\n")
    words = ["run", str(code), "--on", "min_sum_decoder", "--functional", str(channel)]
    assert main(words) == 0
    shown = capsys.readouterr().out
    for part in ("checks_5", "ebn0_db", "frame error", "(7, 4) code", "95 % confidence"):
        assert part in shown
    assert main([*words, "--json"]) == 0
    first = capsys.readouterr().out
    points = json.loads(first)["functional"]["points"]
    assert [point["ebn0_db"] for point in points] == [2.0, 4.0]
    assert points[0]["frame_error"]["trials"] == 128
    assert points[0]["frame_error"]["count"] > points[1]["frame_error"]["count"]
    assert main([*words, "--json"]) == 0
    assert capsys.readouterr().out == first
    channel.write_text("ebn0_db = 1\nframe = 128\nseed = -1\n")
    assert main(words) == 2
    complaint = capsys.readouterr().err
    assert f"{channel}.frame: no such setting (did you mean 'frames'?)" in complaint
    assert f"{channel}.seed: -1 is no whole number" in complaint
    code.write_text(HAMMING.replace("1 3 5 7", "1 3 5 9").replace("2 0 0", "2 2 0"))
    assert main(words) == 2
    complaint = capsys.readouterr().err
    assert f"{code}:12" in complaint
    assert f"{code}:6" in complaint
    assert "Traceback" not in complaint
