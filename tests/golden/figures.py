"""What the golden file holds of a report, and how to write the file anew.

``python -m tests.golden.figures`` rewrites figures.json. A number that moves is named in CHANGELOG under
"Results changed", old -> new, with the reason.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from hwsim import registry
from hwsim.errors import InputError
from hwsim.graph.types import Graph
from hwsim.report.types import Layer, Report, Totals
from hwsim.run import evaluate, load

FILE = Path(__file__).with_name("figures.json")
NETWORKS = (
    "resnet50", "bert_base", "mobilenet_v2", "lstm_ptb_char", "mlp_mnist", "multiplier_4x4", "vgg_small_bnn",
)
TOTALS = ("macs", "cycles", "compute_cycles", "stall_cycles", "bit_operations", "ace", "parameters")


def specs() -> list[str]:
    """Return every preset of every chip."""
    return [
        f"{name}:{preset}"
        for name in registry.accelerator_names()
        for preset in registry.load_accelerator(name).presets
    ]


def _counts(part: Totals | Layer) -> dict[str, Any]:
    return {"bytes": dict(part.bytes_by_memory), "stalls": dict(part.stall_cycles_by_cause)}


def figures_of(report: Report) -> dict[str, Any]:
    """Return totals, energy by unit, and per layer cycles, joules and mapping."""
    totals = report.totals
    return {
        "model_version": report.provenance["model_version"],
        "totals": {name: getattr(totals, name) for name in TOTALS} | _counts(totals),
        "joules": {"total": totals.energy_j, **totals.energy_j_by_unit},
        "area_m2": totals.area_m2,
        "layers": {
            layer.name: [layer.cycles, layer.compute_cycles, float(layer.energy_j), layer.mapping]
            for layer in report.layers
        },
    }


def figures(network: Graph, spec: str) -> dict[str, Any]:
    """Return the figures of a network on a chip, or how many of its operators the chip refuses."""
    try:
        return figures_of(evaluate(network, spec))
    except InputError as refusal:
        return {"refused": len(refusal.problems)}


def main() -> int:
    """Write figures.json."""
    found = {network: {spec: figures(load(network), spec) for spec in specs()} for network in NETWORKS}
    text = json.dumps(found, indent=None, separators=(",", ":"), sort_keys=True)
    text = text.replace('"layers":{', '\n"layers":{').replace('],"', '],\n"')
    for name in registry.accelerator_names():
        text = text.replace(f'"{name}:', f'\n"{name}:')
    beside = FILE.with_suffix(".new")
    beside.write_text(text + "\n", encoding="utf-8")
    beside.replace(FILE)
    return 0


if __name__ == "__main__":
    sys.exit(main())
