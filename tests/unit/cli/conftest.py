"""The command line alone: small stand-ins for what it calls, so that a failure here is one of the words."""

from __future__ import annotations

import importlib.util
import sys
import types
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

import hwsim
from hwsim.__main__ import main
from hwsim.errors import DesignError, InputError, UnsupportedOp, nearest
from hwsim.report.types import Report

_SYNTHETIC = Path(__file__).parents[1] / "report" / "synthetic_report.py"


def _load_synthetic() -> Any:
    spec = importlib.util.spec_from_file_location("cli_synthetic_report", _SYNTHETIC)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@dataclass
class Outcome:
    """What a command left behind."""

    code: int
    out: str
    err: str


class Network(str):
    """Stands for a graph; its provenance is that of a file with two open dimensions."""

    __slots__ = ()

    @property
    def provenance(self) -> dict[str, str]:
        return {"file": str(self), "dimensions": "batch=1, seq=128"} if self == "open.onnx" else {}


@dataclass
class Calls:
    """What the command line asked for."""

    load: list[dict[str, Any]] = field(default_factory=list)
    chip: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    evaluate: list[str] = field(default_factory=list)
    failure: BaseException | None = None


@pytest.fixture(scope="session")
def make_report() -> Callable[..., Report]:
    maker: Callable[..., Report] = _load_synthetic().make_report
    return maker


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch, make_report: Callable[..., Report]) -> Calls:
    """Put a stand-in for hwsim.run into place and record what it is asked."""
    record = Calls()

    def load(network: str, **options: Any) -> Network:
        record.load.append({"network": network, **options})
        if network == "missing.onnx":
            raise InputError("no such file", where=network)
        return Network(network)

    def chip(spec: str, /, **knobs: Any) -> str:
        record.chip.append((spec, knobs))
        if spec.partition(":")[0] != "systolic":
            raise DesignError(f"no chip {spec!r}", where="--on", hint=nearest(spec, ["systolic"]))
        return spec

    def evaluate(graph: str, chip: str, *, on_unsupported: str) -> Report:
        record.evaluate.append(on_unsupported)
        if record.failure is not None:
            raise record.failure
        if graph == "odd.onnx":
            raise UnsupportedOp("cannot run 'sort'", where="odd.onnx.node_3", hint="--on-unsupported host")
        return make_report(6, preset=chip.partition(":")[2] or "tpu_v1")

    def figures(graph: str, chip: str, *, on_unsupported: str) -> dict[str, float]:
        return {}

    stand_in = types.SimpleNamespace(load=load, chip=chip, evaluate=evaluate, figures=figures)
    monkeypatch.setitem(sys.modules, "hwsim.run", stand_in)
    monkeypatch.setattr(hwsim, "run", stand_in, raising=False)
    return record


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Callable[..., Outcome]:
    """Run one command line in this process."""

    def run(*words: str) -> Outcome:
        code = main(words)
        captured = capsys.readouterr()
        return Outcome(code, captured.out, captured.err)

    return run
