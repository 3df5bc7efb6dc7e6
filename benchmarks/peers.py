"""Puts hwsim beside SCALE-Sim and ZigZag: the same networks, cycles and seconds of both in one table."""

from __future__ import annotations

import argparse
import datetime
import json
import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import hwsim_side
import peer_env
import scalesim_peer
import zigzag_peer
from comparison import Row, print_table, scalesim_row, zigzag_row
from scalesim_peer import ScalesimCase
from zigzag_peer import ZigzagCase

RESULTS = Path(__file__).resolve().parent / "results" / "peers.json"
SCHEMA_VERSION = 1

SCALESIM_CASES = (
    ScalesimCase("alexnet", 128, 128, "os", "library"),
    ScalesimCase("alexnet", 128, 128, "os", "command"),
    ScalesimCase("resnet18", 128, 128, "os", "library"),
    ScalesimCase("resnet18", 128, 128, "os", "command"),
    ScalesimCase("resnet18", 128, 128, "ws", "library"),
    ScalesimCase("resnet18", 128, 128, "is", "library"),
    ScalesimCase("resnet18", 32, 32, "ws", "library"),
)
# Which network is evaluated first, untimed, before the one that is timed inside a process.
WARM_UP = {"alexnet": "resnet18", "resnet18": "alexnet", "mobilenetv2": "alexnet"}
ZIGZAG_CASES = (ZigzagCase("alexnet"), ZigzagCase("resnet18"), ZigzagCase("mobilenetv2"))

Measurement = dict[str, Any]


def main() -> int:
    """Measure what is asked for, print the table, write the results file.

    Returns
    -------
    int
        0 when every hwsim run succeeded and every cycle count that has to be equal is equal, otherwise 1.
    """
    options = _options()
    results = _read_results()
    measurements: dict[str, Measurement] = results["measurements"]
    rows: list[Row] = []
    evaluated: dict[str, Measurement] = {}
    if options.only in (None, "scalesim"):
        for case in SCALESIM_CASES:
            peer = _peer(case.name, options, measurements, "scalesim",
                         partial(scalesim_peer.measure, case, runs=options.peer_runs or 1,
                                 limit_s=options.limit_s))
            knobs: dict[str, str | int | float] = {
                "array_rows": case.rows, "array_cols": case.cols, "dataflow": case.dataflow}
            other = scalesim_peer.TOPOLOGIES / f"{WARM_UP[case.network]}.csv"
            run = hwsim_side.HwsimRun(case.topology, other, hwsim_side.SCALESIM_CHIP, knobs)
            rows.append(scalesim_row(case, peer, _ours(run, options, evaluated)))
    if options.only in (None, "zigzag"):
        for network in ZIGZAG_CASES:
            peer = _peer(network.name, options, measurements, "zigzag",
                         partial(zigzag_peer.measure, network, runs=options.peer_runs or 3,
                                 limit_s=options.limit_s))
            run = hwsim_side.HwsimRun(zigzag_peer.onnx_file(network.network),
                                      zigzag_peer.onnx_file(WARM_UP[network.network]),
                                      hwsim_side.SEARCH_CHIP, hwsim_side.SEARCH_KNOBS)
            rows.append(zigzag_row(network, peer, _ours(run, options, evaluated)))
    print_table(rows)
    kept = [row for row in results["rows"] if options.only and row["peer"] != options.only]
    _write_results({**results, "rows": kept + rows, "hwsim_measured": _circumstances()})
    return 0 if all(row["hwsim_cycles"] is not None and row["equal"] is not False for row in rows) else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reuse-peers", action="store_true",
                        help="take the peers' results from results/peers.json and run only hwsim")
    parser.add_argument("--only", choices=("scalesim", "zigzag"), help="compare with one peer")
    parser.add_argument("--limit-s", type=float, default=3600.0, help="longest run of a peer, in seconds")
    parser.add_argument("--peer-runs", type=int, help="how often peers are timed, instead of 1 and 3 times")
    parser.add_argument("--hwsim-runs", type=int, default=5, help="how many hwsim processes are timed")
    return parser.parse_args()


def _peer(name: str, options: argparse.Namespace, measurements: dict[str, Measurement], peer: str,
          measure: Callable[[], Measurement]) -> Measurement:
    """Return the stored measurement `name`, or measure it and store it at once: a run may take minutes."""
    if options.reuse_peers:
        if name not in measurements:
            raise SystemExit(f"{RESULTS.name} has no measurement {name}; run once without --reuse-peers")
        return measurements[name]
    print(f"measuring {name}", file=sys.stderr, flush=True)
    before = _circumstances()
    measured = {**measure(), "measured": before, "versions": peer_env.versions(peer)}
    measurements[name] = measured
    _write_results({**_read_results(), "measurements": measurements})
    return measured


def _ours(run: hwsim_side.HwsimRun, options: argparse.Namespace,
          evaluated: dict[str, Measurement]) -> Measurement:
    """Return hwsim's measurement of `run`; cases that differ only in how the peer is started share one."""
    key = repr(run)
    if key not in evaluated:
        try:
            evaluated[key] = hwsim_side.measure(run, runs=options.hwsim_runs)
        except peer_env.PeerFailedError as error:
            print(error, file=sys.stderr)
            evaluated[key] = {"error": str(error).splitlines()[0]}
    return evaluated[key]


def _circumstances() -> dict[str, object]:
    """When and on what a measurement was made; the load says how busy the machine was with other work."""
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    return {"date": today, "load_average_1min": round(os.getloadavg()[0], 2), **peer_env.machine()}


def _read_results() -> dict[str, Any]:
    if not RESULTS.exists():
        return {"schema_version": SCHEMA_VERSION, "rows": [], "measurements": {}}
    stored: dict[str, Any] = json.loads(RESULTS.read_text())
    return stored


def _write_results(results: dict[str, Any]) -> None:
    RESULTS.parent.mkdir(exist_ok=True)
    beside = RESULTS.with_suffix(".part")
    beside.write_text(json.dumps(results, indent=1) + "\n")
    beside.replace(RESULTS)


if __name__ == "__main__":
    sys.exit(main())
