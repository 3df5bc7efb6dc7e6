"""Decides in which order operators run and where their tensors live in a scratchpad.

`solve` is the public entrance; `Problem.from_blocks` reads a plain operator graph, `replay` checks any
plan without a solver. Importing this package loads neither numba nor a solver.
"""

from hwsim.schedule.plan_json import dump_plan, load_plan, result_to_dict, write_plan
from hwsim.schedule.solve import solve
from hwsim.schedule.types import (
    Event,
    Infeasible,
    Operator,
    Plan,
    Problem,
    Result,
    SolveStats,
    Status,
    Step,
    Tensor,
    budget_in_blocks,
)
from hwsim.schedule.verify import Replay, Violation, check_user_plan, replay

__all__ = [
    "Event",
    "Infeasible",
    "Operator",
    "Plan",
    "Problem",
    "Replay",
    "Result",
    "SolveStats",
    "Status",
    "Step",
    "Tensor",
    "Violation",
    "budget_in_blocks",
    "check_user_plan",
    "dump_plan",
    "load_plan",
    "replay",
    "result_to_dict",
    "solve",
    "write_plan",
]
