"""What damaged inputs have found: each specimen is refused with its file, its field and the reason."""

from __future__ import annotations

import io
import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwsim.__main__ import main
from hwsim.graph.contraction import _touched
from tests.hostile.catalogue import SPECIMENS
from tests.hostile.judge import judge
from tests.hostile.specimens import CONVOLUTION, GRAPH, SCENARIO, write_companions


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_companions()


def refused(*words: str) -> str:
    """Run `words`, which must be refused without a complaint, and return the message."""
    answer = judge(words)
    assert (answer.code, answer.complaints) == (2, []), answer
    return answer.err


def sound(file: str) -> bytes:
    return next(specimen for specimen in SPECIMENS if specimen.file == file).make()


def test_a_value_as_long_as_a_page_is_shortened() -> None:
    Path("long.csv").write_text(CONVOLUTION.replace("Strides", "9" * 5000))
    shown = refused("run", "long.csv", "--on", "systolic")
    assert "letters ...]" in shown
    assert "long.csv:1" in shown


def test_blocks_beyond_counting() -> None:
    Path("huge.json").write_text(json.dumps(GRAPH | {"size": [10**400, 8, 6, 6, 2]}))
    assert "huge.json.size.0: a number of more than 30 digits is above 2**40" in refused(
        "schedule", "huge.json", "--scratchpad", "16blocks"
    )


@pytest.mark.parametrize(
    ("before", "after", "field"),
    [
        ('note = "assumed"', "note = 0.5", "scenario.toml:6: note: expected a text, got 0.5"),
        (
            'note = "assumed"',
            "allow_suspicious = 5",
            "scenario.toml:6: allow_suspicious: expected a list of texts",
        ),
    ],
)
def test_a_scenario_with_another_kind_of_value(before: str, after: str, field: str) -> None:
    Path("scenario.toml").write_text(SCENARIO.replace(before, after))
    assert field in refused(
        "compare",
        "net.csv",
        "--on",
        "systolic,edge_gpu",
        "--service-life",
        "5y",
        "--scenario",
        "scenario.toml",
    )


@pytest.mark.parametrize("network", ["5", "[]", "true"])
def test_a_sweep_of_no_network(network: str) -> None:
    Path("sweep.toml").write_text(f'chips = ["systolic"]\nnetworks = [{network}]\n')
    assert "networks: expected the name or file of a network" in refused("sweep", "sweep.toml", "--dry-run")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("UPDATE points SET knobs = '{\"a\":'", "knobs of point 1 of the sweep cannot be read"),
        ("UPDATE points SET chip = x'00'", "point 1 has no chip"),
        ("UPDATE points SET status = 'dome'", "no finished point"),
        ("UPDATE points SET position = 'x'", "is no number"),
        ("UPDATE points SET cycles = 'x'", "point 1 has 'x' as cycles"),
        ("UPDATE points SET energy_j = 'x'", "is no number"),
        ("UPDATE points SET energy_j = 9e999", "is not finite"),
        ("UPDATE runs SET space = x'00'", "space of the sweep cannot be read"),
        ("UPDATE runs SET provenance = '[1]'", "provenance of the sweep cannot be read"),
    ],
)
def test_a_results_file_with_a_damaged_value(change: str, reason: str) -> None:
    Path("damaged.db").write_bytes(sound("results.db"))
    db = sqlite3.connect("damaged.db")
    db.execute(change)
    db.commit()
    db.close()
    shown = refused("pareto", "damaged.db")
    assert "damaged.db" in shown
    assert reason in shown


def test_a_sweep_over_a_batch_beyond_64_bits() -> None:
    Path("sweep.toml").write_text(
        'chips = ["systolic"]\nnetworks = ["lenet5"]\nbatch = [1, 9223372036854775808]\n'
    )
    assert "batch.1: " in refused("sweep", "sweep.toml", "--engine", "inprocess", "-o", "{out}.db")


def _archive(**arrays: Any) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


DIGITS = ("run", "digits_32", "--on", "integral_sc", "--functional", "digits.npz")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (
            lambda arrays: arrays | {"fc1.bias": np.full(32, 1e308)},
            "digits.npz.fc1.bias: holds a number of size 1e+308",
        ),
        (lambda arrays: arrays | {"fc1.weight": arrays["fc1.weight"] * 1e-30}, "times the largest weight"),
        (lambda arrays: arrays | {"labels": np.array([{}] * 4, dtype=object)}, "holds Python objects"),
    ],
)
def test_samples_out_of_range(change: Callable[[dict[str, Any]], dict[str, Any]], reason: str) -> None:
    with np.load(io.BytesIO(sound("digits.npz"))) as archive:
        arrays = {
            name: archive[name].astype(np.float64 if name != "labels" else int) for name in archive.files
        }
    Path("digits.npz").write_bytes(_archive(**change(arrays)))
    assert reason in refused(*DIGITS)


def test_an_archive_that_promises_terabytes() -> None:
    import zipfile

    header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,), }".ljust(117) + b"\n"
    content = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + bytes(32)
    for name in ("digits.npz", "masks.npz"):
        with zipfile.ZipFile(name, "w") as archive:
            archive.writestr("input.npy", content)
    reason = "input.npy promises 8e+12 bytes and holds 32"
    assert reason in refused(*DIGITS)
    assert reason in refused("run", "states.onnx", "--on", "sparse_lstm", "--set", "state_masks=masks.npz")


def test_a_pipeline_of_ten_thousand_million_positions() -> None:
    Path("image.csv").write_text(CONVOLUTION.splitlines()[0] + "\nc, 100000, 100000, 3, 3, 4, 4, 1,\n")
    assert "positions in all layers" in refused(
        "run", "image.csv", "--on", "finn_bnn", "--on-unsupported", "host"
    )


def test_overlapping_layers_of_many_samples_are_never_busier_than_the_chip() -> None:
    words = ("run", "digits_mlp_bnn", "--on", "aqfp_bnn", "--on-unsupported", "host", "--json", "--batch")
    for batch in ("64", "65536", "1000000"):
        answer = judge([*words, batch])
        assert (answer.code, answer.complaints) == (0, [])
        report = json.loads(answer.out)
        assert sum(layer["cycles"] for layer in report["layers"]) == report["totals"]["cycles"]


@given(
    st.integers(1, 40),
    st.integers(1, 12),
    st.integers(1, 9),
    st.integers(1, 9),
    st.integers(0, 9),
    st.integers(1, 9),
)
def test_touched_positions_are_counted_not_listed(
    size: int, outputs: int, kernel: int, stride: int, pad: int, dilation: int
) -> None:
    listed = {
        position
        for p in range(outputs)
        for i in range(kernel)
        if 0 <= (position := p * stride + i * dilation - pad) < size
    }
    assert _touched(size, outputs, kernel, stride, pad, dilation) == len(listed)


def test_no_memory_is_a_message(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def fail(*_: object, **__: object) -> None:
        raise MemoryError("Unable to allocate 1 TiB")

    monkeypatch.setattr("hwsim.commands.evaluate.evaluate", fail)
    assert main(["run", "lenet5", "--on", "systolic"]) == 2
    assert capsys.readouterr().err == (
        "hwsim: error: out of memory: Unable to allocate 1 TiB (take a smaller network or design)\n"
    )
