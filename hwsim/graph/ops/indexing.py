"""Gathers (embedding look-ups among them) and scatters."""

from __future__ import annotations

from hwsim.errors import GraphError
from hwsim.graph.ops.kinds import (
    Attributes,
    Category,
    Operand,
    OpKind,
    Tensors,
    Work,
    axis_of,
    broadcast,
    int_of,
    need,
    show,
    text_of,
)
from hwsim.graph.ops.movement import move_results
from hwsim.graph.types import AttributeValue, Op, Shape

_OUTPUTS = (Operand("output"),)
_REDUCTIONS = {"none": "", "add": "add", "multiply": "multiply", "maximum": "compare", "minimum": "compare"}


def _complete_axis(attributes: Attributes, operands: Tensors) -> dict[str, AttributeValue]:
    rank = len(need(operands, 0).shape)
    return dict(attributes) | {"axis": axis_of("axis", int_of(attributes, "axis"), rank)}


def _infer_gather(attributes: Attributes, operands: Tensors) -> tuple[Shape, ...]:
    data, indices, axis = need(operands, 0).shape, need(operands, 1).shape, int_of(attributes, "axis")
    return ((*data[:axis], *indices, *data[axis + 1:]),)


def _infer_gather_elements(attributes: Attributes, operands: Tensors) -> tuple[Shape, ...]:
    data, indices, axis = need(operands, 0).shape, need(operands, 1).shape, int_of(attributes, "axis")
    _check_elements(data, indices, axis)
    return (indices,)


def _check_elements(data: Shape, indices: Shape, axis: int) -> None:
    if len(data) != len(indices):
        raise GraphError(f"indices {show(indices)} must have as many axes as data {show(data)}")
    for position, (size, limit) in enumerate(zip(indices, data, strict=True)):
        if position != axis and size > limit:
            raise GraphError(f"indices {show(indices)} reach beyond data {show(data)} at axis {position}")


def _tuple_length(data: Shape, indices: Shape, batch: int) -> int:
    if not indices:
        raise GraphError("indices is a scalar, its last axis must hold index tuples")
    if not 0 <= batch < min(len(data), len(indices)) or data[:batch] != indices[:batch]:
        raise GraphError(f"batch_dims {batch}: data {show(data)} and indices {show(indices)} differ there")
    if not 1 <= indices[-1] <= len(data) - batch:
        raise GraphError(f"index tuples of {indices[-1]} numbers do not address data {show(data)}")
    return indices[-1]


def _infer_gather_nd(attributes: Attributes, operands: Tensors) -> tuple[Shape, ...]:
    data, indices, batch = need(operands, 0).shape, need(operands, 1).shape, int_of(attributes, "batch_dims")
    length = _tuple_length(data, indices, batch)
    return ((*indices[:-1], *data[batch + length:]),)


def _infer_scatter_nd(attributes: Attributes, operands: Tensors) -> tuple[Shape, ...]:
    data, indices, updates = (need(operands, position).shape for position in range(3))
    text_of(attributes, "reduction", tuple(_REDUCTIONS))
    expected = (*indices[:-1], *data[_tuple_length(data, indices, 0):])
    if broadcast((updates, expected)) != expected:
        raise GraphError(f"updates {show(updates)} must be {show(expected)} for indices {show(indices)}")
    return (data,)


def _infer_scatter_elements(attributes: Attributes, operands: Tensors) -> tuple[Shape, ...]:
    data, indices, updates = (need(operands, position).shape for position in range(3))
    text_of(attributes, "reduction", tuple(_REDUCTIONS))
    _check_elements(data, indices, int_of(attributes, "axis"))
    if updates != indices:
        raise GraphError(f"updates {show(updates)} must have the shape of indices {show(indices)}")
    return (data,)


def _work_scatter(op: Op, operands: Tensors, results: Tensors) -> Work:
    updates = need(operands, 2).elements
    primitive = _REDUCTIONS[op.text("reduction")]
    counts = {primitive: updates} if primitive else {}
    return Work(primitives=counts, moved_elements=need(results, 0).elements + updates)


_GATHERED = (Operand("data"), Operand("indices"))
_SCATTERED = (*_GATHERED, Operand("updates"))

KINDS = (
    OpKind("gather", Category.MOVEMENT, _GATHERED, _OUTPUTS, {"axis": 0}, _infer_gather, move_results,
           "Slices of data at the indices along `axis`: numpy.take, an embedding look-up. "
           "Moves its output elements, not the table.", _complete_axis),
    OpKind("gather_elements", Category.MOVEMENT, _GATHERED, _OUTPUTS, {"axis": 0}, _infer_gather_elements,
           move_results, "numpy.take_along_axis (ONNX GatherElements).", _complete_axis),
    OpKind("gather_nd", Category.MOVEMENT, _GATHERED, _OUTPUTS, {"batch_dims": 0}, _infer_gather_nd,
           move_results, "Elements or slices at index tuples (ONNX GatherND)."),
    OpKind("scatter_nd", Category.MOVEMENT, _SCATTERED, _OUTPUTS, {"reduction": "none"}, _infer_scatter_nd,
           _work_scatter, "A copy of data with updates written at index tuples; moves output and updates."),
    OpKind("scatter_elements", Category.MOVEMENT, _SCATTERED, _OUTPUTS, {"axis": 0, "reduction": "none"},
           _infer_scatter_elements, _work_scatter,
           "A copy of data with updates written along `axis`; moves output and updates.", _complete_axis),
)
