from __future__ import annotations

import json
from dataclasses import fields, replace

import jsonschema_lite
import pytest

from hwsim.errors import InputError, VerifyError
from hwsim.report.json_form import (
    comparison_to_json,
    file_schema,
    from_json,
    report_schema,
    reports_from_json,
    to_json,
)
from hwsim.report.types import Layer, Report, Totals


def test_round_trip_is_exact(report: Report) -> None:
    assert from_json(to_json(report)) == report


def test_huge_counts_survive(report: Report) -> None:
    huge = replace(report, totals=replace(report.totals, bit_operations=2**80 + 1))
    assert from_json(to_json(huge)).totals.bit_operations == 2**80 + 1


def test_equal_reports_give_equal_bytes(report: Report) -> None:
    again = from_json(to_json(report))
    assert to_json(again) == to_json(report)


def test_document_has_the_promised_names(report: Report) -> None:
    document = json.loads(to_json(report))
    assert list(document)[:5] == ["schema_version", "provenance", "coverage", "totals", "layers"]
    for name in ("macs", "cycles", "compute_cycles", "stall_cycles", "time_s", "energy_j", "area_m2"):
        assert name in document["totals"]
        assert all(name in layer for layer in document["layers"])


def test_every_field_of_the_types_is_written(report: Report) -> None:
    document = json.loads(to_json(report))
    assert set(document) == {f.name for f in fields(Report)}
    assert set(document["totals"]) == {f.name for f in fields(Totals)}
    assert set(document["layers"][0]) == {f.name for f in fields(Layer)}


def test_infinite_bandwidth_survives_and_nan_is_our_bug(report: Report) -> None:
    unbounded = replace(report, roofline={**report.roofline, "dram": float("inf")})
    assert from_json(to_json(unbounded)).roofline["dram"] == float("inf")
    with pytest.raises(VerifyError, match="NaN"):
        to_json(replace(report, roofline={"dram": float("nan")}))


def test_written_reports_obey_the_published_schema(report: Report) -> None:
    document = json.loads(to_json(report))
    assert jsonschema_lite.violations(document, report_schema()) == []
    document["totals"]["cycles"] = "many"
    assert jsonschema_lite.violations(document, report_schema()) == ["totals.cycles"]


def test_the_schema_of_files_describes_comparisons_too(reports: tuple[Report, Report]) -> None:
    schema = file_schema()
    document = json.loads(comparison_to_json(reports))
    assert jsonschema_lite.violations(document, schema) == []
    assert jsonschema_lite.violations(json.loads(to_json(reports[0])), schema) == []
    document["reports"][1]["totals"]["cycles"] = "many"
    assert jsonschema_lite.violations(document, schema) == [""]


def test_comparison_holds_ratios_and_every_report(reports: tuple[Report, Report]) -> None:
    text = comparison_to_json(reports)
    document = json.loads(text)
    assert document["names"] == ["systolic:tpu_v1", "systolic:edge_32"]
    expected = reports[1].totals.cycles / reports[0].totals.cycles
    assert document["ratios"]["cycles"] == [1.0, pytest.approx(expected)]
    assert reports_from_json(text) == reports


def _broken(report: Report, **changes: object) -> str:
    return json.dumps({**json.loads(to_json(report)), **changes})


@pytest.mark.parametrize(("text", "reason"), [
    ("", "not valid JSON"), ("{", "not valid JSON"), ("[]", "expected a report, got a list"),
    ("{}", "no schema_version"), ('{"schema_version": "one"}', "not of the form"),
    ('{"schema_version": "99.0"}', "reads up to"), ('{"schema_version": "0.9"}', "no longer reads"),
    ('{"a": 1, "a": 2}', "occurs twice"), ('{"schema_version": NaN}', "NaN is not JSON"),
    ("[" * 100_000, "nested too deeply"), ('{"a": ' + "9" * 5000 + "}", "not valid JSON"),
    ('{"schema_version": "1.0", "reports": []}', "expected a list of reports"),
    ('{"schema_version": "1.0", "reports": [3]}', "expected a report, got a int"),
])
def test_other_files_are_refused(text: str, reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        reports_from_json(text, "r.json")


def test_problems_name_their_places(report: Report) -> None:
    document = json.loads(to_json(report))
    document["layers"][3]["cycles"] = 1.5
    document["layers"][4]["shape"] = [1, "two"]
    document["totals"]["mcas"] = document["totals"].pop("macs")
    with pytest.raises(InputError) as caught:
        from_json(json.dumps(document), "r.json")
    text = str(caught.value)
    assert "r.json: layers[3].cycles: expected a whole number, got 1.5" in text
    assert "r.json: layers[4].shape[1]: expected a whole number, got 'two'" in text
    assert "r.json: totals.mcas: unknown field (did you mean 'macs'?)" in text
    assert "r.json: totals.macs: missing" in text


def test_dangling_names_are_refused(report: Report) -> None:
    document = json.loads(to_json(report))
    document["layers"][1]["fused_into"] = "nobody"
    document["prices"][0]["constants"] = ["nothing"]
    document["layers"][3]["name"] = document["layers"][2]["name"]
    del document["provenance"]["chip"]
    document["provenance"]["design"] = "none"
    with pytest.raises(InputError) as caught:
        from_json(json.dumps(document))
    text = str(caught.value)
    assert "no layer is called 'nobody'" in text
    assert "no constant is called 'nothing'" in text
    assert "two layers are called" in text
    assert "provenance.chip: expected a text" in text
    assert "provenance.design: expected a mapping" in text


def test_a_wall_of_problems_is_cut_with_its_count(report: Report) -> None:
    text = _broken(report, layers=[{} for _ in range(50)])
    with pytest.raises(InputError, match=r"and \d+ more problems"):
        from_json(text)
