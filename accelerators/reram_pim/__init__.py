"""ReRAM crossbars that hold all weights: an in-situ analog accelerator of the ISAAC class."""

from accelerators.reram_pim.datasheet import datasheet
from accelerators.reram_pim.design import CONSTANTS, FOLDER, PRESETS, ReramDesign, structure
from accelerators.reram_pim.figures import figures
from accelerators.reram_pim.lower import lower, supports
from accelerators.reram_pim.machine import machine, machine_graph, reference
from accelerators.reram_pim.prepare import prepare
from hwsim.graph.ops import PRIMITIVES
from hwsim.model.types import Accelerator

ACCELERATOR = Accelerator(
    name="reram_pim",
    summary="ReRAM crossbars with bit-sliced weights and one converter per array (ISAAC class, 32 nm)",
    design=ReramDesign,
    presets=PRESETS,
    lower=lower,
    datasheet=datasheet,
    supports=supports,
    prepare=prepare,
    work={("array", "mac"): "macs", **{("vector", name): name for name in PRIMITIVES}},
    machine=machine,
    machine_graphs=machine_graph,
    reference=reference,
    structure=structure,
    constants=CONSTANTS,
    folder=FOLDER,
    lane_knobs=("vector_lanes",),
    figures=figures,
)
