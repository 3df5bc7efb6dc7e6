"""What `hwsim run` and `hwsim compare` are asked to cost: the words of the command line, read and checked."""

from __future__ import annotations

import json as json_text
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hwsim.commands.output import note
from hwsim.errors import InputError, Problem
from hwsim.units import parse_as, suffix_of

if TYPE_CHECKING:
    from hwsim.graph.types import Graph
    from hwsim.report.types import Report
    from hwsim.run import Chip

PLAN_TIME_LIMIT_S = 60.0


@dataclass(frozen=True, slots=True)
class Job:
    """What to cost, as typed.

    Raises
    ------
    InputError
        Options that mean nothing without another one, or that ask for two things in one run; all at once.

    Attributes
    ----------
    network : str
        File or built-in name.
    on : tuple of str
        ``CHIP[:PRESET]``, several with commas.
    settings, dim : tuple of str
        ``KNOB=VALUE`` and ``NAME=SIZE``.
    batch : int or None
        Samples computed together.
    precision : str or None
        Number format.
    on_unsupported : str
        "error", "host" or "traffic".
    schedule : bool
        Whether to schedule the chip's scratchpad and show what that saves.
    scratchpad : str or None
        Its size, such as ``512KiB``; None takes the design's.
    time_limit_s : float or None
        Seconds for the schedule of one chip; None: `PLAN_TIME_LIMIT_S`.
    functional : Path or None
        Labelled samples and weights to run in the arithmetic of every chip.
    service_life : str or None
        How long the chips are in service, such as ``5y``; None shows nothing of it.
    activity : float or None
        Share of the full rate at which they work; None: all of it.
    scenario : Path or None
        Dies, idle powers and grids; None takes those that the chips bring along, labelled illustrative.
    clamp : tuple of str
        ``NAME=VALUE`` held on buses and wires of a circuit, which is then run.
    """

    network: str
    on: tuple[str, ...]
    settings: tuple[str, ...]
    dim: tuple[str, ...]
    batch: int | None
    precision: str | None
    on_unsupported: str
    schedule: bool = False
    scratchpad: str | None = None
    time_limit_s: float | None = None
    functional: Path | None = None
    service_life: str | None = None
    activity: float | None = None
    scenario: Path | None = None
    clamp: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        problems = [*_idle_options(self), *_rival_questions(self)]
        if problems:
            raise InputError(problems=problems)


def _idle_options(job: Job) -> list[Problem]:
    """Return the options that change nothing because the one that they belong to is not there."""
    plan = {"--scratchpad": job.scratchpad, "--time-limit": job.time_limit_s}
    service = {"--activity": job.activity, "--scenario": job.scenario}
    idle = [(option, "--schedule cosma") for option, value in plan.items()
            if value is not None and not job.schedule]
    idle += [(option, "--service-life 5y") for option, value in service.items()
             if value is not None and job.service_life is None]
    return [Problem(option, f"changes nothing without {other.split()[0]}", f"add {other}")
            for option, other in idle]


def _rival_questions(job: Job) -> list[Problem]:
    """Return every further question than the first that is asked beside what the network costs."""
    asked = {"--schedule": job.schedule, "--service-life": job.service_life is not None,
             "--functional": job.functional is not None, "--clamp": bool(job.clamp)}
    first, *others = [option for option, given in asked.items() if given] or [""]
    return [Problem(option, f"does not go with {first} in one run", "run them apart") for option in others]


def chip_specs(words: Sequence[str]) -> tuple[str, ...]:
    """Split the values of --on at commas; InputError if a name is empty."""
    specs = tuple(spec.strip() for word in words for spec in word.split(","))
    if not all(specs):
        raise InputError(f"an empty chip name in {','.join(words)!r}", where="--on",
                         hint="write CHIP or CHIP:PRESET, separated by commas")
    return specs


def knobs(words: Sequence[str]) -> dict[str, Any]:
    """Read the values of --set.

    Numbers, true, false, null and JSON lists are read as such, ``700 MHz`` by the unit suffix of the knob's
    name, all else as text.

    Raises
    ------
    InputError
        A word without ``=``, a knob set twice, a unit that does not fit the knob.
    """
    pairs, problems = _pairs(words, "--set", "KNOB=VALUE")
    found = {}
    for name, text in pairs.items():
        try:
            found[name] = _value(name, text)
        except InputError as error:
            problems += error.inside(f"--set {name}").problems
    if problems:
        raise InputError(problems=problems)
    return found


def dimensions(words: Sequence[str]) -> dict[str, int]:
    """Read the values of --dim as whole numbers.

    Raises
    ------
    InputError
        A word without ``=``, a size that is no whole number above zero, or a name given twice.
    """
    pairs, problems = _pairs(words, "--dim", "NAME=SIZE")
    problems += [Problem(f"--dim {name}", f"{text[:40]!r} is not a whole number above zero")
                for name, text in pairs.items()
                if not (text.isascii() and text.isdecimal() and len(text) < 20 and int(text) > 0)]
    if problems:
        raise InputError(problems=problems)
    return {name: int(text) for name, text in pairs.items()}


def _pairs(words: Sequence[str], option: str, form: str) -> tuple[dict[str, str], list[Problem]]:
    found: dict[str, str] = {}
    problems: list[Problem] = []
    for word in words:
        name, equals, text = word.partition("=")
        name, text = name.strip(), text.strip()
        if not equals or not name or not text:
            problems.append(Problem(option, f"{word!r} is not of the form {form}"))
        elif name in found:
            problems.append(Problem(f"{option} {name}", f"given twice: {found[name]!r} and {text!r}"))
        else:
            found[name] = text
    return found, problems


def _value(name: str, text: str) -> Any:
    try:
        return json_text.loads(text, parse_constant=str)
    except (ValueError, RecursionError):
        suffix = suffix_of(name)
        return parse_as(text, suffix) if suffix and text[0] in "+-.0123456789" else text


def note_bound(graph: Graph, dim: Sequence[str], batch: int | None, *, quiet: bool = False) -> None:
    """Say which open dimensions of an ONNX file were given a size that nobody asked for."""
    bound = graph.provenance.get("dimensions", "")
    chosen = dimensions(dim).keys() | ({"batch"} if batch is not None else set())
    for name, _, size in (pair.rpartition("=") for pair in bound.split(", ") if pair):
        if name not in chosen:
            note(f"dimension {name} of {graph.provenance['file']} bound to {size}; "
                 f"choose with --dim {name}=N", quiet=quiet)


def prepare(job: Job, *, quiet: bool) -> tuple[Graph, tuple[Chip, ...]]:
    """Return the network and the chips that a job names."""
    specs, settings, sizes = chip_specs(job.on), knobs(job.settings), dimensions(job.dim)
    from hwsim import run

    chips = tuple(run.chip(spec, **settings) for spec in specs)
    graph = run.load(job.network, dimensions=sizes, batch=job.batch, precision=job.precision,
                     on_unsupported=job.on_unsupported)
    note_bound(graph, job.dim, job.batch, quiet=quiet)
    return graph, chips


def reports_of(job: Job, *, quiet: bool) -> tuple[Report, ...]:
    """Cost the network on every chip."""
    graph, chips = prepare(job, quiet=quiet)
    from hwsim import run

    return tuple(run.evaluate(graph, chip, on_unsupported=job.on_unsupported) for chip in chips)
