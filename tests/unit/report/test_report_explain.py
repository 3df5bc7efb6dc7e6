from __future__ import annotations

import re
from dataclasses import replace

import pytest

from hwsim.errors import InputError
from hwsim.report.explain import Explanation, explain, explanation, to_document
from hwsim.report.types import Report


def _check_sums(node: Explanation) -> None:
    if node.children:
        assert sum(child.energy_j for child in node.children) == pytest.approx(node.energy_j)
        assert sum(child.share for child in node.children) == pytest.approx(1.0)
    for child in node.children:
        _check_sums(child)


def test_parts_sum_to_the_total(report: Report) -> None:
    root = explanation(report)
    assert root.energy_j == pytest.approx(report.totals.energy_j)
    _check_sums(root)


def test_the_walk_ends_at_the_paper(report: Report) -> None:
    text = explain(report)
    macs = report.totals.macs
    assert f"{macs:,} events x 230 fJ = " in text
    assert "price: add_int8_j + mul_int8_j [reported]" in text
    assert "add_int8_j = 3e-14 J [reported]" in text
    assert "Fig. 1.1.9, 45 nm, 0.9 V, doi:10.1109/ISSCC.2014.6757323" in text
    assert "note: recalled, not read" in text


def test_a_constant_is_cited_in_full_once(report: Report) -> None:
    text = explain(report)
    assert text.count("sram_j_per_bit = 1.5e-13 J/bit [derived]\n") == 1
    assert text.count("sram_j_per_bit = 1.5e-13 J/bit [derived] (see above)\n") == 2
    citations = to_document(explanation(report))["children"][0]["children"][0]["citations"]
    assert citations[0]["source"].endswith("doi:10.1109/ISSCC.2014.6757323")


def test_one_layer_and_one_unit(report: Report) -> None:
    layer = report.layers[0]
    root = explanation(report, layer.name, "dram")
    assert root.energy_j == pytest.approx(layer.energy_j_by_unit["dram"])
    assert [child.name for child in root.children] == ["dram"]
    assert "largest layers" not in explain(report, layer.name)


def test_the_largest_layers_are_named_up_to_top(report: Report) -> None:
    line = next(reason for reason in explanation(report, top=3).children[0].children[0].reasons
                if reason.startswith("largest layers"))
    assert len(re.findall(r"/layer", line)) == 3
    assert line.endswith("and 51 more")


def test_unknown_names_get_the_nearest(report: Report) -> None:
    with pytest.raises(InputError) as caught:
        explain(report, layer="/layer1/block0/conv_O", unit="drm", top=-1)
    text = str(caught.value)
    assert "did you mean '/layer1/block0/conv_0'?" in text
    assert "did you mean 'dram'?" in text
    assert "-1 is negative" in text


def test_prices_that_do_not_multiply_out_are_not_claimed(report: Report) -> None:
    prices = tuple(replace(price, energy_j_per_bit=2 * price.energy_j_per_bit) for price in report.prices)
    text = explain(replace(report, prices=prices), unit="dram")
    assert " = " not in next(line for line in text.splitlines() if "bits" in line)


def test_missing_prices_are_said(report: Report) -> None:
    assert "the report holds no price" in explain(replace(report, prices=()))


def test_a_report_without_energy_is_explained(report: Report) -> None:
    empty = replace(report, events=(), energy_by_evidence={})
    assert explain(empty) == "synthetic54 on systolic:tpu_v1: 0 J\n"


def test_document_has_the_same_tree(report: Report) -> None:
    root = explanation(report)
    document = to_document(root)
    assert document["energy_j"] == root.energy_j
    assert [child["name"] for child in document["children"]] == [child.name for child in root.children]
