"""Files that are no networks are told what they are and where they belong."""

from __future__ import annotations

from pathlib import Path

import pytest

from hwsim.errors import InputError
from hwsim.importers import load_network


def test_reports_and_other_json_are_no_networks(tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    for text, reason in [('{\n"schema_version": "1.0",', "is a report of hwsim, not a network"),
                         ('{"nodes": []}', "is JSON, neither"), (None, "cannot be read: No such file")]:
        path.unlink(missing_ok=True)
        if text is not None:
            path.write_text(text)
        with pytest.raises(InputError, match=reason):
            load_network(path)


@pytest.mark.parametrize("suffix", [".pt", ".pb", ".tflite", ".h5"])
def test_other_forms_are_told_the_way_to_onnx(tmp_path: Path, suffix: str) -> None:
    with pytest.raises(InputError, match="export to ONNX"):
        load_network(tmp_path / f"net{suffix}")
