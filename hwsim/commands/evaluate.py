"""`hwsim run`: words of the command line in, reports to the screen and into files."""

from __future__ import annotations

import json as json_text
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hwsim.commands.output import emit, note
from hwsim.errors import EXIT_OK, InputError, Problem
from hwsim.units import parse_as, suffix_of

if TYPE_CHECKING:
    from hwsim.graph.types import Graph
    from hwsim.report.scheduled import ScheduledCost
    from hwsim.report.types import Report
    from hwsim.run import Chip
    from hwsim.scheduled import ScheduledRun


@dataclass(frozen=True, slots=True)
class Job:
    """What to cost, as typed.

    Attributes
    ----------
    network : str
        File or built-in name.
    on : tuple of str
        ``CHIP[:PRESET]``, several with commas.
    settings, dim : tuple of str
        ``KNOB=VALUE`` and ``NAME=SIZE``.
    batch : int or None
        Samples computed together.
    precision : str or None
        Number format.
    on_unsupported : str
        "error", "host" or "traffic".
    schedule : bool
        Whether to schedule the chip's scratchpad and show what that saves.
    scratchpad : str or None
        Its size, such as ``512KiB``; None takes the design's.
    time_limit_s : float
        Seconds for the schedule of one chip.
    functional : Path or None
        Labelled samples and weights to run in the arithmetic of every chip.
    service_life : str or None
        How long the chips are in service, such as ``5y``; None shows nothing of it.
    activity : float
        Share of the full rate at which they work.
    scenario : Path or None
        Dies, idle powers and grids; None takes those that the chips bring along, labelled illustrative.
    clamp : tuple of str
        ``NAME=VALUE`` held on buses and wires of a circuit, which is then run.
    """

    network: str
    on: tuple[str, ...]
    settings: tuple[str, ...]
    dim: tuple[str, ...]
    batch: int | None
    precision: str | None
    on_unsupported: str
    schedule: bool = False
    scratchpad: str | None = None
    time_limit_s: float = 60.0
    functional: Path | None = None
    service_life: str | None = None
    activity: float = 1.0
    scenario: Path | None = None
    clamp: tuple[str, ...] = ()


def evaluate(job: Job, outputs: Sequence[Path], timeline: Path | None, *, json: bool, quiet: bool) -> int:
    """Cost the network on every chip, write the files, print the tables or the JSON form."""
    check_outputs(outputs, timeline)
    if job.clamp:
        return _evaluate_clamped(job, outputs, timeline, json=json, quiet=quiet)
    if job.functional is not None:
        return _evaluate_functional(job, outputs, timeline, json=json, quiet=quiet)
    if not job.schedule:
        if job.scratchpad is not None:
            raise InputError("a scratchpad size without a schedule", where="--scratchpad",
                             hint="add --schedule cosma")
        if job.service_life is not None:
            from hwsim.commands.in_service import deliver_in_service

            deliver_in_service(job, lambda: reports_of(job, quiet=quiet), outputs, json=json, quiet=quiet)
            return EXIT_OK
        deliver(reports_of(job, quiet=quiet), outputs, timeline, json=json, quiet=quiet)
        return EXIT_OK
    runs = _scheduled(job, quiet=quiet)
    reports = tuple(run.report for run in runs)
    planned = tuple(run.planned for run in runs)
    deliver(reports, outputs, timeline, json=False, quiet=quiet or json, plans=planned)
    if json:
        _emit_scheduled(runs)
    elif not quiet:
        _print_schedules(runs)
    return EXIT_OK


def require_service_life(service_life: str | None, activity: float | None, scenario: Path | None) -> None:
    """Refuse options that only mean something beside a service life."""
    given = {"--activity": activity, "--scenario": scenario}
    problems = [Problem(option, "changes nothing without a service life", "add --service-life 5y")
                for option, value in given.items() if value is not None and service_life is None]
    if problems:
        raise InputError(problems=problems)


def chip_specs(words: Sequence[str]) -> tuple[str, ...]:
    """Split the values of --on at commas; InputError if a name is empty."""
    specs = tuple(spec.strip() for word in words for spec in word.split(","))
    if not all(specs):
        raise InputError(f"an empty chip name in {','.join(words)!r}", where="--on",
                         hint="write CHIP or CHIP:PRESET, separated by commas")
    return specs


