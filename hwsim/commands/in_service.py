"""`hwsim compare --service-life`: what making and running the chips takes, and when one pays back."""

from __future__ import annotations

import json as json_text
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from hwsim.commands.output import emit, emit_json, emit_table, note

if TYPE_CHECKING:
    from hwsim.commands.evaluate import Job
    from hwsim.report.types import Report


def deliver_in_service(job: Job, reports_of: Callable[[], tuple[Report, ...]], outputs: Sequence[Path], *,
                       json: bool, quiet: bool) -> None:
    """Cost the network on every chip, put the chips into service, write the files, print tables or JSON.

    Raises
    ------
    InputError
        Service life, activity or scenario are wrong; the scenario is read before any chip is costed.
    """
    from hwsim.model.carbon import read_duration, read_scenario
    from hwsim.report.files import write
    from hwsim.report.service_table import CHIP_HEADS, PAIR_HEADS, chip_rows, notes, pair_rows, to_document
    from hwsim.sustainability import illustrative, serve

    life = read_duration(job.service_life or "", "--service-life")
    scenario = read_scenario(job.scenario) if job.scenario is not None else None
    reports = reports_of()
    service = serve(reports, scenario if scenario is not None else illustrative(reports), service_life_s=life,
                    activity=job.activity, tasks_per_run=job.batch or 1)
    for path in outputs:
        write(reports, path, service=service)
        note(f"wrote {path}", quiet=quiet)
    if json:
        from hwsim.report.json_form import comparison_to_json, to_json

        document = json_text.loads(to_json(reports[0]) if len(reports) == 1 else comparison_to_json(reports))
        emit_json(document | {"in_service": to_document(service)})
        return
    if quiet:
        return
    from hwsim.report.console import show

    show(reports, sys.stdout)
    emit(f"\nIn service ({service.scenario.label})")
    emit_table(CHIP_HEADS, chip_rows(service), right=CHIP_HEADS[1:])
    if len(reports) > 1:
        emit("")
        emit_table(PAIR_HEADS, pair_rows(service), right=PAIR_HEADS[2:])
    for line in notes(service):
        emit(line)
