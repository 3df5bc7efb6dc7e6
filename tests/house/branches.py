"""Prints which branches of every room the tests took: ``python -m tests.house.branches coverage.json``."""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

LEAST_RATIO = 0.9


def rooms_of(document: Mapping[str, Any]) -> dict[str, tuple[int, int]]:
    """Return (branches taken, branches) by room, from what ``coverage json`` wrote; "all" comes last."""
    found: dict[str, tuple[int, int]] = defaultdict(lambda: (0, 0))
    for name, file in document["files"].items():
        inside = name.rpartition("hwsim/")[2].split("/")
        taken, there = file["summary"]["covered_branches"], file["summary"]["num_branches"]
        for room in (f"hwsim/{inside[0]}/" if len(inside) > 1 else "hwsim/*.py", "all"):
            found[room] = (found[room][0] + taken, found[room][1] + there)
    whole = found.pop("all")
    return {**dict(sorted(found.items())), "all": whole}


def table(rooms: Mapping[str, tuple[int, int]]) -> str:
    """Return the rooms as a Markdown table."""
    lines = ["| room | branches | taken | share |", "|---|---|---|---|"]
    for room, (taken, there) in rooms.items():
        lines.append(f"| `{room}` | {there} | {taken} | {f'{taken / there:.1%}' if there else '-'} |")
    return "\n".join(lines)


def main(words: list[str]) -> int:
    """Print the table of the file named on the command line; 1 if less than 90 % were taken in all."""
    rooms = rooms_of(json.loads(Path(words[0]).read_text(encoding="utf-8")))
    sys.stdout.write(table(rooms) + "\n")
    taken, there = rooms["all"]
    return int(taken < LEAST_RATIO * there)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
