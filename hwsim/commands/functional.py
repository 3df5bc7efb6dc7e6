"""`hwsim run --functional`: what labelled samples say of a chip, on the screen or as JSON."""

from __future__ import annotations

import json as json_text
from collections.abc import Sequence

from hwsim.commands.output import emit, emit_json, emit_table, note
from hwsim.functional import Outcome
from hwsim.report.types import Report


def emit_outcomes(reports: Sequence[Report], outcomes: Sequence[Outcome], *, json: bool, quiet: bool) -> None:
    """Print the outcomes below the reports, or all in one JSON document a chip."""
    if json:
        from hwsim.report.json_form import to_json

        documents = [json_text.loads(to_json(report)) | {"functional": outcome.to_document()}
                     for report, outcome in zip(reports, outcomes, strict=True)]
        emit_json(documents[0] if len(documents) == 1 else documents)
        return
    for outcome in outcomes:
        for line in outcome.warnings:
            note(f"warning: {outcome.chip}: {line}", quiet=quiet)
    if quiet:
        return
    for outcome in outcomes:
        emit("")
        rows = [("samples", str(outcome.wrong.samples)), ("misclassified", str(outcome.wrong)),
                ("in floating point", str(outcome.reference_wrong)),
                ("other class than floating point", str(outcome.different)),
                *((name, f"{value:.6g}") for name, value in outcome.figures.items())]
        emit_table(("On samples", outcome.chip), rows, right=(outcome.chip,))
        for line in outcome.notes:
            emit(f"  {line}")
    emit("intervals hold with 95 % confidence (Wilson)")
