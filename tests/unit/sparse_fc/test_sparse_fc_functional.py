"""Samples behind the masks: against whole matrices with masks from the bit recurrence, and warnings."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest

import hwsim
from accelerators.sparse_fc.design import PRESETS
from accelerators.sparse_fc.operands import recurrent_mask
from hwsim.errors import InputError
from hwsim.functional import Outcome, classify, read_arrays

ROOT = Path(__file__).parents[3]
MASKED = ROOT / "workloads/mlp/digits_masked.npz"
SIZES = (64, 512, 512, 10)


def outcome(network: str, path: Path, spec: str = "sparse_fc:mlp_90", **knobs: object) -> Outcome:
    found = classify(hwsim.load(network), hwsim.chip(spec, **knobs), read_arrays(path))
    assert isinstance(found, Outcome)
    return found


def by_hand(bits: int) -> np.ndarray:
    """Classify with whole matrices: signs times masks, inputs rounded to `bits` bits a layer."""
    arrays = {name: array.astype(np.float64) for name, array in read_arrays(MASKED).items()}
    design, x = PRESETS["mlp_90"], arrays["input"]
    for layer in (1, 2, 3):
        k, n = SIZES[layer - 1 : layer + 1]
        kept = recurrent_mask(design, design.seeds_of(n), k, 0.9)
        signs = np.where(arrays[f"fc{layer}.weight"].T >= 0, 1, -1) * kept
        step = np.abs(x).max() / (2 ** (bits - 1) - 1)
        z = (np.rint(x / step).astype(np.int64) @ signs) * step
        if layer == 3:
            return z.argmax(axis=1)
        bn = {key: arrays[f"bn{layer}.{key}"] for key in ("scale", "bias", "mean", "variance")}
        x = np.maximum(bn["scale"] * (z - bn["mean"]) / np.sqrt(bn["variance"] + 1e-5) + bn["bias"], 0)
    raise AssertionError


@pytest.mark.parametrize("bits", [3, 8])
def test_values_are_those_of_whole_matrices(bits: int) -> None:
    labels = read_arrays(MASKED)["labels"].astype(np.int64)
    found = outcome("mlp_digits_masked", MASKED, activation_bits=bits)
    assert found.wrong.count == int((by_hand(bits) != labels).sum())
    assert found.warnings == ()


def test_the_trained_network_fits_its_masks() -> None:
    found = outcome("mlp_digits_masked", MASKED)
    assert found.wrong.ratio < 0.04
    arrays, design = read_arrays(MASKED), PRESETS["mlp_90"]
    for layer, (k, n) in enumerate(itertools.pairwise(SIZES), start=1):
        kept = recurrent_mask(design, design.seeds_of(n), k, 0.9).astype(bool)
        assert (np.abs(arrays[f"fc{layer}.weight"].T) == kept).all()
        assert found.notes[layer - 1] == f"fc{layer}: {kept.sum():,} of {k * n:,} connections kept"


def test_networks_trained_without_masks_are_warned_of() -> None:
    found = outcome("digits_32", ROOT / "workloads/digits/digits_32.npz")
    assert found.wrong.ratio > 0.5
    weights, design = read_arrays(ROOT / "workloads/digits/digits_32.npz")["fc1.weight"], PRESETS["mlp_90"]
    kept = recurrent_mask(design, design.seeds_of(32), 64, 0.9).astype(bool)
    dropped = np.count_nonzero(weights.T[~kept])
    assert any(f"fc1: the registers drop {dropped:,} weights" in line for line in found.warnings)
    assert any("fc1: weights are no signs" in line for line in found.warnings)


def test_what_is_wrong_with_samples_is_named(tmp_path: Path) -> None:
    arrays = read_arrays(MASKED)
    arrays["fc1.weight"] = arrays["fc1.weight"][:3]
    with pytest.raises(InputError, match=r"data\.fc1\.weight: has shape \[3, 64\]"):
        classify(hwsim.load("mlp_digits_masked"), hwsim.chip("sparse_fc"), arrays)
