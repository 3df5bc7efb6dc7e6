"""`hwsim run`: a network on chips, and at most one question beside what it costs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from hwsim.commands.job import PLAN_TIME_LIMIT_S, Job, prepare, reports_of
from hwsim.commands.output import check_outputs, emit, emit_beside, emit_table, write_reports
from hwsim.errors import EXIT_OK

if TYPE_CHECKING:
    from hwsim.report.schedule_costs import ScheduledCost
    from hwsim.report.types import Report
    from hwsim.scheduled import ScheduledRun


def evaluate(job: Job, outputs: Sequence[Path], timeline: Path | None, *, json: bool, quiet: bool) -> int:
    """Cost the network on every chip, write the files, print the tables or the JSON form."""
    check_outputs(outputs, timeline)
    if job.clamp:
        return _with_clamps(job, outputs, timeline, json=json, quiet=quiet)
    if job.functional is not None:
        return _with_samples(job, job.functional, outputs, timeline, json=json, quiet=quiet)
    if job.schedule:
        return _with_schedule(job, outputs, timeline, json=json, quiet=quiet)
    if job.service_life is not None:
        from hwsim.commands.in_service import deliver_in_service

        return deliver_in_service(job, job.service_life, outputs, timeline, json=json, quiet=quiet)
    deliver(reports_of(job, quiet=quiet), outputs, timeline, json=json, quiet=quiet)
    return EXIT_OK


def _with_clamps(job: Job, outputs: Sequence[Path], timeline: Path | None, *, json: bool, quiet: bool) -> int:
    """Cost a circuit, and run it with some wires held."""
    from hwsim.commands.sampling import emit_sampled, read_clamps, run_sampling

    clamps = read_clamps(job.clamp)
    graph, chips = prepare(job, quiet=quiet)
    runs = run_sampling(graph, chips, clamps)
    deliver(tuple(run.report for run in runs), outputs, timeline, json=False, quiet=quiet or json)
    return emit_sampled(runs, json=json, quiet=quiet)


def _with_samples(job: Job, samples: Path, outputs: Sequence[Path], timeline: Path | None, *, json: bool,
                  quiet: bool) -> int:
    """Cost the network, and run it on samples in the chips' own arithmetic."""
    graph, chips = prepare(job, quiet=quiet)
    from hwsim import run
    from hwsim.commands.functional import emit_outcomes
    from hwsim.functional import run_functional

    outcomes = run_functional(graph, chips, samples)
    reports = tuple(run.evaluate(graph, chip, on_unsupported=job.on_unsupported) for chip in chips)
    deliver(reports, outputs, timeline, json=False, quiet=quiet or json)
    emit_outcomes(reports, outcomes, json=json, quiet=quiet)
    return EXIT_OK


def _with_schedule(job: Job, outputs: Sequence[Path], timeline: Path | None, *, json: bool,
                   quiet: bool) -> int:
    """Cost the network, and what a schedule of the chips' scratchpads would save."""
    graph, chips = prepare(job, quiet=quiet)
    from hwsim import scheduled

    limit = PLAN_TIME_LIMIT_S if job.time_limit_s is None else job.time_limit_s
    runs = tuple(
        scheduled.evaluate_scheduled(graph, chip, scratchpad=job.scratchpad, time_limit_s=limit,
                                     on_unsupported=job.on_unsupported) for chip in chips)
    reports = tuple(run.report for run in runs)
    plans = tuple(run.planned for run in runs)
    deliver(reports, outputs, timeline, json=False, quiet=quiet or json, plans=plans)
    if json:
        emit_beside(reports, "schedule", [
            {**run.schedule.to_document(), "costs": [cost.to_document() for cost in run.costs]}
            for run in runs])
    elif not quiet:
        _print_schedules(runs)
    return EXIT_OK


def _print_schedules(runs: Sequence[ScheduledRun]) -> None:
    from hwsim.report.schedule_table import COST_HEADS, cost_rows
    from hwsim.units import format_bytes

    for run in runs:
        result, block = run.schedule.result, run.schedule.network.problem.block_bytes
        size, avoidable = format_bytes(result.budget * block), run.schedule.non_compulsory_bytes or 0
        emit(f"\n{run.report.name} with a scratchpad of {size} for activations: schedule "
             f"{run.schedule.status}, {format_bytes(avoidable)} non-compulsory, "
             f"bound {format_bytes(run.schedule.lower_bound_bytes)}")
        emit_table(COST_HEADS, cost_rows(run.costs), right=COST_HEADS[1:])


def deliver(reports: tuple[Report, ...], outputs: Sequence[Path], timeline: Path | None, *, json: bool,
            quiet: bool, plans: Sequence[ScheduledCost] = ()) -> None:
    """Write the files, print the tables or the JSON form; the timeline shows plans beside their reports."""
    write_reports(reports, outputs, timeline, quiet=quiet, plans=plans)
    if json:
        from hwsim.report.json_form import comparison_to_json, to_json

        emit(to_json(reports[0]) if len(reports) == 1 else comparison_to_json(reports))
    elif not quiet:
        import sys

        from hwsim.report.console import show

        show(reports, sys.stdout)
