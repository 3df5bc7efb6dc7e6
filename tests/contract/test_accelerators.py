"""Questions to every chip that can be found: a new folder is asked without being named here."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import pytest

from hwsim import registry
from hwsim.errors import DesignError, UnsupportedOp
from hwsim.graph.build import GraphBuilder
from hwsim.graph.ops import OP_KINDS, work_of
from hwsim.graph.types import INT8, Graph
from hwsim.model.energy import charge
from hwsim.model.prices import price, verify_datasheet
from hwsim.model.timing import time_trace
from hwsim.report.json_form import to_json
from hwsim.run import Chip, chip, evaluate
from hwsim.trace import fingerprint, reduce, verify_conservation, verify_trace
from tests.contract.chips import (
    CHIPS,
    SPECS,
    each_chip,
    each_preset,
    lowered,
    runnable,
    target_of,
    unsupported,
)
from tests.contract.small_graphs import KINDS, VARIANTS, small_graph

GRAPHS = (*KINDS, *VARIANTS)
HEAVY = ("numba", "pandas", "onnx", "pulp", "matplotlib", "networkx")

# Rows of a datasheet that no small network asks for, by chip: {("unit", "action"): "why it is there"}.
NO_ACTIVATION = "no small network has an activation behind a linear layer; the chip's own laws use it"
UNUSED_ROWS: Mapping[str, Mapping[tuple[str, str], str]] = {
    "dram_pim": {("lanes", "logic"): "bulk logic; no small network holds any, the bulk operations do"},
    "aqfp_bnn": {("pools", "clock"): "no small network pools bits; the chip's own laws do"},
    "integral_sc": {("machines", "special"): "sigmoid and tanh; the small networks hold relu"},
    "racetrack_pim": {
        ("host", "logic"): "rounding of floating-point tensors; no small network has it",
    },
    "sparse_fc": {("output_stage", "special"): NO_ACTIVATION},
}


# Chips on which sixteen times the work need not take longer, and why; it takes more energy all the same.
SPATIAL = {
    "racetrack_pim": "clusters that are left over take the work at once",
    "reram_pim": "arrays that are left over hold copies, which take the work at once",
}


@contextmanager
def naming(graph: str) -> Iterator[None]:
    """Say in which small network something failed; a test for each pair took longer than its work."""
    try:
        yield
    except BaseException as error:
        error.add_note(f"small network: {graph}")
        raise


def dense(kind: str, scale: int) -> Graph:
    """A network whose work grows with `scale` and with nothing else."""
    b = GraphBuilder(f"{kind}_{scale}", format=INT8)
    if kind == "convolution":
        b.output(b.conv(b.input("x", (1, 8, 12, 12)), 6 * scale, 3, padding=1, bias=False))
    elif kind == "gemm":
        x, w = b.input("x", (10 * scale, 40)), b.weight("w", (40, 24))
        b.output(b.add("gemm", [x, w], name="fc"))
    elif kind == "matmul":
        b.output(b.matmul(b.input("x", (scale, 9, 16)), b.input("y", (scale, 16, 7)), name="mm"))
    elif kind == "lstm":
        b.output(b.lstm(b.input("x", (3 * scale, 2, 8)), 8, name="cell"))
    elif kind == "softmax":
        b.output(b.softmax(b.input("x", (30 * scale, 50)), name="softmax"))
    else:
        b.output(b.transpose(b.input("x", (30 * scale, 50)), (1, 0), name="move"))
    return b.build()


@pytest.mark.parametrize("name", ["systolic"])
def test_the_expected_chips_are_found(name: str) -> None:
    assert name in CHIPS


def test_every_kind_of_operator_has_a_small_network() -> None:
    assert set(KINDS) == set(OP_KINDS)
    for name in KINDS:
        assert name in {op.kind for op in small_graph(name).ops}


@each_chip
def test_chip_is_what_its_folder_says(name: str) -> None:
    accelerator = registry.load_accelerator(name)
    assert accelerator.name == name == accelerator.folder.name
    assert accelerator.presets
    assert accelerator.summary
    assert accelerator.model_version
    for file in ("design.py", "constants.toml", "lower.py", "datasheet.py", "machine.py"):
        assert (accelerator.folder / file).is_file(), file


@each_preset
def test_preset_validates_and_its_datasheet_is_complete(spec: str) -> None:
    accelerator, design = target_of(spec)
    assert accelerator.design.model_validate(design.model_dump()) == design
    assert accelerator.design.model_validate_json(design.model_dump_json()) == design
    sheet = accelerator.datasheet(design)
    verify_datasheet(sheet)
    assert len({(row.unit, row.action) for row in sheet.actions}) == len(sheet.actions)
    assert len({row.unit for row in sheet.units}) == len(sheet.units)
    if accelerator.offchip:
        assert sheet.unit(accelerator.offchip).role != "compute"


@each_chip
def test_every_knob_says_what_it_is(name: str) -> None:
    for knob, known in registry.load_accelerator(name).design.model_fields.items():
        assert known.description, knob


@each_preset
def test_every_kind_lowers_and_conserves_work_or_is_refused_in_words(spec: str) -> None:
    accelerator, _ = target_of(spec)
    for graph in GRAPHS:
        with naming(graph):
            reasons = unsupported(accelerator, small_graph(graph))
            if reasons:
                assert all(reasons.values())
                with pytest.raises(UnsupportedOp, match=next(iter(reasons))):
                    evaluate(small_graph(graph), spec)
                for policy in ("host", "traffic"):
                    assert evaluate(small_graph(graph), spec, on_unsupported=policy).warnings
            prepared, trace, _ = lowered(spec, graph)
            verify_trace(trace)
            work = {op.name: work_of(prepared, op) for op in prepared.ops}
            asked = {node: {"macs": amount.macs, **amount.primitives} for node, amount in work.items()}
            verify_conservation(trace, reduce(trace), asked, accelerator.work)
            assert set(trace.nodes) >= set(work)


@each_preset
def test_every_small_network_is_reported_without_a_violation(spec: str) -> None:
    for graph in GRAPHS:
        with naming(graph):
            report = evaluate(small_graph(graph), spec, on_unsupported="traffic")
            assert report.totals.cycles >= 0
            assert {layer.name for layer in report.layers} == {op.name for op in lowered(spec, graph)[0].ops}


@each_chip
def test_no_row_of_the_datasheet_is_missing_or_idle(name: str) -> None:
    used: set[tuple[str, str]] = set()
    listed: set[tuple[str, str]] = set()
    for spec in (spec for spec in SPECS if spec.startswith(f"{name}:")):
        for graph in GRAPHS:
            _, trace, sheet = lowered(spec, graph)
            here = {(unit, action) for (_, unit, action), events, _ in reduce(trace).items() if events}
            listed = {(row.unit, row.action) for row in sheet.actions}
            assert here <= listed, f"{spec} {graph}"
            used |= here
    excused = UNUSED_ROWS.get(name, {})
    assert listed - used == set(excused)
    assert all(excused.values())


@each_preset
def test_two_runs_give_the_same_bytes(spec: str) -> None:
    first, second = (
        to_json(evaluate(small_graph("classifier"), spec, on_unsupported="traffic")) for _ in range(2)
    )
    assert first == second
    accelerator, design = target_of(spec)
    prepared, trace, _ = lowered(spec, "classifier")
    assert fingerprint(accelerator.lower(prepared, design)) == fingerprint(trace)


@each_preset
@pytest.mark.parametrize("kind", ["convolution", "gemm", "matmul", "lstm", "softmax", "transpose"])
def test_half_the_work_never_costs_more(spec: str, kind: str) -> None:
    accelerator, _ = target_of(spec)
    if not runnable(accelerator, dense(kind, 1)):
        assert unsupported(accelerator, dense(kind, 1))
        return
    totals = [evaluate(dense(kind, scale), spec).totals for scale in (1, 2, 4, 8, 16)]
    assert [total.macs for total in totals] == [totals[0].macs * scale for scale in (1, 2, 4, 8, 16)]
    cycles = [total.cycles for total in totals]
    assert cycles == sorted(cycles)
    if accelerator.name in SPATIAL:
        assert totals[-1].energy_j > totals[0].energy_j
    else:
        assert cycles[-1] > cycles[0] or not any(cycles)


@each_preset
@pytest.mark.parametrize("graph", ["classifier", "convolution", "gemm", "softmax", "lstm", "elementwise"])
def test_more_lanes_are_never_slower(spec: str, graph: str) -> None:
    accelerator, design = target_of(spec)
    network = small_graph(graph)
    for knob in accelerator.lane_knobs:
        cycles = []
        for factor in (1, 2, 3, 8):
            target = chip(spec, **{knob: getattr(design, knob) * factor})
            cycles.append(evaluate(network, target, on_unsupported="traffic").totals.cycles)
        assert cycles == sorted(cycles, reverse=True), knob


def module_of(name: str) -> str:
    return registry.load_accelerator(name).lower.__module__.rpartition(".")[0]


@cache
def heavy_imports() -> dict[str, list[str]]:
    """Return which heavy packages each chip has imported, by its module; one after another in one process."""
    modules = [module_of(name) for name in CHIPS]
    code = (
        f"import importlib, json, sys\nfound, seen = {{}}, set()\nfor name in {modules!r}:\n"
        f"    importlib.import_module(name)\n"
        f"    found[name] = sorted(set({HEAVY!r}) & set(sys.modules) - seen)\n"
        "    seen |= set(found[name])\nprint(json.dumps(found))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stderr == ""
    return dict(json.loads(result.stdout))


@each_chip
def test_importing_the_chip_is_light(name: str) -> None:
    assert heavy_imports()[module_of(name)] == []


@each_chip
def test_unknown_preset_and_chip_name_the_nearest(name: str) -> None:
    preset = next(iter(registry.load_accelerator(name).presets))
    with pytest.raises(DesignError, match=f"did you mean '{preset}'"):
        chip(f"{name}:{preset}x")
    with pytest.raises(DesignError, match=f"did you mean '{name}'"):
        chip(f"{name}x")


@each_chip
def test_all_bad_knobs_are_refused_at_once_with_the_nearest_name(name: str) -> None:
    fields = registry.load_accelerator(name).design.model_fields
    knob, other = list(fields)[:2]
    with pytest.raises(DesignError) as caught:
        chip(name, **{f"{knob}x": 1, other: "no such value"})
    places = {problem.where: problem for problem in caught.value.problems}
    assert set(places) == {f"{name}.{knob}x", f"{name}.{other}"}
    assert places[f"{name}.{knob}x"].hint == f"did you mean '{knob}'?"
    assert "'no such value'" in places[f"{name}.{other}"].reason


@each_chip
def test_every_knob_refuses_nonsense(name: str) -> None:
    for knob in registry.load_accelerator(name).design.model_fields:
        for value in ("", "no such value", None, [], {}, object(), -1e400):
            with pytest.raises(DesignError, match=rf"{name}\.{knob}"):
                chip(name, **{knob: value})


@each_preset
def test_a_design_that_differs_in_prices_only_has_the_same_trace(spec: str) -> None:
    """Knobs outside the structure change no loop; those inside are all that the trace depends on."""
    accelerator, design = target_of(spec)
    prepared, trace, _ = lowered(spec, "classifier")
    structure = accelerator.structure(design)
    text = fingerprint(trace)
    checked = 0
    for knob in type(design).model_fields:
        value = getattr(design, knob)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            continue
        other = design.model_copy(update={knob: value * 2})
        if accelerator.structure(other) == structure:
            checked += 1
            assert fingerprint(accelerator.lower(prepared, other)) == text, knob
    assert checked or set(structure) == set(type(design).model_fields)


@each_preset
def test_energy_is_events_times_prices_and_leakage(spec: str) -> None:
    """Recount the report's energy from activity, datasheet and time alone."""
    prepared, trace, sheet = lowered(spec, "classifier")
    activity, prices = reduce(trace), price(trace, sheet)
    timing = time_trace(trace, prices, sheet)
    rows = {(row.unit, row.action): row for row in sheet.actions}
    joules = 0.0
    for (_, unit, action), events, bits in activity.items():
        row = rows[unit, action]
        joules += events * (row.energy.value if row.energy else 0.0)
        joules += bits * (row.energy_per_bit.value if row.energy_per_bit else 0.0)
    watts = sum(row.leakage.value for row in sheet.units if row.leakage is not None)
    owned = int(timing.node_cycles.sum())
    joules += watts * owned / sheet.clock_hz.value
    charged = charge(activity, prices, timing, sheet)
    assert float(charged.total_j) == pytest.approx(joules, rel=1e-9)
    report = evaluate(small_graph("classifier"), spec, on_unsupported="traffic")
    overhead = 1 + sum(item.ratio.value for item in sheet.overheads)
    assert report.totals.energy_j == pytest.approx(joules * overhead, rel=1e-9)
    assert len(prepared.ops) == len(report.layers)


def test_a_chip_is_a_value() -> None:
    assert isinstance(chip(CHIPS[0]), Chip)
    assert chip(CHIPS[0]) == chip(CHIPS[0])
    assert Path(registry.load_accelerator(CHIPS[0]).folder).is_dir()
