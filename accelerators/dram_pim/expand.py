"""Counts the commands of a microprogram loop by loop, and writes them out row by row."""

from __future__ import annotations

import ast
from collections import ChainMap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from enum import IntEnum
from functools import lru_cache
from operator import add, attrgetter
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from accelerators.dram_pim.parse import (
    CELLS,
    Activate,
    Array,
    Call,
    Copy,
    Hold,
    Loop,
    Program,
    Statement,
    When,
    called_by,
    parts_of,
    read_programs,
)
from hwsim.errors import InputError, Problem, nearest

FOLDER = Path(__file__).parent / "microprograms"
Ints = NDArray[np.int64]
Sizes = Mapping[str, int]


class Kind(IntEnum):
    """Row commands, as the kernel numbers them; see `hwsim.kernels.dram_rows`."""

    AP = 0
    AAP = 1
    APP_OR = 2
    APP_AND = 3
    TAPP_OR = 4
    TAPP_AND = 5


@dataclass(frozen=True, slots=True)
class Commands:
    """How many row commands, and how many activations of one, two and three rows, they make.

    Attributes
    ----------
    ap, aap, app, tapp : int
        Commands.
    single, double, triple : int
        Activations by rows that open at once.
    """

    ap: int = 0
    aap: int = 0
    app: int = 0
    tapp: int = 0
    single: int = 0
    double: int = 0
    triple: int = 0

    def __add__(self, other: Commands) -> Commands:
        return Commands(*map(add, _counts(self), _counts(other)))

    def __mul__(self, times: int) -> Commands:
        return Commands(*[count * times for count in _counts(self)])

    @property
    def total(self) -> int:
        """Commands of all kinds."""
        return self.ap + self.aap + self.app + self.tapp


_counts = attrgetter(*(field.name for field in fields(Commands)))


class Library:
    """The programs of a technique; its own file comes before the one that all techniques share.

    Parameters
    ----------
    files : sequence of str
        Names of files without ending, most specific first.

    Raises
    ------
    InputError
        With everything wrong in a file, and every call of a program that no file has.
    """

    def __init__(self, files: Sequence[str]) -> None:
        self.programs: Mapping[str, Program] = ChainMap(
            *(dict(read_programs(FOLDER / f"{name}.txt")) for name in files))
        unknown = [Problem(program.where, f"no microprogram {name!r}", nearest(name, self.programs))
                   for program in self.programs.values() for name in called_by(program)
                   if name not in self.programs]
        if unknown:
            raise InputError(problems=unknown)
        self._counts: dict[tuple[str, tuple[int, ...], int], Commands] = {}
        self._expanded: dict[tuple[str, tuple[int, ...], int], Ints] = {}

    def program(self, name: str) -> Program:
        """Return a program by name; InputError with the nearest name."""
        if name not in self.programs:
            raise InputError(f"no microprogram {name!r}", where="microprogram",
                             hint=nearest(name, self.programs))
        return self.programs[name]

    def count(self, name: str, lengths: Sequence[int], parameter: int = 0) -> Commands:
        """Return the commands of a program on operands of `lengths` rows, without writing them out."""
        key = (name, tuple(lengths), parameter)
        if key not in self._counts:
            program = self.program(name)
            self._counts[key] = self._count(program.body, _Frame(program, key[1], parameter))
        return self._counts[key]

    def expand(self, name: str, lengths: Sequence[int], parameter: int = 0) -> Ints:
        """Return the commands one by one, int64[commands, 9], as `hwsim.kernels.dram_rows` reads them.

        Rows 0 to 7 are those of `CELLS`; then come the operands in order, the results that are no operands,
        and the scratch rows.
        """
        key = (name, tuple(lengths), parameter)
        if key not in self._expanded:
            frame = _Frame(self.program(name), key[1], parameter)
            written: list[Ints] = []
            self._expand(frame.program.body, frame, written)
            found = np.concatenate(written) if written else np.zeros((0, 9), np.int64)
            found.setflags(write=False)
            self._expanded[key] = found
        return self._expanded[key]

    def rows(self, name: str, lengths: Sequence[int], parameter: int = 0) -> int:
        """Return the rows, cells included, that `expand` numbers; scratch rows of called programs as well."""
        frame = _Frame(self.program(name), tuple(lengths), parameter)
        return frame.size + self._scratch(frame.program.body, frame)

    def result_lengths(self, name: str, lengths: Sequence[int], parameter: int = 0) -> tuple[int, ...]:
        """Return the rows of every result."""
        frame = _Frame(self.program(name), tuple(lengths), parameter)
        return tuple(len(frame.arrays[array.name]) for array in frame.program.results)

    def _count(self, body: tuple[Statement, ...], frame: _Frame) -> Commands:
        total = Commands()
        for statement in body:
            if isinstance(statement, Loop):
                values = frame.values(statement)
                if not _uses(statement.body, statement.variable):
                    values, times = values[:1], len(values)
                else:
                    times = 1
                for value in values:
                    total += self._count(statement.body, frame.inside(statement.variable, value)) * times
            elif isinstance(statement, When):
                if frame.number(statement.condition):
                    total += self._count(statement.body, frame)
            elif isinstance(statement, Call):
                lengths = [len(frame.many(argument)) for argument in statement.arguments]
                total += self.count(statement.name, lengths)
            else:
                total += _single(statement)
        return total

    def _expand(self, body: tuple[Statement, ...], frame: _Frame, written: list[Ints]) -> None:
        for statement in body:
            if isinstance(statement, Loop):
                for value in frame.values(statement):
                    self._expand(statement.body, frame.inside(statement.variable, value), written)
            elif isinstance(statement, When):
                if frame.number(statement.condition):
                    self._expand(statement.body, frame, written)
            elif isinstance(statement, Call):
                written.append(self._inline(statement, frame))
            else:
                written.append(np.array([_encode(statement, frame)], np.int64))

    def _inline(self, call: Call, frame: _Frame) -> Ints:
        program = self.program(call.name)
        arguments = [frame.many(argument) for argument in call.arguments]
        results = [frame.many(result) for result in call.results]
        lengths = tuple(len(rows) for rows in arguments)
        inner = _Frame(program, lengths, 0)
        if len(results) != len(program.results):
            raise InputError(f"{call.name} has {len(program.results)} results, not {len(results)}",
                             where=frame.program.where)
        table = list(range(len(CELLS)))
        bound = dict(zip((array.name for array in program.operands), arguments, strict=True))
        for array, rows in zip(program.results, results, strict=True):
            if len(rows) != len(inner.arrays[array.name]):
                raise InputError(f"{call.name} yields {len(inner.arrays[array.name])} rows of {array.name}, "
                                 f"not {len(rows)}", where=frame.program.where)
            bound.setdefault(array.name, rows)
            if bound[array.name] != rows:
                raise InputError(f"{call.name} leaves {array.name} where it was", where=frame.program.where)
        for name in inner.order:
            table += bound.get(name, ())
        table += range(frame.size, frame.size + self.rows(call.name, lengths) - len(table))
        return bind(self.expand(call.name, lengths), table)

    def _scratch(self, body: tuple[Statement, ...], frame: _Frame) -> int:
        """Return the most scratch rows that a called program needs beyond those of `frame`."""
        most = 0
        for statement in body:
            if isinstance(statement, Loop):
                values = frame.values(statement)
                for value in values if _uses(statement.body, statement.variable) else values[:1]:
                    most = max(most, self._scratch(statement.body,
                                                   frame.inside(statement.variable, value)))
            elif isinstance(statement, When):
                most = max(most, self._scratch(statement.body, frame))
            elif isinstance(statement, Call):
                lengths = tuple(len(frame.many(argument)) for argument in statement.arguments)
                inner = _Frame(self.program(statement.name), lengths, 0)
                given = len(CELLS) + inner.interface
                most = max(most, self.rows(statement.name, lengths) - given)
        return most


