"""Memory traces become a network of one operator: reads and writes of words, in order.

One access a line, ``R`` or ``W`` and either a name or a place; text behind ``#`` is a comment::

    R sum            # a word by name: where it lies is for the chip to choose
    W 3 17           # domain 17 of cluster 3
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from hwsim.errors import InputError, Problem
from hwsim.graph.build import GraphBuilder
from hwsim.graph.types import FormatKind, Graph, NumberFormat
from hwsim.importers.layer_csv_read import read_text

_NAME = re.compile(r"[A-Za-z_][\w.\[\]]*")
_MOST_PROBLEMS = 50
_MOST_NAMES = 64
_WORD = NumberFormat(FormatKind.UNSIGNED, 32)


def import_memory_trace(path: Path, *, format_override: NumberFormat | None = None) -> Graph:
    """Return the accesses in `path` as a graph.

    Parameters
    ----------
    path : Path
        The file.
    format_override : NumberFormat or None
        Format of a word; 32 bits by default.

    Raises
    ------
    InputError
        Everything that is wrong with the file, with its line.
    """
    text = read_text(path, "a memory trace is plain text")
    keys, writes = parse_memory_trace(text, str(path))
    index = {key: number for number, key in enumerate(dict.fromkeys(keys))}
    origin = {"file": path.name, "sha256": hashlib.sha256(text.encode()).hexdigest()}
    names = [key for key in index if isinstance(key, str)]
    if 0 < len(names) <= _MOST_NAMES:
        origin["words"] = " ".join(names)
    b = GraphBuilder(path.stem, format=format_override or _WORD, provenance=origin)
    places = [key for key in index if isinstance(key, tuple)]
    found = b.add(
        "memory_accesses",
        b.input("words", (len(index),)),
        name="accesses",
        words=tuple(index[key] for key in keys),
        writes=writes,
        clusters=tuple(place[0] for place in places),
        domains=tuple(place[1] for place in places),
    )
    b.output(found)
    return b.build()


Key = str | tuple[int, int]


def parse_memory_trace(text: str, file: str) -> tuple[list[Key], tuple[int, ...]]:
    """Return the word of every access, a name or (cluster, domain), and 1 for every write.

    Raises
    ------
    InputError
        With every problem, at ``file:line``; names and places in one file; no access at all.
    """
    keys: list[Key] = []
    writes: list[int] = []
    problems: list[Problem] = []
    for number, line in enumerate(text.splitlines(), start=1):
        words = line.partition("#")[0].split()
        if not words:
            continue
        key = _key(words)
        if isinstance(key, Problem):
            problems.append(Problem(f"{file}:{number}", key.reason, key.hint))
        else:
            keys.append(key)
            writes.append(int(words[0] == "W"))
    if not keys and not problems:
        problems.append(Problem(file, "holds no access", "write lines such as: R sum, or W 3 17"))
    if len({isinstance(key, tuple) for key in keys}) > 1:
        problems.append(
            Problem(file, "mixes names and places", "give every word a name, or every word a place")
        )
    if problems:
        raise InputError(problems=problems[:_MOST_PROBLEMS])
    return keys, tuple(writes)


def _key(words: list[str]) -> Key | Problem:
    if words[0] not in ("R", "W"):
        return Problem(
            "", f"{words[0][:40]!r} is neither R nor W", "a line is R or W, and a name or two numbers"
        )
    if len(words) == 2 and _NAME.fullmatch(words[1]):
        return words[1]
    if len(words) == 3 and all(word.isascii() and word.isdecimal() and len(word) < 10 for word in words[1:]):
        return int(words[1]), int(words[2])
    return Problem(
        "",
        f"{' '.join(words[1:])[:40]!r} is neither a name nor a cluster and a domain",
        "such as R sum, or W 3 17",
    )
