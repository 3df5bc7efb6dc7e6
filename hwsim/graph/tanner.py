"""Linear codes as Tanner graphs: the edges, numbers that follow from them, and one iteration as a network."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from hwsim.errors import GraphError, Problem
from hwsim.graph.build import GraphBuilder
from hwsim.graph.types import FLOAT32, Graph, NumberFormat, Op


@dataclass(frozen=True)
class TannerGraph:
    """A parity-check matrix by its ones.

    Attributes
    ----------
    length : int
        Bits of a codeword: columns of the matrix, variable nodes.
    checks : tuple of tuple of int
        The variables in every check, counted from 0.
    """

    length: int
    checks: tuple[tuple[int, ...], ...]

    @cached_property
    def variables(self) -> tuple[int, ...]:
        """The variable of every edge, check by check."""
        return tuple(variable for check in self.checks for variable in check)

    @cached_property
    def degrees(self) -> tuple[int, ...]:
        """Edges of every check."""
        return tuple(len(check) for check in self.checks)

    @cached_property
    def variable_degrees(self) -> tuple[int, ...]:
        """Edges of every variable."""
        found = Counter(self.variables)
        return tuple(found[variable] for variable in range(self.length))

    @property
    def edges(self) -> int:
        """Ones of the matrix."""
        return len(self.variables)


def tanner_of(op: Op, length: int) -> TannerGraph:
    """Return the Tanner graph that an operator of kind ``check_nodes`` over `length` bits works on."""
    variables, start, checks = op.ints("variables"), 0, []
    for degree in op.ints("degrees"):
        checks.append(variables[start:start + degree])
        start += degree
    return TannerGraph(length, tuple(checks))


def tanner_problems(length: int, checks: Sequence[Sequence[int]]) -> list[Problem]:
    """Return what keeps a matrix from being decoded: empty or single-bit checks, bits that nobody checks."""
    problems = []
    seen: set[int] = set()
    for index, check in enumerate(checks, start=1):
        if len(check) < 2:
            what = "holds no bit" if not check else "holds one bit alone, which is then always 0"
            problems.append(Problem(f"check {index}", f"{what}: at least 2 are needed"))
        outside = [variable for variable in check if not 0 <= variable < length]
        if outside:
            problems.append(Problem(f"check {index}", f"holds bit {outside[0] + 1} of {length}"))
        if len(set(check)) < len(check):
            problems.append(Problem(f"check {index}", "holds a bit twice"))
        seen.update(check)
    problems += [Problem(f"bit {variable + 1}", "is in no check")
                 for variable in range(length) if variable not in seen]
    return problems


def decoder(name: str, tanner: TannerGraph, *, frames: int = 1, format: NumberFormat = FLOAT32,
            provenance: Mapping[str, str] | None = None) -> Graph:
    """Return one iteration of message passing as a network: all checks, then all variables.

    Parameters
    ----------
    name : str
        Name of the network.
    tanner : TannerGraph
        The code.
    frames : int
        Codewords decoded together.
    format : NumberFormat
        Format of LLRs and messages.
    provenance : mapping, optional
        Where the code comes from.

    Returns
    -------
    Graph
        ``llr`` [frames, n] in, totals [frames, n] out; the messages [frames, E] before are a state. How often
        it is repeated and by which rule is a matter of the chip.

    Raises
    ------
    GraphError
        Every empty or single-bit check, and every bit in no check.
    """
    problems = tanner_problems(tanner.length, tanner.checks)
    if problems:
        raise GraphError(problems=problems).inside(name)
    b = GraphBuilder(name, format=format, provenance=provenance)
    llr = b.input("llr", (frames, tanner.length))
    before = b.state("messages", (frames, tanner.edges))
    messages = b.add("check_nodes", [llr, before], name="checks", degrees=tanner.degrees,
                     variables=tanner.variables)
    b.output(b.add("variable_nodes", [llr, messages], name="variables", variables=tanner.variables))
    return b.build()