def knobs(words: Sequence[str]) -> dict[str, Any]:
    """Read the values of --set.

    Numbers, true, false, null and JSON lists are read as such, ``700 MHz`` by the unit suffix of the knob's
    name, all else as text.

    Raises
    ------
    InputError
        A word without ``=``, a knob set twice, a unit that does not fit the knob.
    """
    pairs, problems = _pairs(words, "--set", "KNOB=VALUE")
    found = {}
    for name, text in pairs.items():
        try:
            found[name] = _value(name, text)
        except InputError as error:
            problems += error.inside(f"--set {name}").problems
    if problems:
        raise InputError(problems=problems)
    return found


def dimensions(words: Sequence[str]) -> dict[str, int]:
    """Read the values of --dim as whole numbers.

    Raises
    ------
    InputError
        A word without ``=``, a size that is no whole number above zero, or a name given twice.
    """
    pairs, problems = _pairs(words, "--dim", "NAME=SIZE")
    problems += [Problem(f"--dim {name}", f"{text[:40]!r} is not a whole number above zero")
                for name, text in pairs.items()
                if not (text.isascii() and text.isdecimal() and len(text) < 20 and int(text) > 0)]
    if problems:
        raise InputError(problems=problems)
    return {name: int(text) for name, text in pairs.items()}


def _pairs(words: Sequence[str], option: str, form: str) -> tuple[dict[str, str], list[Problem]]:
    found: dict[str, str] = {}
    problems: list[Problem] = []
    for word in words:
        name, equals, text = word.partition("=")
        name, text = name.strip(), text.strip()
        if not equals or not name or not text:
            problems.append(Problem(option, f"{word!r} is not of the form {form}"))
        elif name in found:
            problems.append(Problem(f"{option} {name}", f"given twice: {found[name]!r} and {text!r}"))
        else:
            found[name] = text
    return found, problems


def _value(name: str, text: str) -> Any:
    try:
        return json_text.loads(text, parse_constant=str)
    except (ValueError, RecursionError):
        suffix = suffix_of(name)
        return parse_as(text, suffix) if suffix and text[0] in "+-.0123456789" else text


def note_bound(graph: Graph, dim: Sequence[str], batch: int | None, *, quiet: bool = False) -> None:
    """Say which open dimensions of an ONNX file were given a size that nobody asked for."""
    bound = graph.provenance.get("dimensions", "")
    chosen = dimensions(dim).keys() | ({"batch"} if batch is not None else set())
    for name, _, size in (pair.rpartition("=") for pair in bound.split(", ") if pair):
        if name not in chosen:
            note(f"dimension {name} of {graph.provenance['file']} bound to {size}; "
                 f"choose with --dim {name}=N", quiet=quiet)


def _prepare(job: Job, *, quiet: bool) -> tuple[Graph, tuple[Chip, ...]]:
    specs, settings, sizes = chip_specs(job.on), knobs(job.settings), dimensions(job.dim)
    from hwsim import run

    chips = tuple(run.chip(spec, **settings) for spec in specs)
    graph = run.load(job.network, dimensions=sizes, batch=job.batch, precision=job.precision,
                     on_unsupported=job.on_unsupported)
    note_bound(graph, job.dim, job.batch, quiet=quiet)
    return graph, chips


def reports_of(job: Job, *, quiet: bool) -> tuple[Report, ...]:
    """Cost the network on every chip."""
    graph, chips = _prepare(job, quiet=quiet)
    from hwsim import run

    return tuple(run.evaluate(graph, chip, on_unsupported=job.on_unsupported) for chip in chips)


def _scheduled(job: Job, *, quiet: bool) -> tuple[ScheduledRun, ...]:
    graph, chips = _prepare(job, quiet=quiet)
    from hwsim import scheduled

    return tuple(scheduled.evaluate_scheduled(graph, chip, scratchpad=job.scratchpad,
                                              time_limit_s=job.time_limit_s,
                                              on_unsupported=job.on_unsupported) for chip in chips)


