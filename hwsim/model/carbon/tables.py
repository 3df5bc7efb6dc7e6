"""Reads the tables of embodied-carbon methods: numbers by process node, each with unit, source and kind.

A file holds ``version``, ``[sources.KEY]`` and ``[tables.NAME]`` with unit, source, where and kind, its
numbers in ``[tables.NAME.entries]``, and in ``[tables.NAME.suspicious]`` those nobody should use unknowingly.
"""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from hwsim.errors import InputError, nearest
from hwsim.sourced import Constant, Kind, Source, Sourced
from hwsim.units import dimension_of, parse_as, suffix_of

_FOLDER = Path(__file__).with_name("tables")


@dataclass(frozen=True, slots=True)
class Table:
    """One column of one method.

    Attributes
    ----------
    method, name, version : str
        Whose it is, what it is called with its unit suffix, and which release it was read in.
    entries : mapping of str to Sourced
        Numbers in SI units by node, location or device.
    suspicious : mapping of str to str
        Entries that look wrong, and why.
    """

    method: str
    name: str
    version: str
    entries: Mapping[str, Sourced]
    suspicious: Mapping[str, str]

    def entry(self, key: str, allow: Collection[str] = ()) -> Sourced:
        """Return one number; nothing is interpolated.

        Parameters
        ----------
        key : str
            Node, location or device.
        allow : collection of str
            Suspicious entries to use all the same, as ``"method.table.key"``.

        Raises
        ------
        InputError
            No such entry, or a suspicious one that is not allowed by name.
        """
        if key not in self.entries:
            raise InputError(
                f"{self.method} has no {key!r}; it is not interpolated",
                where=f"{self.method}.{self.name}",
                hint=f"{nearest(key, self.entries)}; it has {', '.join(self.entries)}",
            )
        full = f"{self.method}.{self.name}.{key}"
        if key in self.suspicious and full not in allow:
            raise InputError(
                f"the entry {key!r} is suspicious: {self.suspicious[key]}",
                where=f"{self.method}.{self.name}",
                hint=f"choose another node, or allow it by name: {full}",
            )
        return self.entries[key]


@cache
def tables_of(method: str) -> Mapping[str, Table]:
    """Return all tables of a method by name; the file is read once."""
    document = tomllib.loads((_FOLDER / f"{method}.toml").read_text(encoding="utf-8"))
    sources = {key: Source(key, **fields) for key, fields in document["sources"].items()}
    return {
        name: _table(method, name, document["version"], fields, sources)
        for name, fields in document["tables"].items()
    }


def _table(
    method: str, name: str, version: str, fields: Mapping[str, Any], sources: Mapping[str, Source]
) -> Table:
    suffix = suffix_of(name)
    if suffix is None:
        raise InputError("the name does not end in a unit", where=f"{method}.{name}")
    stem, entries = name.removesuffix(f"_{suffix}"), {}
    for key, number in fields["entries"].items():
        record = Constant(
            f"{method}.{stem}_{key}_{suffix}",
            f"{number} {fields['unit']}",
            sources[fields["source"]],
            fields["where"],
            Kind(fields["kind"]),
            fields.get("note", ""),
        )
        value = float(parse_as(record.text, suffix))
        entries[key] = Sourced(value, dimension_of(suffix), record.key, (record,))
    return Table(method, name, version, entries, dict(fields.get("suspicious", {})))
