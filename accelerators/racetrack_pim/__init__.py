"""Racetrack memory that computes by transverse reads: a processing-in-memory chip of the CORUSCANT class."""

from accelerators.racetrack_pim.datasheet import ON_LANES, datasheet
from accelerators.racetrack_pim.design import CONSTANTS, FOLDER, PRESETS, RacetrackDesign, structure
from accelerators.racetrack_pim.figures import figures, warnings
from accelerators.racetrack_pim.lower import lower, supports
from accelerators.racetrack_pim.machine import machine, machine_graph, reference
from accelerators.racetrack_pim.prepare import prepare
from hwsim.graph.ops import PRIMITIVES
from hwsim.model.types import Accelerator

ACCELERATOR = Accelerator(
    name="racetrack_pim",
    summary="Racetrack memory that adds by transverse reads between two ports (CORUSCANT class, 32 nm)",
    design=RacetrackDesign,
    presets=PRESETS,
    lower=lower,
    datasheet=datasheet,
    supports=supports,
    prepare=prepare,
    work={
        ("lanes", "mac"): "macs",
        **{("lanes", name): name for name in ON_LANES},
        **{("host", name): name for name in PRIMITIVES},
    },
    machine=machine,
    machine_graphs=machine_graph,
    reference=reference,
    structure=structure,
    constants=CONSTANTS,
    folder=FOLDER,
    lane_knobs=("banks",),
    figures=figures,
    warnings=warnings,
)
