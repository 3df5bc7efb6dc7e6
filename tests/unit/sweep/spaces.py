"""Small spaces, quick to evaluate."""

from __future__ import annotations

from typing import Any

from hwsim.sweep.plan import Plan, resolve
from hwsim.sweep.points import Keys, blocks
from hwsim.sweep.space import Space

NETWORK = "digits_32"


def space(**given: Any) -> Space:
    return Space(**{"chips": ["systolic"], "networks": [NETWORK]} | given)


def plan(**given: Any) -> Plan:
    return resolve(space(**given))


def rows(**given: Any) -> list[dict[str, Any]]:
    """Return the knobs of all points in order."""
    made = plan(**given)
    return [
        dict(zip(made.scenarios[block.scenario].names, row, strict=True))
        for block in blocks(made)
        for row in block.rows
    ]


def keys(**given: Any) -> list[bytes]:
    """Return the keys of all points in order."""
    made = plan(**given)
    return [
        key
        for block in blocks(made)
        for key in Keys(made, made.scenarios[block.scenario], "v", "").of(block.rows)
    ]
