"""A chip's own figures in tables and JSON, with a dash where another chip has none."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hwsim.errors import InputError
from hwsim.report.compare import align
from hwsim.report.json_form import from_json, to_json
from hwsim.report.totals_rows import figure_rows, totals_rows
from hwsim.report.types import Report
from tests.unit.report.synthetic_report import make_report


def with_figures(**figures: float) -> Report:
    return replace(make_report(), figures=figures)


def test_rows_carry_units_dashes_and_ratios() -> None:
    own = {"samples_per_s": 2500.0, "active_j": 2e-9, "junctions_count": 12345.0}
    first = with_figures(**own, layer_0_cycles_count=5.0)
    second = with_figures(active_j=1e-9, reuse_ratio=0.47159)
    rows = {row.title: row for row in figure_rows((first, second, with_figures()))}
    assert list(rows) == ["active_j", "samples_per_s", "junctions_count", "reuse_ratio"]
    assert rows["active_j"].texts == ("2.00 nJ", "1.00 nJ", "-")
    assert rows["active_j"].ratios == (1.0, 0.5, None)
    assert rows["samples_per_s"].texts == ("2500 /s", "-", "-")
    assert rows["junctions_count"].texts[0] == "12,345"
    assert rows["reuse_ratio"].texts == ("-", "0.4716", "-")
    assert rows["reuse_ratio"].ratios == (None, None, None)
    assert set(rows) < {row.title for row in totals_rows(align([first, second]))}


def test_json_keeps_figures_and_reads_reports_without_them() -> None:
    report = with_figures(samples_per_s=0.1, layer_0_cycles_count=7.0)
    text = to_json(report)
    assert from_json(text).figures == {"samples_per_s": 0.1, "layer_0_cycles_count": 7.0}
    older = text.replace('"1.1"', '"1.0"').rpartition(',\n"figures"')[0] + "\n}\n"
    assert from_json(older).figures == {}
    with pytest.raises(InputError, match=r"figures\.samples_per_s"):
        from_json(text.replace("0.1", "1e99"))


def test_where_one_chip_states_its_efficiency_all_stand_beside() -> None:
    plain, stating = with_figures(), with_figures(active_operations_per_j=2.5e15)
    rows = {row.title: row for row in totals_rows(align([stating, plain]))}
    assert rows["active_operations_per_j"].texts == ("2500 TOPS/W", "-")
    totals = plain.totals
    expected = f"{2 * totals.macs / totals.energy_j / 1e12:.4g} TOPS/W"
    assert rows["Efficiency"].texts == (expected, expected)
    assert "Efficiency" not in {row.title for row in totals_rows(align([plain, plain]))}
