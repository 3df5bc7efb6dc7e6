"""Netlists from text: named signals and what drives them, turned into gates with every fault at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from accelerators.aqfp_bnn.netlist import Netlist, NetlistBuilder
from hwsim.errors import InputError, Problem, nearest

Make = Callable[[NetlistBuilder, Sequence[int]], int]
LARGEST_BYTES = 2**26


def _parity(build: NetlistBuilder, signals: Sequence[int]) -> int:
    found = signals[0]
    for signal in signals[1:]:
        found = build.xor(found, signal)
    return found


# Name -> how many operands at least and at most (0: any number), and what to build of them.
FUNCTIONS: Mapping[str, tuple[int, int, Make]] = {
    "and": (1, 0, lambda build, s: build.and_(*s)),
    "or": (1, 0, lambda build, s: build.or_(*s)),
    "nand": (1, 0, lambda build, s: build.and_(*s) ^ 1),
    "nor": (1, 0, lambda build, s: build.or_(*s) ^ 1),
    "xor": (1, 0, _parity),
    "xnor": (1, 0, lambda build, s: _parity(build, s) ^ 1),
    "not": (1, 1, lambda build, s: s[0] ^ 1),
    "buf": (1, 1, lambda build, s: s[0]),
    "maj3": (3, 3, lambda build, s: build.maj3(*s)),
    "maj5": (5, 5, lambda build, s: build.maj5(*s)),
    "zero": (0, 0, lambda build, s: build.constant(False)),
    "one": (0, 0, lambda build, s: build.constant(True)),
}


@dataclass(frozen=True, slots=True)
class Driver:
    """What drives a signal: the line it stands in, the operands, and how they make the signal."""

    line: int
    operands: tuple[str, ...]
    make: Make


@dataclass
class NetlistText:
    """What a parser found in a file.

    Attributes
    ----------
    file : str
        For messages.
    name : str
        Of the circuit.
    inputs, outputs : dict of str to int
        Names, and the lines they stand in.
    drivers : dict of str to Driver
        One per signal.
    problems : list of Problem
        Faults so far.
    """

    file: str
    name: str = ""
    inputs: dict[str, int] = field(default_factory=dict)
    outputs: dict[str, int] = field(default_factory=dict)
    drivers: dict[str, Driver] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def fault(self, line: int, reason: str, hint: str = "") -> None:
        """Note a fault in a line."""
        self.problems.append(Problem(f"{self.file}:{line}", reason, hint))

    def declare(self, names: Sequence[str], line: int, table: dict[str, int], what: str) -> None:
        """Note inputs or outputs."""
        for name in names:
            if name in table:
                self.fault(line, f"{what} {name!r} is declared twice, first in line {table[name]}")
            table[name] = line

    def gate(self, function: str, result: str, operands: Sequence[str], line: int) -> None:
        """Note a gate of `FUNCTIONS`."""
        if function not in FUNCTIONS:
            self.fault(line, f"unknown gate {function!r}", nearest(function, FUNCTIONS))
            return
        least, most, make = FUNCTIONS[function]
        if len(operands) < least or (most and len(operands) > most):
            wanted = str(least) if least == most else f"at least {least}"
            self.fault(line, f"{function} of {len(operands)} operands, expected {wanted}")
            return
        self.drive(result, Driver(line, tuple(operands), make))

    def drive(self, name: str, driver: Driver) -> None:
        """Note what drives a signal."""
        if name in self.drivers:
            first = self.drivers[name].line
            self.fault(driver.line, f"{name!r} is driven twice, first in line {first}")
        elif name in self.inputs:
            self.fault(driver.line, f"{name!r} is an input and driven as well")
        self.drivers[name] = driver

    def netlist(self) -> Netlist:
        """Return the gates that the outputs need.

        Raises
        ------
        InputError
            With every fault of the file: signals without driver, loops, and what parsers found.
        """
        self._check_ends()
        order = self._ordered()
        if self.problems:
            raise InputError(problems=self.problems)
        build = NetlistBuilder(self.name or Path(self.file).stem)
        signals = {name: build.input(name) for name in self.inputs}
        for name in order:
            driver = self.drivers[name]
            signals[name] = driver.make(build, [signals[operand] for operand in driver.operands])
        for name in self.outputs:
            build.output(name, signals[name])
        return build.build()

    def _check_ends(self) -> None:
        known = {**self.inputs, **self.drivers}
        if not self.outputs:
            self.problems.append(Problem(self.file, "declares no output"))
        for name, line in self.outputs.items():
            if name not in known:
                self.fault(line, f"output {name!r} has no driver", nearest(name, known))
        for driver in self.drivers.values():
            for operand in driver.operands:
                if operand not in known:
                    self.fault(driver.line, f"{operand!r} has no driver", nearest(operand, known))

    def _ordered(self) -> list[str]:
        """Return what outputs need, operands first; a loop is a fault."""
        order: list[str] = []
        done: dict[str, bool] = {}
        for output in self.outputs:
            stack = [output]
            while stack:
                name = stack[-1]
                if name in self.inputs or done.get(name) or name not in self.drivers:
                    stack.pop()
                    continue
                missing = [
                    o for o in self.drivers[name].operands
                    if o in self.drivers and o not in self.inputs and not done.get(o)
                ]  # fmt: skip
                if name in done and missing:
                    self.fault(self.drivers[name].line, f"{name!r} depends on itself", "loops have no wave")
                    return order
                if missing:
                    done[name] = False
                    stack += missing
                    continue
                done[name] = True
                order.append(name)
                stack.pop()
        return order


def read_netlist(path: Path) -> Netlist:
    """Return the netlist of a ``.blif`` or structural ``.v`` file.

    Raises
    ------
    InputError
        Unreadable files, other suffixes, and every fault of the text with its line.
    """
    from accelerators.aqfp_bnn.blif import parse_blif
    from accelerators.aqfp_bnn.verilog import parse_verilog

    parsers = {".blif": parse_blif, ".v": parse_verilog}
    if path.suffix.lower() not in parsers:
        raise InputError(f"{path.suffix!r} is no netlist", where=str(path), hint="known: .blif, .v")
    try:
        if path.stat().st_size > LARGEST_BYTES:
            raise InputError(f"is larger than {LARGEST_BYTES} bytes", where=str(path))
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(f"cannot read the file: {error.strerror}", where=str(path)) from None
    except UnicodeDecodeError as error:
        raise InputError(f"not UTF-8 text at byte {error.start}", where=str(path)) from None
    return parsers[path.suffix.lower()](text, str(path))
