"""Every chip's numbers can be traced to a source, and its published figures hold."""

from __future__ import annotations

import re
from collections.abc import Mapping

from hwsim import anchors, registry
from hwsim.model.types import Datasheet
from hwsim.run import evaluate
from hwsim.sourced import Constant, Kind, Law
from tests.contract.chips import each_chip, each_preset, target_of
from tests.contract.small_graphs import small_graph

# Constants that no design or datasheet reads, by chip: {"name": "why it is kept"}.
UNUSED_CONSTANTS: Mapping[str, Mapping[str, str]] = {}


def numbers_of(sheet: Datasheet) -> set[str]:
    """Return the keys of all records that a datasheet rests on."""
    found = [number for row in sheet.actions for number in (row.energy, row.energy_per_bit, row.bits_per_s)]
    found += [number for row in sheet.units for number in (row.area, row.leakage)]
    found += [item.ratio for item in sheet.overheads]
    return {record.key for number in found if number is not None for record in number.records}


@each_chip
def test_every_constant_is_used(name: str) -> None:
    accelerator = registry.load_accelerator(name)
    used: set[str] = set()
    for preset in accelerator.presets.values():
        used |= {key.rpartition(".")[2] for key in numbers_of(accelerator.datasheet(preset))}
    code = "\n".join(path.read_text(encoding="utf-8") for path in sorted(accelerator.folder.glob("*.py")))
    used |= set(re.findall(r"\.([a-z]\w*)", code))
    excused = UNUSED_CONSTANTS.get(name, {})
    assert set(accelerator.constants) - used == set(excused)
    assert all(excused.values())


@each_chip
def test_every_constant_has_a_source_that_can_be_looked_up(name: str) -> None:
    records = registry.load_accelerator(name).constants.records
    assert records
    for key, record in records.items():
        source = record.source
        assert source.title, key
        assert source.authors, key
        assert source.venue, key
        assert source.year > 1940, key
        assert record.where, key
        assert source.doi or source.url or source.key == "hwsim", key
        if record.kind in (Kind.ASSUMED, Kind.UNCONFIRMED):
            assert record.note, key
        if source.key == "hwsim":
            assert record.kind in (Kind.ASSUMED, Kind.DERIVED), key


@each_preset
def test_every_record_behind_a_price_is_known(spec: str) -> None:
    accelerator, design = target_of(spec)
    report = evaluate(small_graph("classifier"), spec, on_unsupported="traffic")
    for used in report.prices:
        assert set(used.constants) <= set(report.constants), used
    own = f"{accelerator.constants.namespace}."
    for key in report.constants:
        assert not key.startswith(own) or isinstance(accelerator.constants.records[key], (Constant, Law))
    assert set(report.provenance["design"]) == set(type(design).model_fields)


@each_chip
def test_published_figures_hold(name: str) -> None:
    results = anchors.validate(name)
    assert results
    assert [result.name for result in results if not result.passed] == []
