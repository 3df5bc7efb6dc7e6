"""Chips in service: what making and running each takes, when one pays back instead of another."""

from __future__ import annotations

from collections.abc import Sequence

from hwsim import registry
from hwsim.errors import InputError, Problem
from hwsim.model.carbon import (
    Engine,
    EngineEntry,
    Footprint,
    Scenario,
    embodied,
    intensity,
    read_engine,
    total,
)
from hwsim.report.service import ServedChip, Sustainability
from hwsim.report.types import Report

ILLUSTRATIVE = "illustrative"
_ENGINE_FILE = "service.toml"
# World average and Taiwan 2022 as ACT tabulates them; named in every output with the scenario.
_GRIDS = "intensity_2022_kgco2e_per_j"
_USED_IN, _MADE_IN = "world", "taiwan"


def illustrative(reports: Sequence[Report]) -> Scenario:
    """Return the scenario that ships: each chip's own ``service.toml``, with grids of 2022.

    Raises
    ------
    InputError
        Chips that bring no such file: their dies and idle power are not known from any source.
    """
    from hwsim.model.carbon.tables import tables_of

    engines: dict[str, EngineEntry] = {}
    problems = []
    for report in reports:
        name = str(report.provenance["chip"])
        path = registry.load_accelerator(name).folder / _ENGINE_FILE
        if path.is_file():
            engines[name] = read_engine(path)
        else:
            problems.append(
                Problem(
                    f"engines.{name}",
                    "no dies and no idle power are known for this chip",
                    f"give --scenario FILE.toml with a table [engines.{name}]",
                )
            )
    if problems:
        raise InputError(problems=problems)
    grids = tables_of("act")[_GRIDS]
    note = (
        "assumed service data, not a published comparison; grids of 2022 as ACT tabulates them: "
        "used at the world's mean, made in Taiwan"
    )
    use, fab = grids.entry(_USED_IN).value, grids.entry(_MADE_IN).value
    return Scenario(ILLUSTRATIVE, use, fab, engines, note=note)


def serve(
    reports: Sequence[Report],
    scenario: Scenario,
    *,
    service_life_s: float,
    activity: float,
    tasks_per_run: int | Sequence[int] = 1,
    names: Sequence[str] | None = None,
) -> Sustainability:
    """Put the chips of some reports into service.

    Parameters
    ----------
    reports : sequence of Report
        One task on several chips.
    scenario : Scenario
        Dies, idle powers, grids.
    service_life_s, activity : float
        Seconds, and a share in [0, 1].
    tasks_per_run : int, or one per report
        Inferences in one run of the network: its batch.
    names : sequence of str, optional
        Of the chips in tables, instead of chip and preset.

    Raises
    ------
    InputError
        A chip that the scenario lacks, an activity or service life out of range; every problem at once.
    """
    problems = []
    if not 0.0 <= activity <= 1.0:
        problems.append(Problem("--activity", f"{activity!r} is not a share of time", "from 0 to 1"))
    if not service_life_s > 0:
        problems.append(Problem("--service-life", f"{service_life_s!r} s is not a duration", "such as 5y"))
    chips = []
    tasks = [tasks_per_run] * len(reports) if isinstance(tasks_per_run, int) else tasks_per_run
    shown = [report.name for report in reports] if names is None else names
    for report, count, name in zip(reports, tasks, shown, strict=True):
        entry = scenario.engines.get(report.name) or scenario.engines.get(str(report.provenance["chip"]))
        if entry is None:
            problems.append(
                Problem(
                    f"{scenario.label}.engines.{report.provenance['chip']}",
                    "is missing",
                    f"the scenario has {', '.join(scenario.engines)}",
                )
            )
            continue
        try:
            chips.append(_served(report, entry, scenario, count, name))
        except InputError as error:
            problems += error.problems
    if problems:
        raise InputError(problems=problems)
    return Sustainability(scenario, service_life_s, activity, tuple(chips))


def _served(
    report: Report, entry: EngineEntry, scenario: Scenario, tasks: int, name: str
) -> ServedChip:
    totals = report.totals
    throughput = entry.throughput_per_s or tasks / totals.time_s
    active = entry.active_w or totals.power_w
    dies = tuple(die.resolved(_node(report), totals.area_m2) for die in entry.dies)
    idle = entry.idle_w if entry.idle_w is not None else _leakage_w(report)
    engine = Engine(name, throughput, active, idle, dies, entry.shared_existing)
    footprints: dict[str, Footprint] = {}
    refusals: dict[str, str] = {}
    fab = intensity(scenario.fab_kgco2e_per_j, "scenario.fab_intensity")
    for method in scenario.methods:
        try:
            if dies:
                footprints[method] = total(
                    [embodied(die, method, fab, allow=scenario.allow_suspicious) for die in dies]
                )
        except InputError as error:
            refusals[method] = "; ".join(problem.reason for problem in error.problems)
    if dies and not footprints and not entry.shared_existing:
        raise InputError(
            problems=[
                Problem(f"{scenario.label}.engines.{report.name}.{method}", reason)
                for method, reason in refusals.items()
            ]
        )
    note = entry.note
    if idle > active:
        surprise = f"idle at {idle:g} W it draws more than the {active:g} W of its report: check idle_power"
        note = f"{note}; {surprise}" if note else surprise
    return ServedChip(name, engine, active / throughput, footprints, refusals, note)


def _leakage_w(report: Report) -> float:
    """Return the power that the report charges for time alone."""
    return sum(row.energy_j for row in report.events if row.action == "leakage") / report.totals.time_s


def _node(report: Report) -> str:
    """Return the node of the design in nanometres as the tables write it, "" for a chip without one."""
    node_m = report.provenance["design"].get("node_m")
    return "" if node_m is None else f"{float(node_m) * 1e9:g}"
