"""Questions to every chip: do families of its designs give the numbers of its designs?"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from accelerators.systolic.design import MemoryModel
from hwsim.errors import DesignError, HwsimError
from hwsim.graph.build import GraphBuilder
from hwsim.graph.types import INT8
from hwsim.model.prices import price
from hwsim.model.sheets import Sheets, knob_columns, sheets_of
from hwsim.model.types import Design
from hwsim.registry import load_accelerator
from hwsim.trace import fingerprint
from tests.contract.chips import each_chip, each_preset, lowered, target_of
from tests.contract.families import assert_equal_to_evaluate
from tests.contract.small_designs import small_design
from tests.contract.small_graphs import small_graph

FACTORS = (0.5, 0.75, 1.5, 2)
# Chips whose datasheets take columns, and knobs of which even they need one datasheet per design:
# {"knob": "why"}. The prices of other chips are as right, only slower to come by.
IN_COLUMNS: dict[str, dict[str, str]] = {
    "binary_lstm": {},
    "integral_sc": {"operating_supply_v": "zero means the nominal supply, which is a decision"},
    "sparse_fc": {},
    "sparse_lstm": {},
    "systolic": {},
}


def changed(design: Design, knob: str) -> list[Any]:
    """Return valid designs that differ from `design` in one number."""
    value, found = getattr(design, knob), [design]
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return []
    for factor in FACTORS:
        other = value * factor if isinstance(value, float) else int(value * factor)
        try:
            found.append(type(design).model_validate(design.model_dump() | {knob: other}))
        except ValueError:
            continue
    return found


@each_chip
def test_random_designs_in_a_family_equal_their_reports(name: str) -> None:
    accelerator = load_accelerator(name)
    rng = np.random.default_rng(7)
    designs = [small_design(accelerator, rng) for _ in range(6)]
    assert_equal_to_evaluate(small_graph("classifier"), accelerator, designs + designs[:2])


@each_preset
def test_every_number_that_leaves_the_structure_alone_is_priced_for_all(spec: str) -> None:
    """Prices of all members from one datasheet equal those of a datasheet each; the trace stays the same."""
    accelerator, design = target_of(spec)
    prepared, trace, _ = lowered(spec, "classifier")
    structure, checked = accelerator.structure(design), 0
    for knob in type(design).model_fields:
        designs = changed(design, knob)
        if len({repr(other) for other in designs}) < 2:
            continue
        if any(accelerator.structure(other) != structure for other in designs):
            continue
        checked += 1
        assert fingerprint(accelerator.lower(prepared, designs[-1])) == fingerprint(trace)
        sheets = sheets_of(accelerator, designs)
        if accelerator.name in IN_COLUMNS:
            expected = len(designs) if knob in IN_COLUMNS[accelerator.name] else 1
            assert len(sheets.members) == expected, knob
        assert_same_prices(trace, sheets, [accelerator.datasheet(other) for other in designs])
    assert checked or set(structure) == set(type(design).model_fields)


def assert_same_prices(trace: Any, columns: Sheets, alone: list[Any]) -> None:
    together, each = price(trace, columns), price(trace, alone)
    assert together.cycles_per_bit == each.cycles_per_bit
    for name in ("lanes", "interval", "clock_hz"):
        assert np.array_equal(getattr(together, name), getattr(each, name)), name
    for name in ("energy", "energy_per_bit"):
        assert getattr(together, name) == pytest.approx(getattr(each, name), rel=1e-12, abs=0), name
    for unit in columns.first.units:
        for what, suffix in (("area", "_m2"), ("leakage", "_w")):
            found = [getattr(sheet.unit(unit.unit), what) for sheet in columns.members]
            own = [getattr(sheet.unit(unit.unit), what) for sheet in alone]
            assert {number is None for number in found} == {number is None for number in own}
            if own[0] is not None:
                column = columns.spread([number.in_unit_of(suffix) for number in found])
                expected = [number.in_unit_of(suffix) for number in own]
                assert column.tolist() == pytest.approx(expected, rel=1e-12, abs=0)


@each_preset
def test_knobs_of_a_family_do_not_change_what_is_prepared(spec: str) -> None:
    accelerator, design = target_of(spec)
    if accelerator.family is None:
        return
    prepared, _, _ = lowered(spec, "classifier")
    assert set(accelerator.family.knobs) <= set(type(design).model_fields)
    for knob in accelerator.family.knobs:
        for other in changed(design, knob):
            assert accelerator.prepare(prepared, other) == accelerator.prepare(prepared, design), knob


@each_chip
def test_a_column_is_one_design_and_says_so_when_it_cannot_be(name: str) -> None:
    accelerator = load_accelerator(name)
    design = next(iter(accelerator.presets.values()))
    assert knob_columns([design, design]) == design
    texts = [knob for knob in type(design).model_fields if isinstance(getattr(design, knob), str)]
    for knob in texts[:1]:
        with pytest.raises(ValueError, match=knob):
            knob_columns([design, design.model_copy(update={knob: "other"})])


def test_errors_of_designs_stay_theirs() -> None:
    """Scratchpads that are too small fail their design and no other."""
    accelerator, design = target_of("systolic:edge_32")
    b = GraphBuilder("large", format=INT8)
    b.output(b.conv(b.input("x", (1, 1, 40, 40)), 1, 40, bias=False))
    small = design.model_copy(update={"weight_scratchpad_bytes": 64})
    family = assert_equal_to_evaluate(b.build(), accelerator, [design, small, design])
    assert family.index.tolist() == [0, 2]
    assert isinstance(family.failures[1], HwsimError)


def test_datasheets_of_different_rows_are_no_family() -> None:
    """A bandwidth that only some designs have is not silently that of the first."""
    accelerator, design = target_of("systolic:edge_32")
    endless = design.model_copy(update={"memory_model": MemoryModel.STALL_FREE})
    with pytest.raises(DesignError, match="different rows"):
        sheets_of(accelerator, [endless, design])
    trace = lowered("systolic:edge_32", "classifier")[1]
    alone = [accelerator.datasheet(endless), accelerator.datasheet(design)]
    together = price(trace, alone)
    assert together.cycles_per_bit == tuple(price(trace, sheet).cycles_per_bit[0] for sheet in alone)
