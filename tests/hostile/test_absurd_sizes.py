"""Absurd sizes on every chip: a message or a quick result, never a hang, never a gigabyte."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from hwsim.registry import accelerator_names, load_accelerator
from tests.hostile.judge import judge
from tests.hostile.specimens import ROOT, write_companions
from tests.hostile.words import NETWORKS

GIB = 1 << 30
VALUES = ("65536", "1048576", "1000000000000", "1e-9", "0.999999")
LISTS = {
    "tall.csv": "Layer, M, N, K,\nfc1, 1000000000000, 4096, 4096,\n",
    "square.csv": "Layer, M, N, K,\nfc1, 65536, 65536, 65536,\n",
    "wide.csv": "Layer, M, N, K,\nfc1, 1, 16777216, 16777216,\n",
    "image.csv": "Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, Num Filter, "
    "Strides,\nc, 100000, 100000, 3, 3, 4096, 4096, 1,\n",
    "kernel.csv": "Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, Num Filter, "
    "Strides,\nc, 6291455, 4, 2097152, 2, 8, 5, 2,\n",
}


def commands(chip: str) -> Iterator[list[str]]:
    """Yield absurd networks, batches, and values of every knob."""
    tail = ["--on", chip, "--on-unsupported", "host"]
    for network in dict.fromkeys([NETWORKS[chip], "lenet5"]):
        if not network.endswith(".csv"):
            yield from (["run", network, *tail, "--batch", size] for size in ("65536", "1000000000000"))
    yield from (["run", name, *tail] for name in LISTS)
    for knob in load_accelerator(chip).design.model_fields:
        yield from (["run", NETWORKS[chip], *tail, "--set", f"{knob}={value}"] for value in VALUES)


def main() -> None:
    """Try all commands of the chips named, short of memory; print what went wrong, and how many ran."""
    import resource

    from tests.hostile.batch import allow

    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        write_companions()
        for name, text in LISTS.items():
            Path(name).write_text(text)
        count, wrong = 0, []
        for chip in sys.argv[1:]:
            judge(["run", NETWORKS[chip], "--on", chip, "--on-unsupported", "host"], limit_s=300)
        allow(GIB)
        for chip in sys.argv[1:]:
            for words in commands(chip):
                count += 1
                if complaints := judge(words).complaints:
                    wrong.append(f"{' '.join(words)}: {complaints}")
        os.chdir("/")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    json.dump({"count": count, "wrong": wrong, "peak_bytes": peak}, sys.stdout)


@pytest.mark.slow
def test_absurd_sizes(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path)}
    words = [sys.executable, "-m", "tests.hostile.test_absurd_sizes", *accelerator_names()]
    done = subprocess.run(words, capture_output=True, text=True, cwd=ROOT, env=environment, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    result = json.loads(done.stdout)
    assert result["wrong"] == []
    assert result["count"] > 500
    assert result["peak_bytes"] < GIB


def test_every_chip_has_a_network() -> None:
    assert set(accelerator_names()) == set(NETWORKS)


if __name__ == "__main__":
    main()
