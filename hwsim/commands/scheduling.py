"""`hwsim schedule`: a network and a scratchpad in; plan, picture, sweep or verdict out."""

from __future__ import annotations

import json as json_text
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hwsim.commands.output import emit, emit_json, emit_table, note
from hwsim.errors import (
    EXIT_INTERRUPTED,
    EXIT_OK,
    EXIT_TIME_LIMIT,
    InputError,
    Problem,
    nearest,
)

if TYPE_CHECKING:
    from hwsim.schedule.network import NetworkProblem
    from hwsim.schedule.network_run import ScheduleReport
    from hwsim.schedule.size_sweep import Sweep

_SUFFIXES = (".json", ".svg", ".html")
_TIME_LIMIT_S, _SWEEP_TIME_LIMIT_S = 60.0, 10.0


@dataclass(frozen=True, slots=True)
class ScheduleJob:
    """What to schedule and how, as typed.

    Attributes
    ----------
    network : str
        File or built-in name; a ``.json`` file is a plain operator graph.
    graph : str or None
        Which graph of a file that holds several.
    scratchpad, sweep : str or None
        One size, or ``FROM:TO[:POINTS]``.
    verify : Path or None
        A plan to be checked instead of computed.
    dim : tuple of str
        ``NAME=SIZE``.
    batch, bits, block_bytes : int or None
        Samples computed together, bits per element, bytes of a block.
    fusion, weights, formulation : str
        Names of `Fusion`, `Weights` and `Form`.
    clean_outputs : bool
        See `hwsim.schedule.network.Options`.
    time_limit_s : float or None
        Seconds; in a sweep, for each size.
    solver : str or None
        "cbc", "highs", "cpsat" or "none".
    seed : int
        Of random orders.
    """

    network: str
    scratchpad: str | None = None
    sweep: str | None = None
    verify: Path | None = None
    graph: str | None = None
    dim: tuple[str, ...] = ()
    batch: int | None = None
    bits: int | None = None
    block_bytes: int | None = None
    fusion: str = "operations"
    clean_outputs: bool = True
    weights: str = "none"
    formulation: str = "auto"
    time_limit_s: float | None = None
    solver: str | None = None
    seed: int = 0


def schedule(job: ScheduleJob, outputs: Sequence[Path], *, json: bool, quiet: bool) -> int:
    """Schedule, sweep or verify; return the exit code.

    0 with a plan, 3 when the scratchpad is too small, 5 when the chosen formulation found no plan in time
    (the best baseline is shown and written), 130 after Ctrl-C (the best plan so far is shown and written).
    """
    _check_words(job, outputs)
    network = _read_network(job, quiet=quiet)
    if job.verify is not None:
        return _verify(job, network, json=json, quiet=quiet)
    if job.sweep is not None:
        return _sweep(job, network, outputs, json=json, quiet=quiet)
    return _schedule(job, network, outputs, json=json, quiet=quiet)


def _check_words(job: ScheduleJob, outputs: Sequence[Path]) -> None:
    """Refuse contradictory options and paths that cannot be written before any work is done."""
    from hwsim.schedule.network_forms import Form
    from hwsim.writing import check_writable

    problems: list[Problem] = []
    wanted = [name for name, given in (("--sweep", job.sweep), ("--verify", job.verify)) if given is not None]
    if job.scratchpad is None and not wanted:
        problems.append(Problem("--scratchpad", "how large is the scratchpad?",
                                "write --scratchpad 512KiB, or --sweep 64KiB:2MiB"))
    if len(wanted) == 2 or (job.sweep is not None and job.scratchpad is not None):
        problems.append(Problem(wanted[0], "cannot be combined with "
                                + ("--verify" if len(wanted) == 2 else "--scratchpad")))
    if job.verify is not None and outputs:
        problems.append(Problem("--verify", "writes no file", "leave out --output"))
    if job.formulation not in tuple(Form):
        problems.append(Problem("--formulation", f"unknown formulation {job.formulation!r}",
                                nearest(job.formulation, map(str, Form))))
    if job.sweep is not None and job.formulation != Form.AUTO:
        problems.append(Problem("--formulation", "a sweep always uses the portfolio", "leave it out"))
    for path in outputs:
        try:
            if path.suffix.lower() not in _SUFFIXES:
                raise InputError(f"no format for the suffix {path.suffix!r}", where=str(path),
                                 hint=f"known: {', '.join(_SUFFIXES)}")
            check_writable(path)
        except InputError as error:
            problems += error.problems
    problems += [Problem(str(path), "named twice as an output") for path in sorted(set(outputs))
                 if list(outputs).count(path) > 1]
    if problems:
        raise InputError(problems=problems)


