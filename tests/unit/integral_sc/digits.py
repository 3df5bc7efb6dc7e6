"""The trained digits networks as arrays, and short ways to run them."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

import workloads.digits
from accelerators.integral_sc import IntegralScDesign
from accelerators.integral_sc.functional import run
from hwsim.graph.types import Graph
from hwsim.model.types import FunctionalResult
from hwsim.run import chip, load

FOLDER = Path(workloads.digits.__file__).parent


@cache
def network(name: str) -> Graph:
    return load(name)


def arrays(name: str, samples: int | None = None) -> dict[str, Any]:
    with np.load(FOLDER / f"{name}.npz") as archive:
        found = {key: archive[key] for key in archive.files}
    return found | {key: found[key][:samples] for key in ("input", "labels")}


def design(**knobs: Any) -> IntegralScDesign:
    made = chip("integral_sc", **knobs).design
    assert isinstance(made, IntegralScDesign)
    return made


def classify(name: str, samples: int | None = None, threads: int = 0, **knobs: Any) -> FunctionalResult:
    return run(network(name), design(**knobs), arrays(name, samples), threads=threads)


def error_of(result: FunctionalResult) -> float:
    return float((result.predicted != result.labels).mean())
