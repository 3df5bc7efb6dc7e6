"""Reads microprograms, the text files beside this one: what a row command does to which rows."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from hwsim.errors import InputError, Problem, nearest

CELLS = ("T0", "T1", "T2", "T3", "DCC0", "DCC1", "C0", "C1")
"""Rows that every subarray has beside its data, in the order of their numbers: four that meet in triple-row
activations, two with a second, negating contact, and the constants 0 and 1."""
PAIRS = frozenset(map(frozenset, (("~DCC0", "T0"), ("~DCC1", "T1"), ("T2", "T3"), ("T0", "T3"))))
TRIPLES = frozenset(map(frozenset, (
    ("T0", "T1", "T2"), ("T1", "T2", "T3"), ("DCC0", "T1", "T2"), ("DCC1", "T0", "T3"))))
_HEAD = re.compile(r"(\w+)(?:\[(\w+)\])?(\(.*\))\s*->\s*(.+?)(?:\s+using\s+(.+))?$")
_FOR = re.compile(r"for (\w+) in (.+?) \.\. (.+?)(?: step (\d+))?$")
_CALL = re.compile(r"call (\w+)(\(.*\))\s*->\s*(.+)$")
_HOLD = re.compile(r"(t?)APP (and|or) (.+)$")


@dataclass(frozen=True, slots=True)
class Copy:
    """AAP: activate `source`, then `target`, which takes what the sense amplifiers hold."""

    target: ast.expr
    source: ast.expr


@dataclass(frozen=True, slots=True)
class Activate:
    """AP: activate one row, or three, which all become their majority."""

    rows: ast.expr


@dataclass(frozen=True, slots=True)
class Hold:
    """APP, or tAPP without restoring: the next activation reads its row and-ed or or-ed with this one."""

    rows: ast.expr
    conjunction: bool
    restored: bool


@dataclass(frozen=True, slots=True)
class Loop:
    """The body for every value of `variable` from `first` to `last`, both included."""

    variable: str
    first: ast.expr
    last: ast.expr
    step: int
    body: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class When:
    """The body if `condition` is not zero."""

    condition: ast.expr
    body: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class Call:
    """Another program on some of the rows."""

    name: str
    arguments: tuple[ast.expr, ...]
    results: tuple[ast.expr, ...]


Statement = Copy | Activate | Hold | Loop | When | Call


@dataclass(frozen=True, slots=True)
class Array:
    """Named rows: `size` is an expression over the sizes of the program, None for a single row."""

    name: str
    size: ast.expr | None


@dataclass(frozen=True, slots=True)
class Program:
    """A microprogram.

    Attributes
    ----------
    name, where : str
        Name, and file with line.
    parameter : str
        A size that the caller gives beside the operands, or "".
    operands, results, scratch : tuple of Array
        Rows read, rows written (which may be operands again), rows in between.
    body : tuple of Statement
        What happens, in order.
    """

    name: str
    where: str
    parameter: str
    operands: tuple[Array, ...]
    results: tuple[Array, ...]
    scratch: tuple[Array, ...]
    body: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class _Line:
    number: int
    indent: int
    text: str


def read_programs(path: Path) -> Mapping[str, Program]:
    """Return the programs of a file by name; InputError with file and line of everything wrong in it.

    A program is a head ``name[parameter](operand[size], ...) -> result[size] using scratch[size]`` and
    indented lines: ``target <- source`` (AAP), ``rows`` (AP), ``APP and|or row``, ``tAPP and|or row``,
    ``for j in first .. last step k``, ``if expression``, ``call name(rows, ...) -> rows``. Rows are
    ``name[index]`` or cells; ``~`` is the negating contact, ``+`` activates together. Arguments of calls
    may be slices, joined by ``+`` and repeated by ``*``.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(f"cannot read the file: {error.strerror}", where=path.name) from None
    lines = [_Line(i, len(raw) - len(raw.lstrip()), raw.split("#")[0].strip())
             for i, raw in enumerate(text.splitlines(), 1) if raw.split("#")[0].strip()]
    starts = [i for i, line in enumerate(lines) if line.indent == 0]
    programs: dict[str, Program] = {}
    problems: list[Problem] = []
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        try:
            program = _read_program(path.name, lines[start:end])
            if program.name in programs:
                raise InputError(f"{program.name} is defined twice", where=program.where)
            programs[program.name] = program
        except InputError as error:
            problems += error.problems
    problems += [Problem(program.where, f"{name} calls itself") for name, program in programs.items()
                 if name in called_by(program)]
    if problems:
        raise InputError(problems=problems)
    return programs


