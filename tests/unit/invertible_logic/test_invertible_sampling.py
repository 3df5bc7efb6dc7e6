"""`hwsim run --clamp`: modes, odds, times, states, and clamps that are refused."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import hwsim
from hwsim.__main__ import main
from hwsim.commands.sampling import read_clamps
from hwsim.errors import InputError
from hwsim.model.sampling import Sampling
from hwsim.run import chip, load
from hwsim.sampling import SampledRun, sample

Run = Callable[..., tuple[int, str, str]]
FAST = ("--set", "runs=512")


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command and return its exit code, output and errors."""

    def call(*words: str) -> tuple[int, str, str]:
        code = main(["run", *words])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


def small(network: str = "multiplier_4x4", clamps: dict[str, int] | None = None, **knobs: Any) -> SampledRun:
    return sample(network, chip("invertible_logic", runs=knobs.pop("runs", 512), **knobs), clamps)


@pytest.mark.parametrize(
    ("clamps", "mode", "free", "answers"),
    [
        ({"P": 143}, "reverse", 8, 2),
        ({"A": 11, "B": 13}, "forward", 8, 1),
        ({"A": 11, "P": 143}, "partial", 4, 1),
        ({"P[3]": 1}, "partial", 15, 120),
        ({}, "free", 16, 256),
    ],
)
def test_modes_and_the_baseline_of_a_guess(
    clamps: dict[str, int], mode: str, free: int, answers: int
) -> None:
    found = small(clamps=clamps).sampling
    assert (found.mode, found.free_bits, found.answers) == (mode, free, answers)
    assert found.guess_ratio == answers / 2**free
    assert found.success_ratio > found.guess_ratio
    assert sum(state.count for state in found.states) <= found.attempts == 512
    for state in found.states:
        assert state.valid == (state.values["A"] * state.values["B"] == state.values["P"])
        assert all(state.values.get(name, value) == value for name, value in clamps.items())
    counts = [state.count for state in found.states]
    assert counts == sorted(counts, reverse=True)
    assert sum(state.count for state in found.states if state.valid) == found.valid_attempts or (
        found.distinct_states > len(found.states)
    )


def test_an_anneal_is_an_attempt_and_the_last_state_counts() -> None:
    one, four = small(clamps={"P": 143}), small(clamps={"P": 143}, anneals=4)
    assert four.sampling.attempts == 4 * one.sampling.attempts
    assert one.sampling.attempt_cycles == four.sampling.attempt_cycles == 512
    assert four.report.totals.cycles == 4 * one.report.totals.cycles
    assert four.attempt_j == pytest.approx(one.attempt_j)


def test_time_to_solution_is_the_formula() -> None:
    made = small(clamps={"P": 143})
    p = made.sampling.success_ratio
    cycles, seconds, joules = made.solution()
    assert cycles == pytest.approx(512 * math.log(0.01) / math.log(1 - p))
    assert seconds == pytest.approx(cycles / 100e6)
    assert joules == pytest.approx(cycles / 512 * made.report.totals.energy_j)


@pytest.mark.parametrize(("p", "expected"), [(0.0, math.inf), (0.5, 664.3856), (0.995, 100.0), (1.0, 100.0)])
def test_time_to_solution_at_its_ends(p: float, expected: float) -> None:
    made = Sampling({}, "free", "final state", 10, 5, 1, 1, 100, 1e6, -1, -1, (), 0)
    assert made.solution_cycles(p) == pytest.approx(expected)


def test_sequential_attempts_are_sweeps_over_all_spins() -> None:
    made = small("gate_and", {"Y": 1}, update="sequential", anneal_cycles=50)
    assert made.sampling.attempt_cycles == 150
    assert made.sampling.success_ratio > 0.9


def test_the_mode_of_an_anneal_is_scored_instead_of_its_end() -> None:
    knobs = {"noise_weight": 1, "i0_first_ratio": 1, "i0_last_ratio": 1, "anneal_cycles": 101}
    last = small("gate_and", {"A": 1, "B": 0}, counter_states="odd", **knobs)
    mode = small("gate_and", {"A": 1, "B": 0}, counter_states="odd", score="mode", **knobs)
    assert mode.sampling.success_ratio >= last.sampling.success_ratio
    assert mode.sampling.scored_by == "mode state"


