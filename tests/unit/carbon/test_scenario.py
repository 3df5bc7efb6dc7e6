"""Scenario files: what each field becomes, and every mistake with its line, reason and remedy at once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hwsim.errors import InputError
from hwsim.model.carbon import METHODS, EngineEntry, Scenario, read_engine, read_scenario
from hwsim.model.carbon.scenario import DieEntry
from hwsim.model.carbon.types import Die

FULL = """label = "mine"
note = "why"
methods = ["act", "greenchip"]
use_intensity = "360 gCO2e/kWh"
fab_intensity = "720 gCO2e/kWh"
full_rate = "30 1/s"
allow_suspicious = ["greenchip.dram_energy_j_per_m2.28"]
[engines.gpu]
note = "fast"
idle_power = "20 W"
active_power = "20 W"
throughput = "85 1/s"
[[engines.gpu.dies]]
node = "28"
area = "350 mm^2"
[[engines.gpu.dies]]
node = "modeled"
area = "modeled"
kind = "dram"
count = 2
layers = 3
[engines.old]
idle_power = "modeled"
shared_existing = true
"""
SHORT = """label = "short"
use_intensity = "0 gCO2e/kWh"
fab_intensity = "3.6 gCO2e/kWh"
[engines.a]
idle_power = "0 W"
dies = [{ node = "28", area = "1 mm^2" }]
"""
GRID = 'such as "380 gCO2e/kWh"'
TASKS = 'tasks such as frames a second, never operations: "85 1/s"'
UNKNOWN = "it is not known from any source, so there is no default"
SOME_DIES = 'such as dies = [{ node = "28", area = "50 mm^2" }]'
A_NODE = 'a text such as "28" or "7_euv"'

Mistakes = list[tuple[str, str, str]]


def mistakes(tmp_path: Path, text: str, read: Callable[[Path], Any] = read_scenario) -> Mistakes:
    path = tmp_path / "mine.toml"
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        read(path)
    return [(p.where.removeprefix("mine.toml:"), p.reason, p.hint) for p in caught.value.problems]


def test_every_field_is_read_in_its_unit(tmp_path: Path) -> None:
    path = tmp_path / "full.toml"
    path.write_text("\ufeff" + FULL, encoding="utf-8")
    gpu = EngineEntry(
        (DieEntry("28", 350e-6, "logic", 1, 1), DieEntry(None, None, "dram", 2, 3)),
        20.0,
        20.0,
        85.0,
        False,
        "fast",
    )
    old = EngineEntry((), None, None, None, True, "")
    assert read_scenario(path) == Scenario(
        "mine",
        pytest.approx(1e-7),
        pytest.approx(2e-7),
        {"gpu": gpu, "old": old},
        ("act", "greenchip"),
        30.0,
        ("greenchip.dram_energy_j_per_m2.28",),
        "why",
    )


def test_what_is_left_out_has_a_default_that_invents_nothing(tmp_path: Path) -> None:
    path = tmp_path / "short.toml"
    path.write_text(SHORT)
    engine = EngineEntry((DieEntry("28", 1e-6),), 0.0)
    expected = Scenario("short", 0.0, pytest.approx(1e-9), {"a": engine}, METHODS, None, (), "")  # type: ignore[arg-type]
    assert read_scenario(path) == expected
    path.write_text(SHORT.replace("3.6 gCO2e", "0 gCO2e"))
    assert read_scenario(path).fab_kgco2e_per_j == 0.0


def test_the_word_modeled_takes_node_and_area_of_the_report() -> None:
    assert DieEntry(None, None, "dram", 2, 3).resolved("12", 5e-6) == Die("12", 5e-6, "dram", 2, 3)
    assert DieEntry("28", 1e-6).resolved("12", 5e-6) == Die("28", 1e-6, "logic", 1, 1)


def test_mistakes_of_the_whole_file(tmp_path: Path) -> None:
    text = """lable = "mine"
label = 3
note = 3
methods = []
use_intensity = 3
fab_intensity = "-583 gCO2e/kWh"
full_rate = "0 1/s"
allow_suspicious = 3
engines = 3
"""
    assert mistakes(tmp_path, text) == [
        ("1: lable", "no such field", "did you mean 'label'?"),
        ("5: use_intensity", "3 has no unit", f"write a text with a unit, {GRID}"),
        ("6: fab_intensity", "'-583 gCO2e/kWh' is below zero", ""),
        ("7: full_rate", "'0 1/s' is not above zero", ""),
        ("2: label", "expected a text, got 3", ""),
        ("4: methods", "[] are not known methods", f"a list out of {', '.join(METHODS)}"),
        ("3: note", "expected a text, got 3", ""),
        ("8: allow_suspicious", "expected a list of texts, got 3", ""),
        ("9: engines", "no [engines.NAME]", "give at least one engine"),
    ]


def test_mistakes_in_lists_and_what_is_missing(tmp_path: Path) -> None:
    text = """use_intensity = "1 W"
