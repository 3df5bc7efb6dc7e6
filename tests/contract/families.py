"""What `hwsim.evaluate` says about a design, beside what a family says about it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from hwsim.graph.types import Graph
from hwsim.model.types import Accelerator
from hwsim.run import Chip, evaluate
from hwsim.sweep.family import Families
from hwsim.sweep.family_columns import Family

WHOLE = ("macs", "cycles", "compute_cycles", "stall_cycles")
REAL = ("time_s", "energy_j", "power_w", "area_m2", "utilization")
EXACT = 1e-12


def assert_equal_to_evaluate(
    network: Graph, accelerator: Accelerator, designs: Sequence[Any], families: Families | None = None
) -> Family:
    """Fail unless a family has, for every design, the very numbers of its report, or its very error."""
    family = (families or Families(network, accelerator, on_unsupported="traffic")).evaluate(designs)
    assert sorted([*family.index.tolist(), *family.failures]) == list(range(len(designs)))
    for place, which in enumerate(family.index.tolist()):
        totals = evaluate(network, Chip(accelerator, "", designs[which]), on_unsupported="traffic").totals
        for name in WHOLE:
            assert int(getattr(family, name)[place]) == getattr(totals, name), name
        for name in REAL:
            expected = pytest.approx(getattr(totals, name), rel=EXACT, abs=0)
            assert float(getattr(family, name)[place]) == expected, name
        for name in ("bytes_by_memory", "stall_cycles_by_cause"):
            found = {key: int(column[place]) for key, column in getattr(family, name).items()}
            assert nonzero(found) == nonzero(getattr(totals, name)), name
        joules = {key: float(column[place]) for key, column in family.energy_j_by_unit.items()}
        assert nonzero(joules) == pytest.approx(nonzero(totals.energy_j_by_unit), rel=EXACT, abs=0)
    for which, error in family.failures.items():
        with pytest.raises(type(error)) as caught:
            evaluate(network, Chip(accelerator, "", designs[which]), on_unsupported="traffic")
        assert str(caught.value) == str(error)
    return family


def nonzero(values: Any) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value}
