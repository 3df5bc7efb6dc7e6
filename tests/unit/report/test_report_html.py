from __future__ import annotations

import base64
import gzip
import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from synthetic_report import make_report

from hwsim.report.html import MAX_PAGE_BYTES, to_html
from hwsim.report.json_form import from_json, reports_from_json
from hwsim.report.types import Report

_VOID = {"meta", "br", "link", "img", "input", "hr", "path", "use", "rect"}


class _Page(HTMLParser):
    """Collects tags with attributes, and complains about tags that do not close."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if tag in _VOID:
            return
        assert self.open.pop() == tag


def _embedded(page: str) -> str:
    tag = r'<script type="application/json" id="report" data-encoding="(\w+)">(.*?)</script>'
    found = re.search(tag, page, re.S)
    assert found is not None
    if found[1] == "plain":
        return found[2]
    return gzip.decompress(base64.b64decode(found[2])).decode()


@pytest.fixture(scope="module")
def page(report: Report) -> str:
    return to_html([report])


def test_the_page_is_whole_and_small(page: str) -> None:
    parsed = _Page(page)
    assert parsed.open == []
    assert len(page.encode()) < MAX_PAGE_BYTES
    assert sum(tag == "svg" for tag, _ in parsed.found) == 3


def test_the_page_needs_nothing_from_outside(page: str) -> None:
    for tag, attributes in _Page(page).found:
        if tag == "a":
            assert str(attributes["href"]).startswith(("#", "https://doi.org/"))
            continue
        for name in ("src", "href", "xlink:href", "srcset", "data", "action"):
            assert str(attributes.get(name, "#")).startswith("#"), (tag, attributes)
    assert "@import" not in page
    assert not re.search(r"url\((?!#)", page)
    assert "default-src 'none'" in page


def test_the_data_inside_is_the_report(page: str, report: Report) -> None:
    assert from_json(_embedded(page)) == report


def test_small_reports_are_embedded_as_plain_json() -> None:
    small = make_report(3)
    page = to_html([small])
    assert 'data-encoding="plain"' in page
    assert from_json(_embedded(page)) == small


def test_two_reports_stand_side_by_side(reports: tuple[Report, Report]) -> None:
    page = to_html(reports)
    assert reports_from_json(_embedded(page)) == reports
    assert "systolic:edge_32 ÷ first" in page
    assert sum(tag == "svg" for tag, _ in _Page(page).found) == 6


@pytest.mark.slow
def test_a_thousand_layers_on_two_chips_stay_under_a_megabyte() -> None:
    page = to_html([make_report(1000), make_report(1000, preset="edge_32", scale=8)])
    assert len(page.encode()) < MAX_PAGE_BYTES
    assert _Page(page).open == []
    assert "did not fit into a page of one megabyte" in page


def test_equal_reports_give_equal_pages(report: Report, page: str) -> None:
    assert to_html([report]) == page


def test_names_cannot_break_out_of_the_page(report: Report) -> None:
    evil = '</script><script>alert(1)</script>$\\frac{"\'&\n'
    first = report.layers[0]
    layers = (replace(first, name=evil, mapping=evil, bound_by=evil, kind=evil),
              *(replace(layer, fused_into=evil if layer.fused_into == first.name else layer.fused_into)
                for layer in report.layers[1:]))
    attacked = replace(report, layers=layers, warnings=(evil,), coverage={"line": evil},
                       provenance={**report.provenance, "network": evil},
                       constants={**report.constants, evil: {"doi": "javascript:alert(1)", "kind": evil}})
    page = to_html([attacked])
    assert "<script>alert" not in page
    assert 'href="javascript' not in page
    assert _Page(page).open == []
    assert from_json(_embedded(page)) == attacked


def test_unconfirmed_evidence_is_visible(page: str) -> None:
    assert re.search(r'<tr class="kind-unconfirmed"><th>unconfirmed</th><td class="n">\d+\.\d %', page)


def test_every_layer_and_constant_is_on_the_page(page: str, report: Report) -> None:
    for layer in report.layers:
        assert layer.name in page
    for key in report.constants:
        assert f"<code>{key}</code>" in page


def test_a_report_without_provenance_extras_still_renders(report: Report) -> None:
    bare = replace(report, provenance={name: report.provenance[name] for name in
                                       ("chip", "preset", "network", "graph_fingerprint")},
                   coverage={}, constants={}, prices=(), roofline={}, metrics={}, warnings=())
    assert _Page(to_html([bare])).open == []
    assert json.loads(_embedded(to_html([bare])))["roofline"] == {}
