"""Reads the plain operator-graph format (producers and block sizes), naming every defect at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hwsim.errors import GraphError, nearest
from hwsim.errors import Problem as Complaint
from hwsim.schedule.types import Operator, Problem, Tensor

# 2**40 blocks of 1 KiB are a petabyte, and sums of a million such tensors still fit into 64 bits.
LARGEST_BLOCKS = 2**40
_LARGEST_BLOCK_BYTES = 2**30
_KNOWN = ("name", "size", "ins", "workspace", "block_bytes", "M_R", "M_P", "known", "unit")


def read_blocks(obj: object, where: str = "graph") -> Problem:
    """Return the problem that one graph object describes; see `Problem.from_blocks`.

    Operators may be listed in any order: they are renumbered only if the listed order breaks an edge.
    """
    if not isinstance(obj, Mapping):
        raise GraphError(f"expected an object with 'size' and 'ins', got {type(obj).__name__}", where=where)
    found = [Complaint(f"{where}.{key}", f"unknown field {key!r}", nearest(str(key), _KNOWN))
             for key in obj if key not in _KNOWN]
    found += [Complaint(where, f"field {key!r} is missing") for key in ("size", "ins") if key not in obj]
    if any(key not in obj for key in ("size", "ins")):
        raise GraphError(problems=found)
    sizes = _integers(obj["size"], f"{where}.size", found, minimum=0)
    inputs = _input_lists(obj["ins"], where, found)
    workspace = _integers(obj.get("workspace", [0] * len(sizes)), f"{where}.workspace", found, minimum=0)
    block_bytes = obj.get("block_bytes", 1024)
    if not _is_integer(block_bytes) or not 0 < block_bytes <= _LARGEST_BLOCK_BYTES:
        reason = f"must be a positive integer up to 2**30, not {block_bytes!r}"
        found.append(Complaint(f"{where}.block_bytes", reason))
    found += _shape_complaints(sizes, inputs, workspace, where)
    if found:
        raise GraphError(problems=found)
    order = _order(inputs, where)
    rank = {v: i for i, v in enumerate(order)}
    consumed = {u for row in inputs for u in row}
    tensors = tuple(Tensor(f"t{v}", sizes[v], is_output=v not in consumed) for v in order)
    reads = {v: tuple(sorted({rank[u] for u in inputs[v]})) for v in order}
    operators = tuple(Operator(f"op{v}", reads[v], (rank[v],), workspace[v]) for v in order)
    alignment = 64 if block_bytes % 64 == 0 else 1
    return Problem(str(obj.get("name", "graph")), operators, tensors, block_bytes, alignment)


def _is_integer(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _integers(value: object, where: str, found: list[Complaint], minimum: int) -> list[int]:
    if not isinstance(value, Sequence) or isinstance(value, str):
        found.append(Complaint(where, f"expected a list of integers, got {type(value).__name__}"))
        return []
    for index, item in enumerate(value):
        if not _is_integer(item):
            found.append(Complaint(f"{where}.{index}", f"expected an integer, got {item!r}"))
        elif item < minimum:
            found.append(Complaint(f"{where}.{index}", f"{item} is below {minimum}"))
        elif item > LARGEST_BLOCKS:
            found.append(Complaint(f"{where}.{index}", f"{_shown(item)} is above 2**40", "check the sizes"))
    return list(value)


def _shown(number: int) -> str:
    return str(number) if number < 10**30 else "a number of more than 30 digits"


def _input_lists(value: object, where: str, found: list[Complaint]) -> list[list[int]]:
    if not isinstance(value, Sequence) or isinstance(value, str):
        found.append(Complaint(f"{where}.ins", f"expected a list of lists, got {type(value).__name__}"))
        return []
    return [_integers(row, f"{where}.ins.{v}", found, minimum=0) for v, row in enumerate(value)]


def _shape_complaints(sizes: list[int], inputs: list[list[int]], workspace: list[int],
                      where: str) -> list[Complaint]:
    found = []
    if not sizes and not inputs:
        found.append(Complaint(where, "the graph has no operator"))
    if len(sizes) != len(inputs):
        found.append(Complaint(where, f"'size' has {len(sizes)} entries, 'ins' has {len(inputs)}"))
    if len(workspace) != len(sizes):
        reason = f"has {len(workspace)} entries for {len(sizes)} operators"
        found.append(Complaint(f"{where}.workspace", reason))
    for v, row in enumerate(inputs):
        for u in row:
            if _is_integer(u) and u >= len(sizes):
                reason = f"operator {v} reads from {u}, which does not exist"
                found.append(Complaint(f"{where}.ins.{v}", reason, f"operators are 0 to {len(sizes) - 1}"))
    return found


def _order(inputs: list[list[int]], where: str) -> list[int]:
    """Return the listed order if it is topological, else the first one that is; a cycle is an error."""
    if all(u < v for v, row in enumerate(inputs) for u in row):
        return list(range(len(inputs)))
    done: list[int] = []
    placed: set[int] = set()
    waiting = list(range(len(inputs)))
    while waiting:
        ready = next((v for v in waiting if placed.issuperset(inputs[v])), None)
        if ready is None:
            shown = ", ".join(str(v) for v in waiting[:8])
            raise GraphError(f"the graph has a cycle among or before operators {shown}", where=f"{where}.ins")
        waiting.remove(ready)
        placed.add(ready)
        done.append(ready)
    return done
