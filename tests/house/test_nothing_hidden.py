"""No test is skipped, expected to fail or overlooked without saying why."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path

from tests.house.tree import ROOT, python_files, syntax

MARKS = {"skip", "skipif", "xfail", "importorskip"}


def reasonless(tree: ast.Module) -> Iterator[int]:
    """Yield the lines of skips and expected failures that give no reason."""
    called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in MARKS:
            plain = node.func.attr == "skip" or (
                isinstance(node.func.value, ast.Name) and node.func.attr == "xfail"
            )
            texts = [word.value for word in node.keywords if word.arg == "reason"]
            texts += node.args[:1] if plain else []
            if not any(not isinstance(text, ast.Constant) or str(text.value or "").strip() for text in texts):
                yield node.lineno
        elif isinstance(node, ast.Attribute) and node.attr in MARKS and id(node) not in called:
            yield node.lineno


def named_tests(tree: ast.Module) -> list[str]:
    """Return the names of tests, methods of test classes included."""
    return [
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")
    ]


def test_every_skip_gives_a_reason() -> None:
    assert [f"{path}:{line}" for path in python_files("tests") for line in reasonless(syntax(path))] == []


def test_marks_without_reason_are_seen() -> None:
    source = """
import pytest
pytest.importorskip("x")
@pytest.mark.skip
def test_a(): ...
@pytest.mark.skipif(True, reason=" ")
def test_b(): pytest.skip()
@pytest.mark.xfail(reason="known: the table is unreadable")
def test_c(): pytest.skip("needs a screen")
"""
    assert sorted(reasonless(ast.parse(source))) == [3, 4, 6, 7]


def test_every_test_is_collected() -> None:
    """Functions called test_* lie in files called test_*, each of which holds at least one."""
    lost = [
        str(path)
        for path in python_files("tests")
        if not path.name.startswith("test_") and named_tests(syntax(path))
    ]
    empty = [
        str(path)
        for path in python_files("tests")
        if path.name.startswith("test_") and not named_tests(syntax(path))
    ]
    assert (lost, empty) == ([], [])


def test_no_test_replaces_another() -> None:
    """Two functions of one name in one scope: the first is never run."""
    doubles = []
    for path in python_files("tests"):
        for scope in ast.walk(syntax(path)):
            if isinstance(scope, ast.Module | ast.ClassDef):
                names = [node.name for node in scope.body if isinstance(node, ast.FunctionDef)]
                doubles += [
                    f"{path}: {name}"
                    for name in sorted({n for n in names if names.count(n) > 1})
                    if name.startswith("test_")
                ]
    assert doubles == []


def test_pytest_is_strict() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["pytest"][
        "ini_options"
    ]
    assert {"--strict-markers", "--strict-config"} <= set(settings["addopts"].split())
    assert settings["xfail_strict"] is True
    assert [Path(folder) for folder in settings["testpaths"]] == [Path("tests")]
