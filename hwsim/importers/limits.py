"""Sizes beyond which an input is certainly a mistake, so that no importer works on absurd shapes."""

from __future__ import annotations

import math
from collections.abc import Sequence

from hwsim.errors import GraphError

MAX_ELEMENTS = 2**48


def refuse_huge(shape: Sequence[int], where: str) -> None:
    """Raise GraphError when a tensor of `shape` has more than 2**48 elements."""
    elements = math.prod(shape)
    if elements <= MAX_ELEMENTS:
        return
    shown = str(list(shape)) if max(shape) < 10**20 else f"of rank {len(shape)}"
    raise GraphError(f"a tensor {shown} has more than 2**48 elements", where=where, hint="check the sizes")