def _evaluate_functional(job: Job, outputs: Sequence[Path], timeline: Path | None, *, json: bool,
                         quiet: bool) -> int:
    """Cost the network, and run it on samples in the chips' own arithmetic."""
    from hwsim import run
    from hwsim.commands.functional import emit_outcomes
    from hwsim.functional import run_functional

    if job.schedule:
        raise InputError("samples and a schedule in one run", where="--functional", hint="run them apart")
    chips = tuple(run.chip(spec, **knobs(job.settings)) for spec in chip_specs(job.on))
    graph = run.load(job.network, dimensions=dimensions(job.dim), batch=job.batch, precision=job.precision)
    outcomes = run_functional(graph, chips, job.functional) if job.functional else ()
    reports = tuple(run.evaluate(graph, chip, on_unsupported=job.on_unsupported) for chip in chips)
    deliver(reports, outputs, timeline, json=False, quiet=quiet or json)
    emit_outcomes(reports, outcomes, json=json, quiet=quiet)
    return EXIT_OK


def _evaluate_clamped(job: Job, outputs: Sequence[Path], timeline: Path | None, *, json: bool,
                      quiet: bool) -> int:
    """Cost a circuit, and run it with some wires held."""
    from hwsim.commands.sampling import emit_sampled, read_clamps, run_sampling

    others = {"--schedule": job.schedule, "--functional": job.functional}
    problems = [Problem(option, "and --clamp in one run", "run them apart")
                for option, on in others.items() if on]
    if problems:
        raise InputError(problems=problems)
    clamps = read_clamps(job.clamp)
    graph, chips = _prepare(job, quiet=quiet)
    runs = run_sampling(graph, chips, clamps)
    deliver(tuple(run.report for run in runs), outputs, timeline, json=False, quiet=quiet or json)
    return emit_sampled(runs, json=json, quiet=quiet)


def _print_schedules(runs: Sequence[ScheduledRun]) -> None:
    from hwsim.commands.output import emit_table
    from hwsim.report.schedule_table import COST_HEADS, cost_rows
    from hwsim.units import format_bytes

    for run in runs:
        result, block = run.schedule.result, run.schedule.network.problem.block_bytes
        size, avoidable = format_bytes(result.budget * block), run.schedule.non_compulsory_bytes or 0
        emit(f"\n{run.report.name} with a scratchpad of {size} for activations: schedule "
             f"{run.schedule.status}, {format_bytes(avoidable)} non-compulsory, "
             f"bound {format_bytes(run.schedule.lower_bound_bytes)}")
        emit_table(COST_HEADS, cost_rows(run.costs), right=COST_HEADS[1:])


def _emit_scheduled(runs: Sequence[ScheduledRun]) -> None:
    """Print the reports with their schedules, one document a chip."""
    from hwsim.commands.output import emit_json
    from hwsim.report.json_form import to_json

    documents = [json_text.loads(to_json(run.report)) | {"schedule": {
        **run.schedule.to_document(), "costs": [cost.to_document() for cost in run.costs]}} for run in runs]
    emit_json(documents[0] if len(documents) == 1 else documents)


def check_outputs(outputs: Sequence[Path], timeline: Path | None) -> None:
    """Refuse paths that cannot be written before any work is done."""
    from hwsim.report.files import check_path

    problems: list[Problem] = []
    paths = [*outputs, *([timeline] if timeline else [])]
    for path in paths:
        try:
            check_path(path, (".json",) if path is timeline else ())
        except InputError as error:
            problems += error.problems
    problems += [Problem(str(path), "named twice as an output") for path in sorted(set(paths))
                 if paths.count(path) > 1]
    if problems:
        raise InputError(problems=problems)


def deliver(reports: tuple[Report, ...], outputs: Sequence[Path], timeline: Path | None, *, json: bool,
            quiet: bool, plans: Sequence[ScheduledCost] = ()) -> None:
    """Write the files, print the tables or the JSON form; the timeline shows plans beside their reports."""
    from hwsim.report.files import write, write_timeline

    for path in outputs:
        write(reports, path)
        note(f"wrote {path}", quiet=quiet)
    if timeline is not None:
        write_timeline(reports, timeline, plans)
        note(f"wrote {timeline}; open it at https://ui.perfetto.dev", quiet=quiet)
    if json:
        from hwsim.report.json_form import comparison_to_json, to_json

        emit(to_json(reports[0]) if len(reports) == 1 else comparison_to_json(reports))
    elif not quiet:
        import sys

        from hwsim.report.console import show

        show(reports, sys.stdout)
