"""The four built-in comparisons: each runs, its figures are pinned, and its page shows all reservations."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path

import pytest

import hwsim
from hwsim import registry
from hwsim.__main__ import main
from hwsim.comparison.driver import run_comparison
from hwsim.comparison.file import read_comparison
from hwsim.report.compare import Comparison
from hwsim.report.comparison_table import sheet_of
from hwsim.report.html import MAX_PAGE_BYTES, to_html
from hwsim.report.json_form import comparison_to_json, reports_from_json
from hwsim.report.service_table import pair_rows
from hwsim.report.study import mark_of

Capture = pytest.CaptureFixture[str]
FEW = 12
# Joules and seconds per inference. The two dataflow chips stand in the golden file alone.
FIGURES = {
    "binary_vgg": {
        "systolic array": (0.0026299890281833082, 0.001291136),
        "AQFP crossbars": (4.53773361152e-07, 3.4776e-06),
        "ReRAM crossbars": (3.0736370567874995e-05, 7.49921875e-06),
        "DRAM": (0.008022463753016252, 0.004622455500000001),
        "racetrack memory": (0.01787967300019066, 0.0016983775),
    },
    "character_lstm": {
        "systolic array": (0.06084167470912568, 0.01904225),
        "sparse states": (0.010710619907129796, 0.0081866),
        "sparse states x 8": (0.00759637080230228, 0.00465355),
        "the same dense": (0.06388579929017615, 0.048965),
        "binary weights": (0.00024149159999999997, 0.00066024),
        "ternary weights": (0.0003981348, 0.00131048),
        "12-bit weights": (0.0021720384, 0.0064674),
    },
    "edge_alexnet": {
        "GPU 32 bit": (0.055286752492307696, 0.0027643376246153845),
        "DRAM 8 bit": (0.32563301600718025, 0.17325057775000002),
        "DRAM ternary": (0.07267612735572752, 0.03872121675),
        "racetrack 8 bit": (0.08117943878016666, 0.01159235),
        "racetrack ternary": (0.041858297486182194, 0.0021575975),
        "ReRAM 16 bit": (0.0017263175349963747, 0.00073108515625),
        "GPU 16 bit": (0.028293709823999997, 0.0009431236608),
        "FPGA 32 bit": (0.23510326939485002, 0.03046957871887636),
    },
    "handwritten_digits": {
        "binary radix": (2.09947584375e-07, 2.75e-08),
        "AQFP crossbars": (9.767920448e-11, 1.14e-08),
        "systolic array": (7.74e-06, 3.27e-06),
    },
}
NAMES = [pytest.param(name, marks=pytest.mark.slow) if name == "handwritten_digits" else name
         for name in registry.comparison_names()]


@cache
def compared(name: str) -> Comparison:
    file = read_comparison(name)
    few = FEW if any(column.functional for column in file.columns) else None
    return run_comparison(file.model_copy(update={"samples": few}))


def test_every_comparison_is_pinned() -> None:
    assert set(FIGURES) == set(registry.comparison_names())


@pytest.mark.parametrize("name", NAMES)
def test_figures_are_pinned(name: str) -> None:
    rows = {row.key: row for row in sheet_of(compared(name)).rows}
    for column, pinned in FIGURES[name].items():
        at = compared(name).names.index(column)
        found = (rows["energy_j_per_inference"].values[at], rows["time_s_per_inference"].values[at])
        assert found == pytest.approx(pinned, rel=1e-9 if name != "handwritten_digits" else 2e-3), column


@pytest.mark.parametrize("name", NAMES)
def test_columns_are_plain_runs(name: str) -> None:
    """A column is what `evaluate` says of its chip and network, whatever else stands beside it."""
    comparison, file = compared(name), read_comparison(name)
    columns = dict(zip(file.names(), file.columns, strict=True))
    for head, report in zip(comparison.names, comparison.reports, strict=True):
        column = columns[head]
        knobs = {key: 30.5e-12 if key == "dram_j_per_bit" else value
                 for key, value in column.knobs.items()}
        network = hwsim.load(column.network or file.network or "", batch=column.batch,
                             precision=column.precision)
        alone = hwsim.evaluate(network, hwsim.chip(column.chip, **knobs))
        assert (alone.totals.cycles, alone.totals.energy_j) == (report.totals.cycles, report.totals.energy_j)


@pytest.mark.slow
@pytest.mark.parametrize("name", registry.comparison_names())
def test_page_shows_evidence_and_every_reservation(name: str) -> None:
    comparison = compared(name)
    assert comparison.study is not None
    page = to_html(comparison)
    assert len(page.encode()) < MAX_PAGE_BYTES
    assert not re.search(r'(?:src|href)="(?!#|https://doi\.org|https?://)', page)
    assert f"<h1>{comparison.study.title}</h1>" in page
    text = re.sub(r"<[^>]+>", "", page)
    for place, each in enumerate(comparison.study.reservations):
        assert f'id="reservation-{mark_of(place)}"' in page
        assert each.reason in text.replace("&#39;", "'").replace("&amp;", "&").replace("&lt;", "<")
    linked = set(re.findall(r'href="#(reservation-\w+)"', page))
    assert linked <= set(re.findall(r'id="(reservation-\w+)"', page))
    for head in (*comparison.names, "Energy rests on", "unconfirmed", "Technology"):
        assert head in text


@pytest.mark.parametrize("name", NAMES)
def test_json_reads_back_and_repeats(name: str) -> None:
    comparison = compared(name)
    text = comparison_to_json(comparison)
    assert text == comparison_to_json(comparison)
    assert [report.name for report in reports_from_json(text)] == [each.name for each in comparison.reports]
    study = json.loads(text)["study"]
    assert [each["name"] for each in study["columns"]] == list(comparison.names)


def test_sparse_states_take_the_measured_cycles() -> None:
    """States drawn at the measured share cost what the measured masks do: 1,510,800 and 6,434,160 cycles."""
    comparison = compared("character_lstm")
    for head, measured in (("sparse states", 1_510_800), ("sparse states x 8", 6_434_160)):
        report = comparison.reports[comparison.names.index(head)]
        cycles = next(layer.cycles for layer in report.layers if layer.name == "lstm0")
        assert cycles == pytest.approx(measured, rel=0.02), head


def test_break_even_is_made_energy_over_saved_power() -> None:
    comparison = compared("edge_alexnet")
    assert comparison.study is not None
    service = comparison.study.service
    assert service is not None
    old, new = comparison.names.index("GPU 32 bit"), comparison.names.index("FPGA 32 bit")
    rate = service.service.full_rate_per_s * service.activity
    engines = [chip.engine for chip in service.chips]
    assert service.service.full_rate_per_s == pytest.approx(min(e.throughput_per_s for e in engines))

    def power_w(at: int) -> float:
        busy = rate / engines[at].throughput_per_s
        return engines[at].idle_w + busy * (engines[at].active_w - engines[at].idle_w)

    made = service.embodied("greenchip", "energy")[new]
    wanted = made / (power_w(old) - power_w(new))
    assert any(time == pytest.approx(wanted) for time in service.break_even(old, new, "energy").times_s)
    assert len(pair_rows(service, about=0)) == 2 * (len(comparison.names) - 1)
    assert service.busy_shares[old] == pytest.approx(rate / engines[old].throughput_per_s)


@pytest.mark.slow
def test_digits_are_classified_by_every_column() -> None:
    comparison = compared("handwritten_digits")
    assert comparison.study is not None
    assert [each.absent for each in comparison.study.measured] == [""] * len(comparison.names)
    assert {each.wrong and each.wrong.samples for each in comparison.study.measured} == {FEW}


def test_command_writes_reports_and_tables(tmp_path: Path, capsys: Capture) -> None:
    files = [tmp_path / name for name in ("all.json", "layers.csv")]
    tables = [tmp_path / name for name in ("table.csv", "table.json", "table.tex")]
    words = [word for path in files for word in ("-o", str(path))]
    words += [word for path in tables for word in ("--summary", str(path))]
    assert main(["compare", "binary_vgg", "--baseline", "DRAM", *words]) == 0
    shown = capsys.readouterr()
    assert shown.err.count("wrote") == 5
    lines = shown.out.splitlines()
    assert lines[0] == "A binary VGG-small on seven technologies"
    first = next(line for line in lines if line.startswith("DRAM"))
    assert re.search(r" 8\.02 mJ \[[a-z,]+\] +1 ", first)
    assert "[a] operands differ in width" in shown.out
    assert "warning: AQFP crossbars: 1.06e+08 junctions" in shown.out
    assert json.loads((tmp_path / "table.json").read_text())["baseline"] == "DRAM"
    assert (tmp_path / "layers.csv").read_text().splitlines()[1].startswith("DRAM,vgg_small_bnn,dram_pim,")
    assert main(["compare", "binary_vgg", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["study"]["reservations"]
