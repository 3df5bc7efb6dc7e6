"""What the work costs: datasheets, and a chip as a value."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from hwsim.constants import Constants, Sourced
from hwsim.errors import MissingDatasheetRow
from hwsim.graph.types import Graph, Op
from hwsim.model.sampling import Sampling
from hwsim.trace.merge import Merged
from hwsim.trace.types import Trace

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


class Design(BaseModel):
    """Base of all design knobs: frozen, unknown fields refused, units in the names."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="strings")


@dataclass(frozen=True, slots=True)
class ActionRow:
    """Price of one action of one unit.

    Attributes
    ----------
    unit, action : str
        Names as the trace uses them.
    energy : Sourced or None
        Joules per event; None is an explicit zero and needs `zero_energy`.
    energy_per_bit : Sourced or None
        Joules per bit, on top of `energy`; None: bits cost nothing of their own.
    lanes : int
        Events that run at once.
    interval_cycles : int
        Cycles of the unit's clock for which one group of lanes occupies it; 0 needs `zero_time`.
    bits_per_s : Sourced or None
        Bandwidth of the unit; the bits of a row take at least bits / bandwidth.
    zero_energy, zero_time : str
        Why the action costs no energy or no time.
    """

    unit: str
    action: str
    energy: Sourced | None = None
    energy_per_bit: Sourced | None = None
    lanes: int = 1
    interval_cycles: int = 1
    bits_per_s: Sourced | None = None
    zero_energy: str = ""
    zero_time: str = ""


@dataclass(frozen=True, slots=True)
class UnitRow:
    """A physical unit.

    Attributes
    ----------
    unit : str
        Name as the trace uses it.
    area : Sourced or None
        Square metres; None is an explicit zero and needs `zero_area`.
    leakage : Sourced or None
        Watts drawn all the time; None needs `zero_leakage`.
    clock : str
        Clock domain; "" is the reference clock.
    role : str
        "compute", or "memory" and "link", whose bytes are reported and whose time counts as stall.
    zero_area, zero_leakage : str
        Why the unit has no area or leakage of its own.
    """

    unit: str
    area: Sourced | None = None
    leakage: Sourced | None = None
    clock: str = ""
    role: str = "compute"
    zero_area: str = ""
    zero_leakage: str = ""


@dataclass(frozen=True, slots=True)
class Overhead:
    """A system factor shown as a row of its own, never multiplied into per-event energies.

    Attributes
    ----------
    name : str
        For example "cooling".
    ratio : Sourced
        Joules of overhead per joule of the chip.
    """

    name: str
    ratio: Sourced


@dataclass(frozen=True)
class Datasheet:
    """Everything a design is charged for.

    Attributes
    ----------
    clock_hz : Sourced
        Reference clock, in which cycles are counted.
    actions : tuple of ActionRow
        One row per (unit, action).
    units : tuple of UnitRow
        One row per unit.
    clocks : mapping of str to Sourced
        Other clock domains.
    overheads : tuple of Overhead
        System factors.
    """

    clock_hz: Sourced
    actions: tuple[ActionRow, ...]
    units: tuple[UnitRow, ...]
    clocks: Mapping[str, Sourced] = field(default_factory=dict)
    overheads: tuple[Overhead, ...] = ()

    def unit(self, name: str) -> UnitRow:
        """Return the row of unit `name`."""
        for row in self.units:
            if row.unit == name:
                return row
        raise MissingDatasheetRow(f"no unit {name!r}", where="datasheet")


@dataclass(frozen=True, slots=True)
class Timing:
    """Cycles of a trace under a datasheet, all in reference clock cycles.

    A leading design axis is present exactly if the trace or the price columns have one.

    Attributes
    ----------
    cycles : int64[...]
        Whole program.
    compute_cycles : int64[...]
        Whole program if memories and links took no time.
    node_cycles : int64[..., N]
        Latency of the loops that each node owns; 0 for a node that runs inside another one's loop.
    node_stalls : int64[..., N, C]
        Cycles lost to each cause, so that node_cycles - sum of stalls is the compute time.
    busy_cycles : int64[..., N, U]
        Cycles for which each unit works for each node; no units if nobody asked.
    causes : tuple of str
        "unit.action" of each stall column.
    """

    cycles: Ints
    compute_cycles: Ints
    node_cycles: Ints
    node_stalls: Ints
    busy_cycles: Ints
    causes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MachineResult:
    """What a stepped machine did with real operands.

    Attributes
    ----------
    values : array
        The operator's exact result.
    cycles : int
        Clocks stepped.
    events : mapping of (unit, action) to int
        Events counted while stepping.
    """

    values: NDArray[Any]
    cycles: int
    events: Mapping[tuple[str, str], int]


@dataclass(frozen=True, slots=True)
class FunctionalResult:
    """What a chip's own arithmetic made of labelled samples.

    Attributes
    ----------
    labels, predicted, reference : int64[samples]
        The right classes, those of the chip, and those of the same network in floating point.
    notes, warnings : tuple of str
        How the run was set up, and what the user should know about it.
    """

    labels: Ints
    predicted: Ints
    reference: Ints
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Counted:
    """How often something happened in a Monte-Carlo run.

    Attributes
    ----------
    count, trials : int
        Times it happened, and times it could have.
    independent_share : float
        Independent trials that are worth as much, per trial; below 1 where trials fail together.
    """

    count: int
    trials: int
    independent_share: float = 1.0


@dataclass(frozen=True, slots=True)
class RatePoint:
    """Counts under one setting: ``{"ebn0_db": 2.0}`` -> ``{"frame_error": ...}``."""

    setting: Mapping[str, float]
    rates: Mapping[str, Counted]


