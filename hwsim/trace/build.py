"""Build a trace in program order; the only way by which chips write one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hwsim.errors import TooLong, VerifyError
from hwsim.trace.types import ROOT, Accesses, Ints, LoopKind, Loops, Rows, Series, Trace

_EMPTY: tuple[tuple[()], ...] = ((),) * 8
Number = int | Sequence[int] | NDArray[np.int64]


class _Pool:
    """Names in order of first use."""

    def __init__(self) -> None:
        self.index: dict[str, int] = {}

    def of(self, name: str) -> int:
        return self.index.setdefault(name, len(self.index))


class Scope:
    """The body of a loop while it is written; leaving the ``with`` block closes the loop."""

    __slots__ = ("_open", "_owner")

    def __init__(self, open_loops: list[int], owners: list[int] | None) -> None:
        self._open, self._owner = open_loops, owners

    def __enter__(self) -> None:
        """Do nothing: the loop is open already."""

    def __exit__(self, *_: object) -> None:
        self._open.pop()
        if self._owner is not None:
            self._owner.pop()


class TraceBuilder:
    """Write loops and events in program order, then call `build`.

    Parameters
    ----------
    designs : int or None
        Length of the design axis. With None every trip and count is one int; otherwise each may
        also be a sequence of `designs` ints.

    Examples
    --------
    >>> build = TraceBuilder()
    >>> with build.loop(10, LoopKind.PIPE, node="conv1"):
    ...     build.event("dram", "read", 1, bits=512)
    ...     build.event("array", "mac", 64)
    >>> trace = build.build()
    """

    def __init__(self, designs: int | None = None) -> None:
        self._designs = designs
        self._nodes, self._units, self._actions = _Pool(), _Pool(), _Pool()
        self._loops: list[tuple[int, Number, int, int, int]] = [(-1, 1, -1, int(LoopKind.SEQ), -1)]
        self._rows: list[tuple[int, int, int, int, int, Number, Number, int]] = []
        self._bases: list[int] = []
        self._strides: list[tuple[int, ...]] = []
        self._series: list[Ints] = []
        self._skips: dict[tuple[str, str], int] = {}
        self._notes: dict[tuple[str, str], str] = {}
        self._open: list[int] = [ROOT]
        self._owner: list[int] = []

    def loop(
        self,
        trip: Number = 1,
        kind: LoopKind = LoopKind.SEQ,
        *,
        node: str | None = None,
        series: Sequence[int] | Ints | None = None,
    ) -> Scope:
        """Open a loop; the body is what is written inside the ``with`` block.

        Parameters
        ----------
        trip : int or sequence of int
            Iterations per execution; ignored when `series` is given.
        kind : LoopKind
            How body parts and iterations share time.
        node : str, optional
            Node whose latency this loop is; events inside belong to it unless they name another.
        series : sequence of int, optional
            One trip count for every execution of this loop.
        """
        which = -1
        if series is not None:
            which = len(self._series)
            self._series.append(np.asarray(series, dtype=np.int64))
            trip = 0
        owner = -1 if node is None else self._nodes.of(node)
        self._open.append(len(self._loops))
        self._loops.append((self._open[-2], trip, which, int(kind), owner))
        if node is not None:
            self._owner.append(owner)
        return Scope(self._open, self._owner if node is not None else None)

    def event(
        self,
        unit: str,
        action: str,
        count: Number,
        *,
        bits: Number = 0,
        node: str | None = None,
        access: tuple[int, Sequence[int]] | None = None,
    ) -> None:
        """Add `count` events of `unit`.`action` to the body of the innermost open loop.

        Parameters
        ----------
        unit, action : str
            What happens where; priced by the datasheet row of the same names.
        count : int or sequence of int
            Events per execution of the body.
        bits : int or sequence of int
            Bits of one event.
        node : str, optional
            Node that the events serve; by default the owner of the enclosing loop.
        access : (int, sequence of int), optional
            Base address and one stride per enclosing loop, outermost first and loop 0 included,
            then the stride between the events of one execution.
        """
        if node is None and not self._owner:
            raise VerifyError(f"{unit}.{action} is written outside every node", where="trace.event")
        which = self._owner[-1] if node is None else self._nodes.of(node)
        pattern = -1
        if access is not None:
            base, strides = access
            if len(strides) != len(self._open) + 1:
                raise VerifyError(
                    f"{len(strides)} strides for {len(self._open)} loops and the events",
                    where=f"trace.event.{unit}.{action}",
                )
            pattern = len(self._bases)
            self._bases.append(int(base))
            self._strides.append(tuple(int(stride) for stride in strides))
        self._rows.append(
            (
                which,
                self._units.of(unit),
                self._actions.of(action),
                self._open[-1],
                len(self._loops),
                count,
                bits,
                pattern,
            )
        )

    def skip(self, node: str, reason: str, events: int) -> None:
        """Record useful events of `node` that the chip does not execute, under a named reason."""
        self._nodes.of(node)
        self._skips[node, reason] = self._skips.get((node, reason), 0) + events

    def note(self, node: str, subject: str, text: str) -> None:
        """Record what was decided for `node`: its "mapping", or the node it is "fused_into"."""
        self._nodes.of(node)
        self._notes[node, subject] = text

    def node(self, name: str) -> None:
        """Make `name` known even if it causes no event (an alias, a fused operator)."""
        self._nodes.of(name)

    def build(self) -> Trace:
        """Return the finished trace; its columns are read-only."""
        parent, trip, series, kind, owner = zip(*self._loops, strict=True)
        node, unit, action, loop, position, count, bits, access = (
            zip(*self._rows, strict=True) if self._rows else _EMPTY
        )
        lengths = [len(strides) for strides in self._strides]
        return Trace(
            loops=Loops(_ints(parent), self._column(trip), _ints(series), _ints(kind), _ints(owner)),
            rows=Rows(
                _ints(node),
                _ints(unit),
                _ints(action),
                _ints(loop),
                _ints(position),
                self._column(count),
                self._column(bits),
                _ints(access),
            ),
            accesses=Accesses(
                _ints(self._bases),
                _offsets(lengths),
                _ints([stride for strides in self._strides for stride in strides]),
            ),
            series=Series(
                _offsets([len(values) for values in self._series]),
                _freeze(np.concatenate([np.zeros(0, np.int64), *self._series])),
            ),
            nodes=tuple(self._nodes.index),
            units=tuple(self._units.index),
            actions=tuple(self._actions.index),
            skips=dict(self._skips),
            notes=dict(self._notes),
        )

    def _column(self, values: Sequence[Number]) -> Ints:
        if all(isinstance(value, int) for value in values):
            return _ints(values)
        if self._designs is None:
            raise VerifyError("a trip or count per design in a trace of one design", where="trace.build")
        columns = [np.broadcast_to(np.asarray(value, dtype=np.int64), (self._designs,)) for value in values]
        return _freeze(np.stack(columns, axis=1))


def _ints(values: Sequence[Number] | tuple[Number, ...]) -> Ints:
    try:
        return _freeze(np.array(values, dtype=np.int64).reshape(len(values)))
    except OverflowError as error:
        raise TooLong(
            f"a trip or count does not fit into 64 bits: {max(values, key=abs)}",  # type: ignore[arg-type]
            where="trace.build",
        ) from error


def _offsets(lengths: Sequence[int]) -> Ints:
    return _freeze(np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64))


def _freeze(column: Ints) -> Ints:
    column.setflags(write=False)
    return column
