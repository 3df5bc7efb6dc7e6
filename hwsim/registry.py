"""Find chips and networks by name, through the entry points that outside packages use as well."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Protocol

from hwsim.errors import DesignError, InputError, nearest
from hwsim.graph.types import Graph
from hwsim.model.types import Accelerator

ACCELERATORS = "hwsim.accelerators"
WORKLOADS = "hwsim.workloads"


class WorkloadFamily(Protocol):
    """What a module of the group ``hwsim.workloads`` lists in its ``WORKLOADS``."""

    @property
    def presets(self) -> Mapping[str, Any]:
        """Configuration by network name."""

    def graph(self, preset: str, overrides: Mapping[str, object] | None = None) -> Graph:
        """Return the network `preset` with some knobs changed."""


def accelerator_names() -> tuple[str, ...]:
    """Return the names of all chips, sorted."""
    return tuple(sorted(_entries(ACCELERATORS)))


def load_accelerator(name: str) -> Accelerator:
    """Return the chip `name`; DesignError with the nearest name if there is none."""
    entries = _entries(ACCELERATORS)
    if name not in entries:
        raise DesignError(f"no chip is called {name!r}", where="chip", hint=nearest(name, entries))
    found = getattr(_module(entries[name]), "ACCELERATOR", None)
    if not isinstance(found, Accelerator):
        raise InputError(
            f"{entries[name].value} has no ACCELERATOR",
            where=f"entry point {ACCELERATORS}.{name}",
            hint="the module of a chip defines ACCELERATOR = Accelerator(...)",
        )
    return found


def workload_names() -> tuple[str, ...]:
    """Return the names of all built-in networks, family by family."""
    return tuple(_families())


def load_workload(name: str, overrides: Mapping[str, object] | None = None) -> Graph:
    """Return the built-in network `name`; InputError with the nearest name if there is none."""
    families = _families()
    if name not in families:
        raise InputError(f"no network is called {name!r}", where="network", hint=nearest(name, families))
    return families[name].graph(name, overrides)


@cache
def _entries(group: str) -> dict[str, EntryPoint]:
    """Return the entry points of a group; InputError if two packages claim one name."""
    found: dict[str, EntryPoint] = {}
    for entry in entry_points(group=group):
        if entry.name in found and entry.value != found[entry.name].value:
            raise InputError(
                f"claimed by {found[entry.name].value} and by {entry.value}",
                where=f"entry point {group}.{entry.name}",
                hint="uninstall one of the two packages",
            )
        found[entry.name] = entry
    return found


@cache
def _families() -> dict[str, WorkloadFamily]:
    found: dict[str, WorkloadFamily] = {}
    for entry in _entries(WORKLOADS).values():
        for family in _module(entry).WORKLOADS:
            for name in family.presets:
                if name in found:
                    raise InputError(
                        f"the network {name!r} exists twice", where=f"entry point {WORKLOADS}.{entry.name}"
                    )
                found[name] = family
    return found


def _module(entry: EntryPoint) -> Any:
    try:
        return import_module(entry.module)
    except ImportError as error:
        raise InputError(
            f"cannot import {entry.value}: {error}",
            where=f"entry point {entry.group}.{entry.name}",
            hint="reinstall or remove the package that provides it",
        ) from error
