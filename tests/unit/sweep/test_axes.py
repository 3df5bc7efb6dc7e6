"""How values of a knob are written, from files and from Python."""

from __future__ import annotations

import json
import math
from enum import Enum
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from hwsim.errors import InputError
from hwsim.sweep.knobs import Knob
from hwsim.sweep.space import Space, space_schema
from tests.unit.sweep.spaces import plan, rows, space

FITTING: list[dict[str, Any]] = [
    {"array_rows": 8},
    {"array_rows": [8, "16"]},
    {"clock_hz": "200 MHz"},
    {"dataflow": "all"},
    {"dataflow": {"values": "all"}},
    {"array_rows": {"values": [8, 16]}},
    {"array_rows": {"from": 8, "to": 64, "step": 8}},
    {"clock_hz": {"from": "1 GHz", "to": 2e9, "step": "500 MHz", "scale": "linear"}},
    {"array_rows": {"from": 8, "to": 64, "points": 3.0, "scale": "log"}},
    {"array_rows": {"from": 8, "to": 64, "ratio": 2}},
    {"array_rows": {"powers_of_two": [8, 64]}},
    {"array_rows": {"equal": "array_cols * 2"}},
    {"systolic": {"array_rows": [8, 16]}},
    {"systolic": {}},
    {"fuse_elementwise": [True, False]},
]
UNFIT: list[dict[str, Any]] = [
    {"array_rows": {}},
    {"array_rows": []},
    {"array_rows": {"values": []}},
    {"array_rows": {"values": 5}},
    {"dataflow": {"values": "os"}},
    {"array_rows": {"values": [8], "step": 8}},
    {"array_rows": {"array_cols": [8]}},
    {"array_rows": [{"from": 8, "to": 64}]},
    {"array_rows": {"form": 8, "to": 64}},
    {"array_rows": {"from": 8, "step": 8}},
    {"array_rows": {"from": [8], "to": 64, "step": 8}},
    {"array_rows": {"from": True, "to": 64, "step": 8}},
    {"array_rows": {"from": 8, "to": 64, "step": 0}},
    {"array_rows": {"from": 8, "to": 64, "step": 8, "points": 3}},
    {"array_rows": {"from": 8, "to": 64, "step": 8, "scale": "log"}},
    {"array_rows": {"from": 8, "to": 64, "points": 1}},
    {"array_rows": {"from": 8, "to": 64, "points": 2.5}},
    {"array_rows": {"from": 8, "to": 64, "points": 2, "scale": "cubic"}},
    {"array_rows": {"from": 8, "to": 64, "ratio": 1}},
    {"array_rows": {"from": 8, "to": 64, "ratio": 2, "scale": "log"}},
    {"array_rows": {"powers_of_two": [8]}},
    {"array_rows": {"powers_of_two": [0, 8]}},
    {"array_rows": {"powers_of_two": 8}},
    {"array_rows": {"equal": 5}},
    {"array_rows": {"equal": ""}},
    {"systolic": 3},
    {"systolic": {"array_rows": {}}},
]


@pytest.mark.parametrize(
    ("knobs", "fits"), [*((given, True) for given in FITTING), *((given, False) for given in UNFIT)]
)
def test_reader_and_schema_agree(knobs: dict[str, Any], fits: bool) -> None:
    checker = pytest.importorskip("jsonschema", reason="the extra `test` is not installed")
    document = {"chips": ["systolic"], "networks": ["digits_32"], "knobs": knobs}
    assert checker.Draft202012Validator(space_schema()).is_valid(document) is fits
    if fits:
        plan(knobs=knobs)
    else:
        with pytest.raises(InputError, match=r"knobs\.(array_rows|dataflow|systolic)"):
            plan(knobs=knobs)


