"""The chips that can be found, and small networks lowered on each of their presets."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from hwsim import registry
from hwsim.graph.offload import offload
from hwsim.graph.types import Graph
from hwsim.model.types import Accelerator, Datasheet
from hwsim.run import chip
from hwsim.trace import Trace
from tests.contract.small_graphs import small_graph

CHIPS = registry.accelerator_names()
SPECS = [f"{name}:{preset}" for name in CHIPS for preset in registry.load_accelerator(name).presets]
DEFAULTS = {f"{name}:{next(iter(registry.load_accelerator(name).presets))}" for name in CHIPS}

each_chip = pytest.mark.parametrize("name", CHIPS)
# The fast part asks the default preset of every chip, the whole suite all of them.
each_preset = pytest.mark.parametrize(
    "spec", [pytest.param(spec, marks=() if spec in DEFAULTS else pytest.mark.slow) for spec in SPECS]
)


def target_of(spec: str) -> tuple[Accelerator, Any]:
    found = chip(spec)
    return found.accelerator, found.design


def unsupported(accelerator: Accelerator, graph: Graph) -> dict[str, str]:
    """Return the reason for every operator that the chip refuses."""
    return {op.name: reason for op in graph.ops if (reason := accelerator.supports(graph, op))}


@cache
def lowered(spec: str, name: str) -> tuple[Graph, Trace, Datasheet]:
    """Return the prepared network, its trace, and the datasheet; refused operators run elsewhere."""
    accelerator, design = target_of(spec)
    graph = small_graph(name)
    refused = frozenset(unsupported(accelerator, graph))
    prepared = accelerator.prepare(offload(graph, refused, moves=True) if refused else graph, design)
    return prepared, accelerator.lower(prepared, design), accelerator.datasheet(design)


def runnable(accelerator: Accelerator, graph: Graph) -> bool:
    return not unsupported(accelerator, graph)
