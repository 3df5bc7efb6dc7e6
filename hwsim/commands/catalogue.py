"""`hwsim list`, `hwsim show` and `hwsim schema`: what there is, and every knob and number of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from hwsim.commands.output import emit, emit_json, emit_table
from hwsim.errors import EXIT_OK, InputError, nearest
from hwsim.units import format_bytes, format_si, suffix_of, unit_of

if TYPE_CHECKING:
    from hwsim.graph.types import Graph
    from hwsim.model.types import Accelerator


def list_names(what: str | None, *, json: bool) -> int:
    """Print chips with presets, built-in networks and built-in comparisons, or one of them."""
    listed = {"chips": _chips, "workloads": _workloads, "comparisons": _comparisons}
    shown = {what: listed[what]} if what is not None else listed
    if json:
        emit_json({name: listing()[2] for name, listing in shown.items()})
        return EXIT_OK
    for place, listing in enumerate(shown.values()):
        heads, rows, _ = listing()
        if place:
            emit("")
        emit_table(heads, rows)
    return EXIT_OK


Listed = tuple[tuple[str, ...], list[tuple[str, ...]], list[Any]]


def _chips() -> Listed:
    """Return heads and rows for people, and the same as a document."""
    from hwsim import registry

    chips = [registry.load_accelerator(name) for name in registry.accelerator_names()]
    return (("Chip", "Presets", "Summary"),
            [(chip.name, ", ".join(chip.presets), chip.summary) for chip in chips],
            [{"name": chip.name, "summary": chip.summary, "presets": list(chip.presets)} for chip in chips])


def _workloads() -> Listed:
    from hwsim import registry

    names = registry.workload_names()
    return ("Workload",), [(name,) for name in names], list(names)


def _comparisons() -> Listed:
    from hwsim import registry
    from hwsim.comparison.file import read_comparison

    files = {name: read_comparison(name) for name in registry.comparison_names()}
    return (("Comparison", "Columns", "Title"),
            [(name, str(len(file.columns)), file.title) for name, file in files.items()],
            [{"name": name, "title": file.title, "columns": list(file.names())}
             for name, file in files.items()])


def show(name: str, *, json: bool) -> int:
    """Print a chip with one or all of its presets, a network or a comparison; InputError with the nearest."""
    from hwsim import registry

    chips, networks = tuple(registry.accelerator_names()), tuple(registry.workload_names())
    comparisons = registry.comparison_names()
    base, _, preset = name.partition(":")
    if base in chips:
        chip = registry.load_accelerator(base)
        if preset and preset not in chip.presets:
            raise InputError(f"{base} has no preset {preset!r}", where="show",
                             hint=nearest(preset, chip.presets))
        return _show_chip(chip, (preset,) if preset else tuple(chip.presets), json=json)
    if name in networks:
        return _show_network(registry.load_workload(name), json=json)
    if name in comparisons:
        return _show_comparison(name, json=json)
    raise InputError(f"no chip, no workload and no comparison is called {name!r}", where="show",
                     hint=nearest(name, (*chips, *networks, *comparisons)))


def print_schema(what: str, chip: str | None) -> int:
    """Print the JSON Schema of reports, of sweep or comparison files, or of a chip's knobs."""
    if what != "design":
        if chip is not None:
            raise InputError(f"`schema {what}` takes no chip, got {chip!r}", where="schema",
                             hint=f"for its knobs write: hwsim schema design {chip}")
        from hwsim.comparison.file import comparison_schema
        from hwsim.report.json_form import file_schema
        from hwsim.sweep.space import space_schema

        schemas = {"report": file_schema, "sweep": space_schema, "comparison": comparison_schema}
        emit_json(schemas[what]())
        return EXIT_OK
    if chip is None:
        raise InputError("which chip?", where="schema", hint="write: hwsim schema design CHIP")
    from hwsim import registry

    emit_json(registry.load_accelerator(chip).design.model_json_schema())
    return EXIT_OK


def knob_rows(accelerator: Accelerator) -> list[dict[str, Any]]:
    """Return name, unit, type, range, default and description of every knob."""
    schema = accelerator.design.model_json_schema()
    default = next(iter(accelerator.presets.values())).model_dump(mode="json")
    return [_knob(name, field, schema.get("$defs", {}), default.get(name))
            for name, field in schema.get("properties", {}).items()]


def _knob(name: str, field: Mapping[str, Any], definitions: Mapping[str, Any], preset: Any) -> dict[str, Any]:
    shape = _resolved(field, definitions)
    suffix = suffix_of(name)
    return {"name": name, "unit": unit_of(suffix) if suffix else "", "range": _range(shape, definitions),
            "default": field.get("default", preset), "description": field.get("description", "")}


