"""The array, register by register: operands enter at the edges, one clock at a time, real integers.

Every processing element holds its operand registers and, output-stationary, an accumulator. Data carry
the number of their fold and position, as wires would carry first and last flags, so that folds may follow
each other closely. The machine knows nothing of the closed forms in `folds.py`.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from accelerators.systolic.design import Dataflow, FoldModel, SystolicDesign
from hwsim.errors import VerifyError

Ints = NDArray[np.int64]
EMPTY = -1


@dataclass(frozen=True, slots=True)
class Fold:
    """One fold: which rows and columns of the product it holds, and when it starts.

    Attributes
    ----------
    rows, cols : (int, int)
        Half-open ranges along the array rows and columns.
    start : int
        Clock at which its first datum enters row 0, column 0.
    """

    rows: tuple[int, int]
    cols: tuple[int, int]
    start: int


@dataclass
class ArrayRun:
    """Result of a tile: cycles, exact product in the array's own orientation, and events."""

    cycles: int
    values: Ints
    events: Counter[str] = field(default_factory=Counter)


def folds_of(p: int, q: int, t: int, design: SystolicDesign, preload: bool) -> tuple[list[Fold], int]:
    """Return the folds of a tile in issue order, and a clock by which the array is certainly empty.

    Overlapped folds follow after the stream, or after as many clocks as words must pass a column bus: the
    results of the last fold output-stationary, the held words of the next one otherwise. Folds that do not
    overlap start when the last one is through. Columns are walked outside, rows inside.
    """
    rows, cols, model = design.array_rows, design.array_cols, design.fold_model
    folds: list[Fold] = []
    end = bus = 0
    for col in range(0, q, cols):
        for row in range(0, p, rows):
            used = (rows, cols) if model is FoldModel.SCALESIM else (min(rows, p - row), min(cols, q - col))
            start = end + (used[0] if preload else 0)
            if folds and model is FoldModel.OVERLAPPED:
                start = folds[-1].start + max(t, used[0] if preload else bus)
            folds.append(Fold((row, min(row + rows, p)), (col, min(col + cols, q)), start))
            end, bus = start + t + used[0] + used[1] - 2, used[0]
    empty = max(fold.start for fold in folds) + t + rows + cols
    return folds, end if model is FoldModel.SCALESIM else empty


def _finish(
    run: ArrayRun, last: int, results: int, expected: int, end: int, design: SystolicDesign
) -> ArrayRun:
    """Set the cycles of a run: one after the last result, or what SCALE-Sim waits for."""
    if results != expected:
        raise VerifyError(f"{results} of {expected} results left in {end} clocks", where="systolic.machine")
    run.cycles = end if design.fold_model is FoldModel.SCALESIM else last + 1
    return run


def run_tile(dataflow: Dataflow, left: Ints, right: Ints, design: SystolicDesign) -> ArrayRun:
    """Multiply two integer matrices on the array.

    Parameters
    ----------
    dataflow : Dataflow
        One of the three; input-stationary is weight-stationary on the transposed product.
    left, right : int64[m, k], int64[k, n]
        Operands.
    design : SystolicDesign
        Array size and fold model.
    """
    if dataflow is Dataflow.OUTPUT_STATIONARY:
        return _output_stationary(left, right, design)
    if dataflow is Dataflow.WEIGHT_STATIONARY:
        run = _stationary(left, right, design)
        return ArrayRun(
            run.cycles,
            run.values,
            Counter(
                {
                    "mac": run.events["mac"],
                    "input_reads": run.events["streamed"],
                    "weight_reads": run.events["held"],
                    "output_writes": run.events["sums"],
                    "output_reads": run.events["accumulated"],
                }
            ),
        )
    run = _stationary(right.T, left.T, design)
    return ArrayRun(
        run.cycles,
        run.values.T,
        Counter(
            {
                "mac": run.events["mac"],
                "input_reads": run.events["held"],
                "weight_reads": run.events["streamed"],
                "output_writes": run.events["sums"],
                "output_reads": run.events["accumulated"],
            }
        ),
    )


