"""Runs SCALE-Sim 3.0.0 on a layer file and reads the compute cycles that it reports per layer."""

from __future__ import annotations

import csv
import json
import statistics
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from peer_env import Timed, interpreter, run_timed

TOPOLOGIES = Path(__file__).resolve().parent / "topologies"
RUN_NAME = "peer"

# The wheel ships no configuration. CALC is its stall-free mode: bandwidth is estimated, never a limit.
CONFIGURATION = """\
[general]
run_name = {run_name}

[run_presets]
InterfaceBandwidth = CALC
UseRamulatorTrace = False

[architecture_presets]
ArrayHeight = {rows}
ArrayWidth = {cols}
IfmapSramSzkB = 1024
FilterSramSzkB = 1024
OfmapSramSzkB = 1024
IfmapOffset = 0
FilterOffset = 100000000
OfmapOffset = 200000000
Dataflow = {dataflow}
Bandwidth = 10
ReadRequestBuffer = 512
WriteRequestBuffer = 512

[layout]
IfmapCustomLayout = False
IfmapSRAMBankBandwidth = 10
IfmapSRAMBankNum = 10
IfmapSRAMBankPort = 2
FilterCustomLayout = False
FilterSRAMBankBandwidth = 10
FilterSRAMBankNum = 10
FilterSRAMBankPort = 2

[sparsity]
SparsitySupport = false
SparseRep = ellpack_block
OptimizedMapping = false
BlockSize = 8
RandomNumberGeneratorSeed = 40
"""


@dataclass(frozen=True, slots=True)
class ScalesimCase:
    """One network on one array.

    Attributes
    ----------
    network : str
        Name of a file in `topologies/`, without its ending.
    rows, cols : int
        Array height and width.
    dataflow : str
        ``"os"``, ``"ws"`` or ``"is"``.
    how : str
        ``"command"``: ``python -m scalesim.scale``, which always writes traces (its ``-s N`` has no effect);
        ``"library"``: the class `scalesim` with traces and progress bars switched off.
    """

    network: str
    rows: int
    cols: int
    dataflow: str
    how: str

    @property
    def name(self) -> str:
        """Key of this case in the results file."""
        return f"scalesim/{self.how}/{self.network}/{self.rows}x{self.cols}/{self.dataflow}"

    @property
    def topology(self) -> Path:
        """The layer file that both simulators read."""
        return TOPOLOGIES / f"{self.network}.csv"


def measure(case: ScalesimCase, *, runs: int, limit_s: float) -> dict[str, Any]:
    """Run `case` and return its cycles and the medians of its seconds.

    Parameters
    ----------
    case : ScalesimCase
        What to run.
    runs : int
        How often it is measured; seconds are the median.
    limit_s : float
        Seconds after which a run is given up.

    Returns
    -------
    dict
        ``layers`` (name, compute_cycles), ``compute_cycles``, ``reported_cycles`` and the seconds.
    """
    timed: list[Timed] = []
    inner: list[dict[str, float]] = []
    layers: list[dict[str, Any]] = []
    for _ in range(runs):
        with tempfile.TemporaryDirectory() as folder:
            results = Path(folder) / "results"
            timed.append(run_timed(_command(case, Path(folder), results), cwd=Path(folder), limit_s=limit_s))
            layers = _read_layers(case, results / RUN_NAME)
        if case.how == "library":
            inner.append(json.loads(timed[-1].stdout.splitlines()[-1]))
    return {
        "wall_s": statistics.median(run.wall_s for run in timed),
        "cpu_s": statistics.median(run.cpu_s for run in timed),
        "inner_s": statistics.median(each["run_s"] for each in inner) if inner else None,
        "inner_cpu_s": statistics.median(each["run_cpu_s"] for each in inner) if inner else None,
        "peak_bytes": max(run.peak_bytes for run in timed),
        "runs": runs,
        "all_wall_s": [run.wall_s for run in timed],
        "reported_cycles": sum(int(str(layer["reported_cycles"])) for layer in layers),
        "compute_cycles": sum(int(str(layer["compute_cycles"])) for layer in layers),
        "layers": layers,
    }


def _command(case: ScalesimCase, folder: Path, results: Path) -> list[str]:
    config = folder / "array.cfg"
    config.write_text(CONFIGURATION.format(run_name=RUN_NAME, rows=case.rows, cols=case.cols,
                                           dataflow=case.dataflow))
    python, topology = str(interpreter("scalesim")), str(case.topology)
    if case.how == "library":
        runner = Path(__file__).with_name("scalesim_runner.py")
        return [python, str(runner), str(config), topology, str(results)]
    # A layout file is compulsory even though no custom layout is used; any layer file will do.
    return [python, "-m", "scalesim.scale", "-c", str(config), "-t", topology, "-l", topology,
            "-p", str(results), "-s", "N"]


def _read_layers(case: ScalesimCase, folder: Path) -> list[dict[str, Any]]:
    with case.topology.open(newline="") as stream:
        names = [row[0].strip() for row in list(csv.reader(stream))[1:] if row]
    with (folder / "COMPUTE_REPORT.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream, skipinitialspace=True))
    layers: list[dict[str, Any]] = []
    for name, row in zip(names, rows, strict=True):
        # "Total Cycles" is the index of the last cycle, and the first cycle has index 0.
        reported, stalls = int(float(row["Total Cycles"])), int(float(row["Stall Cycles"]))
        layers.append({"name": name, "reported_cycles": reported, "stall_cycles": stalls,
                       "compute_cycles": reported + 1 - stalls})
    return layers
