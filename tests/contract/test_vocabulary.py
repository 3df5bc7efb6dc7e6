"""One thing has one word on every chip, and one word means one thing: the tables of docs/conventions.md."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any

from hwsim import registry
from hwsim.graph.ops import PRIMITIVES
from hwsim.model.types import Accelerator, Datasheet
from hwsim.report.types import OFF_CHIP
from hwsim.sourced import Constant
from tests.contract.chips import CHIPS, each_chip

PAGE = Path(__file__).parents[2] / "docs" / "conventions.md"
SECTIONS = ("Modeled", "Not modeled", "Presets", "Known deviations")
# Units whose role differs from the table's, by chip: {"unit": "why"}.
OTHER_ROLES: Mapping[str, Mapping[str, str]] = {
    "aqfp_bnn": {"weight_memory": "a ring of junctions that are clocked like all others, no bits to be read"},
}


def table(first: str) -> dict[str, list[str]]:
    """Return the rows of the table whose first column is called `first`; a row may have several names."""
    lines = iter(PAGE.read_text(encoding="utf-8").splitlines())
    for line in lines:
        if line.startswith(f"| {first} |"):
            break
    next(lines)
    found = {}
    for line in lines:
        if not line.startswith("|"):
            break
        names, *cells = (cell.strip() for cell in line.strip("|").split("|"))
        found |= dict.fromkeys(re.findall(r"`(\w+)`", names), cells)
    return found


# Useful work whose event is not called by its kind, by chip: {"action": "why"}.
OTHER_WORDS: Mapping[str, Mapping[str, str]] = {
    "mst_bnn": {"xnor": "products of single bits; it has whole MACs beside them"},
    "invertible_logic": {"resolve": "a gate is not evaluated: its spins settle in a state that fits it"},
}


KNOBS, UNITS, ACTIONS, AVOIDED = table("knob"), table("unit"), table("action"), table("not")


def sheets(accelerator: Accelerator) -> Iterable[Datasheet]:
    return (accelerator.datasheet(preset) for preset in accelerator.presets.values())


def shared(names: Mapping[str, Iterable[str]]) -> set[str]:
    """Return the names that more than one chip has; chips with the same class of design count once."""
    users = defaultdict(set)
    for chip, own in names.items():
        for name in own:
            users[name].add(registry.load_accelerator(chip).design)
    return {name for name, designs in users.items() if len(designs) > 1}


def kind(annotation: Any) -> str:
    if isinstance(annotation, type) and issubclass(annotation, StrEnum):
        return "a choice"
    return {int: "a whole number", float: "a float"}.get(annotation, "other")


def test_shared_knobs_are_those_of_the_table() -> None:
    fields = {name: registry.load_accelerator(name).design.model_fields for name in CHIPS}
    assert shared(fields) == set(KNOBS)


@each_chip
def test_shared_knobs_mean_the_same(name: str) -> None:
    fields = registry.load_accelerator(name).design.model_fields
    for knob in fields.keys() & KNOBS:
        holds, begins = KNOBS[knob]
        assert kind(fields[knob].annotation) == holds, knob
        assert str(fields[knob].description).startswith(begins), knob


@each_chip
def test_no_second_word_for_what_has_one(name: str) -> None:
    accelerator = registry.load_accelerator(name)
    units = {row.unit for sheet in sheets(accelerator) for row in sheet.units}
    words = {own.partition("_")[0] for own in (*accelerator.design.model_fields, *units)}
    assert words & set(AVOIDED) == set()
    assert [knob for knob in accelerator.design.model_fields if knob.endswith("_count")] == []


def test_shared_units_and_actions_are_those_of_the_tables() -> None:
    units, actions = {}, {}
    for name in CHIPS:
        own = list(sheets(registry.load_accelerator(name)))
        units[name] = {row.unit for sheet in own for row in sheet.units}
        actions[name] = {row.action for sheet in own for row in sheet.actions}
    assert shared(units) == set(UNITS)
    assert shared(actions) == {*ACTIONS, *PRIMITIVES, "mac"}


@each_chip
def test_shared_units_have_one_role(name: str) -> None:
    excused = OTHER_ROLES.get(name, {})
    for sheet in sheets(registry.load_accelerator(name)):
        for row in sheet.units:
            if row.unit in UNITS:
                assert (row.role == UNITS[row.unit][0]) is (row.unit not in excused), row.unit


@each_chip
def test_useful_work_goes_by_the_name_of_its_kind(name: str) -> None:
    """A MAC is an event `mac`, an addition an event `add`: whoever adds up chips need not translate."""
    excused = OTHER_WORDS.get(name, {})
    for (_, action), done in registry.load_accelerator(name).work.items():
        assert (action == ("mac" if done == "macs" else done)) is (action not in excused), action


def test_what_several_chips_quote_from_one_source_is_quoted_alike() -> None:
    sources, numbers = {}, {}
    for name in CHIPS:
        for key, record in registry.load_accelerator(name).constants.records.items():
            source = record.source
            assert sources.setdefault(source.key, source) == source, f"{name}: {source.key}"
            if isinstance(record, Constant):
                told = record.text, record.kind, record.where
                assert numbers.setdefault((source.key, key), told) == told, f"{name}: {key}"
    assert len(numbers) > 100


@each_chip
def test_pages_answer_the_same_questions_in_the_same_order(name: str) -> None:
    text = (registry.load_accelerator(name).folder / "README.md").read_text(encoding="utf-8")
    plain = re.sub(r"^( *)```.*?^\1```$", "```", text, flags=re.MULTILINE | re.DOTALL)
    assert re.search(f"^# {name}: ", plain, re.MULTILINE)
    headings = re.findall(r"^## (.*)$", plain, re.MULTILINE)
    asked = [heading for heading in headings if heading in SECTIONS]
    assert headings[: len(asked)] == asked == [section for section in SECTIONS if section in asked]
    assert set(SECTIONS) - set(asked) <= {"Presets"}
    preface = plain.partition("\n## ")[0]
    assert re.search(r"^(```|    \S)", preface, re.MULTILINE), "a diagram before the first section"


@each_chip
def test_memory_outside_the_chip_is_known_by_its_name(name: str) -> None:
    """Comparisons take it for another chip's energy by that name, reports by what the chip declares."""
    accelerator = registry.load_accelerator(name)
    units = {row.unit for sheet in sheets(accelerator) for row in sheet.units}
    named = {unit for unit in units if unit.startswith(OFF_CHIP)}
    assert named == ({accelerator.offchip} if accelerator.offchip else set())
