"""Reads constants.toml, so that no physical number enters without unit, source, place and kind."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from hwsim.dimensions import SUFFIX_UNITS
from hwsim.errors import ConstantError, InputError, Problem, nearest
from hwsim.reading import parse_toml, read_text
from hwsim.sourced import (
    Constant,
    Kind,
    Law,
    Source,
    Sourced,
    by_law,
    chosen,
    maximum,
    minimum,
    sqrt,
    weakest,
)
from hwsim.units import dimension_of, parse_as, suffix_of

__all__ = [
    "Constant", "Constants", "Kind", "Law", "Source", "Sourced", "UnknownConstantError", "by_law", "chosen",
    "load_constants", "maximum", "minimum", "parse_constants", "sqrt", "weakest",
]


class UnknownConstantError(ConstantError, KeyError, AttributeError):
    """A constant that its file does not define; also a KeyError and an AttributeError, as look-ups expect."""

    def __str__(self) -> str:
        return "\n".join(str(problem) for problem in self.problems)


@dataclass(frozen=True, slots=True, eq=False)
class Constants(Mapping[str, Sourced]):
    """The numbers of one constants.toml, by attribute (``constants.add_int8_j``) or by key.

    Attributes
    ----------
    namespace : str
        Stands before every name in formulas: ``"systolic"``.
    """

    namespace: str
    _values: dict[str, Sourced] = field(repr=False)
    _records: dict[str, Constant | Law] = field(repr=False)

    def __getitem__(self, name: str) -> Sourced:
        if name in self._values:
            return self._values[name]
        hint = nearest(name, self._values)
        raise UnknownConstantError(f"no constant {name!r}", where=self.namespace, hint=hint)

    def __getattr__(self, name: str) -> Sourced:
        if name.startswith("_"):  # not ours: asked for by copy and pickle, before there are fields
            raise AttributeError(name)
        return self[name]

    def __contains__(self, name: object) -> bool:
        # Mapping would look the name up and pay for a message that nobody reads.
        return name in self._values

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def law(self, name: str) -> Law:
        """Return the law of that name, without namespace; ConstantError if there is none."""
        found = self._records.get(_qualified(name, self.namespace))
        if isinstance(found, Law):
            return found
        known = [key.rpartition(".")[2] for key, record in self._records.items() if isinstance(record, Law)]
        raise UnknownConstantError(f"no law {name!r}", where=self.namespace, hint=nearest(name, known))

    @property
    def records(self) -> Mapping[str, Constant | Law]:
        """Every constant and law as its file states it, by the key that `Sourced.uses` names."""
        return MappingProxyType(self._records)


def load_constants(path: Path, namespace: str = "") -> Constants:
    """Read and check a constants.toml.

    Parameters
    ----------
    path : Path
        TOML file with tables ``[constants.NAME]`` (value, source, where, kind, note), ``[sources.KEY]``
        (title, authors, venue, year, doi, url) and ``[laws.NAME]`` (statement, source, where, kind, note).
    namespace : str
        Name of the file in formulas and keys, usually the chip's.

    Raises
    ------
    ConstantError
        With every problem of the file at once, each with file, field, value, reason and the nearest name.
    """
    where = f"{path.parent.name}/{path.name}" if path.parent.name else path.name
    text = read_text(path, most_bytes=_MOST_BYTES, where=where, error=ConstantError)
    return parse_constants(text, where, namespace)


def parse_constants(text: str, where: str = "constants.toml", namespace: str = "") -> Constants:
    """Check the text of a constants.toml; see `load_constants`. `where` names the file in messages."""
    document = parse_toml(text, where, ConstantError)
    report = _Report(where)
    for name in sorted(document.keys() - _TABLES):
        report.add(name, f"unknown table {name!r}", nearest(name, _TABLES))
    sources = {key: _read_source(key, entry, report) for key, entry in report.tables(document, "sources")}
    records: dict[str, Constant | Law] = {}
    values: dict[str, Sourced] = {}
    for name, entry in report.tables(document, "constants"):
        found = _read_evidence(f"constants.{name}", entry, "value", sources, report)
        value = _read_value(name, entry, report)
        if found is None or value is None:
            continue
        key = _qualified(name, namespace)
        records[key] = Constant(key, *found)
        values[name] = Sourced(value, dimension_of(suffix_of(name) or ""), key, (records[key],))
    for name, entry in report.tables(document, "laws"):
        found = _read_evidence(f"laws.{name}", entry, "statement", sources, report)
        key = _qualified(name, namespace)
        if not _NAME.fullmatch(name) or key in records:
            report.add(f"laws.{name}", f"{name!r} is not a name of its own", "use a-z, 0-9 and _")
        elif found is not None:
            records[key] = Law(key, *found)
    for key in sorted(sources.keys() - report.used_sources):
        report.add(f"sources.{key}", "nothing refers to this source", "remove it or use it")
    if report.problems:
        raise ConstantError(problems=report.problems)
    return Constants(namespace, values, records)


_MOST_BYTES: Final = 2**24
_TABLES: Final = frozenset({"constants", "sources", "laws"})
_NOTE_NEEDED: Final = (Kind.ASSUMED, Kind.UNCONFIRMED)
_NAME: Final = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True, slots=True)
class _Report:
    """Collects the problems of one file, and which of its sources were referred to."""

    where: str
    problems: list[Problem] = field(default_factory=list)
    used_sources: set[str] = field(default_factory=set)

    def add(self, place: str, reason: str, hint: str = "") -> None:
        self.problems.append(Problem(f"{self.where}:{place}", reason, hint))

    def tables(self, document: Mapping[str, Any], name: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield the named sub-tables of `document[name]`; report what is not a table."""
        group = document.get(name, {})
        if not isinstance(group, dict):
            self.add(name, f"expected tables [{name}.NAME], got {group!r}")
            return
        for key, entry in group.items():
            if isinstance(entry, dict):
                yield key, entry
            else:
                self.add(f"{name}.{key}", f"expected a table [{name}.{key}], got {entry!r}")

    def fields(self, place: str, entry: Mapping[str, Any], required: Sequence[str], optional: Sequence[str],
               ) -> dict[str, str]:
        """Return the fields that are non-empty texts; report unknown, missing and ill-typed ones."""
        for key in required:
            if key not in entry:
                self.add(f"{place}.{key}", f"{key} is missing")
        kept = {}
        for key, value in entry.items():
            if key not in (*required, *optional):
                self.add(f"{place}.{key}", f"unknown field {key!r}", nearest(key, (*required, *optional)))
            elif not isinstance(value, str):
                self.add(f"{place}.{key}", f"expected a text, got {value!r}", f'write {key} = "{value}"')
            elif not value.strip():
                self.add(f"{place}.{key}", f"{key} is empty")
            else:
                kept[key] = value.strip()
        return kept


