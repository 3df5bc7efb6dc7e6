"""Chips and networks by name, and packages that claim, break or misuse an entry point."""

from __future__ import annotations

import sys
import types
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from typing import Any

import pytest

from hwsim import registry
from hwsim.errors import DesignError, InputError
from hwsim.model.types import Accelerator


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    registry._entries.cache_clear()
    registry._families.cache_clear()
    yield
    registry._entries.cache_clear()
    registry._families.cache_clear()


def install(monkeypatch: pytest.MonkeyPatch, group: str, *pairs: tuple[str, str]) -> None:
    """Add entry points to those that are installed."""
    real = registry.entry_points

    def entry_points(**which: str) -> list[EntryPoint]:
        added = [EntryPoint(name, value, group) for name, value in pairs if which.get("group") == group]
        return [*real(**which), *added]

    monkeypatch.setattr(registry, "entry_points", entry_points)


def module(monkeypatch: pytest.MonkeyPatch, name: str, **members: Any) -> None:
    made = types.ModuleType(name)
    made.__dict__.update(members)
    monkeypatch.setitem(sys.modules, name, made)


def test_names_are_sorted_and_load() -> None:
    names = registry.accelerator_names()
    assert list(names) == sorted(names)
    assert "systolic" in names
    assert isinstance(registry.load_accelerator("systolic"), Accelerator)
    assert {"resnet50", "bert_base", "mobilenet_v2", "lstm_ptb_char"} <= set(registry.workload_names())


@pytest.mark.parametrize("name", ["systolix", "Systolic", "systolic ", "", "no such chip"])
def test_unknown_chip_is_refused_with_a_hint(name: str) -> None:
    with pytest.raises(DesignError) as caught:
        registry.load_accelerator(name)
    (problem,) = caught.value.problems
    assert (problem.where, problem.reason) == ("chip", f"no chip is called {name!r}")
    assert "systolic" in problem.hint or problem.hint.startswith("known: aqfp_bnn")


def test_unknown_network_is_refused_with_the_nearest() -> None:
    with pytest.raises(
        InputError, match=r"network: no network is called 'resnet5O' \(did you mean 'resnet50'\?\)"
    ):
        registry.load_workload("resnet5O")


def test_knobs_of_a_network_reach_it() -> None:
    graph = registry.load_workload("mlp_mnist", {"batch": 3})
    assert graph.tensors[graph.inputs[0]].shape[0] == 3


def test_a_chip_of_another_package_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    module(monkeypatch, "their_chip", ACCELERATOR=registry.load_accelerator("systolic"))
    registry._entries.cache_clear()
    install(monkeypatch, registry.ACCELERATORS, ("theirs", "their_chip"))
    assert "theirs" in registry.accelerator_names()
    assert registry.load_accelerator("theirs").name == "systolic"


@pytest.mark.parametrize("members", [{}, {"ACCELERATOR": 7}])
def test_a_module_without_a_chip_is_refused(members: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    module(monkeypatch, "no_chip", **members)
    install(monkeypatch, registry.ACCELERATORS, ("empty", "no_chip"))
    with pytest.raises(
        InputError, match=r"entry point hwsim\.accelerators\.empty: no_chip has no ACCELERATOR"
    ):
        registry.load_accelerator("empty")


def test_a_package_that_cannot_be_imported_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, registry.ACCELERATORS, ("gone", "no_such_module_of_ours"))
    with pytest.raises(InputError, match=r"hwsim\.accelerators\.gone: cannot import no_such_module_of_ours"):
        registry.load_accelerator("gone")


def test_two_packages_that_claim_one_name_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, registry.ACCELERATORS, ("systolic", "their_chip"))
    with pytest.raises(InputError, match=r"claimed by accelerators\.systolic and by their_chip"):
        registry.accelerator_names()


def test_one_package_listed_twice_is_no_conflict(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, registry.ACCELERATORS, ("systolic", "accelerators.systolic"))
    assert "systolic" in registry.accelerator_names()


def test_a_network_that_exists_twice_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    module(monkeypatch, "their_nets", WORKLOADS=[types.SimpleNamespace(presets={"resnet50": None})])
    install(monkeypatch, registry.WORKLOADS, ("theirs", "their_nets"))
    with pytest.raises(InputError, match="the network 'resnet50' exists twice"):
        registry.workload_names()
