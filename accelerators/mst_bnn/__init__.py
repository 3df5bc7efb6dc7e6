"""MST-compression: output channels of a binary layer in a spanning tree, each from the sum of its parent."""

from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from accelerators.mst_bnn.datasheet import datasheet
from accelerators.mst_bnn.design import CONSTANTS, FOLDER, PRESETS, MstBnnDesign, structure
from accelerators.mst_bnn.figures import figures
from accelerators.mst_bnn.lower import lower
from accelerators.mst_bnn.machine import machine
from accelerators.mst_bnn.operands import reference
from accelerators.mst_bnn.prepare import prepare
from hwsim.graph.binary import random_network
from hwsim.graph.engines import SIMPLE, supports
from hwsim.graph.types import Graph
from hwsim.model.types import Accelerator, FunctionalResult


def functional(graph: Graph, design: MstBnnDesign, data: Mapping[str, NDArray[Any]]) -> FunctionalResult:
    """Run `graph` on real samples; see `accelerators.mst_bnn.functional`."""
    from accelerators.mst_bnn.functional import classify

    return classify(graph, design, data)


ACCELERATOR = Accelerator(
    name="mst_bnn",
    summary="Binary layers that reuse weights between channels along a spanning tree (MST-compression)",
    design=MstBnnDesign,
    presets=PRESETS,
    lower=lower,
    datasheet=datasheet,
    supports=supports,
    prepare=prepare,
    work={
        ("engine", "xnor"): "macs",
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
    lane_knobs=("mac_units", "stream_lanes"),
    functional=functional,
    figures=figures,
)