def _qualified(name: str, namespace: str) -> str:
    return f"{namespace}.{name}" if namespace else name


def _read_source(key: str, entry: Mapping[str, Any], report: _Report) -> Source | None:
    place = f"sources.{key}"
    before = len(report.problems)
    year = entry.get("year")
    texts = {name: value for name, value in entry.items() if name != "year"}
    fields = report.fields(place, texts, ("title", "authors", "venue"), ("doi", "url"))
    if not isinstance(year, int) or isinstance(year, bool) or not 1600 <= year <= 2200:
        reason = f"expected a year, got {year!r}" if "year" in entry else "year is missing"
        report.add(f"{place}.year", reason)
    if "doi" in fields and not re.fullmatch(r"10\.\d{4,9}/\S+", fields["doi"]):
        report.add(f"{place}.doi", f"{fields['doi']!r} is not a DOI", "it looks like 10.1109/5.771073")
    if "url" in fields and not re.fullmatch(r"https?://\S+", fields["url"]):
        report.add(f"{place}.url", f"{fields['url']!r} is not a web address")
    if len(report.problems) > before or not isinstance(year, int):
        return None
    return Source(key, fields["title"], fields["authors"], fields["venue"], year,
                  fields.get("doi", ""), fields.get("url", ""))


def _read_evidence(place: str, entry: Mapping[str, Any], first: str, sources: Mapping[str, Source | None],
                   report: _Report) -> tuple[str, Source, str, Kind, str] | None:
    """Return text, source, where, kind and note of a constant or law; report every problem, None if any."""
    before = len(report.problems)
    fields = report.fields(place, entry, (first, "source", "where", "kind"), ("note",))
    key, kind_name = fields.get("source", ""), fields.get("kind", "")
    source = sources.get(key)
    report.used_sources.add(key)
    if key and key not in sources:
        report.add(f"{place}.source", f"unknown source {key!r}", nearest(key, sources))
    if kind_name and kind_name not in set(Kind):
        report.add(f"{place}.kind", f"unknown kind {kind_name!r}", nearest(kind_name, map(str, Kind)))
    if kind_name in _NOTE_NEEDED and "note" not in fields:
        report.add(f"{place}.note", f"a number of kind {kind_name} needs a note that says why")
    if len(report.problems) > before or source is None:
        return None
    return fields[first], source, fields["where"], Kind(kind_name), fields.get("note", "")


def _read_value(name: str, entry: Mapping[str, Any], report: _Report) -> float | None:
    place = f"constants.{name}"
    suffix = suffix_of(name)
    if not _NAME.fullmatch(name):
        report.add(place, f"{name!r} is not a lower-case name", "use a-z, 0-9 and _")
        return None
    if suffix is None:
        report.add(place, f"the name {name!r} does not end in a unit", "end it in one of: "
                   + " ".join(f"_{suffix}" for suffix in SUFFIX_UNITS) + ", or X_per_Y")
        return None
    text = entry.get("value")
    if not isinstance(text, str) or not text.strip():
        return None
    try:
        return float(parse_as(text, suffix))
    except InputError as error:
        report.add(f"{place}.value", error.problems[0].reason, error.problems[0].hint)
    return None
