"""Did any number move? Counts and cycles exactly, joules to 1e-12 of themselves."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest

from hwsim.graph.types import Graph
from hwsim.run import load
from tests.contract.chips import DEFAULTS
from tests.golden.figures import FILE, NETWORKS, figures, specs

EXPECTED: dict[str, dict[str, Any]] = json.loads(FILE.read_text(encoding="utf-8"))
CASES = [(network, spec) for network in EXPECTED for spec in EXPECTED[network]]

network_of = cache(load)


def moved(expected: Any, found: Any, place: str = "") -> list[str]:
    """Return every place where two trees of figures differ: old -> new."""
    if isinstance(expected, dict) and isinstance(found, dict):
        return [
            difference
            for key in expected.keys() | found.keys()
            for difference in moved(expected.get(key), found.get(key), f"{place}.{key}")
        ]
    if isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        pairs = zip(expected, found, strict=True)
        return [text for i, pair in enumerate(pairs) for text in moved(*pair, f"{place}[{i}]")]
    if isinstance(expected, float) and isinstance(found, (int, float)):
        same = found == pytest.approx(expected, rel=1e-12, abs=0.0)
    else:
        same = type(expected) is type(found) and expected == found
    return [] if same else [f"{place}: {expected} -> {found}"]


def test_the_file_holds_every_network_and_preset() -> None:
    assert set(EXPECTED) == set(NETWORKS)
    for network in NETWORKS:
        assert set(EXPECTED[network]) == set(specs()), "python -m tests.golden.figures"


# The fast part asks the default preset of every chip, the whole suite all of them.
@pytest.mark.parametrize(("network", "spec"), [
    pytest.param(network, spec, id=f"{network}-{spec}", marks=() if spec in DEFAULTS else pytest.mark.slow)
    for network, spec in CASES
])
def test_no_figure_moved(network: str, spec: str) -> None:
    graph: Graph = network_of(network)
    found = json.loads(json.dumps(figures(graph, spec)))
    differences = moved(EXPECTED[network][spec], found)
    assert not differences, "name them in CHANGELOG, then: python -m tests.golden.figures\n" + "\n".join(
        sorted(differences)[:20]
    )


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({"a": 1}, {"a": 2}),
        ({"a": 1}, {}),
        ({}, {"a": 1}),
        ([1.0], [1.0 + 1e-11]),
        ([1], [1, 2]),
        (1, 1.0),
        (1, "1"),
    ],
)
def test_a_difference_is_seen(old: Any, new: Any) -> None:
    assert moved(old, new)


def test_joules_may_differ_in_the_last_bits_only() -> None:
    assert not moved({"j": [1.0, 2]}, {"j": [1.0 + 1e-13, 2]})
