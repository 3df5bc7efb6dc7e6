"""On which evidence the joules of a report rest, in one order, with the unconfirmed share never left out."""

from __future__ import annotations

import math
from collections.abc import Sequence

from hwsim.report.types import Report
from hwsim.sourced import Kind


def evidence_shares(reports: Sequence[Report]) -> list[tuple[str, list[float]]]:
    """Return the share of each report's energy by kind of evidence, strongest first.

    Kinds that no report uses are left out, except "unconfirmed", which is always there to be seen.
    """
    found = {kind for report in reports for kind, joules in report.energy_by_evidence.items() if joules}
    known = [str(kind) for kind in Kind]
    order = [kind for kind in known if kind in found or kind == Kind.UNCONFIRMED]
    order += sorted(found - set(known))
    return [(kind, [_share(report, kind) for report in reports]) for kind in order]


def _share(report: Report, kind: str) -> float:
    whole = math.fsum(report.energy_by_evidence.values())
    return report.energy_by_evidence.get(kind, 0.0) / whole if whole else 0.0
