"""How long hwsim itself takes: start, evaluation of a loaded network, new prices for a trace, memory."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

import hwsim
from hwsim.model.pricing import price_trace
from hwsim.trace import reduce

COMMAND = Path(sys.executable).with_name("hwsim")


def children_cpu_s() -> float:
    """Return CPU seconds of all finished child processes: the clock of the benchmarks of whole commands."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def light_network(name: str) -> Path:
    """Return the path of a network inside the onnx package."""
    found = find_spec("onnx")
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).parent / "backend/test/data/light" / f"light_{name}.onnx"


def run(*words: str) -> int:
    """Run one command; return the most memory it held, in bytes."""
    with subprocess.Popen([COMMAND, *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as child:
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    assert child.returncode == 0, words
    return used.ru_maxrss * 1024


@pytest.mark.benchmark(group="CPU of a whole command", timer=children_cpu_s)
@pytest.mark.parametrize("words", [("--help",), ("list",)], ids=" ".join)
def test_command(benchmark: Any, words: tuple[str, ...]) -> None:
    benchmark.pedantic(run, words, rounds=5, warmup_rounds=1)


@pytest.mark.benchmark(group="CPU of a whole command", timer=children_cpu_s)
def test_command_resnet50(benchmark: Any) -> None:
    words = ("run", str(light_network("resnet50")), "--on", "systolic", "-q")
    peak_bytes = benchmark.pedantic(run, words, rounds=5, warmup_rounds=1)
    benchmark.extra_info["peak_mib"] = peak_bytes / 2**20


@pytest.mark.benchmark(group="in the process")
@pytest.mark.parametrize("preset", ["edge_32", "tpu_v1", "eyeriss_like"])
def test_evaluate_resnet50(benchmark: Any, preset: str) -> None:
    network, chip = hwsim.load(light_network("resnet50")), hwsim.chip(f"systolic:{preset}")
    report = benchmark(hwsim.evaluate, network, chip)
    assert report.totals.macs == 4_089_184_256


@pytest.mark.benchmark(group="in the process")
def test_load_resnet50(benchmark: Any) -> None:
    assert benchmark(hwsim.load, light_network("resnet50")).ops


@pytest.mark.benchmark(group="in the process")
def test_new_prices_resnet50(benchmark: Any) -> None:
    """Clock and prices change, the trace stays."""
    network, chip = hwsim.load(light_network("resnet50")), hwsim.chip("systolic", objective="traffic")
    accelerator, design = chip.accelerator, chip.design
    trace = accelerator.lower(accelerator.prepare(network, design), design)
    activity, sheet = reduce(trace), accelerator.datasheet(design.model_copy(update={"clock_hz": 1e9}))
    assert benchmark(price_trace, trace, activity, sheet).timing.cycles > 0