class _Frame:
    """Rows and sizes of a program while it is read."""

    def __init__(self, program: Program, lengths: tuple[int, ...], parameter: int) -> None:
        self.program = program
        self.sizes: dict[str, int] = {program.parameter: parameter} if program.parameter else {}
        if len(lengths) != len(program.operands):
            raise InputError(f"{program.name} takes {len(program.operands)} operands, not {len(lengths)}",
                             where=program.where)
        for array, length in zip(program.operands, lengths, strict=True):
            self._fit(array, length)
        self.arrays: dict[str, tuple[int, ...]] = {}
        self.order: list[str] = []
        self.size = len(CELLS)
        for array in (*program.operands, *program.results):
            self._place(array)
        self.interface = self.size - len(CELLS)
        for array in program.scratch:
            self._place(array)

    def _fit(self, array: Array, length: int) -> None:
        where = self.program.where
        if length < 1:
            raise InputError(f"{self.program.name}: {array.name} of {length} bits; at least 1 is needed",
                             where=where)
        if isinstance(array.size, ast.Name) and array.size.id not in self.sizes:
            self.sizes[array.size.id] = length
        wanted = 1 if array.size is None else self.number(array.size)
        if wanted != length:
            raise InputError(f"{self.program.name}: {array.name} has {length} rows where {wanted} are needed",
                             where=where)

    def _place(self, array: Array) -> None:
        if array.name in self.arrays:
            return
        length = 1 if array.size is None else self.number(array.size)
        self.arrays[array.name] = tuple(range(self.size, self.size + length))
        self.order.append(array.name)
        self.size += length

    def inside(self, variable: str, value: int) -> _Frame:
        """Return the frame inside a loop."""
        frame = object.__new__(_Frame)
        frame.__dict__ = self.__dict__ | {"sizes": self.sizes | {variable: value}}
        return frame

    def values(self, loop: Loop) -> Sequence[int]:
        """Return the values that a loop's variable takes."""
        return range(self.number(loop.first), self.number(loop.last) + 1, loop.step)

    def number(self, node: ast.expr) -> int:
        """Return the value of an expression over sizes and loop variables."""
        if isinstance(node, ast.Constant) and isinstance(node.value, int):
            return node.value
        if isinstance(node, ast.Name) and node.id in self.sizes:
            return self.sizes[node.id]
        if isinstance(node, ast.BinOp):
            left, right = self.number(node.left), self.number(node.right)
            if isinstance(node.op, ast.Add):
                return left + right
            if isinstance(node.op, ast.Sub):
                return left - right
            if isinstance(node.op, ast.Mult):
                return left * right
            if isinstance(node.op, ast.Mod):
                return left % right
        if isinstance(node, ast.Compare) and isinstance(node.ops[0], (ast.Eq, ast.Gt)):
            left, right = self.number(node.left), self.number(node.comparators[0])
            return int(left == right if isinstance(node.ops[0], ast.Eq) else left > right)
        raise InputError(f"{ast.unparse(node)!r} is no size", where=self.program.where)

    def many(self, node: ast.expr) -> tuple[int, ...]:
        """Return the rows of an argument: names, indices, slices, joined by + and repeated by *."""
        if isinstance(node, ast.Name):
            return (CELLS.index(node.id),) if node.id in CELLS else self.arrays[node.id]
        if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name):
            rows = self.arrays[node.value.id]
            if isinstance(node.slice, ast.Slice):
                first = self.number(node.slice.lower) if node.slice.lower else 0
                last = self.number(node.slice.upper) if node.slice.upper else len(rows)
                self._inside(node, first, len(rows) + 1)
                self._inside(node, last, len(rows) + 1)
                return rows[first:last]
            at = self.number(node.slice)
            self._inside(node, at, len(rows))
            return (rows[at],)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            return self.many(node.left) + self.many(node.right)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
            times = self.number(node.right)
            if times < 0:
                raise InputError(f"{ast.unparse(node)} repeats {times} times", where=self.program.where)
            return self.many(node.left) * times
        raise InputError(f"{ast.unparse(node)!r} names no rows", where=self.program.where)

    def _inside(self, node: ast.expr, at: int, length: int) -> None:
        if not 0 <= at < length:
            raise InputError(f"{ast.unparse(node)} reaches row {at} of {length}", where=self.program.where)


