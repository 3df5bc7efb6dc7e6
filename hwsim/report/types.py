"""What we say: a report as plain columns, free of graphs, traces and numpy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

SCHEMA_VERSION = "1.1"
OFF_CHIP = ("dram", "hbm", "ddr")
"""How the names of memories off the chip begin."""


@dataclass(frozen=True, slots=True)
class Totals:
    """Totals of a run; the same names stand on every layer.

    Attributes
    ----------
    macs : int
        Useful multiply-accumulates.
    cycles, compute_cycles, stall_cycles : int
        cycles = compute_cycles + stall_cycles, in reference clock cycles.
    time_s, energy_j, area_m2, power_w : float
        Seconds, joules, square metres, and energy / time.
    utilization : float
        Useful MACs over the MACs the array could do in `cycles`.
    """

    macs: int
    cycles: int
    compute_cycles: int
    stall_cycles: int
    time_s: float
    energy_j: float
    area_m2: float
    power_w: float
    utilization: float
    bit_operations: int
    ace: int
    parameters: int
    bytes_by_memory: Mapping[str, int]
    stall_cycles_by_cause: Mapping[str, int]
    energy_j_by_unit: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Layer:
    """One operator of the network on the chip.

    Attributes
    ----------
    name, kind, origin : str
        Operator name, kind in the op table, and what its source called it.
    shape : tuple of int
        Shape of the first output.
    bound_by : str
        Unit that limits the layer, or "fused" for one that runs inside another.
    fused_into : str
        Name of the layer whose loop this one runs in, or "".
    mapping : str
        How the layer was mapped (dataflow, tile sizes), in the chip's words.
    bytes_by_memory : mapping of str to int
        Bytes moved at each memory level, reads and writes together.
    busy_cycles_by_unit : mapping of str to int
        Cycles for which each unit worked.
    """

    name: str
    kind: str
    origin: str
    shape: tuple[int, ...]
    macs: int
    cycles: int
    compute_cycles: int
    stall_cycles: int
    time_s: float
    energy_j: float
    area_m2: float
    utilization: float
    bound_by: str
    fused_into: str
    mapping: str
    bit_operations: int
    ace: int
    parameters: int
    bytes_by_memory: Mapping[str, int]
    stall_cycles_by_cause: Mapping[str, int]
    energy_j_by_unit: Mapping[str, float]
    busy_cycles_by_unit: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class EventRow:
    """Energy of one action of one unit for one layer: the tidy table.

    Attributes
    ----------
    layer, unit, action : str
        Where the events happened; action "leakage" and unit "overhead" are reserved.
    events, bits : int
        Exact counts over the run.
    energy_j : float
        events * energy per event + bits * energy per bit.
    kind : str
        Weakest evidence among the constants used.
    """

    layer: str
    unit: str
    action: str
    events: int
    bits: int
    energy_j: float
    kind: str


@dataclass(frozen=True, slots=True)
class Price:
    """What one action costs and why; `hwsim explain` walks from here to the paper.

    Attributes
    ----------
    unit, action : str
        Key into the event rows.
    energy_j, energy_j_per_bit : float
        Joules per event and per bit.
    formula : str
        How the number was computed from constants, or why it is zero.
    constants : tuple of str
        Keys of `Report.constants` that went in.
    """

    unit: str
    action: str
    energy_j: float
    energy_j_per_bit: float
    formula: str
    constants: tuple[str, ...]
    kind: str


@dataclass(frozen=True, slots=True)
class Report:
    """Result of one network on one design.

    Attributes
    ----------
    provenance : mapping
        hwsim version, model version, chip, preset, every resolved knob, network, graph fingerprint,
        source file and digest, Python and numpy versions; never time or path of the machine.
    coverage : mapping
        Share of MACs and bytes costed, nodes modeled as data movement, folded and unknown; `line` in words.
    metrics : mapping of str to str
        Definition and unit of every name in totals and layers.
    constants : mapping of str to mapping
        Every sourced constant the result used: value, unit, kind, source, where, note, title, doi.
    energy_by_evidence : mapping of str to float
        Joules that rest on each kind of evidence.
    roofline : mapping of str to float
        peak_macs_per_s and the bandwidth of each memory, for the plot.
    warnings : tuple of str
        What the reader should know before quoting a number.
    figures : mapping of str to float
        The chip's own figures, each name ending in its unit; empty where it has none.
    """

    provenance: Mapping[str, Any]
    coverage: Mapping[str, Any]
    totals: Totals
    layers: tuple[Layer, ...]
    events: tuple[EventRow, ...]
    prices: tuple[Price, ...]
    constants: Mapping[str, Mapping[str, Any]]
    energy_by_evidence: Mapping[str, float]
    metrics: Mapping[str, str]
    roofline: Mapping[str, float]
    warnings: tuple[str, ...] = ()
    figures: Mapping[str, float] = field(default_factory=dict)
    schema_version: str = field(default=SCHEMA_VERSION)

    @property
    def name(self) -> str:
        """Chip and preset, as the user typed them."""
        chip, preset = self.provenance["chip"], self.provenance["preset"]
        return f"{chip}:{preset}" if preset else str(chip)

    def to_pandas(self, table: str = "layers") -> pd.DataFrame:
        """Return "layers", "events" or "prices" as a data frame."""
        from hwsim.report.table import to_pandas

        return to_pandas(self, table)
