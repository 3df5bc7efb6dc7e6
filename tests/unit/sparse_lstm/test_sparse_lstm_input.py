"""Bad input: knobs, masks and batches that make no sense are refused with place, value and a way out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from accelerators.sparse_lstm import ACCELERATOR
from accelerators.sparse_lstm.design import structure
from accelerators.sparse_lstm.lower import lower
from accelerators.sparse_lstm.zeros import zero_states
from hwsim.errors import DesignError, GraphError, InputError, UnsupportedOp
from hwsim.run import chip, evaluate
from tests.unit.sparse_lstm.networks import cell, design


@pytest.mark.parametrize(
    ("knobs", "reason"),
    [
        ({"dram_bits_per_s": 0}, "greater than 0"),
        ({"clock_hz": 0}, "greater than 0"),
        ({"threshold_ratio": -1}, "greater than or equal to 0"),
        ({"threshold_ratio": float("nan")}, "threshold_ratio"),
        ({"threshold_ratio": 0.5}, r"threshold_ratio: .*needs state_masks"),
        ({"state_sparsity_ratio": 1}, "less than 1"),
        ({"state_sparsity_ratio": -0.1}, "greater than or equal to 0"),
        ({"weights_per_cycle": 25}, r"weights_per_cycle: .*25 does not divide 4 x 48"),
        ({"offset_bits": 0}, "offset_bits"),
        ({"scratch_depth": 0}, "scratch_depth"),
        ({"correlation": "correlated"}, r"correlation_ratio: .*goes with"),
        ({"correlation": "independent", "correlation_ratio": 0.5}, r"correlation_ratio: .*goes with"),
        ({"correlation_ratio": 1.5, "correlation": "correlated"}, "less than or equal to 1"),
        ({"state_masks": "masks.txt"}, "state_masks"),
        ({"state_masks": "masks.npz", "state_sparsity_ratio": 0.5}, r"state_sparsity_ratio: .*set one"),
        ({"thresold_ratio": 1}, "did you mean 'threshold_ratio'"),
    ],
)
def test_knobs_out_of_range(knobs: dict[str, Any], reason: str) -> None:
    with pytest.raises(DesignError, match=reason):
        chip("sparse_lstm", **knobs)


def _write(path: Path, **arrays: Any) -> str:
    np.savez(path, **arrays)
    return str(path)


ZERO = np.ones((4, 2, 24), dtype=bool)


@pytest.mark.parametrize(
    ("arrays", "knobs", "reason"),
    [
        ({"cell": ZERO[:, :, :23]}, {}, r"\[4, 2, 23\] must be \[4, 2, 24\]"),
        ({"cell": ZERO[:3]}, {}, r"\[3, 2, 24\] must be \[4, 2, 24\]"),
        ({"cell": ZERO[:, :1]}, {}, r"\[4, 1, 24\] must be"),
        ({"cell": ZERO[0]}, {}, r"\[2, 24\] must be"),
        ({"cell": ZERO.astype(np.uint8)}, {}, "uint8, must be bool"),
        ({"cell": ZERO.astype(str)}, {}, "must be bool"),
        ({"cell": ZERO.astype(complex)}, {}, "must be bool"),
        ({"cell": ZERO}, {"threshold_ratio": 0.5}, "these are masks already"),
        ({"cell": np.where(np.arange(24) == 3, np.nan, ZERO)}, {}, r"8 states are not finite, the first at"),
        ({"cell": np.full((4, 2, 24), np.inf)}, {}, "192 states are not finite"),
        ({"sell": ZERO, "other": ZERO}, {}, "did you mean 'cell'"),
        ({"sell": ZERO, "other": ZERO}, {}, "cell: no array of this name"),
    ],
)
def test_masks_that_do_not_fit(tmp_path: Path, arrays: Any, knobs: dict[str, Any], reason: str) -> None:
    path = _write(tmp_path / "masks.npz", **arrays)
    with pytest.raises(InputError, match=reason):
        lower(cell(), design(state_masks=path, **knobs))


def test_files_that_are_no_masks(tmp_path: Path) -> None:
    (tmp_path / "text.npz").write_text("no zip file")
    (tmp_path / "empty.npz").write_bytes(b"")
    np.save(tmp_path / "one.npy", ZERO)
    (tmp_path / "one.npy").rename(tmp_path / "one.npz")
    np.savez(tmp_path / "objects.npz", cell=np.array([{}], dtype=object))
    for name in ("text.npz", "empty.npz", "one.npz", "objects.npz", "missing.npz"):
        with pytest.raises(InputError, match=name):
            lower(cell(), design(state_masks=str(tmp_path / name)))


def test_larger_recordings_serve_smaller_runs_and_the_report_says_so(tmp_path: Path) -> None:
    path = _write(tmp_path / "masks.npz", recorded=np.ones((9, 16, 24), dtype=bool))
    report = evaluate(cell(), chip("sparse_lstm", state_masks=path))
    assert "4 of 9 steps and 2 of 16 sequences" in report.layers[0].mapping


def test_states_are_pruned_by_the_threshold(tmp_path: Path) -> None:
    states = np.linspace(-1, 1, 4 * 2 * 24).reshape(4, 2, 24)
    path = _write(tmp_path / "states.npz", cell=states)
    known = zero_states(cell(), design(state_masks=path, threshold_ratio=0.25))["cell"]
    assert known is not None
    assert np.array_equal(known.zero[0] == 1, np.abs(states) < 0.25)


def test_backward_masks_are_given_by_position_in_the_sequence(tmp_path: Path) -> None:
    zero = np.zeros((2, 4, 2, 24), dtype=bool)
    zero[1, 3] = True
    path = _write(tmp_path / "masks.npz", cell=zero)
    known = zero_states(cell(direction="bidirectional"), design(state_masks=path))["cell"]
    assert known is not None
    assert known.zero[1, 0].all()
    assert known.zero.sum() == 2 * 24


def test_a_trace_depends_on_what_the_file_holds_not_on_its_name(tmp_path: Path) -> None:
    one = structure(design(state_masks=_write(tmp_path / "a.npz", cell=ZERO)))
    same = structure(design(state_masks=_write(tmp_path / "b.npz", cell=ZERO)))
    other = structure(design(state_masks=_write(tmp_path / "a.npz", cell=~ZERO)))
    assert one == same
    assert one != other


def test_a_fraction_alone_says_nothing_about_a_batch() -> None:
    with pytest.raises(InputError, match=r"2 sequences share.*correlation=independent"):
        lower(cell(), design(state_sparsity_ratio=0.9))
    assert lower(cell(batch=1), design(state_sparsity_ratio=0.9)).series.value.size
    assert lower(cell(), design(state_sparsity_ratio=0.9, correlation="independent")).series.value.size


def test_a_batch_beyond_the_scratch_memory() -> None:
    with pytest.raises(InputError, match="17 sequences do not fit a scratch memory of 16"):
        lower(cell(batch=17), design())
    assert lower(cell(batch=17), design(scratch_depth=17)).nodes


def test_no_hidden_states() -> None:
    with pytest.raises(GraphError):
        cell(hidden=0)


@pytest.mark.parametrize("hidden", [1, 25, 100])
def test_a_width_that_leaves_lanes_idle_is_run_and_reported(hidden: int) -> None:
    layer = evaluate(cell(hidden=hidden), "sparse_lstm").layers[0]
    used = 4 * hidden / (24 * -(-4 * hidden // 24))
    assert f"row lanes {used:.1%}" in layer.mapping
    assert "batch lanes 25.0% used" in layer.mapping


def test_operators_that_the_chip_does_not_have() -> None:
    with pytest.raises(UnsupportedOp, match=r"alexnet\.relu|alexnet\.conv"):
        evaluate("alexnet", "sparse_lstm")
    assert ACCELERATOR.supports(cell(), cell().ops[0]) == ""
