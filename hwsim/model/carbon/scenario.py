"""What a cost model cannot know of engines in service: dies, idle power, grids, in a TOML file.

A scenario file holds ``label``, ``use_intensity``, ``fab_intensity`` and a table ``[engines.NAME]`` per chip
with ``idle_power``, ``dies`` or ``shared_existing``, and optionally ``active_power`` and ``throughput``. The
word "modeled" takes node, area, idle power (leakage), active power or throughput from the chip's report.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hwsim.errors import InputError, Problem, nearest
from hwsim.model.carbon.lines import line_of
from hwsim.model.carbon.tables import tables_of
from hwsim.model.carbon.types import Die
from hwsim.units import parse_as

MODELED = "modeled"
METHODS = ("greenchip", "act", "ecochip", "three_d_carbon")
_TOP = (
    "label",
    "note",
    "methods",
    "use_intensity",
    "fab_intensity",
    "allow_suspicious",
    "full_rate",
    "engines",
)
_ENGINE = ("note", "dies", "idle_power", "active_power", "throughput", "shared_existing")
_DIE = ("node", "area", "kind", "count", "layers")
_UNITS = {
    "use_intensity": "kgco2e_per_j",
    "fab_intensity": "kgco2e_per_j",
    "full_rate": "hz",
    "idle_power": "w",
    "active_power": "w",
    "throughput": "hz",
    "area": "m2",
}


@dataclass(frozen=True, slots=True)
class DieEntry:
    """A die as a scenario states it; None takes the node or the area that the chip's report gives."""

    node: str | None
    area_m2: float | None
    kind: str = "logic"
    count: int = 1
    layers: int = 1

    def resolved(self, modeled_node: str, modeled_m2: float) -> Die:
        """Return the die with the modeled node and area filled in."""
        node = modeled_node if self.node is None else self.node
        area = modeled_m2 if self.area_m2 is None else self.area_m2
        return Die(node, area, self.kind, self.count, self.layers)


@dataclass(frozen=True, slots=True)
class EngineEntry:
    """An engine as a scenario states it; None takes the figure of the chip's report."""

    dies: tuple[DieEntry, ...]
    idle_w: float | None
    active_w: float | None = None
    throughput_per_s: float | None = None
    shared_existing: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True)
class Scenario:
    """A scenario.

    Attributes
    ----------
    label : str
        Shown in every output.
    use_kgco2e_per_j, fab_kgco2e_per_j : float
        Carbon intensity of the grids of use and of manufacture.
    engines : mapping of str to EngineEntry
        By chip, or by ``chip:preset``.
    methods : tuple of str
        Embodied-carbon methods to show.
    full_rate_per_s : float or None
        Tasks per second at activity 1; None takes the throughput of the slowest engine.
    allow_suspicious : tuple of str
        Suspicious table entries to use all the same.
    """

    label: str
    use_kgco2e_per_j: float
    fab_kgco2e_per_j: float
    engines: Mapping[str, EngineEntry]
    methods: tuple[str, ...] = METHODS
    full_rate_per_s: float | None = None
    allow_suspicious: tuple[str, ...] = ()
    note: str = ""


def read_scenario(path: Path) -> Scenario:
    """Read a scenario file; InputError with every problem of the file, each with its place."""
    text, document = _read(path)
    problems: list[Problem] = []
    say = _sayer(path.name, text, problems)
    _unknown(document, _TOP, "", say)
    numbers = {
        name: _number(document, name, "", say, required=name != "full_rate")
        for name in ("use_intensity", "fab_intensity", "full_rate")
    }
    label = _text(document, "label", "", say, required=True)
    methods = document.get("methods", list(METHODS))
    if not isinstance(methods, list) or not methods or not all(method in METHODS for method in methods):
        say("methods", f"{methods!r} are not known methods", f"a list out of {', '.join(METHODS)}")
    note, allowed = _text(document, "note", "", say), _allowed(document, say)
    engines = document.get("engines")
    found = {}
    if not isinstance(engines, Mapping) or not engines:
        say("engines", "no [engines.NAME]", "give at least one engine")
    else:
        found = {
            name: engine
            for name, fields in engines.items()
            if (engine := _engine(fields, f"engines.{name}", say)) is not None
        }
    if problems:
        raise InputError(problems=problems)
    return Scenario(
        label,
        numbers["use_intensity"] or 0.0,
        numbers["fab_intensity"] or 0.0,
        found,
        tuple(methods),
        numbers["full_rate"],
        allowed,
        note,
    )


def _allowed(document: Mapping[str, Any], say: Say) -> tuple[str, ...]:
    """Return the suspicious entries that are to be used all the same; each has to be one."""
    named = document.get("allow_suspicious", [])
    if not isinstance(named, list) or not all(isinstance(name, str) for name in named):
        say("allow_suspicious", f"expected a list of texts, got {named!r}", "")
        return ()
    known = [
        f"{method}.{table.name}.{key}"
        for method in METHODS
        for table in tables_of(method).values()
        for key in table.suspicious
    ]
    for name in named:
        if name not in known:
            say("allow_suspicious", f"{name!r} is no suspicious entry", nearest(name, known))
    return tuple(named)


def read_engine(path: Path) -> EngineEntry:
    """Read the engine that a chip brings for the illustrative scenario; errors as `read_scenario`."""
    problems: list[Problem] = []
    text, document = _read(path)
    engine = _engine(document, "", _sayer(f"{path.parent.name}/{path.name}", text, problems))
    if problems or engine is None:
        raise InputError(problems=problems)
    return engine


