"""Ranges nobody can walk, objectives nobody can follow, cells nobody wrote, families that are wrong."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import hwsim
from accelerators.systolic import ACCELERATOR
from hwsim.errors import InputError, VerifyError
from hwsim.graph.build import GraphBuilder
from hwsim.graph.types import INT8
from hwsim.sweep.cells import check_cells, check_metrics, read_document
from hwsim.sweep.errors import StoreError
from hwsim.sweep.export import check_export, export
from hwsim.sweep.family import Family, evaluate_family
from hwsim.sweep.family_checks import verify_family
from hwsim.sweep.metrics import read_objectives
from hwsim.sweep.pareto import front
from hwsim.sweep.points import blocks, explain_empty
from hwsim.sweep.results import open_results
from hwsim.sweep.space import read_space
from hwsim.sweep.store import Store
from tests.unit.sweep.spaces import plan, space
from tests.unit.sweep.test_store import begin, records

ROWS = {"from": 8, "to": 64}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (ROWS | {"scale": "lag", "points": 3}, "unknown scale 'lag' (did you mean 'log'?)"),
        (ROWS | {"scale": "log", "step": 8}, "a logarithmic range has no `step` (give `points` or `ratio`)"),
        (ROWS | {"points": 1}, "`points` is a whole number from 2 to 10,000,000, got 1"),
        (ROWS | {"points": True}, "`points` is a whole number from 2 to 10,000,000, got True"),
        (ROWS | {"step": "8 nm"}, "'8 nm' is in m, which does not fit"),
        (ROWS | {"step": True}, "`step` is a number above zero, got True"),
        (ROWS | {"step": 0.5}, "`step` 0.5 is no whole number"),
        ({"powers_of_two": 8}, "`powers_of_two` holds the first and the last power, got 8"),
        ({"powers_of_two": [16, 8]}, "`powers_of_two` from 16 to 8 is empty"),
    ],
)
def test_ranges_of_whole_numbers(given: Any, words: str) -> None:
    with pytest.raises(InputError) as caught:
        plan(knobs={"array_rows": given})
    assert words in str(caught.value)


def test_ranges_of_numbers() -> None:
    with pytest.raises(InputError, match="values are more than 10,000,000"):
        plan(knobs={"clock_hz": {"from": 1e9, "to": 2e9, "step": 1.0}})
    area = {"from": 0.0, "to": 1e-4, "points": 3, "scale": "log"}
    with pytest.raises(InputError, match=r"a logarithmic range cannot begin at 0\.0"):
        plan(chips=["edge_gpu"], knobs={"die_area_m2": area})


def test_objectives_and_what_is_wrong_with_them() -> None:
    known = ("cycles", "energy_j", "macs_per_j", "time_s")
    found = read_objectives(["energy_j, max:cycles", "macs_per_j"], known)
    assert [(one.metric, one.maximise) for one in found] == [
        ("energy_j", False),
        ("cycles", True),
        ("macs_per_j", True),
    ]
    with pytest.raises(InputError) as caught:
        read_objectives(["best:cycles", "energi_j", "time_s, min:time_s"], known)
    assert [(p.where, p.reason, p.hint) for p in caught.value.problems] == [
        ("objectives", "'best:cycles': the direction is min or max", ""),
        ("objectives", "no metric is called 'energi_j'", "did you mean 'energy_j'?"),
        ("objectives", "'time_s' is given twice", ""),
    ]
    with pytest.raises(InputError, match=r"none given \(known: cycles, energy_j, macs_per_j, time_s\)"):
        read_objectives([" , "], known)


def test_a_front_of_nothing_is_empty() -> None:
    assert front(np.array([[np.nan, 1.0], [1.0, np.nan]])).tolist() == []
    assert front(np.array([[np.nan, 1.0], [2.0, 3.0]])).tolist() == [1]


def test_points_of_results_without_the_objective(tmp_path: Path) -> None:
    path = tmp_path / "r.db"
    with Store(path) as store:
        begin(store)
        store.add(records(1, 2, metrics={"cycles": [3, 0]}, errors={1: "no"}))
        store.add(records(3, metrics={"energy_j": [1.0]}))
    with pytest.raises(InputError, match="no finished point has all objectives"):
        open_results(path).pareto(["cycles", "energy_j"])


@pytest.mark.parametrize(("value", "told"), [(float("inf"), "is not finite"), ("many", "is no number")])
def test_values_that_somebody_else_wrote(tmp_path: Path, value: object, told: str) -> None:
    path = tmp_path / "r.db"
    with Store(path) as store:
        begin(store)
        store.add(records(1, 2))
    with sqlite3.connect(path) as db:
        table, column = next(
            (table, row[1])
            for (table,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
            for row in db.execute(f"PRAGMA table_info({table})").fetchall()
            if "cycles" in row[1]
        )
        db.execute(f"UPDATE {table} SET {column} = ? WHERE position = 2", (value,))
    with pytest.raises(StoreError, match=f"is corrupt: a value of cycles {told}"):
        open_results(path).values(["cycles"])


CELLS: dict[str, object] = {
    "position": 3,
    "run": 1,
    "batch": None,
    "precision": None,
    "error": None,
    "chip": "systolic",
    "preset": "edge_32",
    "network": "digits_32",
    "status": "done",
}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"position": None}, "point None has no position"),
        ({"run": "1"}, "point 3 has no run"),
        ({"batch": "2"}, "point 3 has no batch"),
        ({"chip": None}, "point 3 has no chip"),
        ({"precision": 8}, "point 3 has no precision"),
        ({"status": "lost"}, "point 3 has the status 'lost'"),
    ],
)
def test_cells_of_a_point(change: dict[str, object], told: str) -> None:
    check_cells(CELLS | {"batch": 2}, Path("r.db"))
    with pytest.raises(StoreError) as caught:
        check_cells(CELLS | change, Path("r.db"))
    (problem,) = caught.value.problems
    assert (problem.where, problem.reason) == ("r.db", f"is corrupt: {told}")
    assert problem.hint == "compute the points again, with another -o"


def test_documents_and_metrics_of_a_file() -> None:
    assert read_document('{"a": 1}', "the space", Path("r.db")) == {"a": 1}
    for text in (None, "[1]", "{", "[" * 100_000):
        with pytest.raises(StoreError, match="the space of the sweep cannot be read"):
            read_document(text, "the space", Path("r.db"))
    assert check_metrics([("a", 1), ("b", None), ("c", 0.5)], 3, Path("r.db")) == {"a": 1, "c": 0.5}
    for value in ("x", float("nan")):
        with pytest.raises(StoreError, match=f"point 3 has '{value}' as a"):
            check_metrics([("a", value)], 3, Path("r.db"))


def test_files_to_write_to(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no format for the suffix '\.cvs' \(did you mean '\.csv'"):
        check_export(tmp_path / "r.cvs")
    with Store(tmp_path / "r.db") as store:
        begin(store)
        store.finish()
    export(open_results(tmp_path / "r.db"), tmp_path / "empty.csv")
    assert (tmp_path / "empty.csv").read_text() == ""


def test_files_too_large_or_named_beside_the_sweep_file(tmp_path: Path) -> None:
    path = tmp_path / "sweep.toml"
    with path.open("wb") as file:
        file.truncate(16 * 2**20 + 1)
    with pytest.raises(InputError, match="is larger than 16 MiB"):
        read_space(path)
    (tmp_path / "net.csv").write_text("x")
    path.write_text('chips = ["systolic"]\nnetworks = ["net.csv", "lenet5"]\nfunctional = "data.npz"\n')
    found = read_space(path)
    assert list(found.networks) == [str(tmp_path / "net.csv"), "lenet5"]
    assert str(found.functional) == str(tmp_path / "data.npz")


def small_family() -> Family:
    b = GraphBuilder("small", format=INT8)
    b.output(b.relu(b.linear(b.input("x", (2, 12)), 5)))
    design = next(iter(ACCELERATOR.presets.values()))
    designs = [design, design.model_copy(update={"clock_hz": 1e8})]
    return evaluate_family(b.build(), ACCELERATOR, designs)


@pytest.mark.parametrize(
    ("name", "change", "told"),
    [
        ("utilization", lambda column: column + 2.0, "utilization is outside 0..1"),
        ("stall_cycles", lambda column: -column - 1, "a negative number of cycles"),
        ("stall_cycles", lambda column: column + 1, "the causes of stalls do not add up"),
        ("energy_j", lambda column: column * np.nan, "energy is no finite number"),
        ("energy_j", lambda column: column * 2.0, "the units do not add up to the energy"),
    ],
)
def test_a_family_that_contradicts_itself_names_the_first_design(
    name: str, change: Callable[[Any], Any], told: str
) -> None:
    family = small_family()
    verify_family(family, 8, "dram")
    wrong = getattr(family, name).copy()
    wrong[1:] = change(wrong[1:])
    with pytest.raises(VerifyError) as caught:
        verify_family(replace(family, **{name: wrong}), 8, "dram")
    assert (f"family.{family.index[1]}", told) in [(p.where, p.reason) for p in caught.value.problems]


def test_a_family_that_moves_less_than_it_must() -> None:
    family = small_family()
    moved = int(family.bytes_by_memory["dram"][0]) * 8
    verify_family(family, moved, "dram")
    with pytest.raises(VerifyError, match="less than the compulsory traffic"):
        verify_family(family, moved + 1, "dram")
    verify_family(family, moved + 1, "")


def test_commands_of_points_repeat_every_choice(tmp_path: Path) -> None:
    given = space(knobs={"array_rows": 8}, batch=[2], precision=["int8"], on_unsupported="host")
    done = hwsim.sweep(given, tmp_path / "r.db")
    words = done.rows()[0].command.split()
    for pair in (["--batch", "2"], ["--precision", "int8"], ["--on-unsupported", "host"]):
        assert words[words.index(pair[0]) : words.index(pair[0]) + 2] == pair
    assert json.loads(json.dumps(done.rows()[0].metrics))["cycles"] > 0


def test_a_space_without_a_point_says_which_constraint_leaves_none() -> None:
    made = plan(knobs={"array_rows": [8, 16]}, constraints=["array_rows > 99"])
    assert list(blocks(made)) == []
    assert "'array_rows > 99' alone leaves 0 of 2" in str(explain_empty(made))
