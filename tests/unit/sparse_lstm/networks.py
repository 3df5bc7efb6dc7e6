"""Small networks, masks and designs that the tests of the sparse engine share."""

from __future__ import annotations

from typing import Any

import numpy as np

from accelerators.sparse_lstm import ACCELERATOR
from accelerators.sparse_lstm.design import SparseLstmDesign
from accelerators.sparse_lstm.zeros import Bytes, ZeroStates
from hwsim.graph.build import GraphBuilder
from hwsim.graph.types import INT8, INT64, Graph
from hwsim.model.prices import price
from hwsim.model.timing import time_trace
from hwsim.trace import Trace, reduce, verify_trace


def design(**knobs: Any) -> SparseLstmDesign:
    """Return the published design with some knobs changed."""
    return SparseLstmDesign.model_validate(ACCELERATOR.presets["published"].model_dump() | knobs)


def cell(
    kind: str = "lstm",
    *,
    steps: int = 4,
    batch: int = 2,
    inputs: int = 3,
    hidden: int = 24,
    **attributes: Any,
) -> Graph:
    """Return one recurrent layer called ``cell``, fed with values."""
    rows = {"lstm": 4, "gru": 3}[kind] * hidden
    b = GraphBuilder("small", format=INT8)
    ways = 1 + (attributes.get("direction") == "bidirectional")
    operands = [b.input("x", (steps, batch, inputs)), b.weight("w", (ways, rows, inputs))]
    operands.append(b.weight("r", (ways, rows, hidden)))
    b.output(b.add_many(kind, operands, name="cell", outputs=1, **attributes)[0])
    return b.build()


def one_hot_cell(*, steps: int = 4, batch: int = 2, symbols: int = 5, hidden: int = 24) -> Graph:
    """Return an LSTM layer called ``cell``, fed with one-hot vectors."""
    b = GraphBuilder("small", format=INT8)
    ids = b.input("ids", (steps, batch), format=INT64)
    x = b.add("one_hot", ids, name="one_hot", depth=symbols, format=INT8)
    operands = [x, b.weight("w", (1, 4 * hidden, symbols)), b.weight("r", (1, 4 * hidden, hidden))]
    b.output(b.add_many("lstm", operands, name="cell", outputs=1)[0])
    return b.build()


def masks(zero: np.ndarray) -> dict[str, ZeroStates | None]:
    """Return zero[steps, batch, hidden] as the states of ``cell``."""
    packed: Bytes = np.ascontiguousarray(zero[None]).astype(np.uint8)
    return {"cell": ZeroStates(packed, "a test")}


def cycles(trace: Trace, chosen: SparseLstmDesign) -> int:
    """Return the folded cycles of a trace."""
    verify_trace(trace)
    sheet = ACCELERATOR.datasheet(chosen)
    return int(time_trace(trace, price(trace, sheet), sheet).cycles)


def events(trace: Trace) -> dict[tuple[str, str], int]:
    """Return the events of a trace by unit and action, without zeros."""
    counted: dict[tuple[str, str], int] = {}
    for (_, unit, action), count, _ in reduce(trace).items():
        counted[unit, action] = counted.get((unit, action), 0) + count
    return {key: count for key, count in counted.items() if count}
