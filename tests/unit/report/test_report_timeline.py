"""The timeline as a picture: every layer and unit at its time, thin neighbours joined."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from hwsim.report.perfetto import lay_out, tracks_of
from hwsim.report.pictures.timeline import timeline_svg
from hwsim.report.types import Report

_BOX = re.compile(r'<rect (?:class="(?P<look>[^"]*)"|fill="[^"]*") x="(?P<x>[^"]*)" y="(?P<y>[^"]*)" '
                  r'width="(?P<width>[^"]*)" height="22"><title>(?P<told>[^<]*)</title>')


def test_layers_fill_the_time_and_units_start_with_them(report: Report) -> None:
    svg = timeline_svg(report, "a title")
    ElementTree.fromstring(svg)
    boxes = [match.groupdict() for match in _BOX.finditer(svg)]
    layers = [box for box in boxes if (box["look"] or "").startswith("run")]
    assert sum(float(box["width"]) for box in layers) == pytest.approx(1100 - 150 - 20, abs=0.5)
    starts = {piece.start_cycles for piece in lay_out(report)}
    for box in boxes:
        assert int(box["told"].rsplit(" ", 1)[1].replace(",", "")) in starts
    stalls = sum(float(box["width"]) for box in boxes if box["look"] == "stall")
    assert stalls == pytest.approx(930 * report.totals.stall_cycles / report.totals.cycles, abs=1.0)
    assert len({box["y"] for box in boxes}) == 1 + len(tracks_of(report))
    assert timeline_svg(report, "a title") == svg