def _read_network(job: ScheduleJob, *, quiet: bool) -> NetworkProblem:
    from hwsim.schedule.network import Options, Weights, from_graph, from_problem
    from hwsim.schedule.network_fusion import Fusion

    path = Path(job.network)
    if path.suffix.lower() == ".json":
        from hwsim.schedule.network_file import read_graph_file

        _refuse_for_plain_graphs(job)
        return from_problem(read_graph_file(path, job.graph))
    if job.graph is not None:
        raise InputError("only a .json file holds several graphs", where=f"--graph {job.graph}")
    _check_choices(job)
    from hwsim import run
    from hwsim.commands.job import dimensions, note_bound

    sized = {} if job.block_bytes is None else {"block_bytes": job.block_bytes}
    options = Options(bits=job.bits, fusion=Fusion(job.fusion), weights=Weights(job.weights),
                      clean_outputs=job.clean_outputs, **sized)
    loaded = run.load(job.network, dimensions=dimensions(job.dim), batch=job.batch)
    note_bound(loaded, job.dim, job.batch, quiet=quiet)
    return from_graph(loaded, options)


def _check_choices(job: ScheduleJob) -> None:
    from hwsim.schedule.network import Weights
    from hwsim.schedule.network_fusion import Fusion

    problems = []
    for option, given, choices in (("--fusion", job.fusion, tuple(map(str, Fusion))),
                                   ("--weights", job.weights, tuple(map(str, Weights)))):
        if given not in choices:
            problems.append(Problem(option, f"unknown choice {given!r}", nearest(given, choices)))
    if problems:
        raise InputError(problems=problems)


def _refuse_for_plain_graphs(job: ScheduleJob) -> None:
    given = {"--bits": job.bits, "--block-bytes": job.block_bytes, "--batch": job.batch,
             "--fusion": None if job.fusion == "operations" else job.fusion,
             "--weights": None if job.weights == "none" else job.weights, "--dim": job.dim or None}
    problems = [Problem(name, f"{value} means nothing for a plain graph, whose sizes are blocks already")
                for name, value in given.items() if value is not None]
    if problems:
        raise InputError(problems=problems)


def _schedule(job: ScheduleJob, network: NetworkProblem, outputs: Sequence[Path], *, json: bool,
              quiet: bool) -> int:
    from hwsim.schedule.network_budget import refuse
    from hwsim.schedule.network_run import schedule_network

    seconds = _TIME_LIMIT_S if job.time_limit_s is None else job.time_limit_s
    report = schedule_network(network, job.scratchpad or "", formulation=job.formulation,
                              time_limit_s=seconds, solver=job.solver, seed=job.seed)
    if report.result.infeasible is not None:
        if json:
            emit_json(report.to_document())
        raise refuse(network.problem, report.result.infeasible)
    if report.plan is not None:
        for path in outputs:
            _write_plan(report, path)
            note(f"wrote {path}", quiet=quiet)
    if json:
        emit_json({key: value for key, value in report.to_document().items() if key != "plan"})
    elif not quiet:
        _print(report)
    return _exit_code(report)


def _exit_code(report: ScheduleReport) -> int:
    if report.result.stats.interrupted:
        note("interrupted; this is the best plan until then")
        return EXIT_INTERRUPTED
    if report.plan is None or not report.form_found:
        note("no plan of this formulation in time; the plan shown is the best baseline")
        return EXIT_TIME_LIMIT
    return EXIT_OK


def _write_plan(report: ScheduleReport, path: Path) -> None:
    from hwsim.report.pictures.memory_map import memory_map_html, memory_map_svg
    from hwsim.writing import write_bytes

    suffix = path.suffix.lower()
    if suffix == ".json":
        content = json_text.dumps(report.to_document(seconds=False), indent=1, ensure_ascii=False) + "\n"
    else:
        content = memory_map_svg(report) if suffix == ".svg" else memory_map_html(report)
    write_bytes(path, content.encode())


