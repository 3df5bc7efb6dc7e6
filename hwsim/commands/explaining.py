"""`hwsim explain`: from the joules of a report file to the sources."""

from __future__ import annotations

from pathlib import Path

from hwsim.commands.output import emit, emit_json
from hwsim.errors import EXIT_OK
from hwsim.report.explain import explain as explain_report
from hwsim.report.explain import explanation, to_document
from hwsim.report.files import read


def explain(path: Path, layer: str | None, unit: str | None, top: int, *, json: bool) -> int:
    """Print the explanation of every report in the file."""
    reports = read(path)
    if json:
        documents = [to_document(explanation(report, layer, unit, top)) for report in reports]
        emit_json(documents[0] if len(documents) == 1 else documents)
        return EXIT_OK
    emit("\n".join(explain_report(report, layer, unit, top) for report in reports))
    return EXIT_OK
