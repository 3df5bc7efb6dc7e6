"""Cycles, time, energy, area and carbon of neural networks on modeled chips.

Five lines to a report:

>>> import hwsim
>>> network = hwsim.load("resnet50")
>>> report = hwsim.evaluate(network, hwsim.chip("systolic:edge_32", dataflow="ws"))
>>> report.totals.cycles, report.totals.energy_j
>>> report.to_pandas()

What there is, by what it is for:

=========  ================================================================================
to cost    `load` a network, choose a `Chip` with `chip`, `evaluate` it or `compare` several;
           a `Report` comes back, which `write` stores as .json, .csv, .parquet or .html
to compare `run_comparison`: columns with chips, networks and samples of their own, from a file
to sweep   a `Space` of designs, `sweep`, `open_results`
to plan    `schedule_scratchpad`: orders and places of tensors; `evaluate_scheduled`: what they save
to sample  `sample`: circuits on probabilistic chips, with some wires held
to trust   `validate`: published figures beside modeled ones
=========  ================================================================================

Bad input raises `InputError`, with every problem of a file at once. Quantities are SI floats,
and names end in their unit. Networks written by hand: `hwsim.graph.build.GraphBuilder`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hwsim.anchors import validate
    from hwsim.comparison.driver import run_comparison
    from hwsim.errors import InputError
    from hwsim.report.files import write
    from hwsim.report.types import Report
    from hwsim.run import Chip, chip, compare, evaluate, load
    from hwsim.sampling import sample
    from hwsim.schedule.network_run import schedule_network as schedule_scratchpad
    from hwsim.scheduled import evaluate_scheduled
    from hwsim.sweep.driver import sweep as sweep
    from hwsim.sweep.results import open_results
    from hwsim.sweep.space import Space

_HOMES = {
    "Chip": "hwsim.run:Chip",
    "InputError": "hwsim.errors:InputError",
    "Space": "hwsim.sweep.space:Space",
    "Report": "hwsim.report.types:Report",
    "chip": "hwsim.run:chip",
    "compare": "hwsim.run:compare",
    "evaluate": "hwsim.run:evaluate",
    "evaluate_scheduled": "hwsim.scheduled:evaluate_scheduled",
    "load": "hwsim.run:load",
    "open_results": "hwsim.sweep.results:open_results",
    "run_comparison": "hwsim.comparison.driver:run_comparison",
    "sample": "hwsim.sampling:sample",
    "schedule_scratchpad": "hwsim.schedule.network_run:schedule_network",
    "sweep": "hwsim.sweep.driver:sweep",
    "validate": "hwsim.anchors:validate",
    "write": "hwsim.report.files:write",
}

__all__ = [
    "Chip",
    "InputError",
    "Report",
    "Space",
    "chip",
    "compare",
    "evaluate",
    "evaluate_scheduled",
    "load",
    "open_results",
    "run_comparison",
    "sample",
    "schedule_scratchpad",
    "sweep",
    "validate",
    "write",
]


def __getattr__(name: str) -> Any:
    """Import public names where they are used, so that ``import hwsim`` stays light."""
    if name == "__version__":
        from importlib.metadata import version

        return version("hwsim")
    if name not in _HOMES:
        raise AttributeError(f"module 'hwsim' has no attribute {name!r}")
    from importlib import import_module

    module, _, attribute = _HOMES[name].partition(":")
    return getattr(import_module(module), attribute)


def __dir__() -> list[str]:
    return sorted(__all__)
