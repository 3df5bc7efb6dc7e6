"""The page of a comparison in Chromium: marks lead to their reservations, and nothing is asked of the net."""

from __future__ import annotations

from pathlib import Path

import pytest

from hwsim.comparison.driver import run_comparison
from hwsim.comparison.file import ComparisonFile
from hwsim.report.html import to_html
from tests.unit.report import browser

pytestmark = [pytest.mark.skipif(browser.PATH is None, reason=browser.ABSENT), pytest.mark.slow]
EVIL = '</script><img src=x onerror="window.problems.push(1)">'
SCRIPT = """
const marks = [...document.querySelectorAll("sup.mark a")];
const lost = marks.filter(mark => !document.getElementById(mark.hash.slice(1)));
marks[0].click();
const aimed = document.querySelector("dl.reservations dt:target");
const plane = document.querySelector("figure.plane svg");
const inside = [...plane.querySelectorAll("text")].every(text => {
  const box = text.getBBox();
  return box.x >= 0 && box.y >= 0 && box.x + box.width <= 860 && box.y + box.height <= 520;
});
return { marks: marks.length, lost: lost.length, aimed: aimed.textContent, first: marks[0].textContent,
         circles: plane.querySelectorAll("circle").length, inside,
         wide: [...document.querySelectorAll("body > *, section > *")]
           .filter(each => each.getBoundingClientRect().right > window.innerWidth + 1)
           .map(each => each.outerHTML.slice(0, 90)),
         images: document.querySelectorAll("img").length, title: document.title };
"""


def test_marks_lead_to_reservations(tmp_path: Path) -> None:
    file = ComparisonFile(
        title=EVIL, question=EVIL, network="digits_32", columns=(
            {"chip": "systolic", "name": EVIL[:60], "reservations": (EVIL,)},
            {"chip": "aqfp_bnn", "network": "digits_mlp_bnn"}, {"chip": "sparse_fc:mlp_dense"}))
    found = browser.in_browser(to_html(run_comparison(file)), SCRIPT, tmp_path)
    assert found["marks"] > 20
    assert (found["lost"], found["images"], found["circles"]) == (0, 0, 3)
    assert found["aimed"] == found["first"]
    assert found["inside"]
    assert found["wide"] == [], "only tables may scroll sideways"
    assert found["title"] == EVIL
