"""`hwsim schedule`: choices that do not exist, runs that say nothing, and sweeps that are stopped."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hwsim.schedule import sweep as sweeps
from tests.unit.schedule_front.conftest import GRAPHS, Outcome

Command = Callable[..., Outcome]
SMALL = '{"size": [1, 2, 1], "ins": [[], [0], [0, 1]]}'


@pytest.fixture
def small(tmp_path: Path) -> Path:
    path = tmp_path / "small.json"
    path.write_text(SMALL)
    return path


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--fusion", "tail"), "--fusion: unknown choice 'tail' (did you mean 'tails'?)"),
        (("--weights", "tensor"), "--weights: unknown choice 'tensor' (did you mean 'tensors'?)"),
        (("--graph", "g"), "--graph g: only a .json file holds several graphs"),
    ],
)
def test_choices_that_do_not_exist(command: Command, words: tuple[str, ...], said: str) -> None:
    outcome = command("lenet5", "--scratchpad", "64KiB", *words)
    assert outcome.code == 2
    assert said in outcome.err


def test_combinations_that_make_no_sense(command: Command, small: Path, tmp_path: Path) -> None:
    plan = tmp_path / "plan.json"
    assert command(small, "--scratchpad", "4blocks", "-q", "-o", plan).code == 0
    written = command(small, "--verify", plan, "-o", tmp_path / "other.json")
    assert "--verify: writes no file (leave out --output)" in written.err
    form = command(small, "--sweep", "3blocks:4blocks", "--formulation", "paper")
    assert "--formulation: a sweep always uses the portfolio" in form.err


def test_quiet_runs_print_nothing(command: Command, small: Path, tmp_path: Path) -> None:
    plan = tmp_path / "plan.json"
    for words in (
        ("--scratchpad", "4blocks", "-o", plan),
        ("--verify", plan),
        ("--verify", plan, "--scratchpad", "4blocks"),
        ("--sweep", "3blocks:4blocks"),
    ):
        outcome = command(small, *words, "-q")
        assert (outcome.code, outcome.out, outcome.err) == (0, "", "")


def test_a_sweep_below_every_feasible_size_names_the_operator(command: Command, small: Path) -> None:
    outcome = command(small, "--sweep", "1blocks:2blocks")
    assert outcome.code == 3
    assert "needs" in outcome.err


def test_a_scratchpad_that_is_too_small_is_a_document_as_well(command: Command, small: Path) -> None:
    outcome = command(small, "--scratchpad", "1blocks", "--json")
    assert outcome.code == 3
    assert json.loads(outcome.out)["status"] == "INFEASIBLE"


def test_a_sweep_that_is_stopped_keeps_what_is_done(
    command: Command, small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = sweeps.sweep_budgets

    def stopped(*given: Any, **options: Any) -> Any:
        return replace(real(*given, **options), interrupted=True)

    monkeypatch.setattr(sweeps, "sweep_budgets", stopped)
    outcome = command(small, "--sweep", "3blocks:4blocks")
    assert outcome.code == 130
    assert "interrupted; the sizes above are done" in outcome.err
    assert outcome.out


def test_a_graph_of_a_collection(command: Command) -> None:
    outcome = command(GRAPHS, "--graph", "DARTS-1d", "--scratchpad", "180blocks")
    assert outcome.code == 2
    assert "holds no graph called 'DARTS-1d'" in outcome.err
