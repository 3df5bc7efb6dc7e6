"""Constraints that look at one knob only are decided on its values, before values are combined."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import compress
from typing import Any

import numpy as np

from hwsim.sweep.axes import Axis, Dependent
from hwsim.sweep.expressions import Column, Expression

Narrowed = tuple[tuple[Axis, ...], tuple[Expression, ...]]


def narrowed(
    axes: Sequence[Axis],
    dependents: Sequence[Dependent],
    constraints: Sequence[Expression],
    fixed: Mapping[str, Any],
) -> Narrowed | None:
    """Return axes with fewer values, and the constraints still to be checked; None: no point is left.

    Parameters
    ----------
    axes, dependents, constraints
        Of a scenario; `dependents` in the order of their evaluation.
    fixed : mapping
        The knobs that do not vary.
    """
    left = {axis.knob.name: axis for axis in axes}
    roots = _roots(left, dependents)
    kept: list[Expression] = []
    for constraint in constraints:
        names = frozenset[str]().union(*(roots.get(name, frozenset()) for name in constraint.names))
        if len(names) > 1 or not all(left[name].values for name in names):
            kept.append(constraint)
            continue
        axis = left[next(iter(names))] if names else None
        following = [item for item in dependents if roots[item.knob.name] <= names]
        holds = _on_one(constraint, axis, following, fixed)
        if not holds.any():
            return None
        if axis is not None and not holds.all():
            left[axis.knob.name] = replace(axis, values=tuple(compress(axis.values, holds.tolist())))
    return tuple(left.values()), tuple(kept)


def fixed_columns(fixed: Mapping[str, Any]) -> dict[str, Column]:
    """Return knobs that do not vary as expressions see them."""
    return {
        name: np.asarray(value, dtype=float)
        if isinstance(value, int | float) and not isinstance(value, bool)
        else np.asarray(value)
        for name, value in fixed.items()
    }


def _roots(axes: Mapping[str, Axis], dependents: Sequence[Dependent]) -> dict[str, frozenset[str]]:
    """Return the axes that each knob follows from."""
    found = {name: frozenset({name}) for name in axes}
    for item in dependents:
        names = (found.get(name, frozenset()) for name in item.expression.names)
        found[item.knob.name] = frozenset[str]().union(*names)
    return found


def _on_one(
    constraint: Expression, axis: Axis | None, dependents: Sequence[Dependent], fixed: Mapping[str, Any]
) -> Column:
    columns, length = fixed_columns(fixed), 1
    if axis is not None:
        length = len(axis.values)
        columns[axis.knob.name] = axis.column_of(np.arange(length))
    for item in dependents:
        columns[item.knob.name] = item.expression.on(columns)
    return np.broadcast_to(constraint.on(columns), (length,)).astype(bool)
