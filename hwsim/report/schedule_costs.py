"""What a schedule saves on a chip: cycles, stalls and joules without it, with each baseline, and with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from fractions import Fraction
from typing import Any

from hwsim.errors import InputError, nearest
from hwsim.model.scheduled import Demand, PlanTiming, run_plan
from hwsim.report.types import Layer, Report
from hwsim.schedule.network import NetworkProblem
from hwsim.schedule.types import Plan

_LEAKAGE, _OVERHEAD = "leakage", "overhead"
UNSCHEDULED, SCHEDULED = "none", "cosma"


@dataclass(frozen=True, slots=True)
class ScheduledCost:
    """One network on one chip under one plan.

    Attributes
    ----------
    name : str
        "none" (every operator reads its operands from DRAM and writes its results there, as the chip was
        evaluated), a baseline, or "cosma".
    cycles, compute_cycles, stall_cycles : int
        cycles = compute_cycles + stall_cycles.
    time_s, energy_j : float
        Whole network, leakage and overheads included.
    dram_energy_j, scratchpad_energy_j : float
        Of DRAM, and of the scratchpad that the plan fills; overheads left out.
    stream_bytes : int
        Parameters, and operands that the chip reads more than once.
    compulsory_bytes, non_compulsory_bytes : int
        First loads and final stores of activations; spills and repeated fetches.
    timing : PlanTiming or None
        Who waits for whom; None for "none".
    """

    name: str
    cycles: int
    compute_cycles: int
    stall_cycles: int
    time_s: float
    energy_j: float
    dram_energy_j: float
    scratchpad_energy_j: float
    stream_bytes: int
    compulsory_bytes: int
    non_compulsory_bytes: int
    timing: PlanTiming | None = None

    def to_document(self) -> dict[str, Any]:
        """Return every figure by name, without the timing."""
        return {item.name: getattr(self, item.name) for item in fields(self) if item.name != "timing"}

    @property
    def dram_bytes(self) -> int:
        """Everything that crosses the DRAM channel."""
        return self.stream_bytes + self.compulsory_bytes + self.non_compulsory_bytes


def schedule_costs(report: Report, network: NetworkProblem, plans: Mapping[str, Plan], *,
                   offchip: str = "dram", stream_bits: Mapping[str, int] | None = None,
                   scratchpad_j_per_bit: float | None = None) -> tuple[ScheduledCost, ...]:
    """Return the cost of a network without a schedule and under each plan, "none" first.

    The operators keep their compute cycles and their energy beside DRAM. Operands and results lie in the
    scratchpad; what crosses the channel are parameters, first loads, final stores and the transfers of
    the plan, which overlap with computing as `run_plan` says.

    Parameters
    ----------
    report : Report
        The network on the chip, evaluated without a schedule.
    network : NetworkProblem
        From the graph as the chip prepared it, in its number formats.
    plans : mapping of str to Plan
        Verified plans by name, such as `baseline_plans` and the plan of `schedule_network`.
    offchip : str
        Unit of the chip behind the channel (`Accelerator.offchip`).
    stream_bits : mapping of str to int, optional
        DRAM bits that an operator of the network reads while it runs, by name. By default what it reads in
        the report beyond each operand once, which assumes that only parameters are read more than once.
    scratchpad_j_per_bit : float, optional
        Price of an access; by default that of the dearest on-chip memory of the chip.

    Raises
    ------
    InputError
        The report and the problem are of different networks, or the chip has no such unit.
    """
    view = _View(report, network, offchip, stream_bits or {}, scratchpad_j_per_bit)
    return (view.unscheduled(), *(view.scheduled(name, plan) for name, plan in plans.items()))


class _View:
    """A report reduced to what a schedule changes and what it does not."""

    def __init__(self, report: Report, network: NetworkProblem, offchip: str, stream_bits: Mapping[str, int],
                 scratchpad_j_per_bit: float | None) -> None:
        self._report, self._network, self._offchip = report, network, offchip
        self._layers = {layer.name: layer for layer in report.layers}
        self._check()
        self._read = self._moved("read")
        self._written = self._moved("write")
        self._stream = {name: stream_bits.get(name, self._beyond_operands(layer))
                        for name, layer in self._layers.items()}
        self._rates = self._rate("read"), self._rate("write")
        per_bit = scratchpad_j_per_bit
        self._pad_j_per_bit = self._dearest_memory() if per_bit is None else per_bit
        self._prices = {action: self._price(action) for action in ("read", "write")}

    def unscheduled(self) -> ScheduledCost:
        totals, problem = self._report.totals, self._network.problem
        moved = sum(self._read.values()) + sum(self._written.values())
        stream = sum(self._stream.values())
        once = sum(self._network.tensor_bytes[tensor.name] for index, tensor in enumerate(problem.tensors)
                   if tensor.is_output or problem.producer[index] < 0)
        compulsory = min(once, (moved - stream) // 8)
        return ScheduledCost(UNSCHEDULED, totals.cycles, totals.compute_cycles, totals.stall_cycles,
                             totals.time_s, totals.energy_j, self._dram_j(), 0.0, stream // 8,
                             compulsory, (moved - stream) // 8 - compulsory)

    def scheduled(self, name: str, plan: Plan) -> ScheduledCost:
        problem = self._network.problem
        demands = [self._demand(self._network.members[op.name]) for op in problem.operators]
        timing = run_plan(problem, plan, demands, read=self._rates[0], write=self._rates[1])
        left = self._left_over()
        cycles = timing.cycles + sum(layer.cycles for layer in left)
        compute = timing.compute_cycles + sum(layer.compute_cycles for layer in left)
        compulsory = timing.bits("load") + timing.bits("store")
        avoidable = timing.bits("fetch") + timing.bits("spill")
        stream = sum(self._stream.values())
        kept = sum(self._written[layer.name] for layer in left)
        reads = stream + timing.bits("load") + timing.bits("fetch")
        writes = kept + timing.bits("store") + timing.bits("spill")
        dram_j = reads * self._prices["read"] + writes * self._prices["write"]
        replaced = sum(self._read.values()) - stream + sum(self._written.values()) - kept
        pad_j = (replaced + compulsory + avoidable) * self._pad_j_per_bit
        energy = self._energy(dram_j + pad_j, cycles)
        time_s = cycles * self._seconds_per_cycle()
        return ScheduledCost(name, cycles, compute, cycles - compute, time_s, energy, dram_j, pad_j,
                             (stream + kept) // 8, compulsory // 8, avoidable // 8, timing)

    def _check(self) -> None:
        missing = [name for members in self._network.members.values() for name in members
                   if name not in self._layers]
        if missing:
            raise InputError(f"the report has no layer {missing[0]!r} ({len(missing)} in all)",
                             where="schedule",
                             hint="build the problem from the graph that the chip prepared")
        units = {row.unit for row in self._report.events}
        if self._offchip not in units:
            raise InputError(f"the chip has no unit {self._offchip!r} that moves anything", where="schedule",
                             hint=nearest(self._offchip, units) if self._offchip else "")

    def _moved(self, action: str) -> dict[str, int]:
        """Return the bits that each layer moves over the channel."""
        found = dict.fromkeys(self._layers, 0)
        for row in self._report.events:
            if row.unit == self._offchip and row.action == action and row.layer in found:
                found[row.layer] += row.bits
        return found

    def _beyond_operands(self, layer: Layer) -> int:
        """Return the bits a layer reads beyond each operand once; one that runs inside another reads none."""
        operands = 0 if layer.fused_into else self._network.read_bits.get(layer.name, 0)
        return max(0, self._read[layer.name] - operands)

    def _demand(self, members: tuple[str, ...]) -> Demand:
        cycles = sum(self._layers[name].compute_cycles for name in members)
        cause = f"{self._offchip}.read"
        fill = sum(self._layers[name].stall_cycles_by_cause.get(cause, 0) for name in members)
        return Demand(cycles, sum(self._stream[name] for name in members), fill)

    def _left_over(self) -> list[Layer]:
        """Return layers that are no part of the schedule: what happens to weights alone."""
        scheduled = {name for members in self._network.members.values() for name in members}
        return [layer for layer in self._report.layers if layer.name not in scheduled]

    def _rate(self, action: str) -> Fraction:
        """Return cycles per bit of the channel, exactly; 0 where the chip has none or an endless one."""
        bits_per_s = self._report.roofline.get(f"{self._offchip}_bits_per_s", float("inf"))
        if bits_per_s in (0.0, float("inf")):
            return Fraction(0)
        clock_hz = self._report.totals.cycles / self._report.totals.time_s
        return Fraction(repr(float(f"{clock_hz:.12g}"))) / Fraction(repr(float(bits_per_s)))

    def _price(self, action: str) -> float:
        rows = [row for row in self._report.events if row.unit == self._offchip and row.action == action]
        bits = sum(row.bits for row in rows)
        return sum(row.energy_j for row in rows) / bits if bits else 0.0

    def _dearest_memory(self) -> float:
        """Return joules per bit of the dearest memory on the chip; 0 if it has none."""
        found: dict[str, list[float]] = {}
        for row in self._report.events:
            if row.unit in self._report.totals.bytes_by_memory and row.unit != self._offchip and row.bits:
                sums = found.setdefault(row.unit, [0.0, 0.0])
                sums[0] += row.energy_j
                sums[1] += row.bits
        return max((joules / bits for joules, bits in found.values()), default=0.0)

    def _dram_j(self) -> float:
        return sum(row.energy_j for row in self._report.events
                   if row.unit == self._offchip and row.action != _LEAKAGE)

    def _seconds_per_cycle(self) -> float:
        totals = self._report.totals
        return totals.time_s / totals.cycles if totals.cycles else 0.0

    def _energy(self, memory_j: float, cycles: int) -> float:
        """Return the joules of a run with other memory energy and another length, overheads included."""
        leakage = overhead = other = 0.0
        for row in self._report.events:
            if row.unit == _OVERHEAD:
                overhead += row.energy_j
            elif row.action == _LEAKAGE:
                leakage += row.energy_j
            elif row.unit != self._offchip:
                other += row.energy_j
        before = leakage + other + self._dram_j()
        scaled = leakage * cycles / self._report.totals.cycles if self._report.totals.cycles else 0.0
        ratio = overhead / before if before else 0.0
        return (other + scaled + memory_j) * (1 + ratio)
