"""The page that says which built-in network runs on which chip, and why the others do not."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from docs.generator.text import plain, table
from hwsim import registry
from hwsim.graph.ops import work_of
from hwsim.graph.types import Graph
from hwsim.model.types import Accelerator

_HEAD = """# Which network runs on which chip

Every built-in network on every chip, as the chips answer when asked (`Accelerator.supports`; nothing is evaluated). This page is
written by `make pages`, and a test fails when it is not current.

| in a cell | means |
| --- | --- |
| runs | `hwsim run NETWORK --on CHIP` |
| runs, host | the same; the published design leaves some operators to a host, and the report says which |
| 97 % | refused as it is; with `--on-unsupported host` the chip takes this share of the multiply-accumulates, of networks without any this share of the operators, and the host the rest |
| no | refused: the chip runs none of the work |

`--on-unsupported traffic` charges the operators that a chip refuses as data movement instead. The first reason for every refusal
stands [below](#refusals). A chip that runs all operators of a network may still refuse its size under a preset, as
ReRAM does when its arrays cannot hold the weights, and says so.
"""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a chip says to a network.

    Attributes
    ----------
    cell : str
        In short.
    reason : str
        Why the first operator that is refused is; "" if none is.
    kind : str
        Kind of that operator.
    """

    cell: str
    reason: str = ""
    kind: str = ""


def answers() -> dict[str, dict[str, Answer]]:
    """Return the answer of every chip to every network, by network and chip."""
    chips = [registry.load_accelerator(name) for name in registry.accelerator_names()]
    found = {}
    for name in registry.workload_names():
        graph = registry.load_workload(name)
        weights = {op.name: work_of(graph, op).macs for op in graph.ops}
        if not any(weights.values()):
            weights = dict.fromkeys(weights, 1)
        found[name] = {chip.name: answer(chip, graph, weights) for chip in chips}
    return found


def answer(chip: Accelerator, graph: Graph, weights: dict[str, int]) -> Answer:
    """Return what `chip` says to `graph`.

    Parameters
    ----------
    chip, graph
        Who is asked for what.
    weights : dict of str to int
        Weight of every operator in the share of the network that the chip runs.
    """
    refused = [(op, reason) for op in graph.ops if (reason := chip.supports(graph, op))]
    own = ((op, reason) for op, reason in refused if chip.host is None or not chip.host(graph, op))
    first, reason = next(own, (None, ""))
    if first is None:
        return Answer("runs, host" if refused else "runs")
    total = sum(weights.values())
    kept = total - sum(weights[op.name] for op, _ in refused)
    return Answer(_share(kept / total), reason, first.kind)


def _share(kept: float) -> str:
    """Return a share in whole per cents, never rounded to all or nothing."""
    if kept == 0:
        return "no"
    return f"{kept:.0%}".replace("%", " %") if 0.01 <= kept <= 0.99 else "< 1 %" if kept < 0.01 else "> 99 %"


def page() -> str:
    """Return the page."""
    found = answers()
    chips = list(next(iter(found.values())))
    rows = [(f"`{network}`", *(row[chip].cell for chip in chips)) for network, row in found.items()]
    refusals = (f"### {chip}\n\n{_refusals(chip, found)}" for chip in chips)
    return "\n".join([_HEAD, _totals(chips, found), "## Pairs\n", table(("Network", *chips), rows),
                      "## Refusals\n", *refusals])


def _totals(chips: list[str], found: dict[str, dict[str, Answer]]) -> str:
    counts = {chip: Counter(_class(row[chip].cell) for row in found.values()) for chip in chips}
    heads = ("Chip", "runs", "runs, host", "in part", "no")
    return table(heads, [(chip, *(str(counts[chip][head]) for head in heads[1:])) for chip in chips],
                 right=heads[1:])


def _class(cell: str) -> str:
    return cell if cell in ("runs", "runs, host", "no") else "in part"


def _refusals(chip: str, found: dict[str, dict[str, Answer]]) -> str:
    networks: dict[tuple[str, str], list[str]] = defaultdict(list)
    for network, row in found.items():
        if row[chip].reason:
            networks[row[chip].kind, row[chip].reason].append(network)
    return "".join(_lines(networks)) or "None.\n"


def _lines(networks: dict[tuple[str, str], list[str]]) -> Iterator[str]:
    for (kind, reason), names in networks.items():
        yield f"- `{kind}`: {plain(reason)}. {', '.join(f'`{name}`' for name in names)}\n"
