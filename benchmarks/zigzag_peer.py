"""Runs ZigZag 3.9.1 on the ONNX networks, hardware and mapping that its wheel ships."""

from __future__ import annotations

import json
import statistics
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from peer_env import Timed, interpreter, run_timed

PARTS = ("compute_cycles", "stall_cycles", "onload_cycles", "offload_cycles", "drain_cycles")


@dataclass(frozen=True, slots=True)
class ZigzagCase:
    """One of ZigZag's networks on its 32 x 32 TPU-like example.

    Attributes
    ----------
    network : str
        Name of a file in ``zigzag/inputs/workload``, without its ending.
    """

    network: str

    @property
    def name(self) -> str:
        """Key of this case in the results file."""
        return f"zigzag/library/{self.network}/32x32/search"


def onnx_file(network: str) -> Path:
    """Where the wheel keeps `network`."""
    library = interpreter("zigzag").parent.parent / "lib"
    found = sorted(library.glob(f"python3*/site-packages/zigzag/inputs/workload/{network}.onnx"))
    if not found:
        raise FileNotFoundError(f"the zigzag-dse wheel has no workload {network}.onnx below {library}")
    return found[0]


def measure(case: ZigzagCase, *, runs: int, limit_s: float) -> dict[str, Any]:
    """Run `case` and return its cycles, their parts and the medians of its seconds.

    Parameters
    ----------
    case : ZigzagCase
        What to run.
    runs : int
        How often it is measured; seconds are the median.
    limit_s : float
        Seconds after which a run is given up.

    Returns
    -------
    dict
        ``total_cycles`` (the latency that ZigZag prints), ``parts`` (what it is the sum of), ``macs``,
        ``layers`` and the seconds.
    """
    runner = Path(__file__).with_name("zigzag_runner.py")
    timed: list[Timed] = []
    results: list[dict[str, Any]] = []
    for _ in range(runs):
        with tempfile.TemporaryDirectory() as folder:
            command = [str(interpreter("zigzag")), str(runner), case.network, str(Path(folder) / "dump")]
            timed.append(run_timed(command, cwd=Path(folder), limit_s=limit_s))
        results.append(json.loads(timed[-1].stdout.splitlines()[-1]))
    result = results[-1]
    layers: list[dict[str, float]] = result["layers"]
    return {
        "wall_s": statistics.median(run.wall_s for run in timed),
        "cpu_s": statistics.median(run.cpu_s for run in timed),
        "inner_s": statistics.median(float(each["run_s"]) for each in results),
        "inner_cpu_s": statistics.median(float(each["run_cpu_s"]) for each in results),
        "peak_bytes": max(run.peak_bytes for run in timed),
        "runs": runs,
        "all_wall_s": [run.wall_s for run in timed],
        "total_cycles": result["latency_cycles"],
        "energy_pj": result["energy_pj"],
        "macs": sum(int(layer["macs"]) for layer in layers),
        "parts": {part: sum(layer[part] for layer in layers) for part in PARTS},
        "layers": layers,
    }