def _output_stationary(left: Ints, right: Ints, design: SystolicDesign) -> ArrayRun:
    """Move inputs right and weights down past resting sums, which leave on the bus of their column."""
    (p, t), q = left.shape, right.shape[1]
    folds, end = folds_of(p, q, t, design, preload=False)
    shape = (design.array_rows, design.array_cols)
    moving = {name: np.full(shape, EMPTY, dtype=np.int64) for name in ("a", "a_tag", "b", "b_tag")}
    sums = np.zeros(shape, dtype=np.int64)
    run, last = ArrayRun(end, np.zeros((p, q), dtype=np.int64)), 0
    for clock in range(end):
        for name in moving:
            axis = 1 if name.startswith("a") else 0
            moving[name] = np.roll(moving[name], 1, axis=axis)
            if axis:
                moving[name][:, 0] = EMPTY
            else:
                moving[name][0, :] = EMPTY
        _feed(moving, folds, clock, left, right, run.events)
        active = (moving["a_tag"] >= 0) & (moving["b_tag"] >= 0)
        if (moving["a_tag"][active] != moving["b_tag"][active]).any():
            raise VerifyError(
                f"operands of different positions meet at clock {clock}", where="systolic.machine"
            )
        sums[active] += moving["a"][active] * moving["b"][active]
        run.events["mac"] += int(active.sum())
        if _collect(moving["a_tag"], active, t, sums, folds, run, clock):
            last = clock
    return _finish(run, last, run.events["output_writes"], p * q, end, design)


def _feed(
    moving: dict[str, Ints], folds: list[Fold], clock: int, left: Ints, right: Ints, events: Counter[str]
) -> None:
    """Put the words due at this clock into the left column and the top row, skewed by one clock a step."""
    t = left.shape[1]
    for number, fold in enumerate(folds):
        height, width = fold.rows[1] - fold.rows[0], fold.cols[1] - fold.cols[0]
        if not fold.start <= clock < fold.start + t + max(height, width):
            continue
        for lane, (words, tags, source, size, kind) in enumerate(
            (
                ("a", "a_tag", left[fold.rows[0] : fold.rows[1]], height, "input_reads"),
                ("b", "b_tag", right[:, fold.cols[0] : fold.cols[1]].T, width, "weight_reads"),
            )
        ):
            index = np.arange(size)
            position = clock - fold.start - index
            due = (position >= 0) & (position < t)
            where = (index[due], np.zeros(int(due.sum()), int))
            where = where if lane == 0 else where[::-1]
            moving[words][where] = source[index[due], position[due]]
            moving[tags][where] = number * t + position[due]
            events[kind] += int(due.sum())