full_rate = "1 W"
allow_suspicious = ["greenchip.dram_energy_j_per_m2.29"]
methods = ["act", "atc"]
label = "  "
engines = {}
"""
    unit = "'1 W' is in W, which does not fit the suffix _"
    assert mistakes(tmp_path, text) == [
        ("1: use_intensity", f"{unit}kgco2e_per_j", "write it in kgCO2e/J or a multiple of it"),
        ("fab_intensity", "is missing", UNKNOWN),
        ("2: full_rate", f"{unit}hz", TASKS),
        ("5: label", "expected a text, got '  '", ""),
        ("4: methods", "['act', 'atc'] are not known methods", f"a list out of {', '.join(METHODS)}"),
        (
            "3: allow_suspicious",
            "'greenchip.dram_energy_j_per_m2.29' is no suspicious entry",
            "did you mean 'greenchip.dram_energy_j_per_m2.28'?",
        ),
        ("6: engines", "no [engines.NAME]", "give at least one engine"),
    ]
    assert mistakes(tmp_path, SHORT.replace('label = "short"', "allow_suspicious = ['act.x', 3]")) == [
        ("label", "is missing", ""),
        ("1: allow_suspicious", "expected a list of texts, got ['act.x', 3]", ""),
    ]
    assert mistakes(tmp_path, SHORT.replace('label = "short"', 'label = "a"\nmethods = 3')) == [
        ("2: methods", "3 are not known methods", f"a list out of {', '.join(METHODS)}")
    ]


def test_mistakes_of_engines(tmp_path: Path) -> None:
    text = """label = "mine"
use_intensity = "modeled"
full_rate = "modeled"
fab_intensity = "1 gCO2e/kWh"
[engines]
one = 3
[engines.two]
idel_power = "1 W"
shared_existing = 3
dies = 3
active_power = "0 W"
throughput = "1 GFLOPS"
note = 3
[engines.three]
idle_power = "20 W"
active_power = "5.5 W"
dies = []
[engines.four]
idle_power = "1 W"
shared_existing = 1
"""
    assert mistakes(tmp_path, text) == [
        ("2: use_intensity", "'modeled' does not begin with a number", "write it like '3 pJ' or '1.5e-12 J'"),
        ("3: full_rate", "'modeled' does not begin with a number", TASKS),
        ("6: engines.one", "expected a table, got 3", ""),
        ("8: engines.two.idel_power", "no such field", "did you mean 'idle_power'?"),
        ("9: engines.two.shared_existing", "3 is neither true nor false", ""),
        ("10: engines.two.dies", "no dies", SOME_DIES),
        ("7: engines.two.idle_power", "is missing", UNKNOWN),
        ("11: engines.two.active_power", "'0 W' is not above zero", ""),
        ("12: engines.two.throughput", "in '1 GFLOPS': unknown unit 'GFLOPS'", TASKS),
        ("13: engines.two.note", "expected a text, got 3", ""),
        ("17: engines.three.dies", "no dies", SOME_DIES),
        ("15: engines.three.idle_power", "20 W idle are more than 5.5 W busy", ""),
        ("20: engines.four.shared_existing", "1 is neither true nor false", ""),
        ("18: engines.four.dies", "no dies", SOME_DIES),
    ]


def test_mistakes_of_dies_use_the_words_of_the_file(tmp_path: Path) -> None:
    text = SHORT.replace(
        'dies = [{ node = "28", area = "1 mm^2" }]',
        'dies = [3, { nod = "28" }, { node = "", area = "0 m^2" }, { node = "28" }, '
        '{ node = "28", area = 3, count = 0, layers = true, kind = "x" }, { node = "28", area = "1 m^2" }]',
    )
    die = "6: engines.a.dies"
    assert mistakes(tmp_path, text) == [
        (f"{die}[0]", "expected a table, got 3", ""),
        (f"{die}[1].nod", "no such field", "did you mean 'node'?"),
        (f"{die}[1].node", "None is not a node", A_NODE),
        (f"{die}[2].node", "'' is not a node", A_NODE),
        (f"{die}[3].area", "is missing", UNKNOWN),
        (f"{die}[4].area", "3 has no unit", 'write a text with a unit, such as "350 mm^2"'),
        (f"{die}[4].kind", "unknown kind 'x'", "one of logic, dram, sram, analog"),
        (f"{die}[4].count", "0 is not a whole number above zero", ""),
        (f"{die}[4].layers", "True is not a whole number above zero", ""),
        (
            f"{die}[5].area",
            "1.0 is not an area between nothing and a wafer of 300 mm",
            'such as "350 mm^2"',
        ),
    ]
    zero = SHORT.replace('"1 mm^2"', '"0 mm^2"')
    assert mistakes(tmp_path, zero) == [(f"{die}[0].area", "'0 mm^2' is not above zero", "")]


def test_the_engine_of_a_chip_is_named_by_its_folder(tmp_path: Path) -> None:
    place = f"{tmp_path.name}/mine.toml"
    assert mistakes(tmp_path, 'idle_power = "3 W"\ndies = []\nx = 3\n', read_engine) == [
        (
            f"{place}:3: x",
            "no such field",
            "known: active_power, dies, idle_power, note, shared_existing, throughput",
        ),
        (f"{place}:2: dies", "no dies", SOME_DIES),
    ]
    path = tmp_path / "good.toml"
    path.write_text('idle_power = "3 W"\ndies = [{ node = "28", area = "1 mm^2" }]\n')
    assert read_engine(path) == EngineEntry((DieEntry("28", 1e-6),), 3.0)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "cannot be read: No such file or directory"),
        (b"\xff\xfe", "is not TOML: 'utf-8' codec"),
        (b"x = ", "is not TOML: Invalid value"),
        (b"x = " + b"[" * 2000, "is not TOML: "),
    ],
)
def test_files_that_are_none(tmp_path: Path, content: bytes | None, reason: str) -> None:
    path = tmp_path / "mine.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        read_scenario(path)
    (problem,) = caught.value.problems
    assert problem.where == str(path)
    assert problem.reason.startswith(reason)
