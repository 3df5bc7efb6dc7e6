"""Finds the line of a TOML file where a field stands, as far as its text shows it."""

from __future__ import annotations

import re

_HEADER = re.compile(r"\s*\[\[?\s*(?P<name>[^\]]+?)\s*\]\]?\s*(#.*)?$")
_KEY = re.compile(r"\s*(?P<name>[^=#]+?)\s*=")


def line_of(text: str, place: str) -> int | None:
    """Return the line (from 1) of the field or table `place`, None where the file does not show it.

    Parameters
    ----------
    text : str
        The file.
    place : str
        Such as ``engines.edge_gpu.dies[0].area``: the longest beginning that stands on a line counts, which
        for a missing field is the head of its table.
    """
    lines: dict[str, int] = {}
    table = ""
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _HEADER.match(line):
            table = _bare(header["name"])
            lines.setdefault(table, number)
        elif key := _KEY.match(line):
            lines.setdefault(f"{table}.{_bare(key['name'])}".lstrip("."), number)
    while place:
        if place in lines:
            return lines[place]
        place = re.sub(r"(\.[^.\[]*|\[\d+\]|^[^.\[]+)$", "", place)
    return None


def _bare(name: str) -> str:
    return re.sub(r"\s*\.\s*", ".", name.replace('"', "").replace("'", ""))
