"""CMOS invertible logic: circuits as networks of stochastic spin gates that run in both directions."""

from collections.abc import Mapping

from accelerators.invertible_logic.datasheet import datasheet
from accelerators.invertible_logic.design import CONSTANTS, FOLDER, PRESETS, InvertibleLogicDesign, structure
from accelerators.invertible_logic.figures import figures
from accelerators.invertible_logic.lower import lower, prepare, supports
from accelerators.invertible_logic.machine import machine, random_graph, reference
from hwsim.graph.types import Graph
from hwsim.model.sampling import Sampling
from hwsim.model.types import Accelerator


def sample(graph: Graph, design: InvertibleLogicDesign, clamps: Mapping[str, int]) -> Sampling:
    """Run `graph` with wires held; see `accelerators.invertible_logic.sampling`, which compiles kernels."""
    from accelerators.invertible_logic.sampling import sample as run

    return run(graph, design, clamps)


ACCELERATOR = Accelerator(
    name="invertible_logic",
    summary="CMOS invertible logic: gates of noisy spins that run forwards and backwards",
    design=InvertibleLogicDesign,
    presets=PRESETS,
    lower=lower,
    datasheet=datasheet,
    supports=supports,
    prepare=prepare,
    work={("gates", "resolve"): "logic"},
    machine=machine,
    machine_graphs=random_graph,
    reference=reference,
    structure=structure,
    constants=CONSTANTS,
    folder=FOLDER,
    figures=figures,
    sample=sample,
)
