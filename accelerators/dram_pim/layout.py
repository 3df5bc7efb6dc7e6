"""Numbers in lanes: which item of which result a lane holds in every repeat of a reduction."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from accelerators.dram_pim.operands import BATCH
from accelerators.dram_pim.plan import Plan, Reduction, Stage

Ints = NDArray[np.int64]


def spread_of(plan: Plan, reduction: Reduction) -> tuple[int, int]:
    """Return the lanes that share a result, and the repeats of the accumulating stage."""
    stage = next(step for step in plan.steps if isinstance(step, Stage) and step.program == reduction.program)
    return stage.elements // reduction.outputs, stage.repeats


def laid_out(items: Ints, parts: int, repeats: int, batch: int, padding: int) -> Ints:
    """Return int64[repeats, lanes] of items int64[outputs, length], `padding` where there is none.

    Lane p * outputs + o holds part p of result o. With a batch, numbers of one bit are packed into one value.
    """
    outputs, length = items.shape
    chunk = -(-length // parts)
    whole = np.full((outputs, parts, repeats * batch), padding, np.int64)
    for part in range(parts):
        own = items[:, part * chunk : min(length, (part + 1) * chunk)]
        whole[:, part, : own.shape[1]] = own
    by_lane = whole.transpose(2, 1, 0).reshape(repeats, batch, parts * outputs)
    if batch == 1:
        return by_lane[:, 0]
    packed: Ints = (by_lane << np.arange(BATCH)[None, :, None]).sum(axis=1)
    return packed


def product_lanes(left: Ints, right: Ints, reduction: Reduction, parts: int, repeats: int) -> dict[str, Ints]:
    """Return the values of a matrix product's items.

    Parameters
    ----------
    left, right : int64[outputs, k]
        Operands of every result; -1 and 1 of one-bit formats.
    reduction : Reduction
        From `product_reduction`.
    parts, repeats : int
        From `spread_of`.
    """
    def lay(items: Ints, padding: int = 0) -> Ints:
        return laid_out(items, parts, repeats, reduction.batch, padding)

    if reduction.batch == BATCH:
        return {"left[]": lay((left + 1) // 2), "right[]": lay((right + 1) // 2, 1)}
    values: dict[str, Ints] = {}
    names = {ref.name for ref in reduction.items}
    for name, operand in (("left", left), ("right", right)):
        if f"{name}+[]" in names:
            values[f"{name}+[]"], values[f"{name}-[]"] = lay(operand == 1), lay(operand == -1)
        elif reduction.program == "mac_binary" and any(
                ref.name == f"{name}[]" and ref.rows == 1 for ref in reduction.items[1:]):
            values[f"{name}[]"] = lay((operand + 1) // 2)
        else:
            values[f"{name}[]"] = lay(operand)
    return values