def _resolved(field: Mapping[str, Any], definitions: Mapping[str, Any]) -> Mapping[str, Any]:
    reference = field.get("$ref") or (field["allOf"][0].get("$ref") if field.get("allOf") else None)
    return definitions.get(str(reference).rpartition("/")[2], {}) if reference else field


def _range(shape: Mapping[str, Any], definitions: Mapping[str, Any]) -> str:
    if "anyOf" in shape:
        return " or ".join(_range(_resolved(option, definitions), definitions) for option in shape["anyOf"])
    if "enum" in shape:
        return ", ".join(map(str, shape["enum"]))
    if "const" in shape:
        return str(shape["const"])
    kind = {"integer": "whole number", "number": "number", "boolean": "true, false",
            "string": "text", "null": "none", "array": "list"}.get(str(shape.get("type", "")), "any")
    signs = {"minimum": ">=", "exclusiveMinimum": ">", "maximum": "<=", "exclusiveMaximum": "<"}
    return ", ".join([kind, *(f"{sign} {shape[key]:.15g}" for key, sign in signs.items() if key in shape)])


def shown(value: Any, unit: str) -> str:
    """Write a knob's value as --set accepts it, with its unit where that reads better."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and unit:
        number, _, rest = format_si(value, unit, digits=6).partition(" ")
        return f"{number.rstrip('0').rstrip('.') if '.' in number else number} {rest}"
    if isinstance(value, int) and unit == "B" and value >= 1024 and value % 1024 == 0:
        return format_bytes(value)
    return str(value)


def constant_rows(accelerator: Accelerator) -> list[dict[str, str]]:
    """Return name, value, evidence, place and source of every constant."""
    return [{"name": key, **record.as_row()} for key, record in sorted(accelerator.constants.records.items())]


def _show_chip(accelerator: Accelerator, names: Sequence[str], *, json: bool) -> int:
    knobs, constants = knob_rows(accelerator), constant_rows(accelerator)
    presets = {name: accelerator.presets[name].model_dump(mode="json") for name in names}
    if json:
        emit_json({"name": accelerator.name, "summary": accelerator.summary, "knobs": knobs,
                   "presets": presets, "constants": constants, "model_version": accelerator.model_version})
        return EXIT_OK
    emit(f"{accelerator.name}: {accelerator.summary}\n\nKnobs (change one with --set KNOB=VALUE)")
    emit_table(("Knob", "Unit", "Range", "Default", "Meaning"),
               [(row["name"], row["unit"], row["range"], shown(row["default"], row["unit"]),
                 row["description"]) for row in knobs])
    emit(f"\nPresets (the first is the default; use {accelerator.name}:PRESET)")
    emit_table(("Knob", *presets), right=tuple(presets), rows=[
        (row["name"], *(shown(values.get(row["name"], ""), row["unit"]) for values in presets.values()))
        for row in knobs])
    emit("\nConstants")
    emit_table(("Constant", "Value", "Evidence", "Where", "Source"),
               [(row["name"], row["value"], row["kind"], row["where"],
                 row["title"] + (f" ({row['doi']})" if row["doi"] else "")) for row in constants])
    notes = [f"  {row['name']} [{row['kind']}]: {row['note']}" for row in constants if row["note"]]
    if notes:
        emit("\nNotes\n" + "\n".join(notes))
    return EXIT_OK


def _show_network(graph: Graph, *, json: bool) -> int:
    from hwsim.graph.statistics import op_table

    rows = op_table(graph)
    macs, parameters = sum(row.macs for row in rows), graph.parameters
    if json:
        emit_json({"name": graph.name, "macs": macs, "parameters": parameters, "operators": [
            {"name": row.name, "kind": row.kind, "shape": list(row.result_shape), "macs": row.macs,
             "parameters": row.parameters} for row in rows]})
        return EXIT_OK
    emit(f"{graph.name}: {len(rows)} operators, {macs:,} MACs, {parameters:,} parameters\n")
    emit_table(("Operator", "Kind", "Output", "MACs", "Parameters"), right=("MACs", "Parameters"), rows=[
        (row.name, row.kind, "x".join(map(str, row.result_shape)), f"{row.macs:,}", f"{row.parameters:,}")
        for row in rows])
    return EXIT_OK


def _show_comparison(name: str, *, json: bool) -> int:
    from hwsim import registry
    from hwsim.comparison.file import read_comparison

    file, path = read_comparison(name), registry.comparison_path(name)
    if json:
        emit_json({"name": name, "file": str(path), **file.model_dump(mode="json")})
        return EXIT_OK
    emit(path.read_text(encoding="utf-8"))
    return EXIT_OK
