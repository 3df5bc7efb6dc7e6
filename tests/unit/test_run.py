"""The main job: what users can get wrong, operators that a chip refuses, and the last line of defence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from accelerators.systolic import ACCELERATOR
from hwsim.errors import DesignError, InputError, UnsupportedOp, VerifyError
from hwsim.graph.build import GraphBuilder
from hwsim.graph.types import FLOAT16, INT4, INT8, Graph
from hwsim.model.types import Accelerator
from hwsim.report.types import Report
from hwsim.report.verify import compulsory_bits, verify_report
from hwsim.run import Chip, chip, compare, evaluate, load


def small(format: Any = INT8) -> Graph:
    b = GraphBuilder("small", format=format)
    x = b.relu(b.conv(b.input("x", (1, 4, 6, 6)), 8, 3, padding=1, name="conv"), "relu")
    b.output(b.softmax(b.linear(b.flatten(x, "flat"), 5, name="fc"), name="softmax"))
    return b.build()


# Chips


def test_a_chip_without_preset_is_its_first() -> None:
    assert chip("systolic") == chip("systolic:edge_32")
    assert chip("systolic").name == "systolic:edge_32"
    assert chip("systolic").changed == ()


def test_knobs_replace_those_of_the_preset() -> None:
    target = chip("systolic:tpu_v1", array_rows=8, clock_hz="1e6")
    assert (target.design.array_rows, target.design.clock_hz, target.design.array_cols) == (8, 1e6, 256)
    assert target.changed == ("array_rows", "clock_hz")
    assert ACCELERATOR.presets["tpu_v1"].array_rows == 256


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("systolc", r"chip: no chip is called 'systolc' \(did you mean 'systolic'\?\)"),
        ("systolic:", r"chip: systolic has no preset ''"),
        ("systolic:tpu", r"chip: systolic has no preset 'tpu' \(did you mean 'tpu_v1'\?\)"),
        ("systolic:TPU_V1", r"did you mean 'tpu_v1'"),
        ("", r"chip: no chip is called ''"),
        (":tpu_v1", r"chip: no chip is called ''"),
    ],
)
def test_unknown_chips_and_presets_are_refused(spec: str, message: str) -> None:
    with pytest.raises(DesignError, match=message):
        chip(spec)


@pytest.mark.parametrize(
    ("knob", "value", "reason"),
    [
        ("array_rows", 0, "input should be greater than or equal to 1, got 0"),
        ("array_rows", -3, "input should be greater than or equal to 1, got -3"),
        ("array_rows", 65537, "input should be less than or equal to 65536, got 65537"),
        ("array_rows", 2.5, "input should be a valid integer"),
        ("array_rows", "many", "input should be a valid integer"),
        ("clock_hz", 0, "input should be greater than"),
        ("clock_hz", float("nan"), "input should be a finite number, got nan"),
        ("dram_bits_per_s", float("inf"), "input should be"),
        ("supply_v", 9, "input should be less than or equal to 5, got 9"),
        ("dataflow", "row", "input should be 'best', 'os', 'ws' or 'is', got 'row'"),
        ("fuse_elementwise", "perhaps", "input should be a valid boolean"),
    ],
)
def test_values_out_of_range_name_knob_value_and_limit(knob: str, value: object, reason: str) -> None:
    with pytest.raises(DesignError) as caught:
        chip("systolic", **{knob: value})
    (problem,) = caught.value.problems
    assert problem.where == f"systolic.{knob}"
    assert problem.reason.startswith(reason)


def test_all_problems_of_a_design_come_at_once() -> None:
    with pytest.raises(DesignError) as caught:
        chip("systolic", array_row=1, array_cols=0, clock="1")
    assert {p.where: p.hint for p in caught.value.problems} == {
        "systolic.array_row": "did you mean 'array_rows'?",
        "systolic.clock": "did you mean 'clock_hz'?",
        "systolic.array_cols": "",
    }


# Networks


@pytest.mark.parametrize("batch", [0, -1])
def test_a_batch_of_none_is_refused(batch: int) -> None:
    with pytest.raises(InputError, match=f"batch: {batch} is not a whole number above zero"):
        load("resnet18", batch=batch)


def test_batch_and_precision_reach_the_network() -> None:
    graph = load("mlp_mnist", batch=5, precision="int4")
    assert graph.tensors[graph.inputs[0]].shape[0] == 5
    assert {tensor.format for tensor in graph.weights} == {INT4}
    assert {t.format for t in load("mlp_mnist", precision="float16").weights} == {FLOAT16}


def test_an_unknown_precision_is_refused() -> None:
    with pytest.raises(InputError, match="int9x"):
        load("mlp_mnist", precision="int9x")


def test_dimensions_of_a_built_in_network_are_refused() -> None:
    with pytest.raises(InputError, match=r"--dim batch: a built-in network has no open dimensions"):
        load("mlp_mnist", dimensions={"batch": 2})


@pytest.mark.parametrize("name", ["missing.onnx", "missing.csv", "folder/missing.ONNX"])
def test_a_missing_file_is_named(name: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="missing"):
        load(tmp_path / name)


def test_an_unknown_network_is_refused_with_the_nearest() -> None:
    with pytest.raises(InputError, match="did you mean 'mlp_mnist'"):
        load("mlp_mnits")


# Evaluation


def test_a_network_and_a_chip_by_name_equal_those_by_value() -> None:
    assert evaluate("mlp_mnist", "systolic:tpu_v1") == evaluate(load("mlp_mnist"), chip("systolic:tpu_v1"))


def test_comparing_is_evaluating_each() -> None:
    graph = small()
    reports = compare(graph, ["systolic:edge_32", chip("systolic:tpu_v1")])
    assert reports == (evaluate(graph, "systolic"), evaluate(graph, "systolic:tpu_v1"))
    assert [report.name for report in reports] == ["systolic:edge_32", "systolic:tpu_v1"]


def test_operands_wider_than_the_array_are_named() -> None:
    b = GraphBuilder("wide")
    b.output(b.linear(b.input("x", (2, 3)), 4, name="fc"))
    graph = load_as(b.build(), "int16")
    with pytest.raises(UnsupportedOp, match=r"wide\.fc: int16 operands do not fit 8-bit .*operand_bits=16"):
        evaluate(graph, "systolic")
    assert evaluate(graph, chip("systolic", operand_bits=16)).totals.macs == 24


def load_as(graph: Graph, precision: str) -> Graph:
    from hwsim.graph.formats import parse_format
    from hwsim.graph.passes import set_precision

    form = parse_format(precision)
    return set_precision(graph, weights=form, activations=form)


def test_a_design_too_small_for_an_operator_names_all_of_them() -> None:
    with pytest.raises(InputError) as caught:
        evaluate(
            small(),
            chip(
                "systolic",
                weight_scratchpad_bytes=64,
                input_scratchpad_bytes=64,
                output_scratchpad_bytes=64,
                operand_bits=32,
            ),
        )
    places = [problem.where for problem in caught.value.problems]
    assert "small.conv" in places
    assert caught.value.exit_code == 2


def test_changed_knobs_and_network_are_in_the_provenance() -> None:
    graph = small()
    provenance = evaluate(graph, chip("systolic", array_rows=16)).provenance
    assert provenance["changed_knobs"] == ["array_rows"]
    assert provenance["design"]["array_rows"] == 16
    assert (provenance["chip"], provenance["preset"], provenance["network"]) == (
        "systolic",
        "edge_32",
        "small",
    )


# Operators that a chip refuses


def without_softmax() -> Accelerator:
    return replace(ACCELERATOR, supports=lambda graph, op: "no exponentials" if op.kind == "softmax" else "")


@pytest.fixture
def picky() -> Chip:
    return replace(chip("systolic"), accelerator=without_softmax())


def test_a_refused_operator_is_an_error_by_default(picky: Chip) -> None:
    with pytest.raises(UnsupportedOp) as caught:
        evaluate(small(), picky)
    (problem,) = caught.value.problems
    assert (problem.where, problem.reason) == ("small.softmax", "systolic cannot run it: no exponentials")
    assert "--on-unsupported" in problem.hint
    assert caught.value.exit_code == 3


def test_a_refused_operator_costs_nothing_on_the_host_and_its_traffic_otherwise(picky: Chip) -> None:
    reports = {policy: evaluate(small(), picky, on_unsupported=policy) for policy in ("host", "traffic")}
    layers = {policy: report.layers[-1] for policy, report in reports.items()}
    assert {layer.name for layer in layers.values()} == {"softmax"}
    assert (layers["host"].cycles, layers["host"].energy_j) == (0, 0)
    assert layers["traffic"].cycles > 0
    assert layers["traffic"].bytes_by_memory["dram"] == 2 * 5
    assert "at no cost" in " ".join(reports["host"].warnings)
    assert "data movement" in " ".join(reports["traffic"].warnings)
    assert (
        reports["host"].totals.macs
        == reports["traffic"].totals.macs
        == evaluate(small(), "systolic").totals.macs
    )


def test_an_unknown_policy_is_refused(picky: Chip) -> None:
    with pytest.raises(InputError, match="did you mean 'traffic'"):
        evaluate(small(), picky, on_unsupported="trafic")


def test_other_layers_do_not_notice(picky: Chip) -> None:
    plain = {layer.name: layer for layer in evaluate(small(), "systolic").layers}
    for layer in evaluate(small(), picky, on_unsupported="traffic").layers:
        if layer.name != "softmax":
            assert layer == plain[layer.name]


# Invariants


def doctored_layer(**changes: Any) -> Callable[[Report], Report]:
    return lambda report: replace(report, layers=(replace(report.layers[0], **changes), *report.layers[1:]))


def doctored_totals(**changes: Any) -> Callable[[Report], Report]:
    return lambda report: replace(report, totals=replace(report.totals, **changes))


def without_dram(report: Report) -> Report:
    return replace(report, events=tuple(row for row in report.events if row.unit != "dram"))


DOCTORED: list[tuple[str, Callable[[Report], Report], str]] = [
    (
        "utilization above one",
        doctored_layer(utilization=1.5),
        r"report\.conv: utilization 1\.5 is outside 0\.\.1",
    ),
    ("utilization below zero", doctored_layer(utilization=-0.1), r"utilization -0\.1"),
    ("utilization no number", doctored_totals(utilization=float("nan")), r"report\.totals: utilization nan"),
    ("negative stalls", doctored_layer(stall_cycles=-1), r"report\.conv: negative stalls"),
    ("a negative cause", doctored_layer(stall_cycles_by_cause={"dram.read": -4}), r"negative stalls: .*-4"),
    ("cycles that are no sum", doctored_layer(cycles=10**9), r"1000000000 cycles are not "),
    ("negative compute", doctored_layer(compute_cycles=-1), r"cycles are not -1 \+"),
    ("energy no number", doctored_layer(energy_j=float("nan")), r"report\.conv: energy nan J"),
    ("endless energy", doctored_totals(energy_j=float("inf")), r"report\.totals: energy inf J"),
    ("negative energy", doctored_layer(energy_j=-1.0), r"report\.conv: energy -1\.0 J"),
    ("macs", doctored_totals(macs=1), r"report\.totals\.macs: 1, but the layers add up to"),
    ("cycles", doctored_totals(cycles=7), r"report\.totals\.cycles: 7, but the layers"),
    ("compute", doctored_totals(compute_cycles=7), r"report\.totals\.compute_cycles: 7, but"),
    ("stalls", doctored_totals(stall_cycles=7), r"report\.totals\.stall_cycles: 7, but the layers"),
    ("causes", doctored_totals(stall_cycles_by_cause={"dram.read": 1}), r"but the causes differ"),
    (
        "energy of the events",
        doctored_totals(energy_j=1.0),
        r"report\.totals\.energy_j: 1\.0 J, but the events",
    ),
    (
        "energy of the evidence",
        lambda r: replace(r, energy_by_evidence={}),
        r"but the kinds of evidence add up to 0",
    ),
    (
        "units of a layer",
        doctored_layer(energy_j_by_unit={}),
        r"report\.conv\.energy_j: does not equal the sum",
    ),
    ("a layer left out", lambda r: replace(r, layers=r.layers[1:]), r"but the layers add up to"),
    ("traffic", without_dram, r"report\.dram: \d+ bits moved, \d+ are compulsory"),
]


@pytest.mark.parametrize(
    ("change", "message"), [case[1:] for case in DOCTORED], ids=[case[0] for case in DOCTORED]
)
def test_every_invariant_is_checked_before_a_report_leaves(
    change: Callable[[Report], Report], message: str
) -> None:
    target = chip("systolic")
    graph, sheet = target.accelerator.prepare(small(), target.design), ACCELERATOR.datasheet(target.design)
    report = evaluate(small(), target)
    verify_report(report, graph, ACCELERATOR, sheet)
    with pytest.raises(VerifyError, match=message) as caught:
        verify_report(change(report), graph, ACCELERATOR, sheet)
    assert caught.value.exit_code == 1


def test_energy_below_the_compulsory_traffic_is_seen() -> None:
    """All energies a thousand times smaller agree with each other, but not with the price of the traffic."""
    target = chip("systolic")
    graph, sheet = target.accelerator.prepare(small(), target.design), ACCELERATOR.datasheet(target.design)
    report = evaluate(small(), target)
    shrunk = replace(
        report,
        totals=replace(report.totals, energy_j=report.totals.energy_j / 1000),
        layers=tuple(
            replace(
                layer,
                energy_j=layer.energy_j / 1000,
                energy_j_by_unit={u: j / 1000 for u, j in layer.energy_j_by_unit.items()},
            )
            for layer in report.layers
        ),
        events=tuple(replace(row, energy_j=row.energy_j / 1000) for row in report.events),
        energy_by_evidence={kind: j / 1000 for kind, j in report.energy_by_evidence.items()},
    )
    with pytest.raises(
        VerifyError, match=r"report\.totals\.energy_j: .* compulsory traffic alone costs"
    ) as caught:
        verify_report(shrunk, graph, ACCELERATOR, sheet)
    assert len(caught.value.problems) == 1


def test_compulsory_traffic_is_weights_inputs_and_results() -> None:
    """8 x 4 x 3 x 3 and 5 x 288 weights of one byte, 4 x 6 x 6 inputs, five results."""
    graph = ACCELERATOR.prepare(small(), chip("systolic").design)
    assert compulsory_bits(graph) == 8 * (8 * 4 * 9 + 5 * 288 + 4 * 6 * 6 + 5)


def test_more_bandwidth_is_never_slower() -> None:
    graph = load("mobilenet_v2")
    cycles = [
        evaluate(graph, chip("systolic", dram_bits_per_s=rate)).totals.cycles
        for rate in (1e9, 1e10, 1e11, 1e13)
    ]
    assert cycles == sorted(cycles, reverse=True)
    assert cycles[-1] < cycles[0]


def test_nothing_to_compare_on() -> None:
    with pytest.raises(InputError, match="compare: no chip to compare on"):
        compare(small(), [])


def test_a_network_without_operators_costs_nothing() -> None:
    b = GraphBuilder("wire")
    b.output(b.input("x", (2, 3)))
    report = evaluate(b.build(), "systolic")
    assert (report.totals.cycles, report.totals.energy_j, report.layers) == (0, 0, ())
