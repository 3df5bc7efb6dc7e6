"""`hwsim sweep --dry-run`: how many points a sweep or search has, and the first of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from hwsim.commands.output import cell, emit, emit_json, emit_table
from hwsim.errors import EXIT_OK

if TYPE_CHECKING:
    from hwsim.sweep.plan import Plan, Scenario

_SHOWN = 5


def show_plan(plan: Plan, *, json: bool) -> int:
    """Print the number of points and the first few; of a search, those that it evaluates at first."""
    from hwsim.sweep.points import candidate_count, first_block, point_count

    total, first = candidate_count(plan), first_block(plan)
    if plan.space.sampling == "search":
        return _show_search(plan, total, json=json)
    scenario = plan.scenarios[first.scenario]
    count, exact = point_count(plan)
    if json:
        found = {"points": count, "exact": exact, "scenarios": len(plan.scenarios)}
        emit_json(found | {"first": _documents(scenario, first.rows)})
        return EXIT_OK
    emit(
        f"{'' if exact else 'at most '}{count:,} points: {len(plan.scenarios)} of chip and network, "
        f"{plan.space.sampling}"
    )
    _emit_first(scenario, first.rows, count)
    return EXIT_OK


def _show_search(plan: Plan, total: int, *, json: bool) -> int:
    from hwsim.sweep.points import design_count
    from hwsim.sweep.search import first_proposals

    proposed = first_proposals(plan)
    place = next((place for place, rows in enumerate(proposed) if rows), 0)
    sizes = [design_count(scenario) for scenario in plan.scenarios]
    designs = None if any(size is None for size, _ in sizes) else sum(size or 0 for size, _ in sizes)
    exact = all(known for _, known in sizes)
    if designs is not None:
        total = min(total, sum(min(plan.search.budget, size or 0) for size, _ in sizes))
    if json:
        emit_json(
            {
                "points": total,
                "exact": False,
                "scenarios": len(plan.scenarios),
                "search": plan.search.model_dump(mode="json"),
                "designs": designs,
                "designs_exact": exact,
                "first": _documents(plan.scenarios[place], proposed[place]),
            }
        )
        return EXIT_OK
    among = (
        "endlessly many designs" if designs is None else f"{'' if exact else 'at most '}{designs:,} designs"
    )
    emit(
        f"at most {total:,} points of {among}: {len(plan.scenarios)} of chip and network, "
        f"search ({plan.search.method}) for {', '.join(plan.search.objectives)}, "
        f"budget {plan.search.budget:,}; it begins with"
    )
    _emit_first(plan.scenarios[place], proposed[place], total)
    return EXIT_OK


def _documents(scenario: Scenario, rows: Sequence[tuple[Any, ...]]) -> list[dict[str, Any]]:
    return [
        {
            "chip": scenario.chip.name,
            "network": scenario.network,
            "batch": scenario.batch,
            "precision": scenario.precision,
            "knobs": dict(zip(scenario.names, row, strict=True)),
        }
        for row in rows[:_SHOWN]
    ]


def _emit_first(scenario: Scenario, rows: Sequence[tuple[Any, ...]], count: int) -> None:
    home = (scenario.chip.name, scenario.network, cell(scenario.batch), cell(scenario.precision))
    emit_table(
        ("Chip", "Network", "Batch", "Precision", *scenario.names),
        [(*home, *map(cell, row)) for row in rows[:_SHOWN]],
    )
    if count > _SHOWN:
        emit("...")
