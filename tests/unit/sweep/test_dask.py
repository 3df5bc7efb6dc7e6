from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import hwsim
from hwsim.sweep import dask_engine, evaluation
from hwsim.sweep.errors import EngineLost, ForeignWorker
from hwsim.sweep.export import export
from hwsim.sweep.results import open_results
from hwsim.sweep.session import Counts
from tests.unit.sweep.spaces import space

distributed = pytest.importorskip("distributed", reason="the extra `dask` is not installed")
pytestmark = pytest.mark.slow
HALF: dict[str, Any] = {"chips": ["integral_sc"], "knobs": {"m": list(range(1, 20)), "input_seed": [1, 1000]}}


@pytest.fixture
def cluster() -> Iterator[Any]:
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=False, dashboard_address=None,
                                  host="127.0.0.1",
            protocol="tcp://", silence_logs=50) as made:  # fmt: skip
        yield made


def test_same_bytes_as_in_one_process(cluster: Any, tmp_path: Path) -> None:
    far = hwsim.sweep(space(**HALF), tmp_path / "far.db", engine="dask", scheduler=cluster.scheduler_address)
    assert (far.counts.computed, far.counts.failed) == (19, 19)
    hwsim.sweep(space(**HALF), tmp_path / "near.db")
    for name in ("far", "near"):
        export(open_results(tmp_path / f"{name}.db"), tmp_path / f"{name}.csv")
    assert (tmp_path / "far.csv").read_bytes() == (tmp_path / "near.csv").read_bytes()


def test_worker_with_another_hwsim_is_refused(
    cluster: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evaluation, "model_version", lambda accelerator: "another")
    with pytest.raises(ForeignWorker, match="integral_sc with model another"):
        hwsim.sweep(space(**HALF), tmp_path / "r.db", engine="dask", scheduler=cluster.scheduler_address)


def test_lost_scheduler_keeps_what_was_finished(cluster: Any, tmp_path: Path) -> None:
    given: dict[str, Any] = {"knobs": {"array_rows": list(range(1, 2000))}}

    def stop(counts: Counts) -> None:
        if counts.computed:
            cluster.close(timeout=5)

    with pytest.raises(EngineLost, match="the scheduler was lost"):
        hwsim.sweep(space(**given), tmp_path / "r.db", engine="dask", scheduler=cluster.scheduler_address,
                    watch=stop)  # fmt: skip
    assert 0 < len(open_results(tmp_path / "r.db")) < 1999


def test_unreachable_scheduler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dask_engine, "_CONNECT_S", 0.5)
    with pytest.raises(EngineLost, match="the scheduler cannot be reached"):
        hwsim.sweep(space(), tmp_path / "r.db", engine="dask", scheduler="tcp://127.0.0.1:1")
