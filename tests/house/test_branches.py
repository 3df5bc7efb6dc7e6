"""The table of branches by room, from what the measuring tool writes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.house.branches import main


def measured(taken: int) -> dict[str, object]:
    files = {
        "/my/hwsim/hwsim/trace/fold.py": (taken, 8),
        "hwsim/trace/text.py": (2, 2),
        "hwsim/run.py": (0, 0),
    }
    return {
        "files": {
            name: {"summary": {"covered_branches": some, "num_branches": there}}
            for name, (some, there) in files.items()
        }
    }


@pytest.mark.parametrize(("taken", "share", "code"), [(7, "90.0%", 0), (6, "80.0%", 1)])
def test_branches_by_room(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], taken: int, share: str, code: int
) -> None:
    path = tmp_path / "coverage.json"
    path.write_text(json.dumps(measured(taken)))
    assert main([str(path)]) == code
    assert capsys.readouterr().out.splitlines() == [
        "| room | branches | taken | share |",
        "|---|---|---|---|",
        "| `hwsim/*.py` | 0 | 0 | - |",
        f"| `hwsim/trace/` | 10 | {taken + 2} | {share} |",
        f"| `all` | 10 | {taken + 2} | {share} |",
    ]
