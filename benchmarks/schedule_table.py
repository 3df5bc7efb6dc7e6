"""Turns measured schedules into the tables of docs/scheduling.md, between two marks."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

Row = dict[str, Any]

BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
TITLES = {"human": "Human-designed networks", "searched": "Networks from architecture search",
          "further": "Further networks"}
PUBLISHED = {"human": "84 %", "searched": "85 %"}
HUMAN_AIM_S, SEARCHED_AIM_S = 5.0, 60.0


def write_table(results: Path, document: Path) -> None:
    """Replace what stands between the marks of a document by the tables of a results file."""
    measured = json.loads(results.read_text())
    text = document.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    document.write_text(before + BEGIN + "\n" + tables(measured) + END + after, encoding="utf-8")


def tables(measured: Row) -> str:
    """Return all tables: networks by family and width, baselines, mean reductions, counts of proofs."""
    rows = measured["rows"]
    found = [conditions(measured)]
    for family, title in TITLES.items():
        for bits in (8, 32):
            chosen = [row for row in rows if row["family"] == family and row["bits"] == bits]
            if chosen:
                found.append(f"### {title}, {bits} bits\n\n" + networks(chosen))
    found.append("### Mean reduction against each baseline\n\n" + reductions(rows))
    found.append("### The same over all networks on which the baseline moves anything\n\n"
                 "Degenerate networks included: their plans move nothing, online allocation often does.\n\n"
                 + reductions(rows, everywhere=True))
    found.append("### What is proven\n\n" + proofs(rows))
    found.append("### Every baseline\n\nKiB of non-compulsory traffic; `-`: the arena does not fit.\n\n"
                 + baselines([row for row in rows if row["M_R_kib"] < row["M_P_kib"]]))
    return "\n" + "\n".join(found) + "\n"


def conditions(measured: Row) -> str:
    """Return in words what the seconds depend on."""
    known, rows = measured["conditions"], measured["rows"]
    loads = [row["load_average"] for row in rows]
    dates = [row["date"] for row in rows]
    commits = ", ".join(sorted({row["commit"] for row in rows}))
    return (f"Measured {min(dates)} to {max(dates)} UTC at commit {commits}, on {known['processors']} shared "
            f"{known['machine']} cores with a load average of {min(loads)} to {max(loads)}: other programs "
            f"ran. Python {known['python']}, numba {known['numba']}, PuLP {known['pulp']} with its CBC; one "
            f"process, kernels compiled before, limit {known['time_limit_s']:.0f} s per budget. Seconds are "
            "wall seconds, in brackets processor seconds; traffic and bounds are KiB.\n")


def networks(rows: Sequence[Row]) -> str:
    """Return one line per network and budget."""
    lines = ["| network | operators | budget | KiB | status | traffic | bound | gap | seconds "
             "| default/belady | best baseline | arena |",
             "|---|---:|---|---:|---|---:|---:|---:|---:|---:|---:|---|"]
    for row in merged(rows):
        moved, base = row["traffic_kib"], row["baselines_kib"]
        online = [blocks for name, blocks in base.items() if blocks is not None]
        fits = sum(base[name] is not None for name in base if name.endswith("/arena"))
        lines.append(f"| {row['network']} | {row['operators']} | {row['budget']} | {row['budget_kib']} "
                     f"| {row['status']} | {moved} | {row['lower_bound_kib']} | {row['gap']:.1%} "
                     f"| {row['wall_s']} ({row['cpu_s']}) | {base['default/belady']} | {min(online)} "
                     f"| {'fits' if fits else '-'} |")
    return "\n".join(lines) + "\n"


def merged(rows: Sequence[Row]) -> list[Row]:
    """Return the rows with the three equal budgets of a degenerate network as one."""
    found = []
    for row in rows:
        if row["M_R_kib"] < row["M_P_kib"]:
            proven = "" if row["M_P_proven"] or row["budget"] == "M_R" else " (upper bound of M_P)"
            found.append(row | {"budget": row["budget"] + proven})
        elif row["budget"] == "M_R":
            found.append(row | {"budget": "M_R = M_P"})
    return found


def reductions(rows: Sequence[Row], *, everywhere: bool = False) -> str:
    """Return the mean share of each baseline's traffic that the plans avoid, by family, width and budget.

    Over the networks that are not degenerate, or `everywhere` that the baseline moves anything.
    """
    groups = [(family, bits, budget) for family in PUBLISHED for bits in (8, 32) for budget in ("M_R", "M_H")]
    names = sorted({name for row in rows for name in row["baselines_kib"] if not name.endswith("/arena")})
    heads = [f"{'human' if family == 'human' else 'searched'}, {bits} bits, {budget}"
             for family, bits, budget in groups]
    lines = [f"| baseline | {' | '.join(heads)} |", "|---|" + "---:|" * len(groups)]
    for name in names:
        cells = [_mean(_avoided(_chosen(rows, group, name if everywhere else ""), name)) for group in groups]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    by = "default/belady" if everywhere else ""
    counts = " | ".join(str(len(_chosen(rows, group, by))) for group in groups)
    lines.append(f"| networks{f' ({by})' if by else ''} | {counts} |")
    papers = " | ".join(PUBLISHED[family] if budget == "M_R" else "-" for family, _, budget in groups)
    lines.append(f"| the paper, \"existing methods\" | {papers} |")
    return "\n".join(lines) + "\n"


def _chosen(rows: Sequence[Row], group: tuple[str, int, str], baseline: str) -> list[Row]:
    family, bits, budget = group
    return [row for row in rows if row["family"] == family and row["bits"] == bits and row["budget"] == budget
            and (row["baselines_kib"][baseline] if baseline else row["M_R_kib"] < row["M_P_kib"])]


def _avoided(rows: Sequence[Row], name: str) -> list[float]:
    pairs = [(row["traffic_kib"], row["baselines_kib"][name]) for row in rows]
    return [1 - ours / theirs if theirs else 0.0 for ours, theirs in pairs]


def _mean(values: Sequence[float]) -> str:
    return f"{sum(values) / len(values):.1%}" if values else "-"


def proofs(rows: Sequence[Row]) -> str:
    """Return how many networks are proven optimal at all their budgets within the aims."""
    lines = ["| family | bits | networks | proven at all three budgets | each within the aim "
             "| slowest proven, s |", "|---|---:|---:|---:|---:|---:|"]
    aims: dict[str, Callable[[Row], bool]] = {"human": lambda row: row["wall_s"] < HUMAN_AIM_S,
                                              "searched": lambda row: row["wall_s"] < SEARCHED_AIM_S}
    for family, soon in aims.items():
        for bits in (8, 32):
            by_network: dict[str, list[Row]] = {}
            for row in rows:
                if row["family"] == family and row["bits"] == bits:
                    by_network.setdefault(row["network"], []).append(row)
            done = [found for found in by_network.values() if all(r["status"] == "OPTIMAL" for r in found)]
            fast = sum(all(map(soon, found)) for found in done)
            slowest = max((row["wall_s"] for found in done for row in found), default=0)
            aim = HUMAN_AIM_S if family == "human" else SEARCHED_AIM_S
            lines.append(f"| {family} | {bits} | {len(by_network)} | {len(done)} | {fast} (< {aim:.0f} s) "
                         f"| {slowest} |")
    return "\n".join(lines) + "\n"


def baselines(rows: Sequence[Row]) -> str:
    """Return the traffic of every baseline, one line per order and eviction, one column per case."""
    found = []
    for bits in (8, 32):
        chosen = [row for row in rows if row["bits"] == bits]
        names = list(chosen[0]["baselines_kib"]) if chosen else []
        orders = list(dict.fromkeys(name.partition("/")[0] for name in names))
        policies = list(dict.fromkeys(name.partition("/")[2] for name in names))
        for order in orders:
            found.append(f"{bits} bits, order `{order}`:\n")
            found.append(f"| network | budget | plan | {' | '.join(policies)} |")
            found.append("|---|---|---:|" + "---:|" * len(policies))
            for row in chosen:
                cells = [row["baselines_kib"][f"{order}/{policy}"] for policy in policies]
                texts = ["-" if blocks is None else str(blocks) for blocks in cells]
                found.append(f"| {row['network']} | {row['budget']} | {row['traffic_kib']} "
                             f"| {' | '.join(texts)} |")
            found.append("")
    return "\n".join(found)
