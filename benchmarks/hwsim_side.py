"""The only file that knows hwsim's interface: its command line for whole runs, its calls for the rest."""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from peer_env import CHECKOUT, run_timed

SCALESIM_CHIP = "systolic:scalesim_compatible"
SEARCH_CHIP = "systolic:edge_32"
# ZigZag's example in our knobs: 32 x 32 units, 2 MiB for inputs and outputs together, 128 bytes of weights
# per unit, 64 bits of DRAM a cycle. Dataflow and tiling stay open and are searched per layer.
SEARCH_CLOCK_HZ = 500e6
SEARCH_KNOBS: dict[str, str | int | float] = {
    "array_rows": 32, "array_cols": 32, "dataflow": "best", "objective": "cycles",
    "input_scratchpad_bytes": 1024 * 1024, "output_scratchpad_bytes": 1024 * 1024,
    "weight_scratchpad_bytes": 32 * 32 * 128,
    "clock_hz": SEARCH_CLOCK_HZ, "dram_bits_per_s": 64 * SEARCH_CLOCK_HZ,
}

COMMAND_LIMIT_S = 600.0
WARM_REPEATS = 20


@dataclass(frozen=True, slots=True)
class HwsimRun:
    """One network on one chip.

    Attributes
    ----------
    network : Path
        ONNX or SCALE-Sim CSV file.
    chip : str
        ``chip:preset`` as given to ``--on``.
    knobs : dict
        Knobs as given to ``--set``.
    """

    network: Path
    chip: str
    knobs: dict[str, str | int | float] = field(default_factory=dict)


def measure(run: HwsimRun, *, runs: int) -> dict[str, Any]:
    """Evaluate `run` as a whole command and inside one process.

    Parameters
    ----------
    run : HwsimRun
        What to evaluate.
    runs : int
        How often the command is started; seconds are the median.

    Returns
    -------
    dict
        ``wall_s`` and ``cpu_s`` of the command (interpreter start and imports included), ``first_s`` and
        ``warm_s`` of load + evaluate + JSON report inside a process (first time, and median of later times,
        as wall seconds; ``first_cpu_s`` and ``warm_cpu_s`` as CPU seconds),
        ``macs``, ``cycles``, ``compute_cycles``, ``stall_cycles`` and ``layers`` with the same names.
    """
    command = [sys.executable, "-m", "hwsim", "run", str(run.network), "--on", run.chip]
    for knob, value in run.knobs.items():
        command += ["--set", f"{knob}={value}"]
    # Imports come from the checkout that holds this file, whatever directory the benchmark is started from.
    timed = [run_timed([*command, "--json"], cwd=CHECKOUT, limit_s=COMMAND_LIMIT_S) for _ in range(runs)]
    report = json.loads(timed[-1].stdout)

    spec = json.dumps({"network": str(run.network), "chip": run.chip, "knobs": run.knobs})
    again = [sys.executable, str(Path(__file__).resolve()), spec]
    inside = run_timed(again, cwd=CHECKOUT, limit_s=COMMAND_LIMIT_S)
    seconds = json.loads(inside.stdout.splitlines()[-1])
    totals = report["totals"]
    return {
        "wall_s": statistics.median(each.wall_s for each in timed),
        "cpu_s": statistics.median(each.cpu_s for each in timed),
        "peak_bytes": max(each.peak_bytes for each in timed),
        "runs": runs,
        "import_s": seconds["import_s"],
        "first_s": seconds["first_s"],
        "first_cpu_s": seconds["first_cpu_s"],
        "warm_s": statistics.median(seconds["warm_s"]),
        "warm_cpu_s": statistics.median(seconds["warm_cpu_s"]),
        "macs": totals["macs"],
        "cycles": totals["cycles"],
        "compute_cycles": totals["compute_cycles"],
        "stall_cycles": totals["stall_cycles"],
        "layers": [{name: layer[name] for name in ("name", "compute_cycles")} for layer in report["layers"]],
    }


def _evaluate_once(spec: dict[str, Any], folder: Path) -> tuple[float, float]:
    """Wall and CPU seconds for file -> graph -> cycles and energy -> JSON report on disk."""
    import hwsim
    from hwsim.report.files import write

    knobs = spec["knobs"]
    assert isinstance(knobs, dict)
    begin, begin_cpu = time.perf_counter(), time.process_time()
    graph = hwsim.load(str(spec["network"]))
    report = hwsim.evaluate(graph, hwsim.chip(str(spec["chip"]), **knobs))
    write(report, folder / "report.json")
    return time.perf_counter() - begin, time.process_time() - begin_cpu


def main() -> None:
    """Evaluate one network repeatedly inside this process; the last line of output is a JSON object."""
    spec = json.loads(sys.argv[1])
    begin = time.perf_counter()
    import hwsim  # noqa: F401

    imported = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        first = _evaluate_once(spec, Path(folder))
        warm = [_evaluate_once(spec, Path(folder)) for _ in range(WARM_REPEATS)]
    print(json.dumps({"import_s": imported - begin, "first_s": first[0], "first_cpu_s": first[1],
                      "warm_s": [wall for wall, _ in warm], "warm_cpu_s": [cpu for _, cpu in warm]}))


if __name__ == "__main__":
    main()
