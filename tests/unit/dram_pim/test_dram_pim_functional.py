"""A trained network in rows of bits against integers in numpy, and what is wrong with samples."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from accelerators.dram_pim.design import PRESETS
from accelerators.dram_pim.functional import run
from accelerators.dram_pim.prepare import prepare
from hwsim.errors import InputError
from hwsim.graph.types import Graph
from hwsim.run import load
from workloads import digits

FILE = Path(digits.__file__).with_name("digits_relu_32.npz")


def network() -> Graph:
    return prepare(load("digits_relu_32"), PRESETS["simdram"])


def arrays(samples: int) -> dict[str, Any]:
    with np.load(FILE) as archive:
        found = {name: archive[name] for name in archive.files}
    return found | {name: found[name][:samples] for name in ("input", "labels")}


def in_integers(data: dict[str, Any]) -> np.ndarray:
    """Classify by numpy alone: 8-bit integers, exact sums, upper bits on to the next layer."""
    def quantized(values: np.ndarray) -> tuple[np.ndarray, float]:
        unit = np.abs(values).max() / 127
        return np.rint(values / unit).astype(np.int64), unit

    x, scale = quantized(data["input"].astype(np.float64))
    for name in ("fc1", "fc2"):
        w, unit = quantized(data[f"{name}.weight"].astype(np.float64).T)
        bias = np.rint(data[f"{name}.bias"].astype(np.float64) / (scale * unit)).astype(np.int64)
        z = x @ w + bias
        places = max(0, int(np.abs(z).max()).bit_length() - 7)
        x, scale = np.maximum(z >> places, 0), scale * unit * 2**places
    return z.argmax(axis=1)


@pytest.mark.parametrize("preset", ["simdram", "ambit", "elp2im"])
def test_rows_classify_as_integers_do(preset: str) -> None:
    data = arrays(40)
    result = run(network(), PRESETS[preset], data)
    assert np.array_equal(result.predicted, in_integers(data))
    assert np.array_equal(result.labels, data["labels"])
    assert (result.predicted != result.labels).mean() <= 0.05
    assert "row commands" in result.notes[-1]


def test_narrow_rows_need_more_passes_and_say_the_same() -> None:
    data = arrays(12)
    narrow = PRESETS["simdram"].model_copy(update={"page_bits": 64, "banks": 2})
    wide, small = run(network(), PRESETS["simdram"], data), run(network(), narrow, data)
    assert np.array_equal(wide.predicted, small.predicted)
    assert wide.notes[-1] != small.notes[-1]


BAD: list[tuple[Callable[[dict[str, Any]], Any], str]] = [
    (lambda d: d.pop("labels"), r"data\.labels: is missing"),
    (lambda d: d.pop("fc1.weight"), r"data\.fc1\.weight: is missing"),
    (lambda d: d.update({"fc1.wieght": d["fc1.weight"]}), r"belongs to no tensor .*fc1\.weight"),
    (lambda d: d.update(input=d["input"][:, :3]), r"shape \[5, 3\]; \[samples, 64\] is needed"),
    (lambda d: d.update(input=d["input"] * np.nan), r"not finite"),
    (lambda d: d.update(labels=d["labels"] + 10), r"5 classes from 0 to 9"),
    (lambda d: d.update({"fc2.bias": np.full(10, np.inf)}), r"fc2\.bias: float64 of shape \[10\]; finite"),
]


@pytest.mark.parametrize(("spoil", "reason"), BAD)
def test_bad_samples_and_weights_are_refused(spoil: Callable[[dict[str, Any]], Any], reason: str) -> None:
    data = arrays(5)
    spoil(data)
    with pytest.raises(InputError, match=reason):
        run(network(), PRESETS["simdram"], data)


def test_networks_without_values_here_are_refused_in_words() -> None:
    graph = prepare(load("digits_32"), PRESETS["simdram"])
    with pytest.raises(InputError, match="elementwise has no values here"):
        run(graph, PRESETS["simdram"], arrays(5))
