"""The stepped array against the closed forms, numpy and a few folds counted by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from accelerators.systolic.array_machine import folds_of, run_tile
from accelerators.systolic.design import Dataflow, FoldModel, SystolicDesign
from accelerators.systolic.folds import tile_cycles, tile_words
from tests.examples import examples
from tests.laws.products import FLOWS

OS, WS, IS = FLOWS


@st.composite
def cases(draw: st.DrawFn, largest: int) -> tuple[Dataflow, FoldModel, tuple[int, ...]]:
    size, side = st.integers(1, largest), st.integers(1, 6)
    return (
        draw(st.sampled_from(FLOWS)),
        draw(st.sampled_from(FoldModel)),
        (draw(side), draw(side), draw(size), draw(size), draw(size), draw(st.integers(0, 2**32))),
    )


def check(dataflow: Dataflow, model: FoldModel, sizes: tuple[int, ...]) -> None:
    rows, cols, m, k, n, seed = sizes
    design = SystolicDesign(array_rows=rows, array_cols=cols, fold_model=model)
    rng = np.random.default_rng(seed)
    left, right = rng.integers(-128, 128, (m, k)), rng.integers(-128, 128, (k, n))
    run, words = run_tile(dataflow, left, right, design), tile_words(dataflow, m, k, n, rows, cols, 0)
    assert np.array_equal(run.values, left @ right)
    assert run.cycles == tile_cycles(dataflow, m, k, n, rows, cols, model)
    assert dict(run.events) | {"output_reads": run.events["output_reads"]} == {
        "mac": m * k * n,
        "input_reads": words.input_reads,
        "weight_reads": words.weight_reads,
        "output_writes": words.output_writes,
        "output_reads": words.output_reads,
    }


@given(cases(8))
@examples(120)
def test_machine_equals_fold_words_and_product(case: tuple[Dataflow, FoldModel, tuple[int, ...]]) -> None:
    check(*case)


@pytest.mark.slow
@given(cases(12))
@examples(60)
def test_machine_equals_fold_words_and_product_on_larger_tiles(
    case: tuple[Dataflow, FoldModel, tuple[int, ...]],
) -> None:
    check(*case)


def run(dataflow: Dataflow, m: int, k: int, n: int, rows: int, cols: int, model: FoldModel) -> int:
    design = SystolicDesign(array_rows=rows, array_cols=cols, fold_model=model)
    return run_tile(dataflow, np.ones((m, k), np.int64), np.ones((k, n), np.int64), design).cycles


@pytest.mark.parametrize(
    ("dataflow", "model", "cycles"),
    [
        # One 2 x 3 fold on a 4 x 5 array, k = 7: the last datum is in the far corner after 7 + 1 + 2.
        (OS, FoldModel.OVERLAPPED, 10),
        (OS, FoldModel.SEQUENTIAL, 10),
        # SCALE-Sim waits for the corner of the whole array: 7 + 3 + 4.
        (OS, FoldModel.SCALESIM, 14),
        # k = 7 needs two folds along 4 rows; m = 2 rows stream; 4 held rows come first, the skew is 3 + 2,
        # the second fold follows after its 3 held rows have passed the bus: 4 + 3 + 2 + 3 + 2.
        (WS, FoldModel.OVERLAPPED, 14),
        # One after the other: 4 + 2 + 4 + 3 - 2, then 3 + 2 + 3 + 3 - 2.
        (WS, FoldModel.SEQUENTIAL, 20),
        # Twice a full fold: 4 + 2 + 4 + 5 - 2.
        (WS, FoldModel.SCALESIM, 26),
        # Inputs held: n = 3 words stream past 4 and 3 rows, 2 columns wide: 4 + 3 + 3 + 3 + 1.
        (IS, FoldModel.OVERLAPPED, 14),
        # One after the other: 4 + 3 + 4 + 2 - 2, then 3 + 3 + 3 + 2 - 2.
        (IS, FoldModel.SEQUENTIAL, 20),
        (IS, FoldModel.SCALESIM, 28),
    ],
)
def test_cycles_counted_by_hand(dataflow: Dataflow, model: FoldModel, cycles: int) -> None:
    assert tile_cycles(dataflow, 2, 7, 3, 4, 5, model) == cycles
    assert run(dataflow, 2, 7, 3, 4, 5, model) == cycles


def test_scalesim_folds_are_all_as_long_as_a_full_one() -> None:
    design = SystolicDesign(array_rows=4, array_cols=4, fold_model=FoldModel.SCALESIM)
    folds, end = folds_of(5, 6, 10, design, preload=False)
    assert [(fold.rows, fold.cols) for fold in folds] == [
        ((0, 4), (0, 4)),
        ((4, 5), (0, 4)),
        ((0, 4), (4, 6)),
        ((4, 5), (4, 6)),
    ]
    assert [fold.start for fold in folds] == [0, 16, 32, 48]
    assert end == 64


@pytest.mark.parametrize("dataflow", FLOWS)
@pytest.mark.parametrize("model", FoldModel)
def test_a_single_product_takes_a_single_step_and_its_preload(dataflow: Dataflow, model: FoldModel) -> None:
    """One operand pair on one element: one clock, and one more where a word is written first."""
    assert run(dataflow, 1, 1, 1, 1, 1, model) == (1 if dataflow is OS else 2)


@given(cases(300))
def test_overlapping_never_takes_longer(case: tuple[Dataflow, FoldModel, tuple[int, ...]]) -> None:
    dataflow, _, (rows, cols, m, k, n, _seed) = case
    cycles = [tile_cycles(dataflow, m, k, n, rows, cols, model) for model in FoldModel]
    overlapped, sequential, scalesim = cycles
    assert overlapped <= sequential <= scalesim
    assert overlapped * rows * cols >= m * k * n


@given(cases(50), st.sampled_from("mkn"))
def test_a_larger_tile_never_takes_less(case: tuple[Dataflow, FoldModel, tuple[int, ...]], axis: str) -> None:
    dataflow, model, (rows, cols, m, k, n, _seed) = case
    small = dict(zip("mkn", (m, k, n), strict=True))
    large = small | {axis: small[axis] + 1}
    for tile in (small, large):
        tile["cycles"] = tile_cycles(dataflow, tile["m"], tile["k"], tile["n"], rows, cols, model)
    assert small["cycles"] <= large["cycles"]


@pytest.mark.parametrize("dataflow", FLOWS)
@pytest.mark.parametrize("model", FoldModel)
def test_arrays_of_sizes_give_the_cycles_and_words_of_each(dataflow: Dataflow, model: FoldModel) -> None:
    rng = np.random.default_rng(3)
    m, k, n = rng.integers(1, 200, (3, 50))
    cycles = tile_cycles(dataflow, m, k, n, 8, 6, model)
    words = tile_words(dataflow, m, k, n, 8, 6, 1)
    for i in range(50):
        sizes = (int(m[i]), int(k[i]), int(n[i]))
        assert int(cycles[i]) == tile_cycles(dataflow, *sizes, 8, 6, model)
        single = tile_words(dataflow, *sizes, 8, 6, 1)
        for name in ("input_reads", "weight_reads", "output_writes", "output_reads"):
            assert int(np.broadcast_to(getattr(words, name), 50)[i]) == getattr(single, name)


def test_sums_of_an_earlier_tile_are_read_once_more() -> None:
    first = tile_words(OS, 3, 4, 5, 2, 2, 0)
    later = tile_words(OS, 3, 4, 5, 2, 2, 1)
    assert later.output_reads - first.output_reads == 15
    assert first.output_writes == later.output_writes == 15