@pytest.mark.parametrize(
    "given",
    [
        {"chips": "systolic"},
        {"networks": "digits_32"},
        {"batch": 4},
        {"precision": "int8"},
        {"constraints": "array_rows > 3"},
        {"sampling": "search", "knobs": {"array_rows": [8, 16]}, "search": {"objectives": "energy_j"}},
    ],
)
def test_one_stands_for_many(given: dict[str, Any]) -> None:
    checker = pytest.importorskip("jsonschema", reason="the extra `test` is not installed")
    checker.validate({"chips": ["systolic"], "networks": ["digits_32"]} | given, space_schema())
    assert len(plan(**given).scenarios) == 1


def test_zip_keeps_values_as_written() -> None:
    knobs: dict[str, Any] = {"array_rows": [8, 8, 16], "array_cols": [4, 32, 32]}
    found = rows(knobs=knobs, sampling="zip")
    assert [(row["array_rows"], row["array_cols"]) for row in found] == [(8, 4), (8, 32), (16, 32)]
    knobs["array_cols"] = {"from": 1, "to": 2, "points": 3}
    assert [row["array_cols"] for row in rows(knobs=knobs, sampling="zip")] == [1, 2, 2]
    assert len(rows(knobs=knobs)) == 4


class Width(Enum):
    WIDE = 64


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ([np.int64(8), np.int32(16)], [8, 16]),
        (np.array([8, 16]), [8, 16]),
        (np.array(8), [8]),
        (np.logspace(3, 6, 4, base=2), [8, 16, 32, 64]),
        (range(8, 33, 8), [8, 16, 24, 32]),
        ((8, np.float32(16)), [8, 16]),
        ({"from": np.int64(8), "to": np.float64(16), "points": np.int64(2)}, [8, 16]),
        ({"values": np.arange(8, 11)}, [8, 9, 10]),
        ([Width.WIDE, Fraction(32)], [64, 32]),
    ],
)
def test_numbers_of_python(given: Any, expected: list[int]) -> None:
    made = space(knobs={"array_rows": given})
    assert json.loads(made.model_dump_json(exclude={"networks"}))["knobs"]
    found = [row["array_rows"] for row in rows(knobs={"array_rows": given})]
    assert found == expected
    assert all(type(value) is int for value in found)


def test_numpy_numbers_of_a_space() -> None:
    made = space(limit=np.int64(3), seed=np.int32(1), batch=np.array([1, 4]), search={"budget": np.int64(5)})
    assert (made.limit, made.seed, made.batch) == (3, 1, (1, 4))
    assert type(made.limit) is int
    assert made.search is not None
    assert type(made.search.budget) is int
    assert rows(knobs={"fuse_elementwise": [np.bool_(True)], "clock_hz": np.float32(5e8)}) == [
        {"fuse_elementwise": True, "clock_hz": 5e8}
    ]


@pytest.mark.parametrize("given", [{8, 16}, None, object(), 3j, [8, None], {"from": None, "to": 3}, b"8"])
def test_what_is_no_value_is_told(given: Any) -> None:
    with pytest.raises(InputError, match=r"knobs\.array_rows.*: not a value: "):
        Space(chips="systolic", networks="digits_32", knobs={"array_rows": given})