def test_rarer_noise_is_less_noise() -> None:
    odds = [
        small("gate_and", {"Y": 0}, counter_states="odd", noise_weight=3, noise_probability=p,
              i0_first_ratio=1, i0_last_ratio=1, runs=4096).sampling.success_ratio
        for p in (1.0, 0.25)
    ]  # fmt: skip
    assert odds[1] > odds[0] + 0.05


def test_no_factors_in_range_is_no_answer(run: Run) -> None:
    made = small(clamps={"P": 17})
    assert made.sampling.answers == made.sampling.valid_attempts == 0
    assert made.sampling.lowest_energy > made.sampling.ground_energy
    assert made.verdict.startswith("no valid state: no inputs of the circuit give P=17")
    assert made.to_document()["solution_99"] is None
    code, out, _ = run("multiplier_4x4", "--on", "invertible_logic", *FAST, "--clamp", "P=17")
    assert code == 3
    assert "success    no valid state" in out
    assert "solved with" not in out


def test_never_solved_is_said_as_a_bound(run: Run) -> None:
    words = ("multiplier_8x8", "--on", "invertible_logic", *FAST, "--set", "anneal_cycles=8")
    code, out, _ = run(*words, "--clamp", "P=30173")
    assert code == 0
    assert "not solved in 512 attempts" in out
    assert "not seen; more than " in out
    document = small("multiplier_8x8", {"P": 30173}, anneal_cycles=8).to_document()
    assert document["solution_99"]["expected"]["time_s"] is None
    assert document["solution_99"]["at_least"]["cycles"] > 8
    json.dumps(document, allow_nan=False)


def test_answers_that_cannot_be_counted_are_warned_of(run: Run) -> None:
    words = ("multiplier_16x16", "--on", "invertible_logic", *FAST, "--set", "anneal_cycles=4")
    code, out, err = run(*words, "--clamp", "P=4294049777")
    assert code == 0
    assert "2^32 assignments of the free inputs are too many to try" in err
    assert "not known: too many assignments" in out
    made = small("multiplier_16x16", {"P": 4294049777}, anneal_cycles=4)
    assert made.sampling.guess_ratio is None


def test_the_command_prints_states_and_odds(run: Run) -> None:
    code, out, err = run("multiplier_4x4", "--on", "invertible_logic", "--clamp", "P=143")
    assert (code, err) == (0, "")
    assert "A=11  B=13  P=143" in out
    assert "█" in out
    assert "0.781%, 2 of 2^8 states; success is" in out
    assert "most frequent valid state: A=11, B=13, P=143" in out or "A=13, B=11" in out
    again = run("multiplier_4x4", "--on", "invertible_logic", "--clamp", "P=0b10001111")
    assert again[1].split("held")[1].split("\n", 1)[1] == out.split("held")[1].split("\n", 1)[1]


def test_json_holds_report_and_sampling(run: Run) -> None:
    words = ("multiplier_4x4", "--on", "invertible_logic", *FAST, "--clamp", "A=11,P=143", "--json")
    code, out, _ = run(*words)
    document = json.loads(out)
    assert code == 0
    assert document["totals"]["cycles"] == 512
    found = document["sampling"]
    assert found["clamps"] == {"A": 11, "P": 143}
    assert found["states"][0]["values"] == {"A": 11, "B": 13, "P": 143}
    assert found["guess_ratio"] == 1 / 16
    assert found["success"]["interval_95"][0] < found["success"]["ratio"] < found["success"]["interval_95"][1]
    times = found["solution_99"]
    assert times["at_least"]["cycles"] < times["expected"]["cycles"] < times["at_most"]["cycles"]


def test_several_presets_several_documents_and_nothing_held(run: Run) -> None:
    chips = "invertible_logic:annealed,invertible_logic:fixed"
    code, out, _ = run("gate_or", "--on", chips, *FAST, "--clamp", "none", "--json")
    assert code == 0
    documents = json.loads(out)
    assert [document["sampling"]["mode"] for document in documents] == ["free", "free"]
    code, out, err = run("gate_or", "--on", chips, *FAST, "--clamp", "none", "-q")
    assert (code, out, err) == (0, "", "")


