"""Which states are zero: measured masks from a file, or drawn from a fraction and a correlation."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from accelerators.sparse_lstm.design import Correlation, SparseLstmDesign
from hwsim.archives import read_archive
from hwsim.errors import InputError, Problem, nearest
from hwsim.graph.ops.recurrent import RecurrentSizes, recurrent_sizes
from hwsim.graph.types import Graph, Op

Bytes = NDArray[np.uint8]
Ints = NDArray[np.int64]
CELLS = ("lstm", "gru")


@dataclass(frozen=True, slots=True)
class ZeroStates:
    """Zero states of one operator.

    Attributes
    ----------
    zero : uint8[directions, steps, batch, hidden]
        1 where the state after a step is zero, in the order in which the steps run.
    source : str
        Where they come from, in words.
    """

    zero: Bytes
    source: str


def sizes_of(graph: Graph, op: Op) -> RecurrentSizes:
    """Return steps, batch, features, hidden width, directions and gates of a recurrent operator."""
    return recurrent_sizes(op.kind, op.attributes, graph.operands(op))


def zero_states(graph: Graph, design: SparseLstmDesign) -> dict[str, ZeroStates | None]:
    """Return the zero states of every recurrent operator by its name; None where nothing is known.

    Raises
    ------
    InputError
        Everything that is wrong with the file of masks or with the what-if fraction, at once.
    """
    cells = [op for op in graph.ops if op.kind in CELLS]
    if design.has_masks and cells:
        return _measured(graph, cells, design)
    if not design.state_sparsity_ratio:
        return dict.fromkeys(op.name for op in cells)
    problems = [
        Problem(
            "design.state_sparsity_ratio",
            f"{design.state_sparsity_ratio} says nothing about zeros that {sizes_of(graph, op).batch} "
            f"sequences share, which is what {op.name} can skip",
            "measure state_masks, or set correlation=independent, or correlation=correlated with a "
            "correlation_ratio",
        )
        for op in cells
        if sizes_of(graph, op).batch > 1 and design.correlation is Correlation.NONE
    ]
    if problems:
        raise InputError(problems=problems)
    return {
        op.name: ZeroStates(
            drawn(sizes_of(graph, op), design, index),
            f"drawn at {design.state_sparsity_ratio:g} zeros, correlation {design.correlation}"
            + (f" {design.correlation_ratio:g}" if design.correlation_ratio else ""),
        )
        for index, op in enumerate(cells)
    }


def drawn(sizes: RecurrentSizes, design: SparseLstmDesign, layer: int) -> Bytes:
    """Return zeros drawn at the fraction and correlation of the design.

    A state is common to all sequences with probability `correlation_ratio` r, which makes r the correlation
    of the zeros of any two sequences, and r s + (1 - r) s^B the fraction that B of them share. Sequence b
    sees the same draws whatever the batch, so that a larger batch only adds sequences.
    """
    fraction, ratio = design.state_sparsity_ratio, design.correlation_ratio
    shape = (sizes.directions, sizes.steps, sizes.hidden)
    common = np.random.default_rng((design.seed, layer, 0))
    is_common = common.random(shape, dtype=np.float32) < ratio
    together = common.random(shape, dtype=np.float32)
    zero = np.empty((*shape[:2], sizes.batch, shape[2]), dtype=np.uint8)
    for sequence in range(sizes.batch):
        alone = np.random.default_rng((design.seed, layer, 1 + sequence)).random(shape, dtype=np.float32)
        zero[:, :, sequence] = np.where(is_common, together, alone) < fraction
    return zero


def _measured(graph: Graph, cells: list[Op], design: SparseLstmDesign) -> dict[str, ZeroStates | None]:
    arrays = read_archive(Path(design.state_masks))
    names = {op.name for op in cells}
    if len(cells) == 1 and len(arrays) == 1:
        arrays = {cells[0].name: next(iter(arrays.values()))}
    problems = [
        Problem(f"{design.state_masks}.{name}", "no recurrent operator of this name", nearest(name, names))
        for name in arrays
        if name not in names
    ]
    found: dict[str, ZeroStates | None] = {}
    for op in cells:
        place = f"{design.state_masks}.{op.name}"
        if op.name not in arrays:
            problems.append(Problem(place, "no array of this name", nearest(op.name, arrays)))
            continue
        try:
            found[op.name] = _masks_of(arrays[op.name], sizes_of(graph, op), design)
        except ValueError as error:
            problems.append(Problem(place, str(error)))
            continue
        if op.text("direction") != "forward":
            found[op.name] = _in_order(found[op.name], op.text("direction"))
    if problems:
        raise InputError(problems=problems)
    return found


def _in_order(states: ZeroStates | None, direction: str) -> ZeroStates | None:
    """Return masks by position in the sequence as masks in the order of the steps."""
    if states is None:
        return None
    zero = states.zero.copy()
    zero[-1] = zero[-1, ::-1]
    return ZeroStates(zero, f"{states.source}, {direction}")


def _masks_of(array: NDArray[Any], sizes: RecurrentSizes, design: SparseLstmDesign) -> ZeroStates:
    """Return the masks that an array holds; ValueError says what is wrong with it."""
    if array.dtype != np.bool_ and array.dtype.kind not in "fi":
        raise ValueError(
            f"elements are {array.dtype}, must be bool (true where the state is zero), or the states "
            "themselves as signed integers or floating-point numbers"
        )
    if array.dtype == np.bool_ and design.threshold_ratio:
        raise ValueError(f"threshold_ratio {design.threshold_ratio:g} needs states, these are masks already")
    wanted = (sizes.steps, sizes.batch, sizes.hidden)
    shape = array.shape
    if sizes.directions == 2:
        wanted = (2, *wanted)  # type: ignore[assignment]
    elif array.ndim == 4 and shape[0] == 1:
        array, shape = array[0], shape[1:]
    fits = len(shape) == len(wanted) and shape[-1] == sizes.hidden and shape[:-3] == wanted[:-3]
    if not fits or shape[-3] < sizes.steps or shape[-2] < sizes.batch:
        raise ValueError(
            f"{list(shape)} must be {list(wanted)}: "
            + ("2 directions, " if sizes.directions == 2 else "")
            + "steps, sequences, hidden states; more steps or sequences are allowed"
        )
    taken = array[..., : sizes.steps, : sizes.batch, :].reshape(
        sizes.directions, sizes.steps, sizes.batch, sizes.hidden
    )
    if taken.dtype.kind == "f" and not np.isfinite(taken).all():
        count = int((~np.isfinite(taken)).sum())
        raise ValueError(f"{count} states are not finite, the first at {np.argwhere(~np.isfinite(taken))[0]}")
    zero = taken if taken.dtype == np.bool_ else (taken == 0) | (np.abs(taken) < design.threshold_ratio)
    return ZeroStates(
        np.ascontiguousarray(zero).view(np.uint8),
        f"measured, {sizes.steps} of {shape[-3]} steps and {sizes.batch} of {shape[-2]} sequences",
    )


def count_entries(zero: Bytes, offset_bits: int) -> tuple[Ints, Ints]:
    """Return kept states and zero entries after each step, for uint8[steps, batch, hidden] masks."""
    from hwsim.kernels.sparse_columns import count_entries as count

    kept, fillers = np.empty(zero.shape[0], np.int64), np.empty(zero.shape[0], np.int64)
    count(zero, offset_bits, kept, fillers)
    return kept, fillers
