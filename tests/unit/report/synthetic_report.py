"""A plausible report built by hand: parts sum to totals, fused layers, stalls, and every kind of evidence."""

from __future__ import annotations

import dataclasses
import random
from collections import defaultdict
from collections.abc import Iterable

from hwsim.report.types import EventRow, Layer, Price, Report, Totals

CLOCK_HZ = 700e6
PEAK_MACS_PER_CYCLE = 65536
DRAM_BYTES_PER_CYCLE = 48
PRICES = {
    ("array", "mac"): (0.23e-12, 0.0, "add_int8_j + mul_int8_j", ("add_int8_j", "mul_int8_j"), "reported"),
    ("vector", "op"): (1.0e-12, 0.0, "vector_op_j", ("vector_op_j",), "assumed"),
    ("input_buffer", "read"): (0.0, 0.15e-12, "sram_j_per_bit", ("sram_j_per_bit",), "derived"),
    ("weight_buffer", "read"): (0.0, 0.15e-12, "sram_j_per_bit", ("sram_j_per_bit",), "derived"),
    ("output_buffer", "write"): (0.0, 0.15e-12, "sram_j_per_bit", ("sram_j_per_bit",), "derived"),
    ("dram", "read"): (0.0, 20e-12, "dram_j_per_bit", ("dram_j_per_bit",), "unconfirmed"),
    ("dram", "write"): (0.0, 20e-12, "dram_j_per_bit", ("dram_j_per_bit",), "unconfirmed"),
    ("array", "leakage"): (1.2 / CLOCK_HZ, 0.0, "per cycle: array_leakage_w / design.clock_hz",
                           ("array_leakage_w",), "assumed"),
}


def _constant(value: str, kind: str, where: str, note: str = "") -> dict[str, object]:
    return {"value": value, "unit": value.split()[1], "kind": kind, "source": "horowitz2014", "where": where,
            "note": note, "title": "Computing's energy problem (and what we can do about it)",
            "doi": "10.1109/ISSCC.2014.6757323"}


CONSTANTS = {
    "add_int8_j": _constant("3e-14 J", "reported", "Fig. 1.1.9, 45 nm, 0.9 V"),
    "mul_int8_j": _constant("2e-13 J", "reported", "Fig. 1.1.9, 45 nm, 0.9 V"),
    "vector_op_j": _constant("1e-12 J", "assumed", "none", "no published figure; five 8-bit adds"),
    "sram_j_per_bit": _constant("1.5e-13 J/bit", "derived", "Fig. 1.1.9, 32 KiB cache"),
    "dram_j_per_bit": _constant("2e-11 J/bit", "unconfirmed", "Fig. 1.1.9", "recalled, not read"),
    "array_leakage_w": _constant("1.2 W", "assumed", "none", "share of the idle power"),
}


def _events_of(layer: str, counts: dict[tuple[str, str], tuple[int, int]]) -> list[EventRow]:
    rows = []
    for (unit, action), (events, bits) in counts.items():
        energy, per_bit, _, _, kind = PRICES[unit, action]
        joules = events * energy + bits * per_bit
        rows.append(EventRow(layer, unit, action, events, bits, joules, kind))
    return rows


def _by_unit(rows: Iterable[EventRow]) -> dict[str, float]:
    sums: defaultdict[str, float] = defaultdict(float)
    for row in rows:
        sums[row.unit] += row.energy_j
    return dict(sums)


def _convolution(index: int, draw: random.Random, scale: int) -> tuple[Layer, list[EventRow]]:
    name = f"/layer{index // 9 + 1}/block{index % 9}/conv_{index}"
    macs = draw.randrange(4, 120) * 1_000_000
    compute = 3 * macs * scale**2 // PEAK_MACS_PER_CYCLE + 767
    weights, maps = draw.randrange(9, 400) * 1024, draw.randrange(100, 800) * 1024
    transfer = (weights + 2 * maps) // DRAM_BYTES_PER_CYCLE + 1
    stalls = {"dram": max(0, transfer - compute)}
    cycles = compute + stalls["dram"]
    rows = _events_of(name, {
        ("array", "mac"): (macs, macs * 8), ("input_buffer", "read"): (maps, maps * 64),
        ("weight_buffer", "read"): (weights, weights * 16), ("output_buffer", "write"): (maps, maps * 32),
        ("dram", "read"): (weights + maps, 8 * (weights + maps)), ("dram", "write"): (maps, 8 * maps),
        ("array", "leakage"): (cycles, 0)})
    shape = (1, draw.choice((64, 128, 256, 512)), 28, 28)
    layer = Layer(
        name, "convolution", "Conv", shape, macs, cycles, compute, sum(stalls.values()),
        cycles / CLOCK_HZ, sum(row.energy_j for row in rows), 3e-4,
        macs * scale**2 / (cycles * PEAK_MACS_PER_CYCLE),
        "dram" if stalls["dram"] else "array", "", "weight-stationary, 9 x 4 tiles", macs * 64, macs * 64,
        weights,
        {"input_buffer": maps * 8, "weight_buffer": weights * 2, "output_buffer": maps * 4,
         "dram": weights + 2 * maps}, stalls, _by_unit(rows),
        {"array": compute, "dram": transfer, "vector": 0})
    return layer, rows


