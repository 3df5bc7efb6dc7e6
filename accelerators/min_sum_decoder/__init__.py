"""Decoder of linear codes: min-sum and its neural kin on integer messages, edge by edge."""

from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from accelerators.min_sum_decoder.datasheet import datasheet
from accelerators.min_sum_decoder.design import CONSTANTS, FOLDER, PRESETS, MinSumDesign, structure
from accelerators.min_sum_decoder.figures import figures
from accelerators.min_sum_decoder.lower import UNIT_OF, lower, supports
from accelerators.min_sum_decoder.machine import machine, random_graph, reference
from accelerators.min_sum_decoder.prepare import prepare
from hwsim.graph.types import Graph
from hwsim.model.types import Accelerator, ErrorRates


def functional(graph: Graph, design: MinSumDesign, data: Mapping[str, NDArray[Any]]) -> ErrorRates:
    """Decode noisy codewords; see `accelerators.min_sum_decoder.functional`, which compiles kernels."""
    from accelerators.min_sum_decoder.functional import run

    return run(graph, design, data)


ACCELERATOR = Accelerator(
    name="min_sum_decoder",
    summary="Decoder of linear codes: min-sum, offset, normalized and neural min-sum, sum-product",
    design=MinSumDesign,
    presets=PRESETS,
    lower=lower,
    datasheet=datasheet,
    supports=supports,
    prepare=prepare,
    work={(unit, name): name for name, unit in UNIT_OF.items()},
    machine=machine,
    machine_graphs=random_graph,
    reference=reference,
    structure=structure,
    constants=CONSTANTS,
    folder=FOLDER,
    lane_knobs=("edge_processors",),
    functional=functional,
    figures=figures,
)
