from __future__ import annotations

import math
import os
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import hwsim
from hwsim import run
from hwsim.errors import InputError
from hwsim.sweep import evaluation, identity
from hwsim.sweep.driver import Options, check_options, run_plan, setup_of
from hwsim.sweep.errors import ForeignWorker
from hwsim.sweep.evaluation import Chunk, Evaluator, Measured
from hwsim.sweep.export import export
from hwsim.sweep.metrics import TOTALS
from hwsim.sweep.pareto import front
from hwsim.sweep.points import blocks
from hwsim.sweep.results import open_results
from hwsim.sweep.session import Counts
from tests.unit.sweep.spaces import NETWORK, plan, space

KNOBS: dict[str, Any] = {"array_rows": [8, 16, 32], "clock_hz": ["200 MHz", "1 GHz"]}
# Seeds that start equal numbers on both operands are refused: two of these four points fail.
HALF: dict[str, Any] = {"chips": ["integral_sc"], "knobs": {"m": [1, 2], "input_seed": [1, 1000]}}


def counts_of(counts: Counts) -> tuple[int, int, int, int]:
    return counts.computed, counts.reused, counts.failed, counts.repeated


def exported(path: Path) -> bytes:
    target = path.with_suffix(".csv")
    export(open_results(path), target)
    return target.read_bytes()


def test_points_equal_single_evaluations(tmp_path: Path) -> None:
    done = hwsim.sweep(space(knobs=KNOBS, batch=[1, 3]), tmp_path / "r.db")
    assert counts_of(done.counts) == (12, 0, 0, 0)
    for row in done.rows():
        report = run.evaluate(run.load(NETWORK, batch=row.batch), run.chip("systolic", **row.knobs))
        for name in TOTALS:
            alone = getattr(report.totals, name)
            # Sums over layers may be taken in another order than in a report: joules to the last bits.
            assert row.metrics[name] == (alone if type(alone) is int else pytest.approx(alone, rel=1e-13))
        assert row.metrics["energy_delay_js"] == row.metrics["energy_j"] * row.metrics["time_s"]


def test_results_do_not_depend_on_their_company() -> None:
    setup = setup_of(plan(knobs={"array_rows": 1, "clock_hz": 1e9}))
    rows = tuple((count, clock_hz) for count in range(4, 24) for clock_hz in (1e8, 3.3e8))
    whole = Evaluator(setup).evaluate(Chunk(0, rows)).columns
    for size in (1, 7, 17):
        evaluator = Evaluator(setup)
        parts = [evaluator.evaluate(Chunk(0, rows[start : start + size])).columns
                 for start in range(0, len(rows), size)]  # fmt: skip
        for name, column in whole.items():
            assert [value for part in parts for value in part[name]] == column


def test_same_call_goes_on_where_it_stopped(tmp_path: Path) -> None:
    path = tmp_path / "r.db"
    assert counts_of(hwsim.sweep(space(knobs=KNOBS, limit=2), path).counts) == (2, 0, 0, 0)
    assert counts_of(hwsim.sweep(space(knobs=KNOBS), path).counts) == (4, 2, 0, 0)
    first = exported(path)
    done = hwsim.sweep(space(knobs=KNOBS), path)
    assert counts_of(done.counts) == (0, 6, 0, 0)
    assert done.summary == "computed 0, reused 6, failed 0"
    runs = done.results.runs
    assert [row.run for row in done.rows()] == [1, 1, 2, 2, 2, 2]
    assert [runs[run]["space"]["limit"] for run in (1, 2, 3)] == [2, None, None]
    assert runs[1]["chips"] == done.results.provenance["chips"]
    assert exported(path) == first
    fewer = hwsim.sweep(space(knobs={"array_rows": [32, 8]}), path)
    assert [row.knobs["array_rows"] for row in fewer.rows()] == [32, 8]
    assert counts_of(fewer.counts) == (2, 0, 0, 0)


