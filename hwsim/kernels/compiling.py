"""Runs kernels as plain Python while there is little to do, and compiled by numba once that pays."""

from __future__ import annotations

import functools
import hashlib
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FunctionType
from typing import Any, TypeVar, cast

import numpy as np

F = TypeVar("F", bound=Callable[..., Any])

# Compiling takes several seconds, loading compiled code from disk some tenths of one.
_PLAIN_S, _PLAIN_BESIDE_CACHE_S = 1.2, 0.3


class Kernel:
    """A function in two forms with the same results, which call other kernels in their own form."""

    def __init__(self, function: Callable[..., Any], at_once: bool = False) -> None:
        functools.update_wrapper(self, function)
        self._function, self._at_once = function, at_once

    def __call__(self, *arguments: Any) -> Any:
        """Run the form that is in use; numbers wrap around in both."""
        if self._at_once or _EFFORT.compiled:
            return self.fast(*arguments)
        with np.errstate(over="ignore"), _EFFORT.measured():
            return self.plain(*arguments)

    @functools.cached_property
    def plain(self) -> Callable[..., Any]:
        """The function in Python."""
        return self._linked("plain")

    @functools.cached_property
    def fast(self) -> Callable[..., Any]:
        """The function compiled on its first call."""
        return _compile(self._linked("fast"))

    def _linked(self, form: str) -> Callable[..., Any]:
        source = cast(FunctionType, self._function)
        names = {name: getattr(value, form) if isinstance(value, Kernel) else value
                 for name, value in source.__globals__.items()
                 if name in source.__code__.co_names or name == "__name__"}
        return FunctionType(source.__code__, names, source.__name__, source.__defaults__)


class _Effort:
    """How long kernels have run in Python, and whether they are compiled by now."""

    def __init__(self) -> None:
        self.compiled = False
        self._spent_s = 0.0
        self._allowed_s: float | None = None

    @contextmanager
    def measured(self) -> Iterator[None]:
        """Count the time inside; compile from the next call on when it has become too much."""
        if self._allowed_s is None:
            folder = cache_folder()
            self._allowed_s = _PLAIN_BESIDE_CACHE_S if folder is not None and folder.exists() else _PLAIN_S
        start = time.perf_counter()
        yield
        self._spent_s += time.perf_counter() - start
        self.compiled = self._spent_s > self._allowed_s


_EFFORT = _Effort()


def compiled(function: F) -> F:
    """Make a kernel; it may call kernels of its own or other modules, and its signature stays visible."""
    return cast(F, Kernel(function))


def compiled_at_once(function: F) -> F:
    """Make a kernel whose single calls are long enough to compile it on the first."""
    return cast(F, Kernel(function, at_once=True))


def compile_now() -> None:
    """Use compiled kernels from here on: the work ahead is known to be long."""
    _EFFORT.compiled = True


def is_compiled() -> bool:
    """Tell whether kernels run compiled; otherwise give them small pieces of work."""
    return _EFFORT.compiled


@contextmanager
def forced(*, fast: bool) -> Iterator[None]:
    """Use one form of all kernels, for comparisons of the two."""
    before, allowed = _EFFORT.compiled, _EFFORT._allowed_s
    _EFFORT.compiled, _EFFORT._allowed_s = fast, float("inf")
    try:
        yield
    finally:
        _EFFORT.compiled, _EFFORT._allowed_s = before, allowed


@functools.cache
def cache_folder() -> Path | None:
    """Return where compiled code lies: one folder per state of all kernel sources, None without a home.

    numba's own key is the file of a function alone: a change in a kernel that it calls from another file
    would go unnoticed. Compiled code beside the package would break read-only installations.
    """
    digest = hashlib.sha256()
    for source in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(source.name.encode() + b"\0" + source.read_bytes())
    for name in ("NUMBA_CACHE_DIR", "XDG_CACHE_HOME"):
        if os.environ.get(name):
            return Path(os.environ[name]) / "hwsim" / digest.hexdigest()[:16]
    try:
        return Path.home() / ".cache" / "hwsim" / digest.hexdigest()[:16]
    except RuntimeError:
        return None


def _compile(function: Callable[..., Any]) -> Callable[..., Any]:
    import numba

    folder = cache_folder()
    with suppress(OSError, RuntimeError):
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            config: Any = numba.config
            before, config.CACHE_DIR = config.CACHE_DIR, str(folder)
            try:
                return cast(Callable[..., Any], numba.njit(cache=True, nogil=True)(function))
            finally:
                config.CACHE_DIR = before
    return cast(Callable[..., Any], numba.njit(nogil=True)(function))
