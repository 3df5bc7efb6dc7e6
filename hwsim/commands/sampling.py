"""`hwsim run --clamp`: wires of a circuit held, states and odds out."""

from __future__ import annotations

import math
from collections.abc import Sequence

from hwsim.commands.output import emit, emit_beside, emit_table, note
from hwsim.errors import EXIT_INFEASIBLE, EXIT_OK, InputError, Problem
from hwsim.graph.types import Graph
from hwsim.run import Chip
from hwsim.sampling import SampledRun, sample
from hwsim.units import format_si

FREE = "none"
SHOWN_STATES = 12
BAR = 24


def read_clamps(words: Sequence[str]) -> dict[str, int]:
    """Read the values of --clamp: ``P=143``, ``A=0b1011``, ``P[3]=1``, several with commas, or ``none``.

    Raises
    ------
    InputError
        A word of another form, a value that is no whole number, a name given two values; all at once.
    """
    found: dict[str, int] = {}
    problems = []
    for word in (part.strip() for text in words for part in text.split(",")):
        name, equals, text = (piece.strip() for piece in word.partition("="))
        if word == FREE:
            continue
        if not (name and equals and text):
            problems.append(
                Problem("--clamp", f"{word!r} is not of the form NAME=VALUE", "or none, to hold nothing")
            )
            continue
        try:
            value = int(text, 0) if len(text) < 400 else int("?")
        except ValueError:
            problems.append(
                Problem(f"--clamp {name}", f"{text[:40]!r} is no whole number", "decimal, 0b... or 0x...")
            )
            continue
        if found.setdefault(name, value) != value:
            problems.append(Problem(f"--clamp {name}", f"given twice: {found[name]} and {value}"))
    if problems:
        raise InputError(problems=problems)
    return found


def run_sampling(graph: Graph, chips: Sequence[Chip], clamps: dict[str, int]) -> tuple[SampledRun, ...]:
    """Run `graph` with `clamps` on every chip; InputError if one of them cannot, or for bad clamps."""
    problems = [
        Problem(f"--on {chip.name}", "this chip cannot hold wires of a circuit", "leave out --clamp")
        for chip in chips
        if chip.accelerator.sample is None
    ]
    if problems:
        raise InputError(problems=problems)
    try:
        return tuple(sample(graph, chip, clamps) for chip in chips)
    except InputError as error:
        moved = [
            Problem(
                p.where.replace("clamp ", "--clamp ", 1) if p.where.startswith("clamp ") else p.where,
                p.reason,
                p.hint,
            )
            for p in error.problems
        ]
        raise type(error)(problems=moved) from None


def emit_sampled(runs: Sequence[SampledRun], *, json: bool, quiet: bool) -> int:
    """Print odds and states below the reports, or all in one JSON document a chip; 3 if no state is valid."""
    code = EXIT_INFEASIBLE if any(run.sampling.answers == 0 for run in runs) else EXIT_OK
    if json:
        emit_beside([run.report for run in runs], "sampling", [run.to_document() for run in runs])
        return code
    for run in runs:
        for line in run.sampling.warnings:
            note(f"warning: {run.report.name}: {line}", quiet=quiet)
        if not quiet:
            _emit_run(run)
    return code


def _emit_run(run: SampledRun) -> None:
    sampling = run.sampling
    held = " ".join(f"{name}={value}" for name, value in sampling.clamps.items()) or "nothing"
    chip = run.report.name
    emit("")
    emit_table(("Answers", chip), [("held", f"{held} ({sampling.mode})"), *_odds(run)])
    emit("")
    states = sampling.states[:SHOWN_STATES]
    widths = {name: max(len(str(state.values[name])) for state in states) for name in states[0].values}
    rows = []
    for state in states:
        share = state.count / sampling.attempts
        values = "  ".join(f"{name}={state.values[name]:>{width}}" for name, width in widths.items())
        bar = "█" * max(1, round(BAR * state.count / states[0].count))
        rows.append((values, f"{state.count:,}", f"{share:.1%}", "valid" if state.valid else "-", bar))
    heads = ("State", "Count", "Share", "Valid", "")
    emit_table(heads, rows, right=("Count", "Share"))
    if sampling.distinct_states > len(states):
        emit(f"and {sampling.distinct_states - len(states):,} rarer states")
    for line in sampling.notes:
        emit(line)
    emit(run.verdict)


def _odds(run: SampledRun) -> list[tuple[str, str]]:
    """Return the rows on success: odds against a guess, and time and energy to a solution."""
    sampling = run.sampling
    per = format_si(run.attempt_j, "J")
    rows = [
        (
            "attempts",
            f"{sampling.attempts:,} of {sampling.attempt_cycles:,} cycles, {per} each, scored by the "
            f"{sampling.scored_by}",
        )
    ]
    if sampling.answers == 0:
        return [*rows, ("success", "no valid state")]
    rows.append(("success", f"{run.rate} with 95 % confidence"))
    guess = sampling.guess_ratio
    if guess is None:
        rows.append(("random guess", "not known: too many assignments to count the answers"))
    else:
        more = f"; success is {run.rate.ratio / guess:,.1f} times as likely" if run.rate.count else ""
        rows.append(
            ("random guess", f"{guess:.3%}, {sampling.answers:,} of 2^{sampling.free_bits} states{more}")
        )
    cycles, seconds, joules = run.solution()
    if math.isfinite(cycles):
        rows.append(
            (
                "solved with 99 % certainty",
                f"{cycles:,.0f} cycles, {format_si(seconds, 's')}, {format_si(joules, 'J')}",
            )
        )
    else:
        cycles, seconds, joules = run.solution(run.rate.interval[1])
        rows.append(
            (
                "solved with 99 % certainty",
                f"not seen; more than {cycles:,.0f} cycles, "
                f"{format_si(seconds, 's')}, {format_si(joules, 'J')}",
            )
        )
    rows += [(name, f"{value:.6g}") for name, value in run.figures.items()]
    return rows
