"""Sparsely-connected layers: masks drawn by shift registers, so that only kept weights are stored."""

from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from accelerators.sparse_fc.datasheet import datasheet
from accelerators.sparse_fc.design import CONSTANTS, FOLDER, PRESETS, SparseFcDesign, structure
from accelerators.sparse_fc.lower import lower
from accelerators.sparse_fc.machine import machine
from accelerators.sparse_fc.mapping import supports
from accelerators.sparse_fc.operands import random_graph, reference
from accelerators.sparse_fc.prepare import prepare
from hwsim.graph.types import Graph
from hwsim.model.types import Accelerator, FunctionalResult


def functional(graph: Graph, design: SparseFcDesign, data: Mapping[str, NDArray[Any]]) -> FunctionalResult:
    """Classify samples behind the masks; see `accelerators.sparse_fc.functional`."""
    from accelerators.sparse_fc.functional import classify

    return classify(graph, design, data)


ACCELERATOR = Accelerator(
    name="sparse_fc",
    summary="Semi-parallel binary or ternary neurons whose connections a shift register per column draws",
    design=SparseFcDesign,
    presets=PRESETS,
    lower=lower,
    datasheet=datasheet,
    supports=supports,
    prepare=prepare,
    work={
        ("neuron", "mac"): "macs",
        **{("output_stage", name): name for name in ("add", "multiply", "compare", "special")},
    },
    machine=machine,
    machine_graphs=random_graph,
    reference=reference,
    structure=structure,
    constants=CONSTANTS,
    folder=FOLDER,
    lane_knobs=("neurons",),
    functional=functional,
)
