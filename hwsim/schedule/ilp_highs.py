"""Child process that lets HiGHS solve one model file and writes the answer in the layout of CBC."""

from __future__ import annotations

import sys
from pathlib import Path


def solve_file(model_file: Path, answer_file: Path, time_limit_s: float) -> None:
    """Solve an MPS file with one thread; the first line of the answer is the status."""
    import highspy

    solver = highspy.Highs()  # type: ignore[no-untyped-call]
    options = {"output_flag": False, "threads": 1, "time_limit": time_limit_s, "mip_rel_gap": 0.0,
               "mip_abs_gap": 0.5}
    for name, value in options.items():
        solver.setOptionValue(name, value)
    solver.readModel(str(model_file))
    solver.run()
    status = solver.getModelStatus()
    values = list(solver.getSolution().col_value)
    known = highspy.HighsModelStatus
    if status == known.kOptimal:
        head = "Optimal - objective value"
    elif status in (known.kInfeasible, known.kUnboundedOrInfeasible):
        head = "Infeasible - objective value"
    elif solver.getInfo().primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible:
        head = "Stopped on time - objective value"
    else:
        head = "Stopped on time (no integer solution)"
    names = [solver.getColName(i)[1] for i in range(solver.getNumCol())]
    rows = [f"{i} {name} {value!r} 0" for i, (name, value) in enumerate(zip(names, values, strict=False))]
    answer_file.write_text("\n".join([f"{head} {solver.getInfo().objective_function_value!r}", *rows]) + "\n")


if __name__ == "__main__":
    solve_file(Path(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3]))
