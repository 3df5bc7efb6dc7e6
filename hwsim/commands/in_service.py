"""`hwsim compare --service-life`: what making and running the chips takes, and when one pays back."""

from __future__ import annotations

import json as json_text
import sys
from collections.abc import Sequence
from pathlib import Path

from hwsim.commands.job import Job, reports_of
from hwsim.commands.output import emit, emit_json, emit_table, write_reports
from hwsim.errors import EXIT_OK


def deliver_in_service(job: Job, service_life: str, outputs: Sequence[Path], timeline: Path | None, *,
                       json: bool, quiet: bool) -> int:
    """Cost the network on every chip, put the chips into service, write the files, print tables or JSON.

    Raises
    ------
    InputError
        Service life, activity or scenario are wrong; the scenario is read before any chip is costed.
    """
    from hwsim.model.carbon import read_duration, read_scenario
    from hwsim.report.service_table import CHIP_HEADS, PAIR_HEADS, chip_rows, notes, pair_rows, to_document
    from hwsim.sustainability import illustrative, serve

    life = read_duration(service_life, "--service-life")
    scenario = read_scenario(job.scenario) if job.scenario is not None else None
    reports = reports_of(job, quiet=quiet)
    service = serve(reports, scenario if scenario is not None else illustrative(reports), service_life_s=life,
                    activity=1.0 if job.activity is None else job.activity, tasks_per_run=job.batch or 1)
    write_reports(reports, outputs, timeline, quiet=quiet, service=service)
    if json:
        from hwsim.report.json_form import comparison_to_json, to_json

        document = json_text.loads(to_json(reports[0]) if len(reports) == 1 else comparison_to_json(reports))
        emit_json(document | {"in_service": to_document(service)})
        return EXIT_OK
    if quiet:
        return EXIT_OK
    from hwsim.report.console import show

    show(reports, sys.stdout)
    emit(f"\nIn service ({service.scenario.label})")
    emit_table(CHIP_HEADS, chip_rows(service), right=CHIP_HEADS[1:])
    if len(reports) > 1:
        emit("")
        emit_table(PAIR_HEADS, pair_rows(service), right=PAIR_HEADS[2:])
    for line in notes(service):
        emit(line)
    return EXIT_OK