@dataclass(frozen=True, slots=True)
class ErrorRates:
    """What a chip's own arithmetic made of random inputs, for chips that do not classify.

    Attributes
    ----------
    points : tuple of RatePoint
        In the order in which they were asked for; all with the same settings and rates.
    notes, warnings : tuple of str
        How the run was set up, and what the user should know about it.
    """

    points: tuple[RatePoint, ...]
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FamilyProgram:
    """What several designs of a chip do: one trace with a leading design axis, equal layers once.

    Attributes
    ----------
    merged : Merged
        The trace, and how many layers each of its nodes stands for.
    members : int64[D]
        Which of the designs asked for the trace holds, in order; each of the others is lowered by itself.
    """

    merged: Merged
    members: Ints


@dataclass(frozen=True, slots=True)
class FamilyLowering:
    """How a chip lowers many designs in one call.

    Attributes
    ----------
    knobs : tuple of str
        Knobs in which designs may differ; `prepare` looks at none of them.
    lower : callable (Graph, designs) -> FamilyProgram
        Lowers the prepared network; a member's part of the trace equals what `Accelerator.lower` writes for
        it, apart from loops of no trips and rows of no events.
    """

    knobs: tuple[str, ...]
    lower: Callable[[Graph, Sequence[Any]], FamilyProgram]


Machine = Callable[[Graph, Any, np.random.Generator], MachineResult]
Figures = Mapping[str, float]
Functional = Callable[[Graph, Any, Mapping[str, NDArray[Any]]], FunctionalResult | ErrorRates]
Sample = Callable[[Graph, Any, Mapping[str, int]], Sampling]


@dataclass(frozen=True)
class Accelerator:
    """A modeled chip, as a value.

    Attributes
    ----------
    name : str
        As the user types it; the folder under ``accelerators/``.
    summary : str
        One line.
    design : type of Design
        The knobs.
    presets : mapping of str to Design
        Named designs; the first is the default.
    lower : callable (Graph, Design) -> Trace
        Lowering; raises UnsupportedOp with every operator it cannot run.
    datasheet : callable (Design) -> Datasheet
        Prices of a design.
    supports : callable (Graph, Op) -> str
        "" if the chip can run the operator, otherwise the reason why not.
    prepare : callable (Graph, Design) -> Graph
        Passes that the chip needs before lowering: number formats, folded normalizations.
    work : mapping of (unit, action) to str
        Which useful quantity an event performs: "macs" or an elementary operation of the op table.
    machine : callable (Graph, Design, Generator) -> MachineResult
        Stepped simulator of a graph of one operator, on operands drawn from the generator.
    machine_graphs : callable (Generator) -> Graph
        Draws a random small graph of one operator that the machine can run.
    reference : callable (Graph, Design, Generator) -> array
        numpy result for the operands that `machine` draws from an equal generator.
    structure : callable (Design) -> mapping
        The knobs the trace depends on; designs with equal structure share a trace.
    constants : Constants
        Sourced numbers of the chip.
    folder : Path
        Where constants.toml, anchors.toml and README.md lie.
    offchip : str
        Unit that holds weights, network inputs and outputs; "" if they are on the chip.
    scratchpad_bytes : callable (Design) -> int, or None
        On-chip memory that may hold activations from one operator to the next; None: the chip has none.
    scratchpad_j_per_bit : callable (Design, bytes) -> Sourced, or None
        Joules per bit of an access to a scratchpad of that many bytes.
    lane_knobs : tuple of str
        Knobs of which more never slows a network down.
    functional : callable (Graph, Design, arrays by name) -> FunctionalResult or ErrorRates, or None
        Runs a network on arrays named after its tensors, and "labels", or on random inputs as settings say;
        None: the chip computes no values.
    figures : callable (Graph, Design) -> mapping of str to float, or None
        Figures of the chip's own, each name ending in its unit; they are rows of every table of totals,
        except those of single layers, whose names begin with ``layer_``.
    family : FamilyLowering or None
        Lowers designs that differ in structure together; None: one after the other.
    sample : callable (Graph, Design, clamps by name) -> Sampling, or None
        Runs a circuit with some wires held and counts the states it ends in; None: the chip computes none.
    host : callable (Graph, Op) -> bool, or None
        Whether the published design leaves an operator to a host; it costs nothing, and the report says so.
    warnings : callable (Graph, Design) -> tuple of str, or None
        What the user should know about a network on this chip, for the report.
    model_version : str
        Changes whenever the numbers do.
    """

    name: str
    summary: str
    design: type[Design]
    presets: Mapping[str, Design]
    lower: Callable[[Graph, Any], Trace]
    datasheet: Callable[[Any], Datasheet]
    supports: Callable[[Graph, Op], str]
    prepare: Callable[[Graph, Any], Graph]
    work: Mapping[tuple[str, str], str]
    machine: Machine
    machine_graphs: Callable[[np.random.Generator], Graph]
    reference: Callable[[Graph, Any, np.random.Generator], NDArray[Any]]
    structure: Callable[[Any], Mapping[str, Any]]
    constants: Constants
    folder: Path
    offchip: str = ""
    scratchpad_bytes: Callable[[Any], int] | None = None
    scratchpad_j_per_bit: Callable[[Any, int], Sourced] | None = None
    lane_knobs: tuple[str, ...] = ()
    functional: Functional | None = None
    figures: Callable[[Graph, Any], Figures] | None = None
    family: FamilyLowering | None = None
    sample: Sample | None = None
    host: Callable[[Graph, Op], bool] | None = None
    warnings: Callable[[Graph, Any], tuple[str, ...]] | None = None
    model_version: str = "1"