def test_equal_points_are_computed_once(tmp_path: Path) -> None:
    chips = ["systolic:edge_32", "systolic:scalesim_compatible"]
    knobs = run.chip("systolic").design.model_dump(mode="json")
    done = hwsim.sweep(space(chips=chips, knobs=knobs), tmp_path / "r.db")
    assert counts_of(done.counts) == (1, 0, 0, 1)
    again = hwsim.sweep(space(chips=chips, knobs=knobs), tmp_path / "r.db")
    assert [row.position for row in again.rows()] == [0]
    assert counts_of(again.counts) == (0, 1, 0, 1)


def test_failed_points_are_rows_and_wait_for_a_retry(tmp_path: Path) -> None:
    path = tmp_path / "r.db"
    done = hwsim.sweep(space(**HALF), path)
    assert counts_of(done.counts) == (2, 0, 2, 0)
    failed = list(done.results.rows("failed"))
    assert [row.knobs["input_seed"] for row in failed] == [1000, 1000]
    assert "start the same numbers" in failed[0].error
    assert failed[0].metrics == {}
    assert counts_of(hwsim.sweep(space(**HALF), path).counts) == (0, 2, 2, 0)
    assert counts_of(hwsim.sweep(space(**HALF), path, retry_failed=True).counts) == (0, 2, 2, 0)
    assert all(row.status == "done" for row in done.pareto())


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
def test_local_workers_give_the_same_bytes(workers: int, tmp_path: Path) -> None:
    given = {"chips": ["systolic", "integral_sc"], "knobs": {"clock_hz": [1e8, 2e8, 4e8], **{
        "integral_sc": HALF["knobs"]}}}  # fmt: skip
    hwsim.sweep(space(**given), tmp_path / "one.db")
    hwsim.sweep(space(**given), tmp_path / "many.db", engine="local", workers=workers)
    assert exported(tmp_path / "one.db") == exported(tmp_path / "many.db")


def test_other_model_is_never_served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "r.db"
    hwsim.sweep(space(knobs=KNOBS), path)
    accelerator = run.chip("systolic").accelerator
    real = identity.model_version(accelerator)
    for module in ("hwsim.sweep.driver", "hwsim.sweep.evaluation"):
        monkeypatch.setattr(f"{module}.model_version", lambda accelerator: real + "x")
    assert counts_of(hwsim.sweep(space(knobs=KNOBS), path).counts) == (6, 0, 0, 0)
    assert len(open_results(path)) == 6


def test_model_version_follows_the_source(tmp_path: Path) -> None:
    (tmp_path / "lower.py").write_text("a = 1\n")
    (tmp_path / "README.md").write_text("words")
    before = identity._digest(tmp_path, ())
    identity._digest.cache_clear()
    (tmp_path / "README.md").write_text("other words")
    assert identity._digest(tmp_path, ()) == before
    identity._digest.cache_clear()
    (tmp_path / "lower.py").write_text("a = 2\n")
    assert identity._digest(tmp_path, ()) != before
    identity._digest.cache_clear()


def test_worker_of_another_version_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    setup = setup_of(plan(knobs=KNOBS))
    monkeypatch.setattr(evaluation, "model_version", lambda accelerator: "another")
    with pytest.raises(ForeignWorker, match="a worker computes systolic with model another"):
        Evaluator(setup).evaluate(Chunk(0, ((8, 1e9),)))


