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


@dataclass(frozen=True, slots=True)
class HwsimRun:
    """One network on one chip.

    Attributes
    ----------
    network : Path
        ONNX or SCALE-Sim CSV file.
    warm_up : Path
        Another network of the same format. It is evaluated first where only the evaluation is timed, so that
        imports are done and yet nothing about `network` is known.
    chip : str
        ``chip:preset`` as given to ``--on``.
    knobs : dict
        Knobs as given to ``--set``.
    """

    network: Path
    warm_up: Path
    chip: str
    knobs: dict[str, str | int | float] = field(default_factory=dict)


def measure(run: HwsimRun, *, runs: int) -> dict[str, Any]:
    """Evaluate `run` as a whole command and inside a process.

    Parameters
    ----------
    run : HwsimRun
        What to evaluate.
    runs : int
        How many processes are started for either; seconds are medians over them.

    Returns
    -------
    dict
        ``wall_s`` and ``cpu_s`` of the command, interpreter start and imports included; ``inner_s`` and
        ``inner_cpu_s`` of file -> graph -> cycles and energy -> JSON report on disk in a process that has
        evaluated only `run.warm_up` before; ``macs``, ``cycles``, ``compute_cycles``, ``stall_cycles`` and
        ``layers`` with the same names.
    """
    command = [sys.executable, "-m", "hwsim", "run", str(run.network), "--on", run.chip]
    for knob, value in run.knobs.items():
        command += ["--set", f"{knob}={value}"]
    # Imports come from the checkout that holds this file, whatever directory the benchmark is started from.
    timed = [run_timed([*command, "--json"], cwd=CHECKOUT, limit_s=COMMAND_LIMIT_S) for _ in range(runs)]
    report = json.loads(timed[-1].stdout)

    spec = json.dumps({"network": str(run.network), "warm_up": str(run.warm_up), "chip": run.chip,
                       "knobs": run.knobs})
    inside = [sys.executable, str(Path(__file__).resolve()), spec]
    seconds = [json.loads(run_timed(inside, cwd=CHECKOUT, limit_s=COMMAND_LIMIT_S).stdout.splitlines()[-1])
               for _ in range(runs)]
    return {
        "wall_s": statistics.median(each.wall_s for each in timed),
        "cpu_s": statistics.median(each.cpu_s for each in timed),
        "inner_s": statistics.median(each["run_s"] for each in seconds),
        "inner_cpu_s": statistics.median(each["run_cpu_s"] for each in seconds),
        "peak_bytes": max(each.peak_bytes for each in timed),
        "runs": runs,
        **{name: report["totals"][name] for name in ("macs", "cycles", "compute_cycles", "stall_cycles")},
        "layers": [{name: layer[name] for name in ("name", "compute_cycles")} for layer in report["layers"]],
    }


def _evaluate(network: str, chip: str, knobs: dict[str, str | int | float], folder: Path) -> None:
    """File -> graph -> cycles and energy -> JSON report on disk."""
    import hwsim

    hwsim.write(hwsim.evaluate(hwsim.load(network), hwsim.chip(chip, **knobs)), folder / "report.json")


def main() -> None:
    """Time the first evaluation of a network; the last line of output is a JSON object."""
    spec = json.loads(sys.argv[1])
    with tempfile.TemporaryDirectory() as folder:
        _evaluate(spec["warm_up"], spec["chip"], spec["knobs"], Path(folder))
        begin, begin_cpu = time.perf_counter(), time.process_time()
        _evaluate(spec["network"], spec["chip"], spec["knobs"], Path(folder))
        done, done_cpu = time.perf_counter(), time.process_time()
    print(json.dumps({"run_s": done - begin, "run_cpu_s": done_cpu - begin_cpu}))


if __name__ == "__main__":
    main()
