"""Processing in DRAM: bulk operations by opening several rows at once, one bit of every lane at a time."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from accelerators.dram_pim.datasheet import VECTOR_WORK, datasheet
from accelerators.dram_pim.design import CONSTANTS, FOLDER, PRESETS, DramPimDesign, structure
from accelerators.dram_pim.figures import figures
from accelerators.dram_pim.lower import lower, supports
from accelerators.dram_pim.prepare import prepare
from hwsim.graph.types import Graph
from hwsim.model.types import Accelerator, FunctionalResult, MachineResult


def machine(graph: Graph, design: DramPimDesign, rng: np.random.Generator) -> MachineResult:
    """Run one operator on real rows; see `accelerators.dram_pim.machine`, which uses kernels."""
    from accelerators.dram_pim.machine import machine as run

    return run(graph, design, rng)


def reference(graph: Graph, design: DramPimDesign, rng: np.random.Generator) -> NDArray[Any]:
    """Return the same values by numpy; see `accelerators.dram_pim.machine`."""
    from accelerators.dram_pim.machine import reference as compute

    return compute(graph, design, rng)


def random_graph(rng: np.random.Generator) -> Graph:
    """Draw a network of one operator; see `accelerators.dram_pim.machine`."""
    from accelerators.dram_pim.machine import random_graph as draw

    return draw(rng)


def functional(graph: Graph, design: DramPimDesign, data: Mapping[str, NDArray[Any]]) -> FunctionalResult:
    """Classify samples in real rows; see `accelerators.dram_pim.functional`, which uses kernels."""
    from accelerators.dram_pim.functional import run

    return run(graph, design, data)


ACCELERATOR = Accelerator(
    name="dram_pim",
    summary="Processing in DRAM (Ambit, SIMDRAM, ELP2IM): microprograms of row commands on DDR3-1600",
    design=DramPimDesign,
    presets=PRESETS,
    lower=lower,
    datasheet=datasheet,
    supports=supports,
    prepare=prepare,
    work={("lanes", "mac"): "macs", **{("lanes", name): name for name in VECTOR_WORK}},
    machine=machine,
    machine_graphs=random_graph,
    reference=reference,
    structure=structure,
    constants=CONSTANTS,
    folder=FOLDER,
    lane_knobs=("banks", "page_bits"),
    functional=functional,
    figures=figures,
)
