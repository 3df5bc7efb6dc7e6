"""A racetrack memory that counts shifts, and places words so that there are fewer."""

from accelerators.racetrack_memory.datasheet import datasheet
from accelerators.racetrack_memory.design import CONSTANTS, FOLDER, PRESETS, RacetrackMemoryDesign, structure
from accelerators.racetrack_memory.figures import figures
from accelerators.racetrack_memory.lower import lower, supports
from accelerators.racetrack_memory.machine import machine, machine_graph, reference
from accelerators.racetrack_memory.prepare import prepare
from hwsim.model.types import Accelerator

ACCELERATOR = Accelerator(
    name="racetrack_memory",
    summary="Racetrack memory: shifts, time and energy of a memory trace, and placements with fewer shifts",
    design=RacetrackMemoryDesign,
    presets=PRESETS,
    lower=lower,
    datasheet=datasheet,
    supports=supports,
    prepare=prepare,
    work={},
    machine=machine,
    machine_graphs=machine_graph,
    reference=reference,
    structure=structure,
    constants=CONSTANTS,
    folder=FOLDER,
    figures=figures,
)