def _fused(parent: Layer, index: int) -> tuple[Layer, list[EventRow]]:
    name, elements = f"{parent.name}/relu_{index}", 512 * 28 * 28
    rows = _events_of(name, {("vector", "op"): (elements, 8 * elements)})
    layer = Layer(name, "relu", "Relu", parent.shape, 0, 0, 0, 0, 0.0, sum(row.energy_j for row in rows),
                  3e-4, 0.0, "fused", parent.name, "on the way out", 0, 0, 0, {"dram": 0}, {"dram": 0},
                  _by_unit(rows), {"vector": min(parent.cycles // 2, elements // 256)})
    return layer, rows


def _sums(layers: list[Layer], column: str) -> dict[str, int]:
    sums: defaultdict[str, int] = defaultdict(int)
    for layer in layers:
        for key, value in getattr(layer, column).items():
            sums[key] += value
    return dict(sums)


def _totals(layers: list[Layer], events: list[EventRow], scale: int) -> Totals:
    macs, cycles = sum(layer.macs for layer in layers), sum(layer.cycles for layer in layers)
    energy, time_s = sum(row.energy_j for row in events), cycles / CLOCK_HZ
    return Totals(
        macs, cycles, sum(layer.compute_cycles for layer in layers),
        sum(layer.stall_cycles for layer in layers),
        time_s, energy, 3e-4, energy / time_s, macs * scale**2 / (cycles * PEAK_MACS_PER_CYCLE),
        macs * 64, macs * 64, sum(layer.parameters for layer in layers), _sums(layers, "bytes_by_memory"),
        _sums(layers, "stall_cycles_by_cause"), _by_unit(events))


def make_report(convolutions: int = 54, *, preset: str = "tpu_v1", scale: int = 1, seed: int = 7) -> Report:
    """Build a report of `convolutions` convolutions, each second one with a fused activation."""
    draw = random.Random(seed)
    layers: list[Layer] = []
    events: list[EventRow] = []
    for index in range(convolutions):
        layer, rows = _convolution(index, draw, scale)
        layers.append(layer)
        events += rows
        if index % 2 == 0:
            follower, rows = _fused(layer, index)
            layers.append(follower)
            events += rows
    evidence: defaultdict[str, float] = defaultdict(float)
    for row in events:
        evidence[row.kind] += row.energy_j
    return Report(
        provenance={"hwsim_version": "0.1.0", "model_version": "1", "chip": "systolic", "preset": preset,
                    "design": {"array_rows": 256 // scale, "array_cols": 256 // scale, "clock_hz": CLOCK_HZ},
                    "network": f"synthetic{convolutions}", "graph_fingerprint": f"feed{convolutions:04d}",
                    "changed_knobs": [], "network_source": {"file": "synthetic.onnx", "sha256": "0123abcd"},
                    "python_version": "3.11.7", "numpy_version": "2.4.6"},
        coverage={"line": f"costed 100 % of MACs, 100 % of bytes; {convolutions} nodes; 0 unknown",
                  "macs_ratio": 1.0, "bytes_ratio": 1.0, "movement_nodes": 0, "folded_nodes": 12,
                  "unknown_nodes": 0},
        totals=_totals(layers, events, scale), layers=tuple(layers), events=tuple(events),
        prices=tuple(Price(unit, action, energy, per_bit, formula, constants, kind)
                     for (unit, action), (energy, per_bit, formula, constants, kind) in PRICES.items()),
        constants=CONSTANTS, energy_by_evidence=dict(evidence),
        metrics={"macs": "Useful multiply-accumulates.", "cycles": "Reference clock cycles."},
        roofline={"peak_macs_per_s": PEAK_MACS_PER_CYCLE * CLOCK_HZ / scale**2,
                  "dram_bits_per_s": 8 * DRAM_BYTES_PER_CYCLE * CLOCK_HZ, "input_buffer_bits_per_s": 1336e9},
        warnings=("The DRAM energy is unconfirmed.",))


def renamed(report: Report, **provenance: object) -> Report:
    """Return `report` with other provenance entries."""
    return dataclasses.replace(report, provenance={**report.provenance, **provenance})
