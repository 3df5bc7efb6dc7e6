"""Turns a peer's measurement and ours into one row: cycles, whether and why they differ, seconds, ratios."""

from __future__ import annotations

from typing import Any

from scalesim_peer import ScalesimCase
from zigzag_peer import ZigzagCase

Row = dict[str, Any]

SCALESIM_TARGET_RATIO = 1000
ZIGZAG_TARGET_RATIO = 500

ZIGZAG_REASON = """\
ZigZag counts the product of the temporal loops plus, per layer, stalls on memory ports, loading the first
and storing the last tile over a 64-bit DRAM port, and one drain of the array. Its mapping fixes output x
input channels on the array for every layer, operators other than Conv, Gemm and MatMul cost nothing, and
weights enter the array behind the computation while DRAM keeps up. hwsim counts what its stepped array
shows for filling, draining and loading stationary operands, picks a dataflow per layer and costs every
operator."""

COLUMNS_NOTE = """
s: whole process, interpreter start and imports included; "in s": inside a process, imports done.
Medians of CPU seconds, one thread on each side. SCALE-Sim cycles: the printed index plus one a layer."""


def scalesim_row(case: ScalesimCase, peer: Row, ours: Row) -> Row:
    """Compare compute cycles layer by layer; they have to be equal.

    Parameters
    ----------
    case : ScalesimCase
        What was run.
    peer, ours : dict
        What `scalesim_peer.measure` and `hwsim_side.measure` returned; `ours` may hold only ``error``.

    Returns
    -------
    dict
        One row of the results file.
    """
    row = _row("scalesim", case.how, case.network, f"{case.rows}x{case.cols}", case.dataflow,
               peer, ours, peer["compute_cycles"], "compute_cycles", SCALESIM_TARGET_RATIO)
    row["peer_printed_cycles"] = peer["reported_cycles"]
    row["layers"] = len(peer["layers"])
    if "error" in ours:
        return row
    mine = {layer["name"]: layer["compute_cycles"] for layer in ours["layers"]}
    different = [
        {"layer": layer["name"], "peer": layer["compute_cycles"], "hwsim": mine.get(layer["name"])}
        for layer in peer["layers"] if mine.get(layer["name"]) != layer["compute_cycles"]
    ]
    row["equal"] = not different and len(mine) == len(peer["layers"])
    row["different_layers"] = different
    return row


def zigzag_row(case: ZigzagCase, peer: Row, ours: Row) -> Row:
    """Put total cycles side by side with what ZigZag's total is made of.

    Parameters
    ----------
    case : ZigzagCase
        What was run.
    peer, ours : dict
        What `zigzag_peer.measure` and `hwsim_side.measure` returned; `ours` may hold only ``error``.

    Returns
    -------
    dict
        One row of the results file.
    """
    row = _row("zigzag", "library", case.network, "32x32", "search", peer, ours,
               peer["total_cycles"], "cycles", ZIGZAG_TARGET_RATIO)
    row["peer_cycle_parts"] = peer["parts"]
    row["peer_macs"] = peer["macs"]
    row["why_cycles_differ"] = ZIGZAG_REASON
    if "error" not in ours:
        row["hwsim_macs"] = ours["macs"]
        row["hwsim_cycle_parts"] = {name: ours[name] for name in ("compute_cycles", "stall_cycles")}
    return row


def _row(peer_name: str, how: str, network: str, array: str, dataflow: str, peer: Row, ours: Row,
         peer_cycles: float, our_cycles: str, target_ratio: int) -> Row:
    # CPU seconds, because a busy machine stretches a run of minutes more than one of milliseconds.
    whole = _ratio(peer["cpu_s"], ours.get("cpu_s"))
    inside = _ratio(peer["inner_cpu_s"], ours.get("warm_cpu_s"))
    return {
        "peer": peer_name,
        "how": how,
        "network": network,
        "array": array,
        "dataflow": dataflow,
        "peer_cycles": int(peer_cycles),
        "hwsim_cycles": ours.get(our_cycles),
        "equal": None,
        "peer_process_wall_s": peer["wall_s"],
        "peer_process_cpu_s": peer["cpu_s"],
        "hwsim_process_wall_s": ours.get("wall_s"),
        "hwsim_process_cpu_s": ours.get("cpu_s"),
        "process_ratio": whole,
        "peer_inside_wall_s": peer["inner_s"],
        "peer_inside_cpu_s": peer["inner_cpu_s"],
        "hwsim_inside_wall_s": ours.get("warm_s"),
        "hwsim_inside_cpu_s": ours.get("warm_cpu_s"),
        "hwsim_inside_first_cpu_s": ours.get("first_cpu_s"),
        "inside_ratio": inside,
        "target_ratio": target_ratio,
        "target_met_by_process": None if whole is None else whole >= target_ratio,
        "target_met_inside": None if inside is None else inside >= target_ratio,
        "peer_measured": peer["measured"],
        "peer_runs": peer["runs"],
        "hwsim_error": ours.get("error"),
    }


def _ratio(peer_s: float | None, our_s: float | None) -> float | None:
    return None if peer_s is None or our_s is None else peer_s / our_s


def print_table(rows: list[Row]) -> None:
    """Print one line per row, then what the columns mean."""
    head = ("peer", "run as", "network", "array", "flow", "peer cycles", "hwsim cycles", "equal",
            "peer s", "hwsim s", "ratio", "peer in s", "hwsim in s", "ratio in", "target")
    lines = [head, *(_cells(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    for line in lines:
        cells = [text.ljust(width) if column < 5 else text.rjust(width)
                 for column, (text, width) in enumerate(zip(line, widths, strict=True))]
        print("  ".join(cells).rstrip())
    print(COLUMNS_NOTE)
    if any(row["peer"] == "zigzag" for row in rows):
        print(ZIGZAG_REASON)
    for row in rows:
        if row["peer"] == "zigzag":
            parts = ", ".join(f"{name.removesuffix('_cycles')} {value:,.0f}"
                              for name, value in row["peer_cycle_parts"].items())
            print(f"  {row['network']}: ZigZag {parts}")


def _cells(row: Row) -> tuple[str, ...]:
    equal = {True: "yes", False: "NO", None: "-"}[row["equal"]]
    return (row["peer"], row["how"], row["network"], row["array"], row["dataflow"],
            _number(row["peer_cycles"], ",.0f"), _number(row["hwsim_cycles"], ",.0f"), equal,
            _number(row["peer_process_cpu_s"], ".2f"), _number(row["hwsim_process_cpu_s"], ".3f"),
            _number(row["process_ratio"], ",.0f"),
            _number(row["peer_inside_cpu_s"], ".2f"), _number(row["hwsim_inside_cpu_s"], ".4f"),
            _number(row["inside_ratio"], ",.0f"), f"{row['target_ratio']:,}")


def _number(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)
