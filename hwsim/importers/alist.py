"""Parity-check matrices in the alist format become the network of one decoder iteration.

The format (MacKay, "Encyclopedia of Sparse Graph Codes"), one item a line, indices from 1::

    columns rows
    largest column degree, largest row degree
    degree of every column
    degree of every row
    for every column: the rows of its ones      (zeros may fill up to the largest degree)
    for every row: the columns of its ones
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

from hwsim.errors import InputError, Problem
from hwsim.graph.tanner import TannerGraph, decoder
from hwsim.graph.types import FLOAT32, Graph, NumberFormat
from hwsim.importers.layer_csv_read import read_text

MAX_SIDE = 2**24
_HEADS = 4


def import_alist(path: Path, *, frames: int = 1, format_override: NumberFormat | None = None) -> Graph:
    """Return one iteration of message passing on the code in `path`; see `hwsim.graph.tanner.decoder`.

    Parameters
    ----------
    path : Path
        The file.
    frames : int
        Codewords decoded together.
    format_override : NumberFormat or None
        Format of LLRs and messages.

    Raises
    ------
    InputError
        Everything that is wrong with the file, with its line.
    """
    text = read_text(path, "an alist file is plain text")
    digest = hashlib.sha256(text.encode()).hexdigest()
    origin = {"file": path.name, "sha256": digest}
    return decoder(path.stem, parse_alist(text, str(path)), frames=frames,
                   format=format_override or FLOAT32, provenance=origin)


def parse_alist(text: str, file: str) -> TannerGraph:
    """Return the Tanner graph written in `text`; InputError with every problem, at ``file:line``."""
    reader = _Reader(file, text.rstrip().splitlines())
    columns, rows = reader.pair(1, "columns and rows")
    widest = reader.pair(2, "largest degrees of columns and rows")
    for what, size in (("columns", columns), ("rows", rows)):
        if not 1 <= size <= MAX_SIDE:
            reader.wrong(1, f"{size} {what}, must be 1 to {MAX_SIDE}")
    if reader.problems:
        raise InputError(problems=reader.problems)
    needed = _HEADS + columns + rows
    if len(reader.lines) < needed:
        reader.wrong(len(reader.lines), f"the file ends here; {columns} columns and {rows} rows need "
                     f"{needed} lines")
    elif len(reader.lines) > needed:
        reader.wrong(needed + 1, f"nothing should follow the last of {rows} rows")
    by_column = reader.side("column", columns, rows, 3, _HEADS + 1, widest[0])
    by_row = reader.side("row", rows, columns, 4, _HEADS + columns + 1, widest[1])
    reader.compare(by_column, by_row)
    if reader.problems:
        raise InputError(problems=reader.problems)
    return TannerGraph(columns, tuple(tuple(sorted(column - 1 for column in by_row[row]))
                                      for row in range(1, rows + 1)))


@dataclass
class _Reader:
    """Lines of a file, and what is wrong with them."""

    file: str
    lines: list[str]
    problems: list[Problem] = field(default_factory=list)

    def wrong(self, line: int, reason: str, hint: str = "") -> None:
        """Note a problem at `line`, counted from 1."""
        self.problems.append(Problem(f"{self.file}:{line}", reason, hint))

    def numbers(self, line: int) -> list[int] | None:
        """Return the whole numbers of a line; None if the line is missing or holds something else."""
        if line > len(self.lines):
            return None
        words = self.lines[line - 1].split()
        strange = [word for word in words if not (word.isascii() and word.isdecimal() and len(word) < 19)]
        for word in strange:
            self.wrong(line, f"{word[:40]!r} is not a whole number from 0")
        return None if strange else [int(word) for word in words]

    def pair(self, line: int, what: str) -> tuple[int, int]:
        """Return the two numbers of a header line; noted as a problem unless there are two."""
        found = self.numbers(line)
        if found is not None and len(found) == 2:
            return found[0], found[1]
        if found is not None or line > len(self.lines):
            have = "the file ends" if found is None else f"{len(found)} numbers"
            self.wrong(line, f"{have} where two are needed: {what}", "alist format")
        return 1, 1

    def side(self, what: str, count: int, others: int, head: int, first: int,
             widest: int) -> dict[int, list[int]]:
        """Return the ones of every column, or of every row, from 1; sound lines only."""
        degrees = self.numbers(head)
        if degrees is not None and len(degrees) != count:
            self.wrong(head, f"{len(degrees)} degrees for {count} {what}s")
            degrees = None
        if degrees is not None and max(degrees) != widest:
            self.wrong(2, f"the largest {what} degree is {max(degrees)} (line {head}), not {widest}")
        found = {}
        there = max(0, min(count, len(self.lines) - first + 1))
        for index in range(1, there + 1):
            line = first + index - 1
            listed = self.numbers(line)
            if listed is None:
                continue
            ones = [entry for entry in listed if entry]
            before = len(self.problems)
            if listed[:len(ones)] != ones:
                self.wrong(line, f"{what} {index} has a 0 before its last entry; zeros only fill up the end")
            self._check_ones(line, f"{what} {index}", ones, others)
            if degrees is not None and len(ones) != degrees[index - 1]:
                self.wrong(line, f"{what} {index} has {len(ones)} ones, line {head} says "
                           f"{degrees[index - 1]}")
            least = 2 if what == "row" else 1
            if len(ones) < least:
                why = "a check of one bit says nothing to others" if ones else "an empty one carries no code"
                self.wrong(line, f"{what} {index} has {len(ones)} ones, needs at least {least}: {why}")
            if len(self.problems) == before:
                found[index] = ones
        return found

    def _check_ones(self, line: int, name: str, ones: list[int], others: int) -> None:
        for entry in (entry for entry in ones if entry > others):
            self.wrong(line, f"{name} has entry {entry}, there are {others}")
        for entry in sorted({entry for entry in ones if ones.count(entry) > 1}):
            self.wrong(line, f"{name} has entry {entry} twice")

    def compare(self, by_column: dict[int, list[int]], by_row: dict[int, list[int]]) -> None:
        """Note every one that stands in a row but not in its column, or the other way round."""
        first_row = _HEADS + self.pair(1, "")[0] + 1
        down = {(row, column) for column, ones in by_column.items() for row in ones}
        across = {(row, column) for row, ones in by_row.items() for column in ones}
        for row, column in sorted(across - down):
            if column in by_column:
                self.wrong(first_row + row - 1, f"row {row} has column {column}, but column {column} "
                           f"(line {_HEADS + column}) does not have row {row}")
        for row, column in sorted(down - across):
            if row in by_row:
                self.wrong(_HEADS + column, f"column {column} has row {row}, but row {row} "
                           f"(line {first_row + row - 1}) does not have column {column}")
