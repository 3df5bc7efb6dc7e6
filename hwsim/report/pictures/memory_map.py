"""The scratchpad over time as a picture: address against step, a tensor is followed by pointing at it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hwsim.report.pictures.svg import frame, line, number, printable, short, text, ticks
from hwsim.schedule.network_run import ScheduleReport
from hwsim.schedule.types import Event, Plan, Problem
from hwsim.units import format_bytes

# Okabe and Ito's palette, told apart by colour-blind readers.
_COLOURS = {"created": "#56B4E9", "loaded": "#009E73", "fetched again": "#E69F00", "workspace": "#999999"}
_SPILLED = "#D55E00"
_LEFT, _RIGHT, _TOP, _HEIGHT = 74.0, 12.0, 62.0, 420.0
_NAMED_STEPS = 48
_LETTER = 6.2

_STYLE = (
    "".join(f".{kind.split()[0]}{{fill:{colour}}}" for kind, colour in _COLOURS.items())
    + ".t rect{stroke:currentColor;stroke-opacity:.45;stroke-width:.5}"
    ".t text{fill:#1b1f24;pointer-events:none}"
    f".spill{{stroke:{_SPILLED};stroke-width:3}}.away{{stroke:{_SPILLED};stroke-dasharray:3 3;fill:none;"
    "stroke-opacity:.5}"
    ".map:hover .t{opacity:.3}.map .t:hover,.map .t.on{opacity:1}.map.pinned .t{opacity:.12}"
    ".map.pinned .t.on{opacity:1}.t:hover rect,.t.on rect{stroke-opacity:1;stroke-width:1.5}"
    ".t:hover .away,.t.on .away{stroke-opacity:1;stroke-width:2}")


@dataclass(frozen=True, slots=True)
class Stay:
    """One residency episode: steps `start` to `end`, both inclusive; address and size in bytes."""

    start: int
    end: int
    address: int
    size: int
    kind: str
    spilled: bool


@dataclass(frozen=True, slots=True)
class Life:
    """A tensor with everything that happens to it, in order; the workspaces are a life of their own."""

    name: str
    role: str
    stays: tuple[Stay, ...]


def lives_of(problem: Problem, plan: Plan) -> tuple[Life, ...]:
    """Return the residency episodes of every tensor, tensors in order of first appearance."""
    block, seen = problem.block_bytes, set()
    open_at: dict[int, tuple[int, Event, bool]] = {}
    stays: dict[int, list[Stay]] = {}
    work: list[Stay] = []
    for index, step in enumerate(plan.steps):
        for event in step.before:
            open_at[event.tensor] = (index, event, event.tensor in seen)
            seen.add(event.tensor)
            stays.setdefault(event.tensor, [])
        workspace = problem.operators[step.operator].workspace
        if workspace:
            address = step.workspace_address * block
            work.append(Stay(index, index, address, workspace * block, "workspace", False))
        spilled = {event.tensor for event in step.after if event.kind == "spill"}
        for event in step.after:
            if event.kind == "free":
                opened = open_at.pop(event.tensor)
                stays[event.tensor].append(_stay(problem, opened, index, event.tensor in spilled))
    last = len(plan.steps) - 1
    for tensor, left in open_at.items():
        stays[tensor].append(_stay(problem, left, last, False))
    found = [Life(problem.tensors[t].name, _role(problem, t), tuple(s)) for t, s in stays.items()]
    return (*found, Life("workspace", "workspace", tuple(work))) if work else tuple(found)


def _stay(problem: Problem, opened: tuple[int, Event, bool], end: int, spilled: bool) -> Stay:
    start, event, again = opened
    fetched = "fetched again" if again else "loaded"
    block = problem.block_bytes
    return Stay(start, end, event.address * block, event.blocks * block,
                "created" if event.kind == "allocate" else fetched, spilled)


def _role(problem: Problem, tensor: int) -> str:
    if problem.producer[tensor] < 0:
        return "input"
    return "output" if problem.tensors[tensor].is_output else "intermediate"


@dataclass(frozen=True, slots=True)
class _Scale:
    """Steps and bytes to points."""

    step: float
    budget: int

    def x(self, step: float) -> float:
        return _LEFT + step * self.step

    def y(self, address: float) -> float:
        return _TOP + _HEIGHT * (1 - address / self.budget)


def memory_map_svg(report: ScheduleReport) -> str:
    """Draw the plan of a report; equal plans give equal bytes.

    Every tensor is a group with its name, role and life as tooltip, whose episodes light up together and
    are joined by a dashed line where the tensor is away in DRAM.

    Raises
    ------
    ValueError
        The report has no plan.
    """
    if report.plan is None:
        raise ValueError("a report without a plan has no memory map")
    problem, plan = report.network.problem, report.plan
    count = len(plan.steps)
    scale = _Scale(max(6.0, min(70.0, 1120.0 / count)), plan.budget * problem.block_bytes)
    names = [problem.operators[step.operator].name for step in plan.steps]
    named = count <= _NAMED_STEPS
    bottom = 22 + _LETTER * min(28, max(map(len, names))) if named else 40.0
    lives = lives_of(problem, plan)
    width = max(scale.x(count) + _RIGHT, 640.0)
    on_top = sorted(range(len(lives)), key=lambda index: len(lives[index].stays))
    groups = "".join(_life(scale, lives[index], index) for index in on_top)
    body = [_axes(scale, names, named), f'<g class="map">{groups}</g>', _title(report, lives)]
    return frame(width, _TOP + _HEIGHT + bottom, f"Memory map of {report.name}", _STYLE, "".join(body))


def _title(report: ScheduleReport, lives: Sequence[Life]) -> str:
    size = report.network.problem.block_bytes
    moved = report.non_compulsory_bytes or 0
    head = (f"{report.name}: {len(report.order)} steps in {format_bytes(report.result.budget * size)}, "
            f"{format_bytes(moved)} of non-compulsory traffic ({report.status})")
    used = {stay.kind for life in lives for stay in life.stays}
    parts, x = [text(_LEFT, 18, head, extra='class="head"')], _LEFT
    for kind in (kind for kind in _COLOURS if kind in used):
        parts.append(f'<rect class="{kind.split()[0]}" x="{number(x)}" y="31" width="11" height="11"/>')
        parts.append(text(x + 16, 41, kind))
        x += 30 + _LETTER * len(kind)
    if any(stay.spilled for life in lives for stay in life.stays):
        parts += [line(x + 2, 31, x + 2, 42, "spill"), text(x + 10, 41, "spilled to DRAM")]
    return "".join(parts)


def _axes(scale: _Scale, names: Sequence[str], named: bool) -> str:
    count, floor = len(names), _TOP + _HEIGHT
    parts = []
    for value in ticks(0, scale.budget, 8, binary=True):
        parts.append(line(_LEFT, scale.y(value), scale.x(count), scale.y(value), "rule"))
        parts.append(text(_LEFT - 6, scale.y(value) + 4, format_bytes(value), anchor="end"))
    for step in range(count) if named else (round(t) for t in ticks(0, count - 1, 24) if t == round(t)):
        x = scale.x(step + 0.5)
        if named:
            turn = f'transform="rotate(-90 {number(x + 4)} {number(floor + 8)})"'
            parts.append(text(x + 4, floor + 8, short(names[step], 28), anchor="end", extra=turn))
        else:
            parts.append(text(x, floor + 16, str(step), anchor="middle"))
    if not named:
        parts.append(text(scale.x(count / 2), floor + 32, "step", anchor="middle"))
    parts.append(f'<rect class="axis" x="{number(_LEFT)}" y="{number(_TOP)}" '
                 f'width="{number(scale.x(count) - _LEFT)}" height="{number(_HEIGHT)}"/>')
    return "".join(parts)


def _life(scale: _Scale, life: Life, index: int) -> str:
    size = life.stays[0].size if life.stays else 0
    if not size:
        return ""
    parts = [f'<g class="t" data-t="{index}"><title>{_tip(life)}</title>']
    for stay in life.stays:
        x, y = scale.x(stay.start), scale.y(stay.address + stay.size)
        wide, high = scale.x(stay.end + 1) - x, scale.y(stay.address) - y
        parts.append(f'<rect class="{stay.kind.split()[0]}" x="{number(x)}" y="{number(y)}" '
                     f'width="{number(wide)}" height="{number(high)}"/>')
        if stay.spilled:
            parts.append(line(x + wide - 1.5, y, x + wide - 1.5, y + high, "spill"))
        room = int((wide - 6) / _LETTER)
        if high >= 12 and room >= min(len(life.name), 5) and life.role != "workspace":
            parts.append(text(x + 3, y + high / 2 + 4, short(life.name, room)))
    if life.role != "workspace":
        for before, after in zip(life.stays, life.stays[1:], strict=False):
            ends = [(scale.x(before.end + 1), before), (scale.x(after.start), after)]
            path = " ".join(f"{number(x)},{number(scale.y(s.address + s.size / 2))}" for x, s in ends)
            parts.append(f'<polyline class="away" points="{path}"/>')
    return "".join([*parts, "</g>"])


def _tip(life: Life) -> str:
    from xml.sax.saxutils import escape

    if life.role == "workspace":
        return "private workspaces"
    lines = [f"{life.name} ({life.role}, {format_bytes(life.stays[0].size)})", *_history(life)]
    return escape("\n".join(map(printable, lines)))


def _history(life: Life) -> list[str]:
    return [f"steps {stay.start} to {stay.end}: {stay.kind}, at address {stay.address}"
            + (", spilled" if stay.spilled else "") for stay in life.stays]


def memory_map_html(report: ScheduleReport) -> str:
    """Return the picture as a page that works offline: point at a tensor, click to hold it, or search it."""
    import jinja2

    if report.plan is None:
        raise ValueError("a report without a plan has no memory map")
    environment = jinja2.Environment(loader=jinja2.PackageLoader("hwsim.report", "page"), autoescape=True,
                                     trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined)
    lives = lives_of(report.network.problem, report.plan)
    return environment.get_template("memory_map.html").render(
        title=f"Memory map of {report.name}", name=report.name, svg=memory_map_svg(report),
        facts=_facts(report), notes=report.notes, tensors=[_row(i, life) for i, life in enumerate(lives)],
        steps=_steps(report.network.problem, report.plan))


def _facts(report: ScheduleReport) -> list[tuple[str, str]]:
    from hwsim.report.schedule_table import fact_rows

    return [*fact_rows(report)]


def _row(index: int, life: Life) -> Mapping[str, Any]:
    size = life.stays[0].size
    return {"index": index, "name": life.name, "role": life.role, "size": size, "shown": format_bytes(size),
            "stays": len(life.stays), "steps": sum(stay.end - stay.start + 1 for stay in life.stays),
            "history": "; ".join(_history(life)) if life.role != "workspace" else ""}


def _steps(problem: Problem, plan: Plan) -> list[Mapping[str, Any]]:
    rows: list[Mapping[str, Any]] = []
    for index, step in enumerate(plan.steps):
        events: dict[str, list[str]] = {"allocate": [], "fetch": [], "spill": [], "free": []}
        for event in (*step.before, *step.after):
            name, address = problem.tensors[event.tensor].name, event.address * problem.block_bytes
            events[event.kind].append(f"{name} @{address}")
        rows.append({"index": index, "operator": problem.operators[step.operator].name,
                     **{kind: ", ".join(listed) for kind, listed in events.items()}})
    return rows
