"""Files of at most 400 lines, functions of at most 60: what does not fit holds two ideas."""

from __future__ import annotations

import ast

from tests.house.tree import ROOT, python_files, syntax

FILE_LINES = 400
FUNCTION_LINES = 60


def code_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Return the lines from the first statement to the last; signature and docstring are documentation."""
    documented = ast.get_docstring(function, clean=False) is not None
    body = function.body[1:] if documented else function.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def test_files_fit() -> None:
    lines = {
        str(path): len((ROOT / path).read_text(encoding="utf-8").splitlines()) for path in python_files()
    }
    assert len(lines) > 100
    assert {path: count for path, count in lines.items() if count > FILE_LINES} == {}


def test_functions_fit() -> None:
    lengths = {
        f"{path}:{node.lineno} {node.name}": code_lines(node)
        for path in python_files()
        for node in ast.walk(syntax(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert len(lengths) > 1000
    assert {name: count for name, count in lengths.items() if count > FUNCTION_LINES} == {}


def test_code_lines_leave_out_signature_and_docstring() -> None:
    module = ast.parse('def f(\n    a,\n):\n    """Say\n    more."""\n    b = a\n    return b\n')
    assert isinstance(module.body[0], ast.FunctionDef)
    assert code_lines(module.body[0]) == 2