def _uses(body: tuple[Statement, ...], variable: str) -> bool:
    """Return whether the number of commands may depend on a loop's variable."""
    for statement in body:
        if isinstance(statement, Loop):
            if _names(statement.first, variable) or _names(statement.last, variable):
                return True
            if _uses(statement.body, variable):
                return True
        elif isinstance(statement, When):
            if _names(statement.condition, variable) or _uses(statement.body, variable):
                return True
        elif isinstance(statement, Call) and any(
                isinstance(node, (ast.Slice, ast.Mult)) and _names(argument, variable)
                for argument in statement.arguments for node in ast.walk(argument)):
            return True
    return False


def _names(node: ast.AST, variable: str) -> bool:
    return any(isinstance(part, ast.Name) and part.id == variable for part in ast.walk(node))


def _single(statement: Copy | Activate | Hold) -> Commands:
    if isinstance(statement, Hold):
        return Commands(app=1, single=1) if statement.restored else Commands(tapp=1, single=1)
    opened = [len(parts_of(statement.source)), len(parts_of(statement.target))] if isinstance(
        statement, Copy) else [len(parts_of(statement.rows))]
    kind = Commands(aap=1) if isinstance(statement, Copy) else Commands(ap=1)
    return kind + Commands(single=opened.count(1), double=opened.count(2), triple=opened.count(3))


def _encode(statement: Copy | Activate | Hold, frame: _Frame) -> list[int]:
    if isinstance(statement, Copy):
        source, negated = _address(statement.source, frame)
        target, mask = _address(statement.target, frame)
        return [Kind.AAP, *source, negated, *target, mask]
    source, negated = _address(statement.rows, frame)
    kind = Kind.AP
    if isinstance(statement, Hold):
        kinds = (Kind.APP_OR, Kind.APP_AND) if statement.restored else (Kind.TAPP_OR, Kind.TAPP_AND)
        kind = kinds[statement.conjunction]
    return [kind, *source, negated, -1, -1, -1, 0]


def _address(rows: ast.expr, frame: _Frame) -> tuple[list[int], int]:
    """Return up to three row numbers, -1 for none, and a mask of those behind their negating contact."""
    found, mask = [], 0
    for place, part in enumerate(parts_of(rows)):
        if isinstance(part, ast.UnaryOp):
            mask |= 1 << place
            part = part.operand
        row = frame.many(part)
        if len(row) != 1:
            raise InputError(f"{ast.unparse(part)} is {len(row)} rows, not one", where=frame.program.where)
        found.append(row[0])
    return found + [-1] * (3 - len(found)), mask


def bind(commands: Ints, table: Sequence[int]) -> Ints:
    """Return commands with every row number looked up in `table`."""
    lookup = np.append(np.asarray(table, np.int64), -1)
    bound = commands.copy()
    for columns in (slice(1, 4), slice(5, 8)):
        bound[:, columns] = lookup[commands[:, columns]]
    return bound


@lru_cache(maxsize=8)
def library(*files: str) -> Library:
    """Return the programs of some files, read once."""
    return Library(files)
