"""Damaged report files: a refusal in words or a report that prints, never another exception."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from synthetic_report import make_report

from hwsim.errors import InputError, Problem
from hwsim.report.console import show_text
from hwsim.report.explain import explain
from hwsim.report.json_form import reports_from_json, to_json
from tests.examples import examples

TEXT = to_json(make_report(2))
_SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5),
                     st.sampled_from(["inf", "-inf", 2**300, 1e308, -1, 0, [], {}, [[]]]))


def _use(text: str) -> None:
    problems: tuple[Problem, ...] = ()
    try:
        for report in reports_from_json(text, "r.json"):
            explain(report)
            show_text([report])
    except InputError as error:
        problems = error.problems
    assert all(problem.where.startswith("r.json") and problem.reason for problem in problems)


@examples(300)
@given(st.integers(0, len(TEXT) - 1), st.integers(0, 40), st.text(max_size=4))
def test_damaged_text(start: int, length: int, replacement: str) -> None:
    _use(TEXT[:start] + replacement + TEXT[start + length:])


def _paths(document: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    children = document.items() if isinstance(document, dict) else enumerate(
        document) if isinstance(document, list) else ()
    return [path] + [found for key, child in children for found in _paths(child, (*path, key))]


PATHS = [path for path in _paths(json.loads(TEXT)) if path]


@examples(500)
@given(st.sampled_from(PATHS), _SCALARS)
def test_damaged_values(path: tuple[Any, ...], value: Any) -> None:
    document = json.loads(TEXT)
    holder = document
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = value
    _use(json.dumps(document))


@examples(200)
@given(st.sampled_from(PATHS))
def test_missing_values(path: tuple[Any, ...]) -> None:
    document = json.loads(TEXT)
    holder = document
    for key in path[:-1]:
        holder = holder[key]
    del holder[path[-1]]
    _use(json.dumps(document))
