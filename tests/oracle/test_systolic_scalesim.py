"""Every row of SCALE-Sim 3.0.0, cycles and scratchpad counts, through the path that a user's network takes.

SCALE-Sim knows no padding and rounds output sizes up: a layer's last windows reach beyond its input where
the stride does not divide. Its rows are asked here as convolutions with that many zeros at the ends.
"""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path

import pytest

from accelerators.systolic import PRESETS
from hwsim.graph.build import GraphBuilder
from hwsim.graph.types import INT8, Graph
from hwsim.report.types import Report
from hwsim.run import chip, evaluate

ROWS = list(csv.DictReader((Path(__file__).parents[1] / "data" / "scalesim_cycles.csv").open()))
CASES = sorted({(row["workload"], row["layer"]) for row in ROWS})
Row = dict[str, str]


def rows_of(workload: str, layer: str) -> list[Row]:
    return [row for row in ROWS if (row["workload"], row["layer"]) == (workload, layer)]


@cache
def network(geometry: tuple[str, ...], m: int, k: int, n: int) -> Graph:
    b = GraphBuilder("scalesim", format=INT8)
    if not geometry[0]:
        b.output(b.add("gemm", [b.input("x", (m, k)), b.weight("w", (k, n))], name="layer"))
        return b.build()
    height, width, tall, wide, channels, filters, stride = (int(text) for text in geometry)
    ends = tuple(-(size - kernel) % stride for size, kernel in ((height, tall), (width, wide)))
    x, w = b.input("x", (1, channels, height, width)), b.weight("w", (filters, channels, tall, wide))
    b.output(b.add("convolution", [x, w], name="layer", strides=(stride, stride), pads=(0, 0, *ends)))
    return b.build()


def run(row: Row) -> Report:
    geometry = tuple(
        row[name] for name in ("ifmap_h", "ifmap_w", "filt_h", "filt_w", "ch", "num_filt", "stride")
    )
    m, k, n = (int(row[name]) for name in "MKN")
    target = chip(
        "systolic:scalesim_compatible",
        array_rows=int(row["rows"]),
        array_cols=int(row["cols"]),
        dataflow=row["dataflow"],
    )
    return evaluate(network(geometry, m, k, n), target)


def words(report: Report, unit: str, action: str) -> int:
    return sum(event.events for event in report.events if (event.unit, event.action) == (unit, action))


def folds(row: Row) -> int:
    """Parts of the stationary matrix, each as large as the array at most."""
    m, k, n, rows, cols = (int(row[name]) for name in ("M", "K", "N", "rows", "cols"))
    tall, wide = {"os": (m, n), "ws": (k, n), "is": (k, m)}[row["dataflow"]]
    return -(-tall // rows) * -(-wide // cols)


def test_the_file_is_complete() -> None:
    assert len(ROWS) == 666
    assert {row["dataflow"] for row in ROWS} == {"os", "ws", "is"}
    assert {row["type"] for row in ROWS} == {"conv", "gemm"}
    assert len({(row["rows"], row["cols"]) for row in ROWS}) == 5


@pytest.mark.parametrize(("workload", "layer"), CASES, ids=[f"{w}-{name}" for w, name in CASES])
def test_cycles_and_scratchpad_counts_equal_every_row(workload: str, layer: str) -> None:
    for row in rows_of(workload, layer):
        report = run(row)
        m, k, n = (int(row[name]) for name in "MKN")
        assert report.totals.cycles == int(row["cycles"]), row
        assert (report.totals.macs, report.totals.stall_cycles) == (m * k * n, 0), row
        assert words(report, "array", "mac") == int(row["macs"]), row
        assert words(report, "input_scratchpad", "read") == int(row["sram_ifmap_reads"]), row
        assert words(report, "weight_scratchpad", "read") == int(row["sram_filter_reads"]), row
        slip = folds(row) * (int(row["rows"]) + int(row["cols"])) if row["dataflow"] == "os" else 0
        assert words(report, "output_scratchpad", "write") == int(row["sram_ofmap_writes"]) - slip, row


def test_scalesim_prints_the_index_of_the_last_cycle() -> None:
    """Issue 125 of scalesim-project/SCALE-Sim: one less than the number of cycles."""
    assert {int(row["cycles"]) - int(row["scalesim_reported"]) for row in ROWS} == {1}


def test_output_stationary_writes_of_scalesim_exceed_the_outputs_by_a_row_and_a_column_a_fold() -> None:
    """The slip that the rows above are freed of: every output is written once, M x N words."""
    for row in (row for row in ROWS if row["dataflow"] == "os"):
        outputs, per_fold = int(row["M"]) * int(row["N"]), int(row["rows"]) + int(row["cols"])
        assert int(row["sram_ofmap_writes"]) == outputs + folds(row) * per_fold
    assert words(run(ROWS[0] | {"dataflow": "os"}), "output_scratchpad", "write") == 12100 * 64


@pytest.mark.parametrize("model", ["sequential", "overlapped"])
def test_the_other_fold_models_are_faster_wherever_there_is_something_to_save(model: str) -> None:
    """Sequential folds save the unused parts of edge folds, overlapped ones the gaps between folds too."""
    for row in ROWS[::7]:
        m, k, n, rows, cols = (int(row[name]) for name in ("M", "K", "N", "rows", "cols"))
        target = chip(
            "systolic:scalesim_compatible",
            array_rows=rows,
            array_cols=cols,
            dataflow=row["dataflow"],
            fold_model=model,
        )
        cycles = evaluate(network(("",), m, k, n), target).totals.cycles
        tall, wide = {"os": (m, n), "ws": (k, n), "is": (k, m)}[row["dataflow"]]
        nothing = tall % rows == wide % cols == 0 and (model == "sequential" or folds(row) == 1)
        assert cycles == int(row["cycles"]) if nothing else cycles < int(row["cycles"]), row


def test_the_preset_takes_nothing_but_the_array_size_and_dataflow_from_a_row() -> None:
    preset = PRESETS["scalesim_compatible"]
    assert (preset.fold_model, preset.memory_model, preset.fuse_elementwise) == (
        "scalesim",
        "stall_free",
        False,
    )
