"""Invariants of every report; a violation is a bug of hwsim, and says so before a number leaves."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator

from hwsim.errors import Problem, VerifyError
from hwsim.graph.contraction import matrix_products
from hwsim.graph.types import Graph
from hwsim.model.types import Accelerator, Datasheet
from hwsim.report.types import Layer, Report, Totals

RELATIVE = 1e-9


def verify_report(
    report: Report,
    graph: Graph,
    accelerator: Accelerator,
    sheet: Datasheet,
    skipping: Collection[str] = (),
) -> None:
    """Raise VerifyError if a report contradicts itself or physics.

    Checked: 0 <= utilization <= 1; stalls and cycles not negative (more bandwidth is never slower: every
    stall is what the layer gains when a transfer takes no time); layers add up to totals in cycles, energy,
    MACs and stalls; events add up to the energy; off-chip traffic and its energy are at least compulsory,
    where operators in `skipping`, which leave out work, need not read all of their weights.
    """
    problems = [*_layer_problems(report), *_sum_problems(report)]
    if accelerator.offchip:
        problems += _traffic_problems(report, graph, accelerator, sheet, skipping)
    if problems:
        raise VerifyError(problems=problems)


def _layer_problems(report: Report) -> Iterator[Problem]:
    parts: list[tuple[str, Layer | Totals]] = [(layer.name, layer) for layer in report.layers]
    for name, layer in (*parts, ("totals", report.totals)):
        where = f"report.{name}"
        if not 0.0 <= layer.utilization <= 1.0 + RELATIVE:
            yield Problem(where, f"utilization {layer.utilization} is outside 0..1")
        if layer.stall_cycles < 0 or min(layer.stall_cycles_by_cause.values(), default=0) < 0:
            yield Problem(where, f"negative stalls: {dict(layer.stall_cycles_by_cause)}")
        if layer.cycles != layer.compute_cycles + layer.stall_cycles or layer.compute_cycles < 0:
            yield Problem(
                where, f"{layer.cycles} cycles are not {layer.compute_cycles} + {layer.stall_cycles}"
            )
        if not math.isfinite(layer.energy_j) or layer.energy_j < 0:
            yield Problem(where, f"energy {layer.energy_j} J")


def _sum_problems(report: Report) -> Iterator[Problem]:
    totals, layers = report.totals, report.layers
    for name in ("macs", "cycles", "compute_cycles", "stall_cycles"):
        added = sum(getattr(layer, name) for layer in layers)
        if added != getattr(totals, name):
            yield Problem(
                f"report.totals.{name}", f"{getattr(totals, name)}, but the layers add up to {added}"
            )
    if sum(totals.stall_cycles_by_cause.values()) != totals.stall_cycles:
        yield Problem("report.totals.stall_cycles", f"{totals.stall_cycles}, but the causes differ")
    added_j = math.fsum(row.energy_j for row in report.events)
    by_evidence = math.fsum(report.energy_by_evidence.values())
    for what, joules in (("events", added_j), ("kinds of evidence", by_evidence)):
        if not math.isclose(joules, totals.energy_j, rel_tol=RELATIVE, abs_tol=1e-30):
            yield Problem(
                "report.totals.energy_j", f"{totals.energy_j} J, but the {what} add up to {joules} J"
            )
    for layer in layers:
        if not math.isclose(
            sum(layer.energy_j_by_unit.values()), layer.energy_j, rel_tol=RELATIVE, abs_tol=1e-30
        ):
            yield Problem(f"report.{layer.name}.energy_j", "does not equal the sum of its units")


def _traffic_problems(
    report: Report, graph: Graph, accelerator: Accelerator, sheet: Datasheet, skipping: Collection[str]
) -> Iterator[Problem]:
    least = compulsory_bits(graph, skipping)
    rows = [row for row in report.events if row.unit == accelerator.offchip and row.action != "leakage"]
    moved = sum(row.bits for row in rows)
    if moved < least:
        yield Problem(f"report.{accelerator.offchip}", f"{moved} bits moved, {least} are compulsory")
    prices = [
        row.energy_per_bit.in_unit_of("_j_per_bit")
        for row in sheet.actions
        if row.unit == accelerator.offchip and row.energy_per_bit is not None
    ]
    bound = least * min(prices, default=0.0)
    if report.totals.energy_j < bound * (1 - RELATIVE):
        yield Problem(
            "report.totals.energy_j", f"{report.totals.energy_j} J, compulsory traffic alone costs {bound} J"
        )


def compulsory_bits(graph: Graph, skipping: Collection[str] = ()) -> int:
    """Return the bits that must cross the chip's border once.

    Weights of matrix products, the elements of network inputs that matrix products or elementwise operators
    look at, and final results. Operators in `skipping` count with neither: nobody needs an operand whose
    products are left out.
    """
    touched: dict[str, int] = {}
    for op in graph.ops:
        for product in matrix_products(graph, op) if op.name not in skipping else ():
            if product.right_is_weight:
                touched[product.right] = graph.tensors[product.right].bits
            if product.left in graph.inputs:
                bits = product.left_elements * graph.tensors[product.left].format.bits
                touched[product.left] = max(touched.get(product.left, 0), bits)
        if op.kind == "elementwise":
            touched |= {name: graph.tensors[name].bits for name in op.inputs if name in graph.inputs}
    made = {
        name for op in graph.ops if op.kind not in ("offload", "reshape", "identity") for name in op.outputs
    }
    results = set(graph.outputs) & made
    return sum(touched.values()) + sum(graph.tensors[name].bits for name in results)