def _collect(
    tags: Ints, active: NDArray[np.bool_], t: int, sums: Ints, folds: list[Fold], run: ArrayRun, clock: int
) -> bool:
    """Send finished sums out, at most one per column and clock, and clear their accumulators."""
    finished = active & (tags % t == t - 1)
    if (finished.sum(axis=0) > 1).any():
        raise VerifyError(f"two results on one column bus at clock {clock}", where="systolic.machine")
    for row, col in zip(*np.nonzero(finished), strict=True):
        fold = folds[int(tags[row, col]) // t]
        run.values[fold.rows[0] + row, fold.cols[0] + col] = sums[row, col]
        sums[row, col] = 0
        run.events["output_writes"] += 1
    return bool(finished.any())


def _stationary(stream: Ints, held: Ints, design: SystolicDesign) -> ArrayRun:
    """One matrix stays, the other moves right, partial sums move down into accumulators.

    Held words are written over column buses into shadow registers, row after row and skewed like the data;
    the first datum of a fold switches each element over. A full row of unused elements passes sums on.
    """
    (t, p), q = stream.shape, held.shape[1]
    folds, end = folds_of(p, q, t, design, preload=True)
    full = design.fold_model is FoldModel.SCALESIM
    height = design.array_rows if full else min(p, design.array_rows)
    shape = (height, design.array_cols)
    weight, shadow, shadow_tag = (np.zeros(shape, dtype=np.int64) for _ in range(3))
    shadow_tag -= 1
    data, data_tag = np.zeros(shape, dtype=np.int64), np.full(shape, EMPTY, dtype=np.int64)
    sums, sum_tag = np.zeros(shape, dtype=np.int64), np.full(shape, EMPTY, dtype=np.int64)
    run, last = ArrayRun(end, np.zeros((t, q), dtype=np.int64)), 0
    written = np.zeros((t, q), dtype=bool)
    rows, cols = np.indices(shape)
    for clock in range(end):
        data, data_tag = _shift(data, 1, 0), _shift(data_tag, 1, EMPTY)
        sums, sum_tag = _shift(sums, 0, 0), _shift(sum_tag, 0, EMPTY)
        for number, fold in enumerate(folds):
            _feed_stream(number, fold, clock, stream, data, data_tag, run.events)
        swap = (data_tag >= 0) & (data_tag % t == 0)
        if (shadow_tag[swap] != data_tag[swap] // t).any():
            raise VerifyError(
                f"a fold starts before its words are in place at clock {clock}", where="systolic.machine"
            )
        weight[swap] = shadow[swap]
        for number, fold in enumerate(folds):
            _write_shadow(number, fold, clock, held, shadow, shadow_tag, (rows, cols), run.events)
        active = data_tag >= 0
        sums = np.where(active, sums + data * weight, 0)
        sum_tag = np.where(active, data_tag, EMPTY)
        run.events["mac"] += _useful(active, data_tag, folds, t, rows, cols)
        before = run.events["sums"]
        _accumulate(sums, sum_tag, folds, design.fold_model, t, run, written)
        last = clock if run.events["sums"] > before else last
    row_folds = -(-p // design.array_rows)
    return _finish(run, last, run.events["sums"], t * q * row_folds, end, design)


def _shift(words: Ints, axis: int, empty: int) -> Ints:
    moved = np.roll(words, 1, axis=axis)
    moved[(slice(None), 0) if axis else 0] = empty
    return moved


def _write_shadow(
    number: int,
    fold: Fold,
    clock: int,
    held: Ints,
    shadow: Ints,
    tag: Ints,
    index: tuple[Ints, Ints],
    events: Counter[str],
) -> None:
    """Write the held words due at this clock; unused rows and columns get zeros."""
    rows, cols = index
    used, width = fold.rows[1] - fold.rows[0], fold.cols[1] - fold.cols[0]
    due = rows + cols + fold.start - np.where(rows < used, used, 1) == clock
    shadow[due] = 0
    tag[due] = number
    inside = due & (rows < used) & (cols < width)
    shadow[inside] = held[fold.rows[0] + rows[inside], fold.cols[0] + cols[inside]]
    events["held"] += int(inside.sum())


def _feed_stream(
    number: int, fold: Fold, clock: int, stream: Ints, data: Ints, tag: Ints, events: Counter[str]
) -> None:
    """Put the streamed words due at this clock into the left column; unused rows carry empty data."""
    t = stream.shape[0]
    row = np.arange(data.shape[0])
    position = clock - fold.start - row
    due = (position >= 0) & (position < t)
    used = due & (row < fold.rows[1] - fold.rows[0])
    data[due, 0] = 0
    data[used, 0] = stream[position[used], fold.rows[0] + row[used]]
    tag[due, 0] = number * t + position[due]
    events["streamed"] += int(used.sum())


def _useful(active: NDArray[np.bool_], tags: Ints, folds: list[Fold], t: int, rows: Ints, cols: Ints) -> int:
    """Count the elements that multiply words of the product, not padding."""
    useful = 0
    for number in np.unique(tags[active] // t).tolist():
        fold = folds[number]
        mine = active & (tags // t == number)
        useful += int(
            (mine & (rows < fold.rows[1] - fold.rows[0]) & (cols < fold.cols[1] - fold.cols[0])).sum()
        )
    return useful


def _accumulate(
    sums: Ints,
    tags: Ints,
    folds: list[Fold],
    model: FoldModel,
    t: int,
    run: ArrayRun,
    written: NDArray[np.bool_],
) -> None:
    """Add the sums that leave the array to their accumulators.

    They leave at the bottom row; sequential folds, which cannot meet another one, at their last used row.
    """
    for number in np.unique(tags[tags >= 0] // t).tolist():
        fold = folds[number]
        exit_row = fold.rows[1] - fold.rows[0] - 1 if model is FoldModel.SEQUENTIAL else -1
        leaving = tags[exit_row, : fold.cols[1] - fold.cols[0]]
        for col in np.flatnonzero((leaving >= 0) & (leaving // t == number)).tolist():
            place = int(leaving[col]) % t, fold.cols[0] + col
            run.events["accumulated"] += int(written[place])
            run.values[place] += sums[exit_row, col]
            written[place] = True
            run.events["sums"] += 1
