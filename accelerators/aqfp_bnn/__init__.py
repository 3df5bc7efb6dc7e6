"""SupeRBNN: binary networks on AQFP crossbars whose neurons answer by chance."""

from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from accelerators.aqfp_bnn.datasheet import ABSORBED, datasheet
from accelerators.aqfp_bnn.design import CONSTANTS, FOLDER, PRESETS, AqfpBnnDesign, structure
from accelerators.aqfp_bnn.figures import figures, warnings
from accelerators.aqfp_bnn.lower import lower
from accelerators.aqfp_bnn.machine import machine, reference
from accelerators.aqfp_bnn.network import runs_on_host, supports
from accelerators.aqfp_bnn.operands import random_graph
from accelerators.aqfp_bnn.prepare import prepare
from hwsim.graph.types import Graph
from hwsim.model.types import Accelerator, FunctionalResult


def functional(graph: Graph, design: AqfpBnnDesign, data: Mapping[str, NDArray[Any]]) -> FunctionalResult:
    """Run `graph` on noisy crossbars; see `accelerators.aqfp_bnn.functional`, which compiles kernels."""
    from accelerators.aqfp_bnn.functional import run

    return run(graph, design, data)


ACCELERATOR = Accelerator(
    name="aqfp_bnn",
    summary="SupeRBNN: binary networks on superconducting AQFP crossbars with stochastic neurons",
    design=AqfpBnnDesign,
    presets=PRESETS,
    lower=lower,
    datasheet=datasheet,
    supports=supports,
    prepare=prepare,
    work={("crossbars", "mac"): "macs", **{("accumulators", name): name for name in ABSORBED}},
    machine=machine,
    machine_graphs=random_graph,
    reference=reference,
    structure=structure,
    constants=CONSTANTS,
    folder=FOLDER,
    lane_knobs=("replication",),
    functional=functional,
    figures=figures,
    host=runs_on_host,
    warnings=warnings,
)