def _read(path: Path) -> tuple[str, dict[str, Any]]:
    """Return a TOML file as text and as a table; InputError with file and line."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
        return text, tomllib.loads(text)
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", where=str(path)) from None
    except (ValueError, RecursionError) as error:
        raise InputError(f"is not TOML: {error}", where=str(path)) from None


Say = Callable[[str, str, str], None]


def _sayer(name: str, text: str, problems: list[Problem]) -> Say:
    def say(place: str, reason: str, hint: str) -> None:
        line = line_of(text, place)
        problems.append(
            Problem(f"{name}:{place}" if line is None else f"{name}:{line}: {place}", reason, hint)
        )

    return say


def _join(place: str, name: str) -> str:
    return f"{place}.{name}" if place else name


def _unknown(fields: Mapping[str, Any], known: tuple[str, ...], place: str, say: Say) -> None:
    for name in fields:
        if name not in known:
            say(_join(place, name), "no such field", nearest(name, known))


def _number(fields: Mapping[str, Any], name: str, place: str, say: Say, *, required: bool) -> float | None:
    """Return a quantity in SI units, None if it is absent, wrong or "modeled"."""
    text = fields.get(name)
    where = _join(place, name)
    if text is None:
        if required:
            say(where, "is missing", "it is not known from any source, so there is no default")
        return None
    if text == MODELED and name in _FROM_REPORT:
        return None
    if not isinstance(text, str):
        say(where, f"{text!r} has no unit", f"write a text with a unit, such as {_EXAMPLES[name]}")
        return None
    try:
        value = float(parse_as(text, _UNITS[name]))
    except InputError as error:
        say(where, error.problems[0].reason, _HINTS.get(name, error.problems[0].hint))
        return None
    if value < 0 or (value == 0 and name in _ABOVE_ZERO):
        say(where, f"{text!r} is {'not above' if name in _ABOVE_ZERO else 'below'} zero", "")
        return None
    return value


_FROM_REPORT = ("idle_power", "active_power", "throughput", "area")
_ABOVE_ZERO = ("area", "active_power", "throughput", "full_rate")
_EXAMPLES = {
    "use_intensity": '"380 gCO2e/kWh"',
    "fab_intensity": '"583 gCO2e/kWh"',
    "full_rate": '"30 1/s"',
    "idle_power": '"5 W"',
    "active_power": '"20 W"',
    "throughput": '"85 1/s"',
    "area": '"350 mm^2"',
}


_TASKS = 'tasks such as frames a second, never operations: "85 1/s"'
_HINTS = {"throughput": _TASKS, "full_rate": _TASKS}


def _text(fields: Mapping[str, Any], name: str, place: str, say: Say, *, required: bool = False) -> str:
    value = fields.get(name, "")
    if not isinstance(value, str) or (required and not value.strip()):
        say(_join(place, name), f"expected a text, got {value!r}" if name in fields else "is missing", "")
        return ""
    return value


def _engine(fields: Any, place: str, say: Say) -> EngineEntry | None:
    if not isinstance(fields, Mapping):
        say(place, f"expected a table, got {fields!r}", "")
        return None
    _unknown(fields, _ENGINE, place, say)
    shared = fields.get("shared_existing", False)
    if not isinstance(shared, bool):
        say(_join(place, "shared_existing"), f"{shared!r} is neither true nor false", "")
        shared = False
    dies = fields.get("dies", [])
    if not isinstance(dies, list) or (not dies and not shared):
        say(_join(place, "dies"), "no dies", 'such as dies = [{ node = "28", area = "50 mm^2" }]')
        dies = []
    found = [
        die
        for index, entry in enumerate(dies)
        if (die := _die(entry, _join(place, f"dies[{index}]"), say)) is not None
    ]
    idle = _number(fields, "idle_power", place, say, required=True)
    active = _number(fields, "active_power", place, say, required=False)
    if idle is not None and active is not None and idle > active:
        say(_join(place, "idle_power"), f"{idle:g} W idle are more than {active:g} W busy", "")
    return EngineEntry(
        tuple(found),
        idle,
        active,
        _number(fields, "throughput", place, say, required=False),
        shared,
        _text(fields, "note", place, say),
    )


def _die(entry: Any, place: str, say: Say) -> DieEntry | None:
    if not isinstance(entry, Mapping):
        say(place, f"expected a table, got {entry!r}", "")
        return None
    _unknown(entry, _DIE, place, say)
    node = entry.get("node")
    if not isinstance(node, str) or not node:
        say(_join(place, "node"), f"{node!r} is not a node", 'a text such as "28" or "7_euv"')
        return None
    area = _number(entry, "area", place, say, required=True)
    try:
        made = DieEntry(
            None if node == MODELED else node,
            area,
            entry.get("kind", "logic"),
            entry.get("count", 1),
            entry.get("layers", 1),
        )
        made.resolved(MODELED, 1e-6)
    except InputError as error:
        for problem in error.problems:
            name = problem.where.removeprefix("die.").removesuffix("_m2")
            hint = f"such as {_EXAMPLES[name]}" if name in _EXAMPLES else problem.hint
            say(_join(place, name), problem.reason, hint)
        return None
    return made
