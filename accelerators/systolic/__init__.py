"""CMOS systolic array: the baseline that the other chips are compared with."""

from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from accelerators.systolic.datasheet import datasheet, scratchpad_j_per_bit
from accelerators.systolic.design import CONSTANTS, FOLDER, PRESETS, SystolicDesign, structure
from accelerators.systolic.family import KNOBS, lower_family
from accelerators.systolic.lower import lower, supports
from accelerators.systolic.machine import machine
from accelerators.systolic.operands import random_graph, reference
from accelerators.systolic.prepare import prepare
from hwsim.graph.ops import PRIMITIVES
from hwsim.graph.types import Graph
from hwsim.model.types import Accelerator, FamilyLowering, FunctionalResult


def functional(graph: Graph, design: SystolicDesign, data: Mapping[str, NDArray[Any]]) -> FunctionalResult:
    """Classify samples in integers; see `accelerators.systolic.functional`."""
    from accelerators.systolic.functional import classify

    return classify(graph, design, data)


ACCELERATOR = Accelerator(
    name="systolic",
    summary="CMOS systolic array with double-buffered scratchpads, a vector unit and DRAM",
    design=SystolicDesign,
    presets=PRESETS,
    lower=lower,
    datasheet=datasheet,
    supports=supports,
    prepare=prepare,
    work={("array", "mac"): "macs", **{("vector", name): name for name in PRIMITIVES}},
    machine=machine,
    machine_graphs=random_graph,
    reference=reference,
    structure=structure,
    constants=CONSTANTS,
    folder=FOLDER,
    offchip="dram",
    scratchpad_bytes=lambda design: int(design.input_scratchpad_bytes),
    scratchpad_j_per_bit=scratchpad_j_per_bit,
    lane_knobs=("vector_lanes",),
    functional=functional,
    family=FamilyLowering(KNOBS, lower_family),
)
