"""A sweep killed with SIGKILL at random moments loses no finished point and gains no other."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hwsim.sweep import evaluation, session
from hwsim.sweep.driver import Options, run_plan
from hwsim.sweep.evaluation import Measured
from hwsim.sweep.export import export
from hwsim.sweep.metrics import TOTALS
from hwsim.sweep.plan import Plan
from hwsim.sweep.results import open_results
from hwsim.sweep.session import Counts
from tests.unit.sweep.spaces import plan

KILLS, POINTS = 60, 4000


def quick(families: Any, designs: Any) -> Measured:
    """Stand for an evaluation: figures that tell the designs apart, at no cost."""
    rows = np.array([design.array_rows for design in designs])
    time.sleep(0.0005)
    return Measured(range(len(rows)), {name: rows if name == "cycles" else rows / 7 for name in TOTALS}, {})


def run_until_killed(made: Plan, path: Path, delay_s: float) -> tuple[int, bool]:
    """Run the sweep in a process that is killed; return the points it had stored, and whether it ended."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        code = 1
        try:

            def tell(counts: Counts) -> None:
                os.write(write, (counts.computed + counts.reused).to_bytes(8, "big"))

            run_plan(made, path, Options("inprocess"), tell)
            code = 0
        finally:
            os._exit(code)
    os.close(write)
    time.sleep(delay_s)
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    with os.fdopen(read, "rb") as told:
        content = told.read()
    assert not os.WIFEXITED(status) or os.WEXITSTATUS(status) == 0
    whole = len(content) // 8
    return int.from_bytes(content[8 * (whole - 1) : 8 * whole], "big") if whole else 0, os.WIFEXITED(status)


def stored(path: Path) -> dict[bytes, tuple[int, int]]:
    """Return cycles and position by key, as any reader sees them; SQLite finds nothing wrong."""
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        if not db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            return {}
        if "cycles" not in {row[1] for row in db.execute("PRAGMA table_info(points)")}:
            return {}
        rows = db.execute("SELECT key, cycles, position FROM points").fetchall()
    assert len({row[0] for row in rows}) == len(rows) == len({row[2] for row in rows})
    return {key: (cycles, position) for key, cycles, position in rows}


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="the test forks the process that it kills")
def test_killed_sweeps_lose_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluation, "evaluate_designs", quick)
    monkeypatch.setattr(session, "CHUNK_S", 0.002)
    made = plan(knobs={"array_rows": {"from": 1, "to": POINTS, "step": 1}})
    chance, kills, inside, number = random.Random(8), 0, 0, 0
    path, before = tmp_path / "0.db", dict[bytes, tuple[int, int]]()
    while kills < KILLS:
        known, ended = run_until_killed(made, path, chance.uniform(0.0, 0.12))
        kills += not ended
        if not path.exists():
            continue
        after = stored(path)
        assert len(after) >= known
        assert {key: after.get(key) for key in before} == before
        assert all(cycles == position + 1 for cycles, position in after.values())
        inside += 0 < len(after) < POINTS
        before = after
        if ended:
            number += 1
            path, before = tmp_path / f"{number}.db", {}
    assert inside >= 30
    rest = run_plan(made, path, Options("inprocess"), lambda counts: None)
    assert rest.counts.computed == POINTS - len(before)
    assert rest.counts.reused == len(before)
    run_plan(made, tmp_path / "whole.db", Options("inprocess"), lambda counts: None)
    for name in (path, tmp_path / "whole.db"):
        export(open_results(name), name.with_suffix(".csv"))
    assert path.with_suffix(".csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()