def called_by(program: Program) -> tuple[str, ...]:
    """Return the programs that a program calls."""
    return tuple(s.name for s in statements(program.body) if isinstance(s, Call))


def statements(body: tuple[Statement, ...]) -> Iterator[Statement]:
    """Yield every statement of a body, those inside loops included."""
    for statement in body:
        yield statement
        if isinstance(statement, (Loop, When)):
            yield from statements(statement.body)


def _read_program(file: str, lines: list[_Line]) -> Program:
    where = f"{file}:{lines[0].number}"
    head = _HEAD.fullmatch(lines[0].text)
    if head is None:
        raise InputError(f"{lines[0].text!r} is no head of a program", where=where,
                         hint="write name(a[n]) -> out[n]")
    name, parameter, operands, results, scratch = head.groups()
    body, rest = _read_body(file, lines[1:], 0)
    if rest or not body:
        line = rest[0] if rest else lines[0]
        raise InputError("a program without commands" if not body else "indented less than its program",
                         where=f"{file}:{line.number}")
    arrays = [_arrays(text, where) for text in (operands, results, scratch or "")]
    program = Program(name, where, parameter or "", arrays[0], arrays[1], arrays[2], body)
    known = {array.name for part in arrays for array in part} | set(CELLS)
    _check_names(program, known)
    return program


def _arrays(text: str, where: str) -> tuple[Array, ...]:
    if not text.strip("() "):
        return ()
    parsed = _expression(f"({text.strip().removeprefix('(').removesuffix(')')},)", where)
    found = []
    for item in parsed.elts if isinstance(parsed, ast.Tuple) else []:
        if isinstance(item, ast.Subscript) and isinstance(item.value, ast.Name):
            found.append(Array(item.value.id, item.slice))
        elif isinstance(item, ast.Name):
            found.append(Array(item.id, None))
        else:
            raise InputError(f"{ast.unparse(item)!r} names no rows", where=where)
    return tuple(found)


def _read_body(file: str, lines: list[_Line], above: int) -> tuple[tuple[Statement, ...], list[_Line]]:
    """Return the statements that are indented more than `above`, and the lines after them."""
    body: list[Statement] = []
    while lines and lines[0].indent > above:
        line, lines = lines[0], lines[1:]
        where = f"{file}:{line.number}"
        if found := _FOR.fullmatch(line.text):
            inner, lines = _read_body(file, lines, line.indent)
            first, last = (_expression(text, where) for text in found.group(2, 3))
            body.append(Loop(found[1], first, last, int(found[4] or 1), inner))
        elif line.text.startswith("if "):
            inner, lines = _read_body(file, lines, line.indent)
            body.append(When(_expression(line.text[3:], where), inner))
        else:
            body.append(_read_line(line.text, where))
    return tuple(body), lines


def _read_line(text: str, where: str) -> Statement:
    if found := _CALL.fullmatch(text):
        arguments, results = (_several(part, where) for part in found.group(2, 3))
        return Call(found[1], arguments, results)
    if found := _HOLD.fullmatch(text):
        rows = _rows(found[3], where)
        _refuse_several(rows, found[3], where)
        return Hold(rows, found[2] == "and", not found[1])
    target, arrow, source = text.partition("<-")
    if not arrow:
        rows = _rows(text, where)
        _check_read(rows, where)
        return Activate(rows)
    written, read = _rows(target, where), _rows(source, where)
    _check_read(read, where)
    for constant in {"C0", "C1"} & _tokens(written):
        raise InputError(f"{text!r} writes the constant row {constant}", where=where)
    return Copy(written, read)


