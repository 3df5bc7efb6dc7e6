"""FINN: a binary network as a pipeline of engines, each folded onto PE x SIMD lanes of XNOR and popcount."""

from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from accelerators.finn_bnn.datasheet import datasheet
from accelerators.finn_bnn.design import CONSTANTS, FOLDER, PRESETS, FinnBnnDesign, structure
from accelerators.finn_bnn.figures import figures
from accelerators.finn_bnn.lower import lower
from accelerators.finn_bnn.machine import machine
from accelerators.finn_bnn.operands import reference
from accelerators.finn_bnn.prepare import prepare
from hwsim.graph.binary import random_network
from hwsim.graph.engines import SIMPLE, supports
from hwsim.graph.types import Graph
from hwsim.model.types import Accelerator, FunctionalResult


def functional(graph: Graph, design: FinnBnnDesign, data: Mapping[str, NDArray[Any]]) -> FunctionalResult:
    """Run `graph` on real samples; see `accelerators.finn_bnn.functional`, which compiles kernels."""
    from accelerators.finn_bnn.functional import classify

    return classify(graph, design, data)


ACCELERATOR = Accelerator(
    name="finn_bnn",
    summary="Folded dataflow engines for binary networks: XNOR, popcount and thresholds, PE x SIMD a layer",
    design=FinnBnnDesign,
    presets=PRESETS,
    lower=lower,
    datasheet=datasheet,
    supports=supports,
    prepare=prepare,
    work={
        ("engine", "mac"): "macs",
        **{("stream", name): name for name in SIMPLE},
        **{("folded", name): name for name in SIMPLE},
    },
    machine=machine,
    machine_graphs=random_network,
    reference=reference,
    structure=structure,
    constants=CONSTANTS,
    folder=FOLDER,
    lane_knobs=("bit_lanes", "stream_lanes"),
    functional=functional,
    figures=figures,
)
