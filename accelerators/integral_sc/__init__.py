"""Integral stochastic computing: a fully parallel network on streams of m bits a clock."""

from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from accelerators.integral_sc.datasheet import datasheet
from accelerators.integral_sc.design import CONSTANTS, FOLDER, PRESETS, IntegralScDesign, structure
from accelerators.integral_sc.figures import figures
from accelerators.integral_sc.lower import lower
from accelerators.integral_sc.machine import machine, random_graph, reference
from accelerators.integral_sc.network import supports
from accelerators.integral_sc.prepare import prepare
from hwsim.graph.types import Graph
from hwsim.model.types import Accelerator, FunctionalResult


def functional(graph: Graph, design: IntegralScDesign, data: Mapping[str, NDArray[Any]]) -> FunctionalResult:
    """Run `graph` on real streams; see `accelerators.integral_sc.functional`, which compiles kernels."""
    from accelerators.integral_sc.functional import run

    return run(graph, design, data)


ACCELERATOR = Accelerator(
    name="integral_sc",
    summary="Integral stochastic computing: AND gates, adder trees and NStanh state machines, fully parallel",
    design=IntegralScDesign,
    presets=PRESETS,
    lower=lower,
    datasheet=datasheet,
    supports=supports,
    prepare=prepare,
    work={
        ("synapses", "mac"): "macs",
        ("adders", "add"): "add",
        ("machines", "compare"): "compare",
        ("machines", "special"): "special",
    },
    machine=machine,
    machine_graphs=random_graph,
    reference=reference,
    structure=structure,
    constants=CONSTANTS,
    folder=FOLDER,
    lane_knobs=("synapses",),
    functional=functional,
    figures=figures,
)