def _expression(text: str, where: str) -> ast.expr:
    try:
        return ast.parse(text.strip(), mode="eval").body
    except SyntaxError:
        raise InputError(f"{text.strip()!r} is no expression", where=where) from None


def _several(text: str, where: str) -> tuple[ast.expr, ...]:
    """Return one expression, or those of a list in parentheses."""
    parsed = _expression(text, where)
    return tuple(parsed.elts) if isinstance(parsed, ast.Tuple) else (parsed,)


def parts_of(rows: ast.expr) -> list[ast.expr]:
    """Return the rows that are activated together."""
    if isinstance(rows, ast.BinOp) and isinstance(rows.op, ast.Add):
        return [*parts_of(rows.left), *parts_of(rows.right)]
    return [rows]


def _tokens(rows: ast.expr) -> frozenset[str]:
    return frozenset(ast.unparse(part) for part in parts_of(rows))


def _rows(text: str, where: str) -> ast.expr:
    """Return an address; a group must be one of those that the row decoder knows."""
    rows = _expression(text, where)
    tokens = _tokens(rows)
    if len(parts_of(rows)) > 1 and tokens not in PAIRS | TRIPLES:
        data = [token for token in tokens if token.removeprefix("~") not in CELLS]
        reason = f"{data[0]} is a data row" if data else "no address of the row decoder opens these rows"
        groups = sorted("+".join(sorted(group)) for group in PAIRS | TRIPLES)
        raise InputError(f"{text.strip()!r}: {reason}; only cells are activated together", where=where,
                         hint=nearest("+".join(sorted(tokens)), groups) or f"known: {', '.join(groups)}")
    for part in parts_of(rows):
        if isinstance(part, ast.UnaryOp) and ast.unparse(part) not in ("~DCC0", "~DCC1"):
            raise InputError(f"{ast.unparse(part)}: only DCC0 and DCC1 have a negating contact", where=where)
    return rows


def _check_read(rows: ast.expr, where: str) -> None:
    if _tokens(rows) in PAIRS:
        raise InputError(f"{ast.unparse(rows)} opens two rows at once: what their charges share is undefined",
                         where=where, hint="read one row or three")


def _refuse_several(rows: ast.expr, text: str, where: str) -> None:
    if len(parts_of(rows)) > 1:
        raise InputError(f"{text!r}: a pseudo-precharge holds one row", where=where)


def _check_names(program: Program, known: set[str]) -> None:
    for statement in statements(program.body):
        if isinstance(statement, Copy):
            expressions: tuple[ast.expr, ...] = (statement.target, statement.source)
        elif isinstance(statement, (Activate, Hold)):
            expressions = (statement.rows,)
        elif isinstance(statement, Call):
            expressions = statement.arguments + statement.results
        else:
            continue
        for expression in expressions:
            for part in _row_names(expression):
                if part not in known:
                    raise InputError(f"{part!r} names no rows of {program.name}", where=program.where,
                                     hint=nearest(part, known))


def _row_names(node: ast.expr) -> Iterator[str]:
    """Yield the names of rows in an expression, not those of sizes in its indices and repetitions."""
    if isinstance(node, ast.Name):
        yield node.id
    elif isinstance(node, ast.Subscript):
        yield from _row_names(node.value)
    elif isinstance(node, ast.UnaryOp):
        yield from _row_names(node.operand)
    elif isinstance(node, ast.BinOp):
        yield from _row_names(node.left)
        if isinstance(node.op, ast.Add):
            yield from _row_names(node.right)
