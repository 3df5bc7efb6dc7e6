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
inside: a network's evaluation in a process whose imports are done; process: the whole command.
ratio: wall over wall; at least: the peer's CPU seconds over hwsim's wall seconds. Medians, one thread.
SCALE-Sim cycles: the printed index of the last cycle plus one, per layer."""

KEY_COLUMNS = 5
CYCLE_HEAD = ("peer", "run as", "network", "array", "flow", "peer cycles", "hwsim cycles", "equal", "made of")
SECONDS_HEAD = ("peer", "run as", "network", "array", "flow", "timed", "peer wall s", "peer CPU s",
                "hwsim wall s", "hwsim CPU s", "ratio", "at least", "target")


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
    inside, process = _seconds(peer, ours, "inner"), _seconds(peer, ours, "")
    judged = inside["least_ratio"]
    return {
        "peer": peer_name,
        "how": how,
        "network": network,
        "array": array,
        "dataflow": dataflow,
        "peer_cycles": int(peer_cycles),
        "hwsim_cycles": ours.get(our_cycles),
        "equal": None,
        "inside": inside,
        "process": process,
        "target_ratio": target_ratio,
        "target_met": None if judged is None else judged >= target_ratio,
        "peer_measured": peer["measured"],
        "peer_runs": peer["runs"],
        "hwsim_error": ours.get("error"),
    }


def _seconds(peer: Row, ours: Row, scope: str) -> Row:
    """Wall and CPU seconds of both, and two ratios of them."""
    wall, cpu = (f"{scope}_s", f"{scope}_cpu_s") if scope else ("wall_s", "cpu_s")
    return {
        "peer_wall_s": peer[wall],
        "peer_cpu_s": peer[cpu],
        "hwsim_wall_s": ours.get(wall),
        "hwsim_cpu_s": ours.get(cpu),
        "ratio": _ratio(peer[wall], ours.get(wall)),
        # The peer without waiting against hwsim with it: what is left on a busy machine or a slow disk.
        "least_ratio": _ratio(peer[cpu], ours.get(wall)),
    }


def _ratio(peer_s: float | None, our_s: float | None) -> float | None:
    return None if peer_s is None or our_s is None else peer_s / our_s


def print_table(rows: list[Row]) -> None:
    """Print cycles and seconds of every row, then what the columns mean."""
    _print_columns([CYCLE_HEAD, *(_cycle_cells(row) for row in rows)])
    print()
    _print_columns([SECONDS_HEAD, *(_seconds_cells(row, scope) for scope in ("inside", "process")
                                    for row in rows if row[scope]["peer_wall_s"] is not None)])
    print(COLUMNS_NOTE)
    if any(row["peer"] == "zigzag" for row in rows):
        print(ZIGZAG_REASON)


def _print_columns(lines: list[tuple[str, ...]]) -> None:
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    for line in lines:
        cells = [text.ljust(width) if column < KEY_COLUMNS or head == "made of" else text.rjust(width)
                 for column, (text, width, head) in enumerate(zip(line, widths, lines[0], strict=True))]
        print("  ".join(cells).rstrip())


def _cycle_cells(row: Row) -> tuple[str, ...]:
    parts: dict[str, float] = row.get("peer_cycle_parts", {})
    made_of = ", ".join(f"{name.removesuffix('_cycles')} {value:,.0f}" for name, value in parts.items())
    return (*_key(row), _number(row["peer_cycles"], ",.0f"), _number(row["hwsim_cycles"], ",.0f"),
            {True: "yes", False: "NO", None: "-"}[row["equal"]], made_of)


def _seconds_cells(row: Row, scope: str) -> tuple[str, ...]:
    seconds = row[scope]
    return (*_key(row), scope, _number(seconds["peer_wall_s"], ".2f"), _number(seconds["peer_cpu_s"], ".2f"),
            _number(seconds["hwsim_wall_s"], ".4f"), _number(seconds["hwsim_cpu_s"], ".4f"),
            _number(seconds["ratio"], ",.0f"), _number(seconds["least_ratio"], ",.0f"),
            f"{row['target_ratio']:,}" if scope == "inside" else "-")


def _key(row: Row) -> tuple[str, ...]:
    return (row["peer"], row["how"], row["network"], row["array"], row["dataflow"])


def _number(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)