def test_results_that_are_no_numbers_never_win(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = evaluation.evaluate_designs

    def spoiled(*given: Any) -> Measured:
        found = real(*given)
        cycles = found.columns["cycles"]
        spoils = {"energy_j": np.where(cycles == cycles.min(), -math.inf, 1.0)}
        return Measured(found.index, {**found.columns, **spoils}, found.errors)

    monkeypatch.setattr(evaluation, "evaluate_designs", spoiled)
    done = hwsim.sweep(space(knobs=KNOBS), tmp_path / "r.db")
    assert done.counts.failed >= 1
    assert {row.error for row in done.results.rows("failed")} == {"energy_j is -inf, which is no result"}
    assert all(math.isfinite(row.metrics["energy_j"]) for row in done.pareto())


def test_a_point_that_raises_takes_no_other_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = evaluation.evaluate_designs

    def fragile(families: Any, designs: Any) -> Measured:
        if any(design.array_rows == 16 for design in designs):
            raise ZeroDivisionError("oh")
        return real(families, designs)

    monkeypatch.setattr(evaluation, "evaluate_designs", fragile)
    done = hwsim.sweep(space(knobs={"array_rows": [8, 16, 32]}), tmp_path / "r.db")
    assert counts_of(done.counts) == (2, 0, 1, 0)
    assert [row.error for row in done.rows()] == ["", "ZeroDivisionError: oh", ""]


def test_contradictory_constraints_compute_nothing(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no point fulfils all constraints"):
        hwsim.sweep(space(constraints=["array_rows < 1"]), tmp_path / "r.db")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (Options("locla"), "did you mean 'local'?"),
        (Options("local", 0), "0 workers"),
        (Options("local", "2"), "'2' workers"),  # type: ignore[arg-type]
        (Options(time_limit_s="2"), "no time limit"),  # type: ignore[arg-type]
        (Options("inprocess", 3), "need --engine local"),
        (Options(time_limit_s=0.0), "no time limit"),
        (Options("dask"), "a scheduler belongs"),
        (Options("local", scheduler="tcp://x:1"), "a scheduler belongs"),
    ],
)
def test_bad_options(options: Options, words: str) -> None:
    with pytest.raises(InputError) as caught:
        check_options(options)
    assert words in str(caught.value)


def test_interrupt_keeps_what_was_finished(tmp_path: Path) -> None:
    path = tmp_path / "r.db"
    knobs = {"array_rows": list(range(1, 41))}

    def stop(counts: Counts) -> None:
        if counts.computed >= 8:
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        run_plan(plan(knobs=knobs), path, Options("inprocess"), stop)
    kept = len(open_results(path))
    assert 8 <= kept < 40
    done = hwsim.sweep(space(knobs=knobs), path)
    assert counts_of(done.counts) == (40 - kept, kept, 0, 0)


def test_frames_and_exports(tmp_path: Path) -> None:
    import pandas as pd

    done = hwsim.sweep(space(**HALF), tmp_path / "r.db")
    frame = done.to_pandas()
    assert frame["status"].tolist() == ["done", "failed", "done", "failed"]
    export(done.results, tmp_path / "r.csv")
    export(done.results, tmp_path / "r.parquet")
    assert pd.read_csv(tmp_path / "r.csv")["cycles"].tolist()[0] == frame["cycles"][0]
    parquet = pd.read_parquet(tmp_path / "r.parquet")
    assert parquet.columns.tolist() == frame.columns.tolist()
    assert parquet["energy_j"].dropna().tolist() == frame["energy_j"].dropna().tolist()
    assert "wall_s" not in frame.columns


