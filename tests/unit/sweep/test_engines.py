from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import hwsim
from hwsim.sweep import engines
from hwsim.sweep.errors import EngineLost, ForeignWorker
from hwsim.sweep.export import export
from hwsim.sweep.results import open_results
from tests.unit.sweep import faulty_worker
from tests.unit.sweep.spaces import space

FOLDER = Path(__file__).parent


@pytest.fixture
def faulty(monkeypatch: pytest.MonkeyPatch) -> Any:
    def use(*words: str) -> None:
        monkeypatch.setattr(engines, "WORKER", ("-m", faulty_worker.__name__, *words))

    monkeypatch.setenv("PYTHONPATH", str(FOLDER.parents[2]))
    use()
    return use


@pytest.mark.slow
def test_dead_and_slow_workers_cost_one_point_each(faulty: Any, tmp_path: Path) -> None:
    rows = list(range(8, 20))
    done = hwsim.sweep(space(knobs={"array_rows": rows}), tmp_path / "r.db", engine="local", workers=2,
                       time_limit_s=1.0)  # fmt: skip
    failed = {row.knobs["array_rows"]: row.error for row in done.results.rows("failed")}
    assert failed == {
        faulty_worker.DIES: "the worker process died (exit code 3)",
        faulty_worker.HANGS: "took longer than the time limit of 1 s",
    }
    assert (done.counts.computed, done.counts.failed) == (len(rows) - 2, 2)
    again = hwsim.sweep(space(knobs={"array_rows": rows}), tmp_path / "r.db", retry_failed=True)
    assert (again.counts.computed, again.counts.reused, again.counts.failed) == (2, len(rows) - 2, 0)
    hwsim.sweep(space(knobs={"array_rows": rows}), tmp_path / "s.db")
    for name in ("r", "s"):
        export(open_results(tmp_path / f"{name}.db"), tmp_path / f"{name}.csv")
    assert (tmp_path / "r.csv").read_bytes() == (tmp_path / "s.csv").read_bytes()


def test_worker_with_another_hwsim_stops_the_sweep(faulty: Any, tmp_path: Path) -> None:
    faulty("foreign")
    with pytest.raises(ForeignWorker, match="systolic with model another"):
        hwsim.sweep(space(), tmp_path / "r.db", engine="local", workers=1)
    assert not (tmp_path / "r.db").exists()


def test_worker_that_never_begins(faulty: Any, tmp_path: Path) -> None:
    faulty("stillborn")
    with pytest.raises(EngineLost, match="exit code 7"):
        hwsim.sweep(space(), tmp_path / "r.db", engine="local", workers=1)


def test_workers_end_with_their_sweep(tmp_path: Path) -> None:
    pool = engines.LocalPool(_setup(), 2, None)
    processes = [worker._process for worker in pool._team]
    pool.close()
    assert all(process.poll() is not None for process in processes)


def _setup() -> Any:
    from hwsim.sweep.driver import setup_of
    from tests.unit.sweep.spaces import plan

    return setup_of(plan())
