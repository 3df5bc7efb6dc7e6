"""The main job on one screen: a network and a chip in, a report out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import EnumType
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from hwsim import registry
from hwsim.errors import DesignError, InputError, Problem, UnsupportedOp, nearest
from hwsim.graph.coverage import coverage_of
from hwsim.graph.formats import parse_format
from hwsim.graph.offload import offload
from hwsim.graph.ops import Work, work_of
from hwsim.graph.passes import set_precision
from hwsim.graph.types import Graph
from hwsim.importers import SUFFIXES, load_network
from hwsim.model.prices import verify_datasheet
from hwsim.model.pricing import price_trace
from hwsim.model.types import Accelerator, Design
from hwsim.report.build import Parts, build_report
from hwsim.report.types import Report
from hwsim.report.verify import verify_report
from hwsim.trace import Activity, Trace, reduce, verify_conservation, verify_trace

POLICIES = ("error", "host", "traffic")


@dataclass(frozen=True, slots=True)
class Chip:
    """A chip with all its knobs set.

    Attributes
    ----------
    accelerator : Accelerator
        The model.
    preset : str
        Where the knobs started from.
    design : Design
        The knobs.
    changed : tuple of str
        Knobs that differ from the preset because the user set them.
    """

    accelerator: Accelerator
    preset: str
    design: Any
    changed: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """``chip:preset``."""
        return f"{self.accelerator.name}:{self.preset}"


def load(
    source: str | Path,
    *,
    dimensions: Mapping[str, int] | None = None,
    batch: int | None = None,
    precision: str | None = None,
    on_unsupported: str = "error",
) -> Graph:
    """Return a network from a file, or the built-in one of that name.

    Parameters
    ----------
    source : str or Path
        An ONNX file, a SCALE-Sim layer list, a parity-check matrix, a gate netlist, a memory trace, or a name
        that ``hwsim list workloads`` shows.
    dimensions : mapping of str to int, optional
        Sizes of the open dimensions of an ONNX file.
    batch : int, optional
        Samples computed together; for an ONNX file, the size of its open dimension ``batch``.
    precision : str, optional
        Number format of weights and activations, for example ``int8``.
    on_unsupported : str
        "error", "host" or "traffic": what to do with operator types that hwsim does not know.

    Raises
    ------
    InputError
        No such file or network, or something wrong inside it.
    """
    if batch is not None and (not isinstance(batch, int) or batch < 1):
        raise InputError(f"{batch!r} is not a whole number above zero", where="batch")
    path = Path(source)
    if path.suffix.lower() in SUFFIXES or path.exists():
        sizes = dict(dimensions or {}) | ({"batch": batch} if batch is not None else {})
        graph = load_network(path, dimensions=sizes, on_unsupported=on_unsupported)
    elif dimensions:
        raise InputError(
            "a built-in network has no open dimensions",
            where=f"--dim {next(iter(dimensions))}",
            hint=f"see its knobs with: hwsim show {source}",
        )
    else:
        graph = registry.load_workload(str(source), {"batch": batch} if batch is not None else None)
    return graph if precision is None else with_precision(graph, precision)


def with_precision(graph: Graph, precision: str) -> Graph:
    """Return `graph` with weights and activations in the number format that `precision` names."""
    try:
        chosen = parse_format(precision)
    except InputError as error:
        raise error.inside("precision") from None
    return set_precision(graph, weights=chosen, activations=chosen)


def chip(spec: str, /, **knobs: Any) -> Chip:
    """Return a chip by name, with a preset and knobs of choice.

    Parameters
    ----------
    spec : str
        ``"systolic"`` or ``"systolic:tpu_v1"``; without a preset, the chip's first.
    **knobs
        Values that replace those of the preset.

    Raises
    ------
    DesignError
        Unknown chip, preset or knob (with the nearest name), or values out of range; every problem at once.
    """
    name, colon, preset = spec.partition(":")
    accelerator = registry.load_accelerator(name)
    preset = preset if colon else next(iter(accelerator.presets))
    if preset not in accelerator.presets:
        raise DesignError(
            f"{name} has no preset {preset!r}", where="chip", hint=nearest(preset, accelerator.presets)
        )
    base = accelerator.presets[preset]
    return Chip(accelerator, preset, _with_knobs(accelerator, base, knobs), tuple(sorted(knobs)))


def evaluate(network: Graph | str | Path, on: Chip | str, *, on_unsupported: str = "error") -> Report:
    """Return cycles, time, energy and area of a network on a chip.

    Parameters
    ----------
    network : Graph, str or Path
        A graph, or whatever `load` accepts.
    on : Chip or str
        A chip, or whatever `chip` accepts.
    on_unsupported : str
        For operators that the chip cannot run: "error" stops; "host" computes them elsewhere at no cost
        but says so; "traffic" charges their operands and results as data movement.
    """
    if on_unsupported not in POLICIES:
        raise InputError(
            f"unknown policy {on_unsupported!r}",
            where="on_unsupported",
            hint=nearest(on_unsupported, POLICIES),
        )
    target = chip(on) if isinstance(on, str) else on
    graph = network if isinstance(network, Graph) else load(network, on_unsupported=on_unsupported)
    accelerator, design = target.accelerator, target.design
    program = lower(without_unsupported(graph, accelerator, on_unsupported), accelerator, design)
    sheet = accelerator.datasheet(design)
    verify_datasheet(sheet)
    report = build_report(
        Parts(
            graph=graph,
            prepared=program.prepared,
            accelerator=accelerator,
            preset=target.preset,
            design=design,
            changed=target.changed,
            sheet=sheet,
            trace=program.trace,
            activity=program.activity,
            priced=price_trace(program.trace, program.activity, sheet),
            work=program.work,
            coverage=_coverage(graph),
        )
    )
    skipping = {node for node, _ in program.trace.skips}
    verify_report(report, program.prepared, accelerator, sheet, skipping)
    return report


@dataclass(frozen=True, slots=True)
class Program:
    """A network as the program of a chip, checked.

    Attributes
    ----------
    prepared : Graph
        The network as the chip prepared it.
    trace, activity : Trace, Activity
        What the chip does, and its counts.
    work : mapping of str to Work
        Op-count formula of every operator.
    """

    prepared: Graph
    trace: Trace
    activity: Activity
    work: Mapping[str, Work]


def lower(graph: Graph, accelerator: Accelerator, design: Design) -> Program:
    """Return the program of `graph`, whose operators the chip can run all; every check has passed."""
    prepared = accelerator.prepare(graph, design)
    trace = accelerator.lower(prepared, design)
    verify_trace(trace)
    activity = reduce(trace)
    work = {op.name: work_of(prepared, op) for op in prepared.ops}
    asked = {name: {"macs": w.macs, **w.primitives} for name, w in work.items()}
    verify_conservation(trace, activity, asked, accelerator.work)
    return Program(prepared, trace, activity, work)


def compare(
    network: Graph | str | Path, on: Sequence[Chip | str], *, on_unsupported: str = "error"
) -> tuple[Report, ...]:
    """Return the reports of one network on several chips; see `evaluate`."""
    if not on:
        raise InputError("no chip to compare on", where="compare")
    graph = network if isinstance(network, Graph) else load(network, on_unsupported=on_unsupported)
    return tuple(evaluate(graph, target, on_unsupported=on_unsupported) for target in on)


def _coverage(graph: Graph) -> dict[str, Any]:
    """Return what became of the nodes of a network: counts, and a line in words."""
    coverage = coverage_of(graph)
    return {**asdict(coverage), "line": coverage.line()}


def _with_knobs(accelerator: Accelerator, base: Design, knobs: Mapping[str, Any]) -> Design:
    known = type(base).model_fields
    problems = [
        Problem(f"{accelerator.name}.{name}", "no such knob", nearest(name, known))
        for name in knobs
        if name not in known
    ]
    try:
        design = type(base).model_validate(base.model_dump() | {n: v for n, v in knobs.items() if n in known})
    except ValidationError as error:
        problems += [
            Problem(
                ".".join((accelerator.name, *map(str, item["loc"]))),
                _reason(item),
                _nearest_choice(type(base), item),
            )
            for item in error.errors()
        ]
    if problems:
        raise DesignError(problems=problems)
    return design


def _reason(item: Any) -> str:
    """Return what is wrong with a knob, and its value; a rule about several names their values itself."""
    message = str(item["msg"]).removeprefix("Value error, ")
    message = message[0].lower() + message[1:]
    return f"{message}, got {item['input']!r}" if item["loc"] else message


def _nearest_choice(design: type[Design], item: Any) -> str:
    """Return the nearest of the choices of an enumerated knob, or nothing for other kinds of errors."""
    field = design.model_fields.get(str(item["loc"][0])) if item["loc"] else None
    kind = field.annotation if field is not None else None
    if item["type"] != "enum" or not isinstance(item["input"], str) or not isinstance(kind, EnumType):
        return ""
    return nearest(item["input"], [str(choice.value) for choice in kind.__members__.values()])


def without_unsupported(graph: Graph, accelerator: Accelerator, policy: str) -> Graph:
    """Return `graph` with the operators that the chip cannot run replaced as the policy says.

    Raises
    ------
    UnsupportedOp
        There are such operators, and the policy is "error": all of them with the reasons.
    """
    reasons = {op.name: reason for op in graph.ops if (reason := accelerator.supports(graph, op))}
    if not reasons:
        return graph
    if accelerator.host is not None and policy != "host":
        left = frozenset(op.name for op in graph.ops if op.name in reasons and accelerator.host(graph, op))
        graph = offload(graph, left, moves=False)
        reasons = {name: reason for name, reason in reasons.items() if name not in left}
    if not reasons:
        return graph
    if policy == "error":
        raise UnsupportedOp(
            problems=[
                Problem(
                    f"{graph.name}.{name}",
                    f"{accelerator.name} cannot run it: {reason}",
                    "or choose --on-unsupported host or traffic",
                )
                for name, reason in reasons.items()
            ]
        )
    return offload(graph, frozenset(reasons), moves=policy == "traffic")
