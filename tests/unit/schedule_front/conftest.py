from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from hwsim.__main__ import main
from hwsim.schedule.types import Problem

GRAPHS = Path(__file__).parents[2] / "data" / "schedule_graphs.json"


@dataclass
class Outcome:
    code: int
    out: str
    err: str


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Callable[..., Outcome]:
    """Run `hwsim schedule` with these words in this process."""

    def run(*words: object) -> Outcome:
        code = main(["schedule", *map(str, words)])
        captured = capsys.readouterr()
        return Outcome(code, captured.out, captured.err)

    return run


@pytest.fixture(scope="session")
def known() -> dict[str, Problem]:
    """Return the graphs with known optima, by name."""
    return {graph["name"]: Problem.from_blocks(graph) for graph in json.loads(GRAPHS.read_text())["graphs"]}