def test_values_without_end_are_told() -> None:
    endless: list[Any] = [8]
    endless.append(endless)
    with pytest.raises(InputError, match="nested too deeply"):
        space(knobs={"array_rows": endless})


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"array_rows": {"from": 8, "to": 64, "step": math.inf}}, "`step` is a number above zero, got inf"),
        ({"clock_hz": {"from": 1e8, "to": 1e9, "step": math.inf}}, "`step` is a number above zero, got inf"),
        ({"clock_hz": {"from": 1e8, "to": 1e9, "step": math.nan}}, "above zero, got nan"),
        ({"clock_hz": {"from": 1e8, "to": 1e9, "step": 1e-320}}, "values are more than 10,000,000"),
        ({"clock_hz": {"from": 1e8, "to": 1e9, "step": 1e-3}}, "are more than 10,000,000"),
        ({"clock_hz": {"from": 1, "to": 1e12, "ratio": math.inf}}, "`ratio` is a number of at least"),
        ({"array_rows": {"from": 8, "to": 64, "points": 10**400}}, "`points` is a whole number from 2 to"),
        ({"clock_hz": {"from": 1e8, "to": 1e9, "step": 10**400}}, "`step` is a number above zero, got 1000"),
        ({"clock_hz": {"from": 1, "to": 10**400, "step": 1}}, "`to` is a number, or a text with a unit"),
        ({"clock_hz": {"from": 1, "to": 2, "ratio": 10**400}}, "`ratio` is a number of at least"),
        ({"array_rows": {"powers_of_two": [1, 10**400]}}, "`powers_of_two` holds"),
        ({"clock_hz": [10**400]}, "knobs.clock_hz: input should be"),
        ({"array_rows": [-(10**400)]}, "knobs.array_rows: input should be"),
        ({"array_rows": {"powers_of_two": [1, 2**900]}}, "less than or equal to 65536"),
        ({"array_rows": True}, "a number is due, got true"),
        ({"array_rows": {"values": "all"}}, "got 'all'"),
        ({"sistolic": {"array_rows": [8]}}, "knobs.sistolic: no chip of this sweep is called that (did you"),
        ({"sistolic.array_rows": [8]}, "knobs.sistolic: no chip of this sweep is called that (did you"),
    ],
)
def test_errors_name_the_cause(given: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError) as caught:
        plan(knobs=given)
    assert words in str(caught.value)


def test_every_bad_value_is_told() -> None:
    knobs = {"dataflow": ["OS", "wss", "ws"], "clock_hz": [math.nan, math.inf, -1, "3 ns"]}
    with pytest.raises(InputError) as caught:
        plan(knobs=knobs)
    assert [problem.where for problem in caught.value.problems] == ["knobs.dataflow"] * 2 + [
        "knobs.clock_hz"
    ] * 4
    with pytest.raises(InputError) as caught:
        plan(knobs={"array_rows": list(range(-100_000, 0))})
    assert "and 65,528 more values" in str(caught.value)
    assert len(caught.value.problems) == 9


@pytest.mark.parametrize("chips", [["systolc"], ["systolic:edge"], ["systolc", "systolic:edge"]])
def test_a_bad_chip_hides_nothing(chips: list[str]) -> None:
    with pytest.raises(InputError) as caught:
        plan(
            chips=chips,
            knobs={"array_rows": {"from": 8, "form": 9}, "array_cols": {"equal": 5}},
            constraints=["array_rows <"],
            networks=["digit_32"],
        )
    text = str(caught.value)
    for words in ("did you mean 'from'?", "`equal` is", "not an expression", "'digits_32'?", "no "):
        assert words in text
    if "systolic:edge" in chips:
        with pytest.raises(InputError, match="did you mean 'array_rows'"):
            plan(chips=chips, knobs={"array_row": 8})


def test_knobs_of_one_chip_go_before_those_of_all() -> None:
    for knobs in ({"array_rows": 8, "systolic.array_rows": 16}, {"systolic.array_rows": 16, "array_rows": 8}):
        assert rows(knobs=knobs) == [{"array_rows": 16}]


def test_ratios_are_multiplied_from_the_low_end() -> None:
    found = rows(knobs={"clock_hz": {"from": "100 MHz", "to": "1 GHz", "ratio": 2}})
    assert [row["clock_hz"] for row in found] == [1e8, 2e8, 4e8, 8e8]
    assert rows(knobs={"array_rows": {"from": 8, "to": 8, "ratio": 2}}) == [{"array_rows": 8}]
    with pytest.raises(InputError, match="fractional part"):
        plan(knobs={"array_rows": {"from": 1, "to": 8, "ratio": 1.5}})


def test_a_million_values_are_checked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []
    checked = Knob._checked

    def counted(self: Knob, given: Any) -> Any:
        calls.append(len(given))
        return checked(self, given)

    monkeypatch.setattr(Knob, "_checked", counted)
    (scenario,) = plan(knobs={"dram_bits_per_s": {"from": 1e9, "to": 2e11, "step": 1e6}}).scenarios
    assert len(scenario.axes[0].values) == 199_001
    assert scenario.axes[0].values[:2] == (1e9, 1.001e9)
    assert len(calls) <= 6
