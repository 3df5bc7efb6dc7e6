"""Gate netlists become graphs: the structural part of BLIF, with gates by name.

::

    .model half_sum          # one model, one file
    .inputs A[0] A[1] cin
    .outputs S
    .gate XOR A=A[0] B=A[1] Y=t
    .gate XOR A=t B=cin Y=S
    .end

Gates and pins are those of `GATES`; ``$_AND_``, as Yosys writes them, is AND. Wires named ``A[0]``, ``A[1]``,
... make up the bus A. ``#`` starts a comment, a backslash at the end of a line continues it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hwsim.errors import GraphError, Problem, nearest
from hwsim.graph.build import GraphBuilder
from hwsim.graph.types import BOOLEAN, Graph
from hwsim.reading import read_text

LARGEST_BYTES = 32 * 2**20


@dataclass(frozen=True, slots=True)
class Cell:
    """A gate that netlists may name.

    Attributes
    ----------
    kind, function : str
        Operator of the graph; adder cells have no function.
    inputs, outputs : tuple of str
        Pins; the second output may be left open.
    """

    kind: str
    function: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


def _gate(function: str, *inputs: str) -> Cell:
    return Cell("logic_gate", function, inputs, ("Y",))


GATES: Mapping[str, Cell] = {
    "BUF": _gate("buffer", "A"),
    "NOT": _gate("not", "A"),
    "AND": _gate("and", "A", "B"),
    "OR": _gate("or", "A", "B"),
    "NAND": _gate("nand", "A", "B"),
    "NOR": _gate("nor", "A", "B"),
    "XOR": _gate("xor", "A", "B"),
    "HA": Cell("adder_cell", "", ("A", "B"), ("S", "C")),
    "FA": Cell("adder_cell", "", ("A", "B", "Ci"), ("S", "Co")),
}
"""Every gate by name; names and pins are read in any case."""

_DIRECTIVES = (".model", ".inputs", ".outputs", ".gate", ".names", ".end")
_REFUSED = {
    ".latch": ("a circuit of gates keeps no state", "take the combinational part out"),
    ".subckt": ("models inside models are not read", "flatten the netlist first"),
}
_MAP = "map tables to gates first, as ABC and Yosys do"


@dataclass(frozen=True, slots=True)
class _Placed:
    line: int
    cell: Cell
    pins: Mapping[str, str]

    @property
    def operands(self) -> list[str]:
        return [self.pins[pin] for pin in self.cell.inputs]

    @property
    def results(self) -> list[str]:
        return [self.pins.get(pin, "") for pin in self.cell.outputs]


@dataclass(slots=True)
class _Netlist:
    """What a file says, and everything that is wrong with it."""

    path: Path
    name: str = ""
    inputs: dict[str, int] = field(default_factory=dict)
    outputs: dict[str, int] = field(default_factory=dict)
    constants: dict[str, int] = field(default_factory=dict)
    gates: list[_Placed] = field(default_factory=list)
    ended: int = 0
    in_table: bool = False
    problems: list[Problem] = field(default_factory=list)

    def wrong(self, line: int, reason: str, hint: str = "") -> None:
        self.problems.append(Problem(f"{self.path}:{line}" if line else str(self.path), reason, hint))


def import_netlist(path: str | Path) -> Graph:
    """Read a netlist as a graph of logic gates and adder cells over wires of one bit.

    Raises
    ------
    GraphError
        A file that cannot be read, or everything that is wrong inside, with file and line.
    """
    path = Path(path)
    netlist = _Netlist(path)
    for number, words in _statements(_text_of(path)):
        _read(netlist, number, words)
    driver = _check_wires(netlist)
    order = [] if netlist.problems else _ordered(netlist, driver)
    if netlist.problems:
        raise GraphError(problems=netlist.problems)
    return _graph(netlist, order)


def _text_of(path: Path) -> str:
    text = read_text(path, most_bytes=LARGEST_BYTES, error=GraphError)
    if "\0" in text:
        raise GraphError("is not text: holds a zero byte", where=str(path))
    return text


def _statements(text: str) -> Iterator[tuple[int, list[str]]]:
    """Yield every statement as its first line's number and its words; continued lines are joined."""
    start, words = 0, []
    for number, line in enumerate(text.splitlines(), start=1):
        content = line.partition("#")[0].rstrip()
        start = start or number
        words += content.removesuffix("\\").split()
        if not content.endswith("\\"):
            if words:
                yield start, words
            start, words = 0, []
    if words:
        yield start, words