def _print(report: ScheduleReport) -> None:
    from hwsim.report.schedule_table import BASELINE_HEADS, baseline_rows, fact_rows

    rows = fact_rows(report)
    width = max(len(title) for title, _ in rows)
    emit("\n".join(f"{title:<{width}}  {text}" for title, text in rows))
    emit("\nBaselines: online allocation by order and eviction, and an arena that never evicts")
    emit_table(BASELINE_HEADS, baseline_rows(report), right=("Traffic", "Plan avoids"))
    for line in report.notes:
        note(line)


def _verify(job: ScheduleJob, network: NetworkProblem, *, json: bool, quiet: bool) -> int:
    from hwsim.reading import read_text
    from hwsim.schedule.network_budget import parse_budget
    from hwsim.schedule.network_file import MOST_BYTES
    from hwsim.schedule.network_plan import check_plan
    from hwsim.units import format_bytes

    if job.verify is None:
        raise ValueError("no plan to verify")
    budget = None if job.scratchpad is None else parse_budget(job.scratchpad, network.problem)[0]
    text = read_text(job.verify, most_bytes=MOST_BYTES)
    plan, seen = check_plan(text, network, where=job.verify.name, budget=budget)
    unit = network.problem.block_bytes
    numbers = {"steps": len(plan.steps), "scratchpad_bytes": plan.budget * unit,
               "non_compulsory_bytes": seen.non_compulsory * unit, "spilled_bytes": seen.spilled * unit,
               "refetched_bytes": seen.refetched * unit, "compulsory_load_bytes": seen.loaded * unit,
               "compulsory_store_bytes": seen.stored * unit, "peak_bytes": seen.peak * unit}
    if json:
        emit_json({"valid": True, "network": network.problem.name} | numbers)
    elif not quiet:
        counts = (plan.budget, seen.non_compulsory, seen.spilled, seen.refetched, seen.peak)
        room, moved, spilled, again, peak = (format_bytes(blocks * unit) for blocks in counts)
        emit(f"valid: {len(plan.steps)} steps in {room}, {moved} of non-compulsory traffic "
             f"({spilled} spilled, {again} fetched again), peak {peak}")
    return EXIT_OK


def _sweep(job: ScheduleJob, network: NetworkProblem, outputs: Sequence[Path], *, json: bool,
           quiet: bool) -> int:
    from hwsim.report.schedule_table import SWEEP_HEADS, SWEEP_RIGHT, sweep_rows
    from hwsim.schedule.network_budget import refuse
    from hwsim.schedule.size_sweep import budgets_of, parse_range, sweep_budgets, sweep_document
    from hwsim.schedule.types import explain_infeasible

    problem = network.problem
    low, high, points = parse_range(job.sweep or "", problem)
    reason = explain_infeasible(problem, high)
    if reason is not None:
        raise refuse(problem, reason)
    seconds = _SWEEP_TIME_LIMIT_S if job.time_limit_s is None else job.time_limit_s
    landmarks = (problem.smallest_budget, _peak(network))
    found = sweep_budgets(network, budgets_of(low, high, points, landmarks), time_limit_s=seconds,
                          solver=job.solver, seed=job.seed)
    for path in outputs:
        _write_sweep(found, path)
        note(f"wrote {path}", quiet=quiet)
    if json:
        emit_json(sweep_document(found))
    elif not quiet:
        emit_table(SWEEP_HEADS, sweep_rows(found), right=SWEEP_RIGHT)
    if found.interrupted:
        note("interrupted; the sizes above are done")
        return EXIT_INTERRUPTED
    return EXIT_OK


def _peak(network: NetworkProblem) -> int:
    from hwsim.schedule.peak import smallest_peak
    from hwsim.schedule.portfolio import named_orders
    from hwsim.schedule.search import Limits

    orders = list(named_orders(network.problem).values())
    return smallest_peak(network.problem, orders, limits=Limits(states=200_000)).blocks


def _write_sweep(sweep: Sweep, path: Path) -> None:
    from hwsim.report.pictures.size_sweep import sweep_html, sweep_svg
    from hwsim.schedule.size_sweep import sweep_document
    from hwsim.writing import write_bytes

    suffix = path.suffix.lower()
    if suffix == ".json":
        content = json_text.dumps(sweep_document(sweep), indent=1, ensure_ascii=False) + "\n"
    else:
        content = sweep_svg(sweep) if suffix == ".svg" else sweep_html(sweep)
    write_bytes(path, content.encode())
