"""Runs integer programs in a process of their own: a crash or a hang of the solver stays there."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

import pulp

from hwsim.errors import InputError, nearest

_GRACE_S = 5.0
_CPSAT = (sys.executable, "-m", "hwsim.schedule.ilp_cpsat")
_NAMES = ("cbc", "highs", "cpsat")
# CP-SAT is used only when it is named, so that installing it changes no plan.
_BY_DEFAULT = ("cbc", "highs")
_HINTS = {"cbc": "pip install 'pulp>=3.3,<4'", "highs": "pip install highspy",
          "cpsat": "pip install 'hwsim[cpsat]', or 'ortools>=9.10'"}


class Answer(StrEnum):
    """What a solver said about a model."""

    OPTIMAL = "optimal"
    FEASIBLE = "feasible"
    INFEASIBLE = "infeasible"
    NOTHING = "nothing found"
    FAILED = "failed"


_PACKAGES = {"highs": ("HiGHS", "highspy"), "cpsat": ("CP-SAT", "ortools")}


@dataclass(frozen=True, slots=True)
class IlpSolver:
    """A solver that is installed: its name, version and the program to run."""

    name: str
    version: str
    program: str

    def __str__(self) -> str:
        return f"{self.name} {self.version}"

    @property
    def key(self) -> str:
        """The name by which `find_solver` finds it."""
        return {title: key for key, (title, _) in _PACKAGES.items()}.get(self.name, "cbc")


@dataclass(frozen=True, slots=True)
class IlpResult:
    """Values by variable name; `objective` is exact because all our coefficients are integers."""

    answer: Answer
    objective: int | None
    values: Mapping[str, float]
    message: str = ""


def find_solver(name: str | None = None) -> IlpSolver | None:
    """Return the solver to use: CBC unless another one is named, None when nothing is installed.

    Raises
    ------
    InputError
        When the named solver is unknown or not installed.
    """
    if name is not None and name not in _NAMES:
        raise InputError(f"unknown solver {name!r}", where="solver", hint=nearest(name, _NAMES))
    for candidate in (name,) if name else _BY_DEFAULT:
        found = _locate(candidate)
        if found is not None:
            return found
    if name is not None:
        raise InputError(f"solver {name!r} is not installed", where="solver", hint=_HINTS[name])
    return None


@lru_cache(maxsize=4)
def _locate(name: str) -> IlpSolver | None:
    if name in _PACKAGES:
        title, package = _PACKAGES[name]
        if find_spec(package) is None:
            return None
        from importlib.metadata import version

        return IlpSolver(title, version(package), sys.executable)
    bundled = getattr(getattr(pulp, "PULP_CBC_CMD", None), "pulp_cbc_path", "")
    program = bundled if bundled and Path(bundled).is_file() else shutil.which("cbc")
    if not program:
        return None
    try:
        told = subprocess.run([program, "-quit"], capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    lines = [line for line in told.stdout.splitlines() if line.startswith("Version")]
    return IlpSolver("CBC", lines[0].split(":")[1].strip() if lines else "", str(program))


def solve_model(model: pulp.LpProblem, solver: IlpSolver, time_limit_s: float,
                start: Mapping[str, float] | None = None) -> IlpResult:
    """Minimise a model whose objective has integer coefficients.

    Parameters
    ----------
    model : pulp.LpProblem
        Variables keep their names.
    solver : IlpSolver
        From `find_solver`.
    time_limit_s : float
        For the solver; the process is ended a few seconds later if it does not obey.
    start : mapping of str to float, optional
        A known solution by variable name; HiGHS ignores it.
    """
    with tempfile.TemporaryDirectory(prefix="hwsim-ilp-") as folder:
        model_file, answer_file = Path(folder) / "model.mps", Path(folder) / "answer.sol"
        variables, names, rows, _ = model.writeMPS(str(model_file), rename=True)
        command = _command(solver, model_file, answer_file, time_limit_s)
        if start and solver.name != "HiGHS":
            start_file = Path(folder) / "start.mst"
            start_file.write_text(_start_text(names, start))
            if solver.name == "CBC":
                command[2:2] = ["-mips", str(start_file)]
            else:
                command.append(str(start_file))
        failure = _run(command, time_limit_s + _GRACE_S)
        if failure or not answer_file.is_file():
            return IlpResult(Answer.FAILED, None, {}, failure or f"{solver} left no answer")
        reader, source = pulp.COIN_CMD(msg=False), str(answer_file)
        try:
            status, values, *_, sol_status = reader.readsol_MPS(source, model, variables, names, rows)
        except (IndexError, ValueError, KeyError) as error:
            return IlpResult(Answer.FAILED, None, {}, f"unreadable answer of {solver}: {error!r}")
    return _judge(model, status, sol_status, values)


def place_boxes(boxes: Sequence[tuple[int, int, int]], budget: int, *, time_limit_s: float,
                seed: int = 0) -> tuple[list[int] | None, bool]:
    """Place (first step, last step, blocks) boxes of at least one block by CP-SAT.

    Returns
    -------
    tuple
        Addresses or None, and whether the question is decided (False on a time-out, a crash, or when
        OR-Tools is not installed).
    """
    if _locate("cpsat") is None:
        return None, False
    with tempfile.TemporaryDirectory(prefix="hwsim-ilp-") as folder:
        task_file, answer_file = Path(folder) / "task.json", Path(folder) / "answer.json"
        task_file.write_text(json.dumps({"budget": budget, "seed": seed, "boxes": list(boxes)}))
        command = [*_CPSAT, "place", str(task_file), str(answer_file), str(time_limit_s)]
        if _run(command, time_limit_s + _GRACE_S) or not answer_file.is_file():
            return None, False
        answer = json.loads(answer_file.read_text())
    return (answer["addresses"] if answer["status"] == "packed" else None), answer["status"] != "undecided"


def _command(solver: IlpSolver, model_file: Path, answer_file: Path, time_limit_s: float) -> list[str]:
    if solver.name == "HiGHS":
        return [solver.program, "-m", "hwsim.schedule.ilp_highs", str(model_file), str(answer_file),
                str(time_limit_s)]
    if solver.name == "CP-SAT":
        return [*_CPSAT, "solve", str(model_file), str(answer_file), str(time_limit_s)]
    return [solver.program, str(model_file), "-sec", f"{time_limit_s:.3f}", "-timeMode", "elapsed",
            "-ratio", "0", "-allow", "0.5", "-threads", "1", "-solve", "-printingOptions", "all",
            "-solution", str(answer_file)]


def _start_text(names: Mapping[str, str], start: Mapping[str, float]) -> str:
    rows = [f"{i:>7} {short} {start.get(name, 0.0):>15} {0:>23}\n"
            for i, (name, short) in enumerate(names.items())]
    return "Stopped on time - objective value 0\n" + "".join(rows)


def _run(command: list[str], guard_s: float) -> str:
    """Run a solver; return what went wrong, empty when nothing did."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=guard_s, check=False)
    except subprocess.TimeoutExpired:
        return f"no answer within {guard_s:.1f} s, process ended"
    except OSError as error:
        return f"cannot start {command[0]}: {error}"
    if done.returncode != 0:
        last = (done.stderr or done.stdout).strip().splitlines()[-1:]
        return f"exit code {done.returncode}: {''.join(last)}"
    return ""


def _judge(model: pulp.LpProblem, status: int, sol_status: int, values: Mapping[str, float]) -> IlpResult:
    """Read `sol_status` first: with a time limit `status` claims Optimal for a mere incumbent."""
    if status == pulp.LpStatusInfeasible:
        return IlpResult(Answer.INFEASIBLE, None, {})
    answers = {pulp.LpSolutionOptimal: Answer.OPTIMAL, pulp.LpSolutionIntegerFeasible: Answer.FEASIBLE}
    if sol_status not in answers:
        return IlpResult(Answer.NOTHING, None, {})
    total = model.objective.constant + sum(c * values[v.name] for v, c in model.objective.items())
    return IlpResult(answers[sol_status], round(total), dict(values))