def _read(netlist: _Netlist, line: int, words: list[str]) -> None:
    head, rest = words[0].lower(), words[1:]
    if netlist.in_table and not head.startswith("."):
        return  # a row of a truth table: the table itself was noted
    netlist.in_table = head == ".names"
    if netlist.ended:
        netlist.wrong(line, f"{words[0]!r} after .end in line {netlist.ended}", "one model a file")
    elif head == ".model":
        if netlist.name:
            netlist.wrong(line, f"a second model; the first is {netlist.name!r}", "flatten the netlist first")
        netlist.name = netlist.name or (rest[0] if rest else netlist.path.stem)
    elif head in (".inputs", ".outputs"):
        known = netlist.inputs if head == ".inputs" else netlist.outputs
        for wire in rest:
            if wire in known:
                netlist.wrong(line, f"{wire!r} is listed twice; before in line {known[wire]}")
            known.setdefault(wire, line)
    elif head == ".gate":
        _read_gate(netlist, line, rest)
    elif head == ".names":
        if len(rest) == 1:
            netlist.constants.setdefault(rest[0], line)
        else:
            netlist.wrong(line, "truth tables are not read", _MAP)
    elif head == ".end":
        netlist.ended = line
    elif head in _REFUSED:
        netlist.wrong(line, f"{words[0]}: {_REFUSED[head][0]}", _REFUSED[head][1])
    else:
        hint = f"write .gate {words[0]}" if _cell_of(words[0]) else nearest(words[0], _DIRECTIVES)
        netlist.wrong(line, f"unknown statement {words[0][:40]!r}", hint)


def _cell_of(name: str) -> Cell | None:
    return GATES.get(name.upper().removeprefix("$_").removesuffix("_"))


def _read_gate(netlist: _Netlist, line: int, words: list[str]) -> None:
    """Read ``GATE PIN=WIRE ...``; what is wrong is noted and the gate left out."""
    name = words[0] if words else ""
    cell = _cell_of(name)
    if cell is None:
        netlist.wrong(line, f"unknown gate {name!r}", nearest(name, GATES))
        return
    before = len(netlist.problems)
    known = {pin.upper(): pin for pin in (*cell.inputs, *cell.outputs)}
    pins: dict[str, str] = {}
    for word in words[1:]:
        pin, equals, wire = word.partition("=")
        if not (pin and equals and wire):
            netlist.wrong(line, f"{word!r} is not of the form PIN=WIRE")
        elif pin.upper() not in known:
            netlist.wrong(line, f"{name} has no pin {pin!r}", nearest(pin, known.values()))
        elif known[pin.upper()] in pins:
            netlist.wrong(line, f"pin {pin!r} of {name} is connected twice")
        else:
            pins[known[pin.upper()]] = wire
    missing = [pin for pin in (*cell.inputs, cell.outputs[0]) if pin not in pins]
    if missing and len(netlist.problems) == before:
        netlist.wrong(line, f"{name} needs pin {', '.join(missing)}")
    if len(netlist.problems) == before:
        netlist.gates.append(_Placed(line, cell, pins))


