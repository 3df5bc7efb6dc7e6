"""The JSON form of a report: versioned, exact, byte for byte the same for the same result."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any

from hwsim.errors import InputError, Problem, VerifyError
from hwsim.report.compare import Comparison, align
from hwsim.report.json_fields import decode, schema_of
from hwsim.report.metrics import METRICS
from hwsim.report.types import SCHEMA_VERSION, Report

_MAX_PROBLEMS = 20
_MOST_FLOAT = 1e60
_PROVENANCE_MAPPINGS = ("design", "network_source")
_PROVENANCE_TEXTS = ("chip", "network", "graph_fingerprint")
_PARTS = ("schema_version", "provenance", "coverage", "totals", "layers", "events", "prices", "constants",
          "energy_by_evidence", "roofline", "metrics", "warnings", "figures")


def to_json(report: Report) -> str:
    """Write a report as JSON, one layer, event row or constant per line.

    Raises
    ------
    VerifyError
        A number that is no number (NaN) or a type that JSON does not know: a slip of hwsim.
    """
    return "{\n" + ",\n".join(_part(name, getattr(report, name)) for name in _PARTS) + "\n}\n"


def comparison_to_json(reports: Sequence[Report] | Comparison) -> str:
    """Write reports side by side as one document: ratios to the first, the study, then the reports.

    Raises
    ------
    InputError
        The reports are not of one workload.
    """
    comparison = align(reports)
    head: dict[str, Any] = {"schema_version": SCHEMA_VERSION, "network": comparison.network,
            "graph_fingerprint": comparison.graph_fingerprint, "names": list(comparison.names),
            "ratios": {metric: list(values) for metric, values in comparison.ratios.items()}}
    if comparison.study is not None:
        head["study"] = comparison.study.to_document(comparison.names)
    parts = [_part(name, value) for name, value in head.items()]
    bodies = ",\n".join(to_json(report).rstrip("\n") for report in comparison.reports)
    return "{\n" + ",\n".join(parts) + ',\n"reports": [\n' + bodies + "\n]\n}\n"


def from_json(text: str, where: str = "report") -> Report:
    """Read a report.

    Parameters
    ----------
    text : str
        What `to_json` wrote.
    where : str
        Name of the file, for error messages.

    Raises
    ------
    InputError
        Not JSON, another or newer schema, missing or unknown fields, wrong types: all of them, with places.
    """
    return _report(_parse(text, where), where)


def reports_from_json(text: str, where: str = "report", *, bare: bool = True) -> tuple[Report, ...]:
    """Read a report or a comparison; see `from_json` and `comparison_to_json`.

    Unless `bare` reports will do, a comparison with reservations is refused: reports do not hold them.
    """
    document = _parse(text, where)
    if not bare and "study" in document:
        raise InputError("is a comparison; its reports alone do not hold its reservations", where=where,
                         hint="compute it again: `hwsim compare NAME -o page.html`")
    if "reports" not in document:
        return (_report(document, where),)
    _check_version(document, where)
    bodies = document["reports"]
    if not isinstance(bodies, list) or not bodies:
        raise InputError("expected a list of reports", where=f"{where}: reports")
    return tuple(_report(body, where, f"reports[{index}]") for index, body in enumerate(bodies))


def report_schema() -> dict[str, Any]:
    """Return the JSON Schema of a report file."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "hwsim report",
            "description": f"Result of one network on one design; schema version {SCHEMA_VERSION}."
            } | schema_of(Report, lambda name: METRICS.get(name, ""))


def file_schema() -> dict[str, Any]:
    """Return the JSON Schema of what ``-o report.json`` writes: one report, or several side by side."""
    report = report_schema()
    ratio = {"anyOf": [{"type": "number"}, {"enum": [None]}]}
    properties: dict[str, Any] = {
        "schema_version": {"type": "string"}, "network": {"type": "string"},
        "graph_fingerprint": {"type": "string"},
        "names": {"type": "array", "items": {"type": "string"},
                  "description": "chip and preset of each report, all different"},
        "ratios": {"type": "object", "additionalProperties": {"type": "array", "items": ratio},
                   "description": "value / value of the first report; null where that is zero"},
        "reports": {"type": "array", "items": {"$ref": "#/$defs/report"}}}
    required = list(properties)
    properties["study"] = {"type": "object", "description": "what a comparison file adds: title, question, "
                           "task, columns with accuracy, reservations"}
    comparison = {"type": "object", "title": "comparison of several designs", "properties": properties,
                  "required": required, "additionalProperties": False}
    return {"$schema": report.pop("$schema"), "title": "hwsim report file",
            "description": "A report, or for several designs a comparison that holds their reports.",
            "anyOf": [{"$ref": "#/$defs/report"}, {"$ref": "#/$defs/comparison"}],
            "$defs": {"report": report, "comparison": comparison}}


def plain(value: object) -> Any:
    """Return `value` as dicts, lists, texts and exact numbers; VerifyError for anything JSON cannot hold."""
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        if math.isnan(value):
            raise VerifyError("a figure of the report is not a number (NaN)", where="report")
        return value if math.isfinite(value) else str(value)
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in fields(value)}
    raise VerifyError(f"a report cannot hold a {type(value).__name__}: {value!r}", where="report")


