"""Questions to an installed hwsim, answered as JSON; imports nothing of this folder.

``python inside.py costs``; ``python inside.py all`` also runs every command of the smoke test.
"""

from __future__ import annotations

import contextlib
import io
import json
import pydoc
import re
import sys
from pathlib import Path
from typing import Any

import accelerators
import comparisons
import hwsim
import workloads
from hwsim import registry
from hwsim.__main__ import main
from hwsim.errors import InputError
from hwsim.graph.ops import work_of


def command(*words: str) -> str:
    """Run one command in this process; what it prints."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        code = main(words)
    if code:
        raise SystemExit(f"hwsim {' '.join(words)}: exit code {code}")
    return printed.getvalue()


def by_size() -> list[str]:
    """Return the workloads, those with the least work first."""
    graphs = {name: registry.load_workload(name) for name in registry.workload_names()}
    return sorted(graphs, key=lambda name: sum(work_of(graphs[name], op).macs for op in graphs[name].ops)
                  or sum(tensor.elements for tensor in graphs[name].tensors.values()))


def costs() -> dict[str, list[Any]]:
    """Return what the smallest network that a chip takes costs on it."""
    names = by_size()
    return {chip: smallest(chip, names) for chip in registry.accelerator_names()}


def smallest(chip: str, names: list[str]) -> list[Any]:
    """Return the first of `names` that `chip` takes, with its cycles and joules."""
    for name in names:
        with contextlib.suppress(InputError):
            totals = hwsim.evaluate(hwsim.load(name), hwsim.chip(chip)).totals
            return [name, totals.cycles, totals.energy_j]
    raise SystemExit(f"{chip} takes no network")


def answers(everything: bool) -> dict[str, Any]:
    """Return all answers by question."""
    listed = json.loads(command("list", "--json"))
    text = pydoc.plain(pydoc.render_doc(hwsim))
    found: dict[str, Any] = {
        "homes": {package.__name__: str(Path(package.__file__ or "").resolve())
                  for package in (hwsim, accelerators, comparisons, workloads)},
        "presets": {chip["name"]: chip["presets"] for chip in listed["chips"]},
        "workloads": listed["workloads"],
        "comparisons": listed["comparisons"],
        "families": [entry.value for entry in registry._entries(registry.WORKLOADS).values()],
        "costs": costs(),
        "help": [name for name in dir(hwsim) if re.search(rf"\b{name}\b", text)],
    }
    if sorted(found["help"]) != sorted(hwsim.__all__):
        raise SystemExit(f"help(hwsim) tells of {found['help']}, exported are {hwsim.__all__}")
    if everything:
        found["validation"] = command("validate").splitlines()[-1]
        command("run", "mlp_mnist", "--on", "systolic", "-o", "report.html")
        command("compare", "handwritten_digits", "-o", "comparison.html")
    return found


if __name__ == "__main__":
    json.dump(answers(sys.argv[1] == "all"), sys.stdout)