def _check_wires(netlist: _Netlist) -> dict[str, _Placed]:
    """Return which gate drives each wire; note wires driven twice, by nothing or by constants."""
    driver: dict[str, _Placed] = {}
    for gate in netlist.gates:
        for wire in filter(None, gate.results):
            if wire in netlist.inputs:
                line = netlist.inputs[wire]
                netlist.wrong(gate.line, f"{wire!r} is driven here and an input in line {line}")
            elif wire in driver:
                netlist.wrong(gate.line, f"{wire!r} is driven here and in line {driver[wire].line}")
            driver.setdefault(wire, gate)
    if netlist.problems:
        return driver  # a gate that was left out drives nothing: its wires would be reported once more
    known = [*netlist.inputs, *driver]
    readers = [(gate.line, wire) for gate in netlist.gates for wire in gate.operands]
    for line, wire in dict.fromkeys([*readers, *((line, wire) for wire, line in netlist.outputs.items())]):
        if wire in netlist.constants:
            netlist.wrong(
                line,
                f"{wire!r} is a constant (line {netlist.constants[wire]})",
                "make it an input and clamp it",
            )
        elif wire not in driver and wire not in netlist.inputs:
            netlist.wrong(line, f"{wire!r} is driven by nothing", nearest(wire, known))
    if not netlist.gates:
        netlist.wrong(0, "holds no gates", f"known: {', '.join(GATES)}")
    for label, wires in (("inputs", netlist.inputs), ("outputs", netlist.outputs)):
        if not wires:
            netlist.wrong(0, f"names no {label}", f"write .{label} WIRE ...")
    return driver


def _ordered(netlist: _Netlist, driver: Mapping[str, _Placed]) -> list[_Placed]:
    """Return gates with producers before consumers, else in the order of the file; note loops."""
    ready, order, waiting = set(netlist.inputs), [], list(netlist.gates)
    readers: dict[str, list[int]] = {}
    missing = []
    for place, gate in enumerate(waiting):
        open_wires = {wire for wire in gate.operands if wire not in ready}
        missing.append(len(open_wires))
        for wire in open_wires:
            readers.setdefault(wire, []).append(place)
    free = [place for place, count in enumerate(missing) if not count]
    for place in free:  # grows while it is walked through
        order.append(waiting[place])
        for wire in filter(None, waiting[place].results):
            for reader in readers.get(wire, ()):
                missing[reader] -= 1
                if not missing[reader]:
                    free.append(reader)
    if len(order) < len(waiting):
        stuck = next(gate for gate, count in zip(waiting, missing, strict=True) if count)
        loop = _loop(stuck, driver, set(netlist.inputs))
        lines = ", ".join(str(gate.line) for gate in loop[:8])
        netlist.wrong(
            loop[0].line,
            f"gates in lines {lines} drive each other in a circle",
            "a circuit without state has no loops",
        )
    return order


def _loop(start: _Placed, driver: Mapping[str, _Placed], inputs: set[str]) -> list[_Placed]:
    """Return the gates of a circle that can be reached backwards from `start`."""
    done: set[int] = set()
    path: list[_Placed] = []
    stack = [(start, iter(start.operands))]
    path.append(start)
    while stack:
        gate, wires = stack[-1]
        following = next((driver[wire] for wire in wires if wire not in inputs), None)
        if following is None:
            done.add(id(gate))
            stack.pop()
            path.pop()
        elif any(following is seen for seen in path):
            place = next(i for i, seen in enumerate(path) if seen is following)
            return path[place:]
        elif id(following) not in done:
            stack.append((following, iter(following.operands)))
            path.append(following)
    return [start]


def _graph(netlist: _Netlist, order: list[_Placed]) -> Graph:
    name = netlist.name or netlist.path.stem
    b = GraphBuilder(name, format=BOOLEAN, provenance={"file": netlist.path.name})
    for wire in netlist.inputs:
        b.input(wire, (1,))
    for gate in order:
        results = gate.results if gate.results[-1] else gate.results[:1]
        attributes: dict[str, Any] = {"function": gate.cell.function} if gate.cell.function else {}
        b.add_many(
            gate.cell.kind,
            gate.operands,
            name=f"{gate.cell.function or 'add'}.{results[0]}",
            outputs=results,
            origin=f"line {gate.line}",
            **attributes,
        )
    b.output(*netlist.outputs)
    return b.build()
