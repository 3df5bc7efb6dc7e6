"""Schedules every branchy network at its three budgets and writes the table of docs/scheduling.md.

    python benchmarks/schedule.py            # 144 cases, up to a minute each; goes on where it was stopped
    python benchmarks/schedule.py --quick    # the ten human-designed networks at 8 bits, a minute or two
    python benchmarks/schedule.py --table    # only the table, from benchmarks/results/schedule.json
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from schedule_table import write_table

from hwsim import run
from hwsim.kernels.compiling import compile_now
from hwsim.schedule import Problem, solve
from hwsim.schedule.network import Options, from_graph
from hwsim.schedule.network_fusion import Fusion
from hwsim.schedule.peak import Peak, smallest_peak
from hwsim.schedule.portfolio import named_orders
from hwsim.schedule.search import Limits

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks/results/schedule.json"
HUMAN = ("resnet50", "densenet121", "resnext50_32x4d", "r2plus1d_18_224", "s3d", "fcn_resnet50",
         "lraspp_mobilenet_v3_large", "deeplabv3_resnet50", "transformer_base", "vit_b16_stack")
SEARCHED = ("pnasnet5_mobile", "amoebanet_d", "nasnet_a_mobile", "nasnet_a_cifar", "darts_8", "darts",
            "darts_imagenet", "randwire_ws16x1", "randwire_ws32x1", "randwire_small")
FURTHER = ("transformer_encoder", "googlenet", "unet", "mobilenet_v2")
TIME_LIMIT_S = 60.0
PEAK_STATES = 1_000_000
PEAK_TIME_LIMIT_S = 60.0

FAMILIES = {name: family for family, names in (("human", HUMAN), ("searched", SEARCHED), ("further", FURTHER))
            for name in names}

Row = dict[str, Any]


def problem_of(network: str, bits: int) -> tuple[Problem, Fusion]:
    """Return the scheduling problem of a network: activations only, in blocks of 1 KiB."""
    # One node of RandWire is one operator, its weighted sum included.
    fusion = Fusion.SUMS if network.startswith("randwire") else Fusion.OPERATIONS
    return from_graph(run.load(network), Options(bits=bits, fusion=fusion)).problem, fusion


def measure(network: str, bits: int) -> Iterator[Row]:
    """Yield one row per budget of a network: M_R, M_H, M_P."""
    problem, fusion = problem_of(network, bits)
    started = time.perf_counter()
    limits = Limits(states=PEAK_STATES, deadline_s=time.monotonic() + PEAK_TIME_LIMIT_S)
    peak = smallest_peak(problem, list(named_orders(problem).values()), limits=limits)
    peak_s = time.perf_counter() - started
    least = problem.smallest_budget
    for name, budget in (("M_R", least), ("M_H", (least + peak.blocks) // 2), ("M_P", peak.blocks)):
        row = {"network": network, "family": FAMILIES[network], "bits": bits,
               "fusion": str(fusion), "operators": len(problem.operators), "budget": name,
               "budget_kib": budget, "M_R_kib": least, "M_P_kib": peak.blocks,
               "M_P_proven": peak.lower_bound == peak.blocks, "M_P_wall_s": round(peak_s, 2)}
        yield row | solved(problem, budget, peak)


def solved(problem: Problem, budget: int, peak: Peak) -> Row:
    """Return what `solve` says about one budget, with wall and processor seconds."""
    wall, cpu = time.perf_counter(), time.process_time()
    result = solve(problem, budget, time_limit_s=TIME_LIMIT_S)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    stats = result.stats
    return {"status": str(stats.status), "traffic_kib": result.traffic, "lower_bound_kib": stats.lower_bound,
            "gap": round(stats.gap, 4), "wall_s": round(wall, 2), "cpu_s": round(cpu, 2),
            "formulation": stats.formulation, "solver": stats.solver, "proof": stats.proof,
            "states": stats.states, "baselines_kib": dict(result.baselines), "notes": list(stats.notes),
            "load_average": round(os.getloadavg()[0], 1), "commit": commit(),
            "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M")}


def commit() -> str:
    """Return the abbreviated commit that is checked out."""
    found = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True,
                           check=False)
    return found.stdout.strip() or "unknown"


def conditions() -> Row:
    """Return what the seconds depend on."""
    return {"python": platform.python_version(), "numba": version("numba"), "pulp": version("pulp"),
            "machine": platform.machine(), "processors": os.cpu_count(), "time_limit_s": TIME_LIMIT_S,
            "block_bytes": 1024, "weights": "none"}


def read(path: Path) -> dict[str, Row]:
    """Return the rows measured before, by case."""
    rows = json.loads(path.read_text())["rows"] if path.exists() else []
    return {key_of(row): row for row in rows}


def key_of(row: Row) -> str:
    """Return what names a case."""
    return f"{row['network']} {row['bits']} {row['budget']}"


def write(path: Path, rows: dict[str, Row]) -> None:
    """Replace the file at once: an interrupted run keeps every finished case."""
    path.parent.mkdir(exist_ok=True)
    document = {"conditions": conditions(), "rows": list(rows.values())}
    beside = path.with_suffix(".part")
    beside.write_text(json.dumps(document, indent=1) + "\n")
    beside.replace(path)


def main() -> int:
    """Measure what is missing, then write the table."""
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--quick", action="store_true", help="human-designed networks at 8 bits")
    words.add_argument("--table", action="store_true", help="measure nothing")
    words.add_argument("--again", action="store_true", help="measure finished cases once more")
    words.add_argument("--only", nargs="+", default=[], metavar="NETWORK", choices=FAMILIES)
    words.add_argument("--results", type=Path, default=RESULTS)
    given = words.parse_args()
    rows = read(given.results)
    if not given.table:
        networks = given.only or (HUMAN if given.quick else HUMAN + FURTHER + SEARCHED)
        compile_now()
        solve(problem_of("darts_8", 8)[0], 300, time_limit_s=1.0)  # what follows finds compiled kernels
        for bits in (8,) if given.quick else (8, 32):
            for network in networks:
                wanted = [f"{network} {bits} {budget}" for budget in ("M_R", "M_H", "M_P")]
                if not given.again and all(key in rows for key in wanted):
                    continue
                for row in measure(network, bits):
                    rows[key_of(row)] = row
                    write(given.results, rows)
                    print(f"{key_of(row):36} {row['operators']:4} {row['budget_kib']:7} {row['status']:9} "
                          f"{row['traffic_kib']:7} >= {row['lower_bound_kib']:7} {row['wall_s']:6} s",
                          flush=True)
    write_table(given.results, ROOT / "docs/scheduling.md")
    return 0


if __name__ == "__main__":
    sys.exit(main())