def test_command_reproduces_the_point(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import json
    import shlex

    from hwsim.__main__ import main

    done = hwsim.sweep(space(knobs={"array_rows": 8, "dataflow": "os", "fuse_elementwise": False}, batch=[2]))
    row = done.rows()[0]
    words = shlex.split(row.command)
    assert words[0] == "hwsim"
    assert main([*words[1:], "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["totals"]["energy_j"] == pytest.approx(
        row.metrics["energy_j"], rel=1e-13
    )


def test_what_is_no_space_is_refused() -> None:
    for wrong in (None, {"chips": ["systolic"]}, 3):
        with pytest.raises(InputError, match="is no design space"):
            hwsim.sweep(wrong)  # type: ignore[arg-type]


def test_a_sweep_that_cannot_begin_leaves_the_file_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "r.db"
    hwsim.sweep(space(knobs=KNOBS), path)
    before = exported(path)

    def refuse(*_: object) -> None:
        raise InputError("no workers today")

    monkeypatch.setattr("hwsim.sweep.driver.open_engine", refuse)
    for target in (path, tmp_path / "new.db"):
        with pytest.raises(InputError, match="no workers today"):
            hwsim.sweep(space(knobs={"array_rows": [4]}), target)
    assert exported(path) == before
    assert not (tmp_path / "new.db").exists()


def test_a_graph_in_memory_is_no_command(tmp_path: Path) -> None:
    graph = run.load("digits_32")
    (row,) = hwsim.sweep(space(networks=[graph], knobs={"array_rows": 8}), tmp_path / "r.db").rows()
    assert row.command.startswith("hwsim.evaluate(graph, hwsim.chip('systolic:edge_32', array_rows=8))")
    report = eval(row.command, {"hwsim": hwsim, "graph": graph})
    assert report.totals.cycles == row.metrics["cycles"]


@pytest.mark.parametrize("objectives", [1, 2, 3, 4])
def test_front_is_what_nothing_dominates(objectives: int) -> None:
    for seed in range(20):
        random = np.random.default_rng(seed)
        costs = random.integers(0, 5, (random.integers(1, 80), objectives)).astype(float)
        alone = [
            place for place, row in enumerate(costs)
            if not any((other <= row).all() and (other < row).any() for other in costs)
        ]  # fmt: skip
        assert front(costs).tolist() == alone


def test_front_in_several_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    costs = np.random.default_rng(0).integers(0, 9, (300, 3)).astype(float)
    whole = front(costs).tolist()
    monkeypatch.setattr("hwsim.sweep.pareto._ROWS_AT_ONCE", 7)
    assert front(costs).tolist() == whole


def test_reused_points_go_by_the_names_of_the_sweep_that_shows_them(tmp_path: Path) -> None:
    path, fresh = tmp_path / "r.db", tmp_path / "fresh.db"
    wide = space(knobs={"array_rows": [8, 16], "array_cols": [8, 32]}, batch=[1, 2])
    hwsim.sweep(space(knobs={"array_rows": [8, 16]}), path)
    assert hwsim.sweep(wide, path).counts.reused == 2
    hwsim.sweep(wide, fresh)
    assert exported(path) == exported(fresh)
    assert [row.command for row in open_results(path).rows()] == [
        row.command for row in open_results(fresh).rows()
    ]


def test_a_sweep_whose_workers_cannot_start_leaves_the_file_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "r.db"
    hwsim.sweep(space(knobs=KNOBS), path)
    before = exported(path)
    monkeypatch.setattr("hwsim.sweep.engines.WORKER", ("-c", "import sys; sys.exit(3)"))
    for target in (path, tmp_path / "new.db"):
        with pytest.raises(InputError, match="ended before it began"):
            hwsim.sweep(space(knobs={"array_rows": [4, 8]}), target, workers=2)
    assert exported(path) == before
    assert not (tmp_path / "new.db").exists()


@pytest.mark.slow
@pytest.mark.parametrize("knobs", [
    {"array_rows": [8, 16, 32], "array_cols": [8, 9, 32], "clock_hz": [2e8, 7e8]},
    {"objective": "traffic", "node_m": [7e-9, 4e-8], "supply_v": [0.6, 0.9, 1], "clock_hz": [2e8, 3e8, 4e8]},
])  # fmt: skip
def test_not_one_bit_depends_on_the_company_of_a_point(knobs: dict[str, Any]) -> None:
    """Eighteen designs are lowered together, fewer one by one; equal layers are merged either way."""
    made = plan(networks=["resnet18"], knobs=knobs)
    rows = tuple(row for block in blocks(made) for row in block.rows)
    assert len(rows) == 18
    found = []
    for size in (18, 5, 1):
        evaluator, columns = Evaluator(setup_of(made)), dict[str, list[Any]]()
        for start in range(0, len(rows), size):
            answer = evaluator.evaluate(Chunk(0, rows[start : start + size]))
            for name, column in answer.columns.items():
                columns.setdefault(name, []).extend(column)
        found.append(columns)
    assert found[0] == found[1] == found[2]