def _part(name: str, value: object) -> str:
    """One top-level entry; the records of long lists and mappings stand on lines of their own."""
    content = plain(value)
    if isinstance(content, list) and content and isinstance(content[0], dict):
        body = "[\n" + ",\n".join(_line(item) for item in content) + "\n]"
    elif isinstance(content, dict) and content:
        body = "{\n" + ",\n".join(f"{_line(key)}: {_line(item)}" for key, item in content.items()) + "\n}"
    else:
        body = _line(content)
    return f"{_line(name)}: {body}"


def _line(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def _parse(text: str, where: str) -> dict[str, Any]:
    try:
        document = json.loads(text, object_pairs_hook=_unique, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        raise InputError(f"not valid JSON: {error.msg}", where=f"{where}:{error.lineno}:{error.colno}",
                         hint="the file may be truncated; write it again with `hwsim run ... -o`") from None
    except RecursionError:
        raise InputError("nested too deeply to be a report", where=where) from None
    except ValueError as error:
        raise InputError(f"not valid JSON: {error}", where=where) from None
    if not isinstance(document, dict):
        raise InputError(f"expected a report, got a {type(document).__name__}", where=where)
    return document


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {twice!r} occurs twice in one object")
    return found


def _refuse_constant(token: str) -> float:
    raise ValueError(f"{token} is not JSON")


def _check_version(document: Mapping[str, Any], where: str) -> None:
    version = document.get("schema_version")
    if version is None:
        raise InputError("no schema_version: this is not a report of hwsim", where=where,
                         hint="reports are written by `hwsim run ... -o report.json`")
    try:
        major, minor = (int(part) for part in str(version).split("."))
    except ValueError:
        raise InputError(f"schema_version {version!r} is not of the form '1.0'", where=where) from None
    ours_major, ours_minor = (int(part) for part in SCHEMA_VERSION.split("."))
    if (major, minor) > (ours_major, ours_minor):
        raise InputError(f"written with report schema {version}, this hwsim reads up to {SCHEMA_VERSION}",
                         where=where, hint="update hwsim, or run the network again")
    if major < ours_major:
        raise InputError(f"written with report schema {version}, which this hwsim no longer reads",
                         where=where, hint="run the network again")


def _report(document: object, where: str, place: str = "") -> Report:
    if not isinstance(document, dict):
        raise InputError(f"expected a report, got a {type(document).__name__}", where=f"{where}: {place}")
    _check_version(document, where)
    problems: list[Problem] = []
    report = decode(Report, document, place, problems)
    if not problems:
        problems += _inconsistencies(report, place)
    if problems:
        shown = [Problem(f"{where}: {p.where}", p.reason, p.hint) for p in problems[:_MAX_PROBLEMS]]
        if len(problems) > _MAX_PROBLEMS:
            shown.append(Problem(where, f"and {len(problems) - _MAX_PROBLEMS} more problems"))
        raise InputError(problems=shown)
    found: Report = report
    return found


def _inconsistencies(report: Report, place: str) -> list[Problem]:
    """Return what types cannot say: names that point nowhere, figures beyond reason."""
    at = f"{place}." if place else ""
    problems = [Problem(f"{at}provenance.{name}", "expected a text")
                for name in _PROVENANCE_TEXTS if not isinstance(report.provenance.get(name), str)]
    if "preset" not in report.provenance:
        problems.append(Problem(f"{at}provenance.preset", "missing"))
    problems += [Problem(f"{at}provenance.{name}", "expected a mapping") for name in _PROVENANCE_MAPPINGS
                 if not isinstance(report.provenance.get(name, {}), Mapping)]
    names = [layer.name for layer in report.layers]
    known = set(names)
    problems += [Problem(f"{at}layers", f"two layers are called {name!r}")
                 for name in sorted(known) if len(known) < len(names) and names.count(name) > 1]
    problems += [Problem(f"{at}layers[{index}].fused_into", f"no layer is called {layer.fused_into!r}")
                 for index, layer in enumerate(report.layers)
                 if layer.fused_into and layer.fused_into not in known]
    problems += [Problem(f"{at}prices[{index}].constants", f"no constant is called {key!r}")
                 for index, price in enumerate(report.prices)
                 for key in price.constants if key not in report.constants]
    return problems + _absurdities(report, at)


def _absurdities(report: Report, at: str) -> list[Problem]:
    """Return figures so large that sums of them would overflow; only the roofline may be infinite."""
    records: list[tuple[str, object]] = [("totals", report.totals)]
    for name in ("layers", "events", "prices"):
        records += [(f"{name}[{index}]", record) for index, record in enumerate(getattr(report, name))]
    found = [(f"{place}.{field}", value) for place, record in records for field, value in _floats(record)]
    found += [(f"energy_by_evidence.{kind}", value) for kind, value in report.energy_by_evidence.items()]
    found += [(f"figures.{name}", value) for name, value in report.figures.items()]
    return [Problem(f"{at}{place}", f"{value} is no figure of a report")
            for place, value in found if not abs(value) < _MOST_FLOAT]


def _floats(record: Any) -> Iterator[tuple[str, float]]:
    for field in fields(record):
        value = getattr(record, field.name)
        if isinstance(value, float):
            yield field.name, value
        elif isinstance(value, Mapping):
            yield from ((f"{field.name}.{key}", part)
                        for key, part in value.items() if isinstance(part, float))
