from __future__ import annotations

import json
import sys
from collections.abc import Callable
from enum import StrEnum
from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import Field

import hwsim
from hwsim.constants import parse_constants
from hwsim.graph.build import GraphBuilder
from hwsim.graph.types import Graph
from hwsim.model.types import Design

Command = Callable[..., Any]
_TOML = """
[constants.add_j]
value = "0.03 pJ"
source = "somebody1999"
where = "Table 1"
kind = "unconfirmed"
note = "recalled"
[sources.somebody1999]
title = "A paper"
authors = "Some Body"
venue = "A venue"
year = 1999
doi = "10.1000/182"
"""


class _Flow(StrEnum):
    ROWS = "rows"
    COLUMNS = "columns"


class _Toy(Design):
    rows: int = Field(8, ge=1, le=64, description="Rows of the array")
    clock_hz: float = Field(500e6, gt=0, description="Clock")
    buffer_bytes: int = Field(65536, ge=64, description="Buffer")
    flow: _Flow = Field(_Flow.ROWS, description="What stays")
    fused: bool = Field(True, description="Fuse")
    limit: int | None = Field(None, description="None for no limit")


@pytest.fixture(autouse=True)
def _registry(monkeypatch: pytest.MonkeyPatch) -> None:
    presets = {"small": _Toy(), "large": _Toy(rows=64, clock_hz=1.25e9)}
    chip = SimpleNamespace(name="toy", summary="A toy chip", design=_Toy, presets=presets, model_version="1",
                           constants=parse_constants(_TOML, namespace="toy"))
    stand_in = SimpleNamespace(
        accelerator_names=lambda: ("toy",), load_accelerator=lambda name: {"toy": chip}[name],
        workload_names=lambda: ("toynet",), load_workload=lambda name: _network(),
        comparison_names=lambda: ())
    monkeypatch.setitem(sys.modules, "hwsim.registry", stand_in)
    monkeypatch.setattr(hwsim, "registry", stand_in, raising=False)


def _network() -> Graph:
    builder = GraphBuilder("toynet")
    image, weight = builder.input("image", (1, 3, 8, 8)), builder.weight("weight", (4, 3, 3, 3))
    builder.output(builder.add("convolution", (image, weight), name="conv"))
    return builder.build()


def test_list_names_chips_and_networks(command: Command) -> None:
    outcome = command("list")
    assert outcome.code == 0
    assert "toy    small, large   A toy chip" in outcome.out
    assert "toynet" in outcome.out
    assert "toynet" not in command("list", "chips").out
    assert json.loads(command("list", "--json").out) == {
        "chips": [{"name": "toy", "summary": "A toy chip", "presets": ["small", "large"]}],
        "workloads": ["toynet"], "comparisons": []}


def test_show_prints_knobs_with_units_ranges_and_presets(command: Command) -> None:
    rows = [" ".join(line.split()) for line in command("show", "toy").out.splitlines()]
    assert "rows whole number, >= 1, <= 64 8 Rows of the array" in rows
    assert "clock_hz Hz number, > 0 500 MHz Clock" in rows
    assert "buffer_bytes B whole number, >= 64 64 KiB Buffer" in rows
    assert "flow rows, columns rows What stays" in rows
    assert "fused true, false true Fuse" in rows
    assert "limit whole number or none None None for no limit" in rows
    assert "clock_hz 500 MHz 1.25 GHz" in rows


def test_show_prints_constants_with_evidence(command: Command) -> None:
    text = command("show", "toy:small").out
    assert "toy.add_j   0.03 pJ   unconfirmed   Table 1   A paper (10.1000/182)" in text
    assert "toy.add_j [unconfirmed]: recalled" in text
    document = json.loads(command("show", "toy", "--json").out)
    assert document["presets"]["large"]["rows"] == 64
    assert document["constants"][0]["kind"] == "unconfirmed"
    assert [knob["name"] for knob in document["knobs"]] == list(_Toy.model_fields)


def test_show_takes_a_preset(command: Command) -> None:
    assert "large" not in command("show", "toy:small").out
    assert list(json.loads(command("show", "toy:large", "--json").out)["presets"]) == ["large"]
    wrong = command("show", "toy:larg")
    assert (wrong.code, wrong.out) == (2, "")
    assert "show: toy has no preset 'larg' (did you mean 'large'?)" in wrong.err


def test_show_prints_the_operators_of_a_network(command: Command) -> None:
    assert "toynet: 1 operators, 3,888 MACs, 108 parameters" in command("show", "toynet").out
    document = json.loads(command("show", "toynet", "--json").out)
    assert document["operators"][0]["macs"] == 3888


def test_unknown_names_get_the_nearest(command: Command) -> None:
    outcome = command("show", "toynett")
    assert outcome.code == 2
    told = "no chip, no workload and no comparison is called 'toynett' (did you mean 'toynet'?)"
    assert told in outcome.err


def test_schema_of_a_design_is_its_json_schema(command: Command) -> None:
    schema = json.loads(command("schema", "design", "toy").out)
    assert schema["additionalProperties"] is False
    assert schema["properties"]["rows"]["maximum"] == 64
