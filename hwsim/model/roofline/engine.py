"""Graph to trace, trace to price, and the stepped machine of a roofline engine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwsim.constants import Constants
from hwsim.graph.build import GraphBuilder
from hwsim.graph.offload import is_free, operand_traffic
from hwsim.graph.ops import PRIMITIVES, work_of
from hwsim.graph.passes import fold_batch_normalization, set_precision
from hwsim.graph.types import FormatKind, Graph, NumberFormat, Op
from hwsim.model.roofline.design import MemoryModel, RooflineDesign
from hwsim.model.types import Accelerator, ActionRow, Datasheet, MachineResult, UnitRow
from hwsim.sourced import Sourced, chosen
from hwsim.trace import LoopKind, Trace, TraceBuilder

KnobSource = Callable[[RooflineDesign, str], Sourced]
_POWERED = "the published power is charged for time"


def accelerator(
    name: str,
    summary: str,
    presets: Mapping[str, RooflineDesign],
    constants: Constants,
    folder: Path,
    knob: KnobSource,
) -> Accelerator:
    """Return a roofline engine as a chip.

    Parameters
    ----------
    name, summary, presets, constants, folder
        As for `Accelerator`.
    knob : callable (RooflineDesign, str) -> Sourced
        A knob with the evidence of the preset that it still equals.
    """
    return Accelerator(
        name=name,
        summary=summary,
        design=RooflineDesign,
        presets=presets,
        lower=lower,
        datasheet=lambda design: datasheet(design, knob),
        supports=lambda graph, op: "",
        prepare=prepare,
        work={("engine", "mac"): "macs", **{("engine", primitive): primitive for primitive in PRIMITIVES}},
        machine=machine,
        machine_graphs=machine_graph,
        reference=reference,
        structure=structure,
        constants=constants,
        folder=folder,
        offchip="dram",
        lane_knobs=("lanes",),
    )


def prepare(graph: Graph, design: RooflineDesign) -> Graph:
    """Fold normalizations, and store floating-point networks in the operand width; integers keep theirs."""
    folded = fold_batch_normalization(graph)
    floats = any(tensor.format.kind is FormatKind.FLOAT for tensor in folded.tensors.values())
    if not floats or design.operand_bits not in (16, 32, 64):
        return folded
    exponent = {16: 5, 32: 8, 64: 11}[design.operand_bits]
    form = NumberFormat(FormatKind.FLOAT, design.operand_bits, exponent)
    return set_precision(folded, weights=form, activations=form)


def structure(design: RooflineDesign) -> dict[str, Any]:
    """Return the knobs that the trace depends on: the operand width; all others are prices."""
    return {"operand_bits": design.operand_bits}


def lower(graph: Graph, design: RooflineDesign) -> Trace:
    """Return one loop per operator: its operations on the engine beside one pass over each of its tensors."""
    build = TraceBuilder()
    for op in graph.ops:
        macs, primitives, operations, reads, writes = _amounts(graph, op)
        if not (reads or writes):
            build.note(op.name, "mapping", "no data moves")
            continue
        with build.loop(1, LoopKind.PAR, node=op.name):
            with build.loop(1, LoopKind.SEQ):
                if macs:
                    build.event("engine", "mac", macs)
                for name, count in primitives.items():
                    build.event("engine", name, count)
                if operations:
                    build.event("engine", "issue", operations)
            with build.loop(1, LoopKind.SEQ):
                if reads:
                    build.event("dram", "read", 1, bits=reads)
                if writes:
                    build.event("dram", "write", 1, bits=writes)
    return build.build()


def _amounts(graph: Graph, op: Op) -> tuple[int, Mapping[str, int], int, int, int]:
    """Return MACs, elementary operations by name and in all, bits read and bits written."""
    work = work_of(graph, op)
    if is_free(op):
        return work.macs, work.primitives, work.vector_operations, 0, 0
    return work.macs, work.primitives, work.vector_operations, *operand_traffic(graph, op)


def datasheet(design: RooflineDesign, knob: KnobSource) -> Datasheet:
    """Return the prices: lanes and clock make the peak, and the power is drawn for as long as a run takes."""
    rate = knob(design, "dram_bits_per_s") if design.memory_model is MemoryModel.BOUNDED else None
    untimed = "the peak was achieved and contains the memory" if rate is None else ""
    area = knob(design, "die_area_m2") if design.die_area_m2 else None
    return Datasheet(
        clock_hz=knob(design, "clock_hz"),
        actions=(
            ActionRow("engine", "mac", lanes=design.lanes, zero_energy=_POWERED),
            ActionRow("engine", "issue", lanes=design.lanes, zero_energy=_POWERED),
            *(
                ActionRow(
                    "engine", name, interval_cycles=0, zero_energy=_POWERED, zero_time="takes its issue slot"
                )
                for name in PRIMITIVES
            ),
            *(
                ActionRow(
                    "dram",
                    action,
                    interval_cycles=0,
                    bits_per_s=rate,
                    zero_energy=_POWERED,
                    zero_time=untimed,
                )
                for action in ("write", "read")
            ),
        ),
        units=(
            UnitRow(
                "engine",
                area=area,
                leakage=knob(design, "active_power_w"),
                zero_area="" if area is not None else "not published",
            ),
            UnitRow(
                "dram", role="memory", zero_area="another chip", zero_leakage="inside the power of the engine"
            ),
        ),
    )


def machine_graph(rng: np.random.Generator) -> Graph:
    """Return a small random graph of one matrix product or one sum."""
    b = GraphBuilder("random")
    m, k, n = (int(size) for size in rng.integers(1, 12, 3))
    if rng.integers(3):
        b.output(b.add("gemm", [b.input("x", (m, k)), b.weight("w", (k, n))], name="product"))
    else:
        b.output(
            b.add("elementwise", [b.input("x", (m, k)), b.input("y", (m, k))], name="sum", function="add")
        )
    return b.build()


def _operands(graph: Graph, rng: np.random.Generator) -> list[NDArray[np.int64]]:
    return [rng.integers(-99, 100, graph.tensors[name].shape) for name in graph.ops[0].inputs]


def reference(graph: Graph, design: RooflineDesign, rng: np.random.Generator) -> NDArray[Any]:
    """Return what numpy makes of the operands that `machine` draws from an equal generator."""
    first, second = _operands(graph, rng)
    return first @ second if graph.ops[0].kind == "gemm" else first + second


def machine(graph: Graph, design: RooflineDesign, rng: np.random.Generator) -> MachineResult:
    """Step a graph of one product or sum: every clock the lanes do operations and the memory moves bits."""
    op = graph.ops[0]
    first, second = _operands(graph, rng)
    values = np.zeros(graph.tensors[op.outputs[0]].shape, np.int64)
    product = op.kind == "gemm"
    places = list(np.ndindex(*values.shape, first.shape[1])) if product else list(np.ndindex(*values.shape))
    left = [sum(graph.tensors[name].bits for name in op.inputs), graph.tensors[op.outputs[0]].bits]
    done, clock, events = 0, 0, Counter[tuple[str, str]]()
    rate = Fraction(design.dram_bits_per_s) / Fraction(design.clock_hz)
    memory = Channel(left, rate if design.memory_model is MemoryModel.BOUNDED else None)
    while done < len(places) or memory.busy:
        for place in places[done : done + design.lanes]:
            if product:
                m, n, k = place
                values[m, n] += first[m, k] * second[k, n]
                events["engine", "mac"] += 1
            else:
                values[place] = first[place] + second[place]
                events["engine", "add"] += 1
                events["engine", "issue"] += 1
        done += design.lanes
        memory.step()
        clock += 1
    bits = {("dram", "read"): left[0], ("dram", "write"): left[1]}
    return MachineResult(values, clock, dict(events) | bits)


class Channel:
    """Moves transfers one after the other; each starts on a clock of its own.

    Parameters
    ----------
    transfers : list of int
        Bits of each.
    bits_per_clock : Fraction or None
        None moves everything in no time.
    """

    def __init__(self, transfers: list[int], bits_per_clock: Fraction | None) -> None:
        self._rate = bits_per_clock
        self._left = [] if bits_per_clock is None else [Fraction(bits) for bits in transfers if bits]

    @property
    def busy(self) -> bool:
        """Whether any bit is still to be moved."""
        return bool(self._left)

    def step(self) -> None:
        """Move one clock's worth of the first transfer."""
        if self._left and self._rate is not None:
            self._left[0] -= self._rate
            if self._left[0] <= 0:
                del self._left[0]


def presets_knob(
    presets: Callable[[], Mapping[str, RooflineDesign]], constants: Constants, names: Mapping[str, str]
) -> KnobSource:
    """Return the lookup of knobs with evidence.

    Parameters
    ----------
    presets : callable
        The presets by name.
    constants : Constants
        Where ``PREFIX_KNOB`` stands.
    names : mapping of str to str
        Prefix of the constants of each preset.
    """

    def knob(design: RooflineDesign, name: str) -> Sourced:
        value = getattr(design, name)
        for preset, prefix in names.items():
            base, key = presets()[preset], f"{prefix}_{name}"
            if key in constants and getattr(base, name) == value and base.lanes == design.lanes:
                return constants[key]
        return chosen(
            value, name.rpartition("_")[2] if name != "dram_bits_per_s" else "bits_per_s", f"design.{name}"
        )

    return knob
