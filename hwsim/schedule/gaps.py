"""Best replacement and placement for a fixed order: exact search, packing, and cuts where packing fails."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from hwsim.schedule.packing import pack, rectangles
from hwsim.schedule.plan import assemble_placed
from hwsim.schedule.residency import Episode, Gap, drop_cost, episodes, use_steps
from hwsim.schedule.search import Limits, Path, SearchTables, search, tabulate
from hwsim.schedule.types import Plan, Problem, Status

_ROUNDS = 40
_BEAM = 100
_STATES = 10_000


@dataclass(frozen=True, slots=True)
class Replacement:
    """Cheapest replacement found for an order in the capacity model; `proven` when none is cheaper."""

    path: Path
    proven: bool


@dataclass(frozen=True, slots=True)
class Placement:
    """A packed plan for an order, or the reason why there is none.

    Attributes
    ----------
    plan : Plan or None
        None when the packing stayed undecided or no solver was there to route around a conflict.
    traffic : int
        Blocks moved by the plan; of the capacity model when there is no plan.
    exact : bool
        No plan with addresses is cheaper for this order, given an optimal replacement to start from.
    cuts : int
        No-good cuts that were needed.
    note : str
        What went wrong, empty otherwise.
    solver : str
        What chose the replacement, with version where it is an outside program.
    """

    plan: Plan | None
    traffic: int
    exact: bool
    cuts: int = 0
    note: str = ""
    solver: str = "hwsim search"

    @property
    def status(self) -> Status:
        """FEASIBLE with a plan; UNPACKED when it stayed open where the tensors could lie."""
        return Status.UNPACKED if self.plan is None else Status.FEASIBLE


def best_replacement(problem: Problem, budget: int, order: Sequence[int], *,
                     limits: Limits | None = None, tables: SearchTables | None = None,
                     solver: str | None = None) -> Replacement:
    """Return which gaps to drop so that an order causes the least traffic (F3 without addresses).

    The state search settles most orders at once; the integer program takes over where it grows beyond
    the limits, and a beam stands in where no solver is installed (`solver` as in `solve`).
    """
    tables = tables or tabulate(problem)
    limits = replace(limits or Limits(), states=_STATES, level_states=_STATES)
    rough = search(problem, budget, 1 << 40, order=order, width=_BEAM, limits=limits, tables=tables)
    known = rough.path or _drop_everything(problem, order)
    if rough.complete:
        return Replacement(known, True)
    fine = search(problem, budget, known.traffic, order=order, limits=limits, tables=tables)
    if fine.complete or solver == "none":
        return Replacement(fine.path or known, fine.complete)
    proven, dropped, traffic, _ = _solve_again(problem, budget, known, (), solver, limits.deadline_s)
    found = known if dropped is None else Path(tuple(order), dropped, traffic)
    return Replacement(min(found, known, key=lambda path: path.traffic), proven)


def _drop_everything(problem: Problem, order: Sequence[int]) -> Path:
    uses = use_steps(problem, order)
    gaps = frozenset((t, i) for t, steps in enumerate(uses) for i in range(1, len(steps)))
    return Path(tuple(order), gaps, drop_cost(problem, gaps))


def place(problem: Problem, budget: int, path: Path, *, solver: str | None = None,
          deadline: float = float("inf"), seed: int = 0) -> Placement:
    """Give a replacement addresses; where that is impossible, find the next cheapest one that has them.

    Each minimal set of rectangles that cannot be packed becomes a no-good cut of the integer program F3,
    which is then solved again (at most 40 rounds). Where no solver helps, or the packing stays undecided,
    the gap that frees most room per block of traffic is dropped, which gives up exactness.

    Parameters
    ----------
    problem, budget, path
        What is scheduled, the scratchpad in blocks, and an order with its dropped gaps.
    solver : str, optional
        As in `solve`; "none" forbids integer programs.
    deadline : float
        `time.monotonic()` value after which no further round starts.
    seed : int
        Of the packing restarts.
    """
    cuts: list[frozenset[Gap]] = []
    dropped, traffic, exact, used = path.dropped, path.traffic, True, "hwsim search"
    while True:
        runs = episodes(problem, path.order, dropped)
        items = rectangles(problem, path.order, runs)
        packing = pack(items, budget, seed=seed, solver=solver)
        if packing.addresses is not None:
            plan = assemble_placed(problem, budget, path.order, runs, packing.addresses)
            return Placement(plan, traffic, exact, len(cuts), solver=used)
        if len(cuts) == _ROUNDS or time.monotonic() > deadline:
            return Placement(None, traffic, False, len(cuts), "no packing found within the limits")
        involved = [runs[i] for i in packing.conflict if i < len(runs)] or list(runs)
        cuts.append(_gaps_of(problem, path.order, involved))
        answer, routed = False, None
        if packing.conflict and exact and solver != "none":
            answer, routed, cost, name = _solve_again(problem, budget, path, cuts, solver, deadline)
        if routed is not None:
            dropped, traffic, used = routed, cost, name
        elif cuts[-1]:
            dropped = dropped | {_best_drop(problem, path.order, cuts[-1], dropped)}
            traffic = drop_cost(problem, dropped)
        else:
            return Placement(None, traffic, False, len(cuts), "packing undecided")
        exact = exact and answer


def _solve_again(problem: Problem, budget: int, path: Path, cuts: Sequence[frozenset[Gap]],
                 solver: str | None, deadline: float) -> tuple[bool, frozenset[Gap] | None, int, str]:
    """Return (optimal, dropped gaps, traffic, solver); None and the reason when there is no answer."""
    try:
        from hwsim.schedule.ilp_gaps import solve_gaps
        from hwsim.schedule.ilp_solver import Answer, find_solver
    except ImportError:
        return False, None, path.traffic, "packing refuted, PuLP is not installed"
    program = find_solver(solver)
    if program is None:
        return False, None, path.traffic, "packing refuted, no integer programming solver installed"
    seconds = min(20.0, max(0.1, deadline - time.monotonic()))
    found = solve_gaps(problem, budget, path.order, cuts, program, seconds)
    if found.dropped is None or found.traffic is None:
        return False, None, path.traffic, f"{program}: {found.message or found.answer}"
    return found.answer is Answer.OPTIMAL, found.dropped, found.traffic, str(program)


def _gaps_of(problem: Problem, order: Sequence[int], runs: Sequence[Episode]) -> frozenset[Gap]:
    """Return the kept gaps that the given episodes consist of."""
    uses = use_steps(problem, order)
    return frozenset((run.tensor, i) for run in runs for i in range(1, len(uses[run.tensor]))
                     if run.start <= uses[run.tensor][i - 1] and uses[run.tensor][i] <= run.end)


def _best_drop(problem: Problem, order: Sequence[int], gaps: frozenset[Gap], dropped: frozenset[Gap]) -> Gap:
    """Return the gap that costs the fewest blocks of traffic per block and step that it frees."""
    uses = use_steps(problem, order)
    base = drop_cost(problem, dropped)

    def rate(gap: Gap) -> tuple[float, Gap]:
        tensor, index = gap
        room = problem.tensors[tensor].size * (uses[tensor][index] - uses[tensor][index - 1])
        return (drop_cost(problem, dropped | {gap}) - base) / max(1, room), gap

    return min(gaps, key=rate)