def test_users_netlists_run_backwards(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "my.net"
    path.write_text(
        ".model compare\n.inputs A[0] A[1] B[0] B[1]\n.outputs equal\n.gate XOR A=A[0] B=B[0] Y=x0\n"
        ".gate XOR A=A[1] B=B[1] Y=x1\n.gate NOR A=x0 B=x1 Y=equal\n.end\n"
    )
    code, out, _ = run(str(path), "--on", "invertible_logic", "--clamp", "equal=1", "--clamp", "A=2")
    assert code == 0
    assert "most frequent valid state: A=2, B=2, equal=1" in out


def test_clamps_are_read_in_every_form() -> None:
    assert read_clamps(["P=143", "A=0b11,P[3]=1", " B = 0x2 "]) == {"P": 143, "A": 3, "P[3]": 1, "B": 2}
    assert read_clamps(["none"]) == {}
    assert read_clamps(["A=1", "A=0b1"]) == {"A": 1}
    with pytest.raises(InputError) as caught:
        read_clamps(["A=1", "A=2", "P", "=3", "B=x", "C="])
    assert [str(problem) for problem in caught.value.problems] == [
        "--clamp A: given twice: 1 and 2",
        "--clamp: 'P' is not of the form NAME=VALUE (or none, to hold nothing)",
        "--clamp: '=3' is not of the form NAME=VALUE (or none, to hold nothing)",
        "--clamp B: 'x' is no whole number (decimal, 0b... or 0x...)",
        "--clamp: 'C=' is not of the form NAME=VALUE (or none, to hold nothing)",
    ]


def test_all_wrong_clamps_are_said_at_once(run: Run) -> None:
    held = ("--clamp", "P=300", "--clamp", "A[0]=2,Q=1,and.0.9=1", "--clamp", "B=3,B[1]=0,A=-1")
    code, out, err = run("multiplier_4x4", "--on", "invertible_logic", *held)
    assert (code, out) == (2, "")
    lines = [line.removeprefix("hwsim: error: ") for line in err.splitlines()]
    assert lines == [
        "--clamp P: 300 does not fit 8 bits: 0 to 255",
        "--clamp A[0]: 2 is neither 0 nor 1",
        "--clamp Q: multiplier_4x4 has no bus and no wire of this name (known: A, B, P)",
        lines[3],
        "--clamp B[1]: B[1]=0 holds B[1] at 0, but B=3 holds it at 1",
        "--clamp A: -1 does not fit 4 bits: 0 to 15",
    ]
    assert lines[3].startswith("--clamp and.0.9: multiplier_4x4 has no bus and no wire of this name")


def test_values_from_python_are_checked_too() -> None:
    for value in (True, 1.0, "1"):
        with pytest.raises(InputError, match="is no whole number"):
            hwsim.sample("gate_and", "invertible_logic", {"A": value})  # type: ignore[dict-item]


def test_inner_wires_can_be_held() -> None:
    made = small("multiplier_3x3", {"m0.1": 1})
    assert made.sampling.mode == "partial"
    assert "inner wires are held" in made.sampling.warnings[0]
    assert made.sampling.answers == 16


def test_what_cannot_be_clamped_is_refused(run: Run) -> None:
    code, _, err = run("mlp_mnist", "--on", "systolic", "--clamp", "P=1")
    assert (code, "this chip cannot hold wires of a circuit" in err) == (2, True)
    code, _, err = run("multiplier_2x2", "--on", "invertible_logic", "--clamp", "P=1", "--batch", "2")
    assert (code, "2 samples at once cannot be clamped" in err) == (2, True)
    code, _, err = run("multiplier_2x2", "--on", "invertible_logic", "--clamp", "P=1", "--schedule", "cosma")
    assert (code, "run them apart" in err) == (2, True)
    with pytest.raises(InputError, match="this chip cannot hold wires"):
        hwsim.sample(load("gate_and"), "systolic", {})
    code, _, err = run("mlp_mnist", "--on", "invertible_logic", "--clamp", "none", "--on-unsupported", "host")
    assert (code, "cannot run it" in err) == (3, True)


@pytest.mark.parametrize(
    ("knobs", "what"),
    [
        ({"runs": 2**24, "anneals": 2**10}, "answers take"),
        ({"anneal_cycles": 2**24, "score": "mode"}, "states of every clock take"),
        ({"anneal_cycles": 2**24, "update": "sequential"}, "probabilities take"),
    ],
)
def test_runs_that_need_too_much_memory_are_refused(knobs: dict[str, Any], what: str) -> None:
    with pytest.raises(InputError, match=what):
        small(clamps={"P": 143}, **knobs)
