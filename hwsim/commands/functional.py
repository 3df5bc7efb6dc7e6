"""`hwsim run --functional`: what runs in a chip's own arithmetic say of it, on the screen or as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hwsim.commands.output import emit, emit_beside, emit_table, note
from hwsim.functional import Outcome, RateOutcome
from hwsim.report.rate import Rate
from hwsim.report.types import Report


def emit_outcomes(reports: Sequence[Report], outcomes: Sequence[Outcome | RateOutcome], *, json: bool,
                  quiet: bool) -> None:
    """Print the outcomes below the reports, or all in one JSON document a chip."""
    if json:
        emit_beside(reports, "functional", [outcome.to_document() for outcome in outcomes])
        return
    for outcome in outcomes:
        for line in outcome.warnings:
            note(f"warning: {outcome.chip}: {line}", quiet=quiet)
    if quiet:
        return
    for outcome in outcomes:
        _show(outcome) if isinstance(outcome, Outcome) else _show_rates(outcome)
    emit("intervals hold with 95 % confidence (Wilson)")


def _show(outcome: Outcome) -> None:
    """Print the rates, and how the run was set up."""
    emit("")
    rows = [("samples", str(outcome.wrong.samples)), ("misclassified", str(outcome.wrong)),
            ("in floating point", str(outcome.reference_wrong)),
            ("other class than floating point", str(outcome.different))]
    emit_table(("On samples", outcome.chip), rows, right=(outcome.chip,))
    for line in outcome.notes:
        emit(f"  {line}")


def _show_rates(outcome: RateOutcome) -> None:
    """Print a line a point, and how the run was set up."""
    emit("")
    first = outcome.result.points[0]
    rates = [name.replace("_", " ") for name in first.rates]
    heads = [*first.setting, "trials", *rates]
    rows = [_row(point.setting, [Rate.of(counted) for counted in point.rates.values()])
            for point in outcome.result.points]
    emit_table(heads, rows, right=heads)
    for line in outcome.result.notes:
        emit(f"  {line}")


def _row(setting: Mapping[str, float], rates: Sequence[Rate]) -> tuple[str, ...]:
    return (*(f"{value:g}" for value in setting.values()), f"{rates[0].samples:,}",
            *(_shown(rate) for rate in rates))


def _shown(rate: Rate) -> str:
    low, high = rate.interval
    return f"{rate.ratio:.3g} ({low:.2g} to {high:.2g})"
