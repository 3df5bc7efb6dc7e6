"""What the work costs: datasheets, cycles, joules, and a chip as a value."""

from hwsim.model.types import (
    Accelerator,
    ActionRow,
    Datasheet,
    Design,
    MachineResult,
    Overhead,
    Timing,
    UnitRow,
)

__all__ = [
    "Accelerator",
    "ActionRow",
    "Datasheet",
    "Design",
    "MachineResult",
    "Overhead",
    "Timing",
    "UnitRow",
]
