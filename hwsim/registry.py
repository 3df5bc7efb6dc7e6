"""Find chips, networks and comparisons by name, through entry points that outside packages use as well."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, Protocol

from hwsim.errors import DesignError, InputError, nearest
from hwsim.graph.types import Graph
from hwsim.model.types import Accelerator

ACCELERATORS = "hwsim.accelerators"
WORKLOADS = "hwsim.workloads"
COMPARISONS = "hwsim.comparisons"


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


def comparison_names() -> tuple[str, ...]:
    """Return the names of all built-in comparisons, sorted."""
    return tuple(sorted(_comparisons()))


def comparison_path(name: str) -> Path:
    """Return the file of the built-in comparison `name`; InputError with the nearest name if none is."""
    found = _comparisons()
    if name not in found:
        raise InputError(f"no comparison is called {name!r}", where="comparison", hint=nearest(name, found))
    return found[name]


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


@cache
def _comparisons() -> dict[str, Path]:
    """Return the TOML files in the folders of the packages that bring comparisons."""
    found: dict[str, Path] = {}
    for entry in _entries(COMPARISONS).values():
        for folder in map(Path, _module(entry).__path__):
            for path in sorted(folder.glob("*.toml")):
                if path.stem in found:
                    raise InputError(f"the comparison {path.stem!r} exists twice",
                                     where=f"entry point {COMPARISONS}.{entry.name}")
                found[path.stem] = path
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
