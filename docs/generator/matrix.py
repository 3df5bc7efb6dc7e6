"""The page that says which built-in network runs on which chip, and why the others do not."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from docs.generator.text import plain, table
from hwsim import registry
from hwsim.errors import HwsimError
from hwsim.graph.ops import work_of
from hwsim.graph.types import Graph
from hwsim.model.types import Accelerator
from hwsim.run import without_unsupported

RUNS, HOST, SIZE, NO = "runs", "runs, host", "size", "no"
_HEAD = """# Which network runs on which chip

Every built-in network on the default preset of every chip: each pair either runs or is refused with a reason.
This page is written by `make pages`, and a test fails when it is not current.
"""
_LEGEND = (
    (RUNS, "`hwsim run NETWORK --on CHIP`"),
    (HOST, "the same; the published design leaves some operators to a host, and the report says which"),
    (SIZE, "the chip runs every operator, but the preset is too small; the message names a way out"),
    ("97 %", "refused as it is; with `--on-unsupported host` the chip takes this share of the "
             "multiply-accumulates (of networks without any: of the operators), and the host the rest"),
    (NO, "refused: the chip runs none of the work"),
)
_TRAFFIC = """With `--on-unsupported traffic` the operators that a chip refuses are charged as data movement
instead. The first reason of every refusal stands [below](#refusals).
"""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a chip says to a network.

    Attributes
    ----------
    cell : str
        In short.
    reason : str
        Why it is refused, from the first operator that is; "" if it is not.
    kind : str
        Kind of that operator; "" if the network is refused as a whole.
    """

    cell: str
    reason: str = ""
    kind: str = ""


def answers(networks: Sequence[str]) -> dict[str, dict[str, Answer]]:
    """Return the answer of every chip to each of `networks`, by network and chip."""
    chips = [registry.load_accelerator(name) for name in registry.accelerator_names()]
    found = {}
    for name in networks:
        graph = registry.load_workload(name)
        weights = {op.name: work_of(graph, op).macs for op in graph.ops}
        if not any(weights.values()):
            weights = dict.fromkeys(weights, 1)
        found[name] = {chip.name: answer(chip, graph, weights) for chip in chips}
    return found


def answer(chip: Accelerator, graph: Graph, weights: Mapping[str, int]) -> Answer:
    """Return what `chip` says to `graph`.

    Parameters
    ----------
    chip, graph
        Who is asked for what.
    weights : mapping of str to int
        Weight of every operator in the share of the network that the chip runs.
    """
    refused = [(op, reason) for op in graph.ops if (reason := chip.supports(graph, op))]
    own = ((op, reason) for op, reason in refused if chip.host is None or not chip.host(graph, op))
    first, reason = next(own, (None, ""))
    if first is None:
        reason = _too_small(chip, graph)
        return Answer(SIZE if reason else HOST if refused else RUNS, reason)
    kept = sum(weights.values()) - sum(weights[op.name] for op, _ in refused)
    return Answer(_share(kept / sum(weights.values())), reason, first.kind)


def _too_small(chip: Accelerator, graph: Graph) -> str:
    """Return why the default preset cannot hold `graph`, whose operators it all runs; "" if it can."""
    design = next(iter(chip.presets.values()))
    try:
        rest = without_unsupported(graph, chip, "error")
        chip.lower(chip.prepare(rest, design), design)
    except HwsimError as error:
        problem = error.problems[0]
        return f"{problem.reason} ({problem.hint})" if problem.hint else problem.reason
    return ""


def _share(kept: float) -> str:
    """Return a share in whole per cents, never rounded to all or nothing."""
    if kept == 0:
        return NO
    return "< 1 %" if kept < 0.01 else "> 99 %" if kept > 0.99 else f"{kept * 100:.0f} %"


def page() -> str:
    """Return the page."""
    found = answers(registry.workload_names())
    chips = list(registry.accelerator_names())
    rows = [row_of(network, row) for network, row in found.items()]
    parts = [_HEAD, table(("In a cell", "Means"), _LEGEND), _TRAFFIC, _totals(chips, found), "## Pairs\n",
             table(("Network", *chips), rows), "## Refusals\n"]
    return "\n".join([*parts, *(f"### {chip}\n\n{_refusals(chip, found)}" for chip in chips)])


def row_of(network: str, row: Mapping[str, Answer]) -> tuple[str, ...]:
    """Return the cells of a network in the table of pairs."""
    return (f"`{network}`", *(row[chip].cell for chip in row))


def _totals(chips: list[str], found: Mapping[str, Mapping[str, Answer]]) -> str:
    heads = (RUNS, HOST, SIZE, "in part", NO)
    rows = []
    for chip in chips:
        cells = [row[chip].cell for row in found.values()]
        counts = Counter(cell if cell in heads else "in part" for cell in cells)
        rows.append((chip, *(str(counts[head]) for head in heads)))
    return table(("Chip", *heads), rows, right=heads)


def _refusals(chip: str, found: Mapping[str, Mapping[str, Answer]]) -> str:
    networks: dict[tuple[str, str], list[str]] = defaultdict(list)
    for network, row in found.items():
        if row[chip].reason:
            networks[row[chip].kind, row[chip].reason].append(network)
    return "".join(_lines(networks)) or "None.\n"


def _lines(networks: Mapping[tuple[str, str], list[str]]) -> Iterator[str]:
    for (kind, reason), names in networks.items():
        said = f"`{kind}`: {plain(reason)}" if kind else f"{SIZE}: {plain(reason)}"
        yield f"- {said}. {', '.join(f'`{name}`' for name in names)}\n"
