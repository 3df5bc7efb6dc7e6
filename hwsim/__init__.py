"""Cycles, time, energy, area and carbon of neural networks on modeled chips.

Five lines to a report:

>>> import hwsim
>>> network = hwsim.load("resnet50")
>>> report = hwsim.evaluate(network, hwsim.chip("systolic:edge_32", dataflow="ws"))
>>> report.totals.cycles, report.totals.energy_j
>>> report.to_pandas()
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hwsim.anchors import validate
    from hwsim.report.files import write
    from hwsim.report.types import Report
    from hwsim.run import Chip, chip, compare, evaluate, load

_HOMES = {
    "load": "hwsim.run",
    "chip": "hwsim.run",
    "evaluate": "hwsim.run",
    "compare": "hwsim.run",
    "Chip": "hwsim.run",
    "validate": "hwsim.anchors",
    "write": "hwsim.report.files",
    "Report": "hwsim.report.types",
}

__all__ = ["Chip", "Report", "chip", "compare", "evaluate", "load", "validate", "write"]


def __getattr__(name: str) -> Any:
    """Import public names where they are used, so that ``import hwsim`` stays light."""
    if name not in _HOMES:
        raise AttributeError(f"module 'hwsim' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
