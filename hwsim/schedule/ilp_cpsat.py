"""Child process that lets OR-Tools CP-SAT solve one integer program, or place rectangles, read from files."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from ortools.linear_solver.python import model_builder
from ortools.sat.python import cp_model

# Units of deterministic time per second of the limit; the wall clock is a guard behind it.
_DETERMINISTIC_RATE = 0.5


def _solver(time_limit_s: float, seed: int) -> Any:
    """Return a solver whose answer depends on the model alone unless the wall-clock guard ends it."""
    solver = cp_model.CpSolver()
    chosen = solver.parameters
    chosen.num_workers, chosen.interleave_search, chosen.random_seed = 1, True, seed
    chosen.max_deterministic_time = time_limit_s * _DETERMINISTIC_RATE
    chosen.max_time_in_seconds = time_limit_s
    return solver


def solve_file(model_file: Path, answer_file: Path, time_limit_s: float, start_file: Path | None) -> None:
    """Solve an MPS file whose coefficients are integers; the answer is in the layout of CBC.

    Columns that are continuous in the file become integer ones: in all our programs some optimum is integral.
    """
    source = model_builder.Model()  # type: ignore[no-untyped-call]
    source.import_from_mps_file(str(model_file))
    model = cp_model.CpModel()
    columns = source.get_variables()
    names = [column.name for column in columns]
    whole = [model.new_int_var(_whole(column.lower_bound), _whole(column.upper_bound), column.name)
             for column in columns]
    for row in source.get_linear_constraints():
        terms = source.helper.constraint_var_indices(row.index)
        weights = source.helper.constraint_coefficients(row.index)
        total = cp_model.LinearExpr.weighted_sum([whole[i] for i in terms], [round(w) for w in weights])
        model.add_linear_constraint(total, _whole(row.lower_bound), _whole(row.upper_bound))
    prices = [round(source.helper.var_objective_coefficient(column.index)) for column in columns]
    model.minimize(cp_model.LinearExpr.weighted_sum(whole, prices))
    if start_file is not None:
        known = dict(line.split()[1:3] for line in start_file.read_text().splitlines()[1:])
        for column, name in zip(whole, names, strict=True):
            model.add_hint(column, round(float(known.get(name, 0))))
    solver = _solver(time_limit_s, 0)
    status = solver.solve(model)
    heads = {
        cp_model.OPTIMAL: "Optimal - objective value", cp_model.INFEASIBLE: "Infeasible - objective value",
        cp_model.FEASIBLE: "Stopped on time - objective value",
    }
    head = heads.get(status, "Stopped on time (no integer solution)")
    solved = status in (cp_model.OPTIMAL, cp_model.FEASIBLE)
    rows = [f"{i} {name} {solver.value(whole[i]) if solved else 0} 0" for i, name in enumerate(names)]
    answer_file.write_text("\n".join([f"{head} {solver.objective_value if solved else 0}", *rows]) + "\n")


def _whole(bound: float) -> int:
    """Return a bound as the solver takes it; what is endless becomes its largest number."""
    limit = 1 << 40
    return round(min(max(bound, -limit), limit))


def place_file(task_file: Path, answer_file: Path, time_limit_s: float) -> None:
    """Place rectangles of fixed steps at free addresses so that none overlap.

    The task is JSON: `budget`, `seed` and `boxes` of (first step, last step, blocks). The answer holds
    `status` (packed, refuted, undecided) and `addresses`.
    """
    task = json.loads(task_file.read_text())
    model = cp_model.CpModel()
    budget, boxes = task["budget"], task["boxes"]
    bases = [model.new_int_var(0, budget - size, f"base_{i}") for i, (_, _, size) in enumerate(boxes)]
    steps = [model.new_fixed_size_interval_var(first, last - first + 1, f"steps_{i}")
             for i, (first, last, _) in enumerate(boxes)]
    blocks = [model.new_fixed_size_interval_var(base, size, f"blocks_{i}")
              for i, (base, (_, _, size)) in enumerate(zip(bases, boxes, strict=True))]
    model.add_no_overlap_2d(steps, blocks)
    model.add_cumulative(steps, [size for _, _, size in boxes], budget)
    solver = _solver(time_limit_s, task["seed"])
    status = solver.solve(model)
    words = {cp_model.OPTIMAL: "packed", cp_model.FEASIBLE: "packed", cp_model.INFEASIBLE: "refuted"}
    verdict = words.get(status, "undecided")
    found = [solver.value(base) for base in bases] if verdict == "packed" else []
    answer_file.write_text(json.dumps({"status": verdict, "addresses": found}))


def main(words: list[str]) -> None:
    """Read ``solve MODEL ANSWER SECONDS [START]`` or ``place TASK ANSWER SECONDS``."""
    task, source, answer, seconds, *start = words
    if task == "place":
        place_file(Path(source), Path(answer), float(seconds))
    else:
        solve_file(Path(source), Path(answer), float(seconds), Path(start[0]) if start else None)


if __name__ == "__main__":
    main(sys.argv[1:])
