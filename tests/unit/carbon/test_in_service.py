"""`hwsim compare --service-life` from the command line, and scenario files with mistakes."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

import hwsim
from hwsim.cli import invoke
from hwsim.errors import InputError
from hwsim.model.carbon import read_scenario
from hwsim.sustainability import illustrative, serve

ROOT = Path(__file__).parents[3]
GOOD = """
label = "mine"
use_intensity = "380 gCO2e/kWh"
fab_intensity = "583 gCO2e/kWh"
[engines.systolic]
idle_power = "1 W"
dies = [{ node = "28", area = "50 mm^2" }]
"""


@pytest.fixture(scope="module")
def reports() -> tuple[hwsim.Report, ...]:
    return tuple(hwsim.compare("mlp_mnist", ["systolic:tpu_v1", "systolic:edge_32"]))


def test_the_illustrative_scenario_says_so(reports: tuple[hwsim.Report, ...]) -> None:
    service = serve(reports, illustrative(reports), service_life_s=5 * 3.156e7, activity=0.2)
    assert service.scenario.label == "illustrative"
    assert service.chips[0].area_m2 == pytest.approx(reports[0].totals.area_m2)
    assert service.chips[0].engine.throughput_per_s == pytest.approx(1 / reports[0].totals.time_s)
    assert set(service.chips[1].refusals) == {"act", "ecochip", "three_d_carbon"}
    power = service.running("energy")
    expected = service.embodied("greenchip", "energy")[1] / (power[0] - power[1])
    assert service.break_even(0, 1, "energy").times_s == pytest.approx((expected,))


def test_command_prints_tables_and_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = [
        "compare",
        "mlp_mnist",
        "--on",
        "systolic:tpu_v1,systolic:edge_32",
        "--service-life",
        "5y",
        "--activity",
        "0.2",
    ]
    timeline = tmp_path / "timeline.json"
    assert invoke([*words, "-o", str(tmp_path / "page.html"), "--timeline", str(timeline)]) == 0
    assert json.loads(timeline.read_text())["traceEvents"]
    shown = capsys.readouterr().out
    assert "In service (illustrative)" in shown
    assert "Break-even, energy" in shown
    page = (tmp_path / "page.html").read_text()
    assert "In service: illustrative" in page
    assert page.count("<svg") >= 7
    assert invoke([*words, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)["in_service"]
    assert document["scenario"] == "illustrative"
    assert len(document["pairs"]) == 2
    never = [pair for pair in document["pairs"] if "never" in pair["break_even_energy_s"]]
    assert len(never) == 1


def test_options_need_a_service_life() -> None:
    with pytest.raises(InputError, match="--service-life 5y"):
        invoke(["compare", "mlp_mnist", "--on", "systolic,systolic:tpu_v1", "--activity", "0.2"])


def test_a_scenario_file(tmp_path: Path, reports: tuple[hwsim.Report, ...]) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(GOOD)
    scenario = read_scenario(path)
    service = serve(reports, scenario, service_life_s=1e7, activity=1.0)
    assert service.chips[0].engine.idle_w == 1.0
    assert service.chips[0].area_m2 == pytest.approx(50e-6)
    assert service.chips[0].note == ""
    path.write_text(GOOD.replace('"1 W"', '"1 kW"'))
    hot = serve(reports, read_scenario(path), service_life_s=1e7, activity=1.0)
    assert "idle at 1000 W it draws more than" in hot.chips[0].note


def test_the_documented_scenario_is_one(tmp_path: Path) -> None:
    (text,) = re.findall(r"```toml\n(.*?)```", (ROOT / "docs" / "in_service.md").read_text(), re.DOTALL)
    path = tmp_path / "mine.toml"
    path.write_text(text)
    scenario = read_scenario(path)
    reports = hwsim.compare("alexnet_ternary", ["dram_pim", "racetrack_pim"])
    service = serve(reports, scenario, service_life_s=1e8, activity=0.5)
    assert service.service.full_rate_per_s == 20.0
    assert service.embodied("greenchip", "energy")[0] == 0.0
    assert service.chips[1].engine.throughput_per_s == 85.0
    assert "act" in service.chips[1].refusals


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('label = "mine"', "", "label"),
        ('idle_power = "1 W"', "", "engines.systolic.idle_power"),
        ('idle_power = "1 W"', 'idle_power = "-1 W"', "idle_power"),
        ('idle_power = "1 W"', "idle_power = 1", "no unit"),
        ('"50 mm^2"', '"50 mm"', "area"),
        ('"50 mm^2"', '"0 mm^2"', "area"),
        ('node = "28"', "node = 28", "node"),
        ("idle_power", "idel_power", "idle_power"),
        ("[engines.systolic]", "[engine.systolic]", "engines"),
        ('"583 gCO2e/kWh"', '"-583 gCO2e/kWh"', "fab_intensity"),
        ('area = "50 mm^2"', 'area = "50 mm^2", count = 0', "count"),
        ('label = "mine"', "label = ", "TOML"),
        ('label = "mine"', 'label = "mine"\nmethods = ["guess"]', "methods"),
        ('label = "mine"', 'label = "mine"\nnote = 3', "mine.toml:3: note"),
        ('label = "mine"', 'label = "mine"\nallow_suspicious = 3', "mine.toml:3: allow_suspicious"),
        (
            'label = "mine"',
            'label = "mine"\nallow_suspicious = ["greenchip.dram_energy_j_per_m2.29"]',
            "no suspicious entry .*dram_energy_j_per_m2.28",
        ),
        # A throughput is tasks a second: operations a second or a power would be another quantity.
        ('idle_power = "1 W"', 'idle_power = "1 W"\nthroughput = "47 GFLOPS"', "never operations"),
        ('idle_power = "1 W"', 'idle_power = "1 W"\nthroughput = "47 W"', "never operations"),
        ('idle_power = "1 W"', 'idle_power = "1 W"\nthroughput = "0 1/s"', "not above zero"),
        ('idle_power = "1 W"', 'idle_power = "3 W"\nactive_power = "2 W"', "3 W idle are more than 2 W busy"),
        ('dies = [{ node = "28", area = "50 mm^2" }]', "", "no dies"),
    ],
)
def test_scenario_mistakes(tmp_path: Path, old: str, new: str, message: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(GOOD.replace(old, new))
    with pytest.raises(InputError, match=message) as caught:
        read_scenario(path)
    assert "mine.toml" in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ('idle_power = "1 W"', "idle_power = 1", 6),
        ('idle_power = "1 W"', "", 5),
        ('"50 mm^2"', '"50 mm"', 7),
        ('"583 gCO2e/kWh"', '"583 g"', 4),
        ("[engines.systolic]", "[ engines . 'systolic' ] # here\nidel_power = 3", 6),
    ],
)
def test_mistakes_are_named_with_their_line(tmp_path: Path, old: str, new: str, line: int) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(GOOD.replace(old, new))
    with pytest.raises(InputError) as caught:
        read_scenario(path)
    assert caught.value.problems[0].where.startswith(f"mine.toml:{line}: ")
    path.write_text(GOOD + "idle_power 3\n")
    with pytest.raises(InputError, match="at line 8"):
        read_scenario(path)


def test_no_sentinel_and_no_negative_time_reaches_an_output(
    reports: tuple[hwsim.Report, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    """GreenChip writes -42 for never; here it is a word."""
    words = ["compare", "mlp_mnist", "--on", "systolic:tpu_v1,systolic:edge_32", "--service-life", "5y"]
    for extra in ([], ["--json"]):
        assert invoke([*words, "--activity", "1", *extra]) == 0
        shown = capsys.readouterr().out
        assert "never" in shown
        assert "-42" not in shown
        assert "illustrative" in shown


def test_all_mistakes_at_once(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(
        GOOD.replace('"1 W"', '"1 V"').replace('"583 gCO2e/kWh"', '"583 g"').replace('"50 mm^2"', '"x"')
    )
    with pytest.raises(InputError) as caught:
        read_scenario(path)
    assert len(caught.value.problems) == 3


def test_an_engine_that_the_scenario_lacks(tmp_path: Path, reports: tuple[hwsim.Report, ...]) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(GOOD.replace("engines.systolic", "engines.other"))
    with pytest.raises(InputError, match="systolic"):
        serve(reports, read_scenario(path), service_life_s=1e7, activity=1.0)
    path.write_text(GOOD)
    with pytest.raises(InputError, match="activity"):
        serve(reports, read_scenario(path), service_life_s=1e7, activity=1.5)


def test_chips_without_service_data_need_a_scenario(reports: tuple[hwsim.Report, ...]) -> None:
    other = replace(reports[0], provenance={**reports[0].provenance, "chip": "mst_bnn"})
    with pytest.raises(InputError) as caught:
        illustrative([reports[0], other])
    (problem,) = caught.value.problems
    assert (problem.where, problem.reason, problem.hint) == (
        "engines.mst_bnn",
        "no dies and no idle power are known for this chip",
        "give --scenario FILE.toml with a table [engines.mst_bnn]",
    )


def test_a_service_of_no_time_and_of_no_method(tmp_path: Path, reports: tuple[hwsim.Report, ...]) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(GOOD)
    with pytest.raises(InputError) as caught:
        serve(reports, read_scenario(path), service_life_s=0.0, activity=2.0)
    assert [p.where for p in caught.value.problems] == ["--activity", "--service-life"]
    path.write_text('methods = ["act"]\n' + GOOD.replace('"28"', '"12"'))
    with pytest.raises(InputError, match=r"mine\.engines\.systolic:tpu_v1\.act: act has no '12'"):
        serve(reports, read_scenario(path), service_life_s=1e7, activity=0.5)
