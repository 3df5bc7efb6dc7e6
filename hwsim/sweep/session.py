"""Feeds points to an engine and their results to the store, knowing at every moment what is in flight."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from hwsim.sweep.engines import Engine, Loss
from hwsim.sweep.evaluation import Answer, Chunk
from hwsim.sweep.plan import Plan
from hwsim.sweep.points import Block, Keys, knob_texts
from hwsim.sweep.records import DONE, Records
from hwsim.sweep.store import Known, Placed, Store

CHUNK_S = 1.0
_MOST_PLACED = 8192
_LARGEST_CHUNK, _FIRST_CHUNK, _FAMILY_CHUNK = 4096, 4, 32


@dataclass(frozen=True, slots=True)
class Counts:
    """How far a sweep is.

    Attributes
    ----------
    total : int
        Points of the sweep, before constraints.
    computed, reused, failed, repeated : int
        Points computed now; found in the store; without a result, now or earlier; and those that are the
        same as an earlier point of this sweep.
    elapsed_s : float
        Since the sweep began.
    """

    total: int
    computed: int
    reused: int
    failed: int
    repeated: int
    elapsed_s: float

    @property
    def done(self) -> int:
        """Points that need no more work."""
        return self.computed + self.reused + self.failed + self.repeated


Watch = Callable[[Counts], None]


@dataclass(slots=True)
class _Pending:
    """Points of one scenario that are to be computed together."""

    scenario: int
    positions: list[int]
    keys: list[bytes]
    rows: list[tuple[Any, ...]]
    attempts: list[int]

    def split(self, size: int) -> tuple[_Pending, _Pending]:
        """Return the first `size` points, and the others."""
        cut = slice(size), slice(size, None)
        first, second = (
            _Pending(
                self.scenario, self.positions[part], self.keys[part], self.rows[part], self.attempts[part]
            )
            for part in cut
        )
        return first, second


class Session:
    """One run of a sweep."""

    def __init__(
        self,
        plan: Plan,
        store: Store,
        engine: Engine,
        keys: list[Keys],
        total: int,
        retry_failed: bool,
        watch: Watch,
    ) -> None:
        self._plan, self._store, self._engine, self._keys = plan, store, engine, keys
        self._total, self._retry, self._watch = total, retry_failed, watch
        self._computed = self._reused = self._failed = self._repeated = 0
        self._started = time.monotonic()
        self._flights: dict[int, _Pending] = {}
        self._inside: set[bytes] = set()
        self._placed: dict[bytes, Placed] = {}
        self._again: deque[_Pending] = deque()
        self._submitted = 0
        self._point_s: dict[int, float] = {}
        self._size: dict[int, int] = {}

    @property
    def counts(self) -> Counts:
        """How far it is."""
        return Counts(
            self._total,
            self._computed,
            self._reused,
            self._failed,
            self._repeated,
            time.monotonic() - self._started,
        )

    def run(self, blocks: Iterable[Block]) -> None:
        """Compute all points of `blocks` that have no result; all is stored when this returns."""
        pieces = self._pieces(blocks)
        exhausted = False
        self._watch(self.counts)
        while not exhausted or self._flights or self._again:
            while self._engine.room > 0:
                piece = self._again.popleft() if self._again else next(pieces, None)
                if piece is None:
                    exhausted = True
                    break
                self._submit(piece)
            if self._flights:
                for number, answer in self._engine.wait():
                    self._receive(self._flights.pop(number), answer)
            self._watch(self.counts)
        self._place()

    def _pieces(self, blocks: Iterable[Block]) -> Iterator[_Pending]:
        """Yield what is to be computed in pieces that take about as long as one commit should wait."""
        for block in blocks:
            rest = self._missing(block)
            while rest.rows:
                piece, rest = rest.split(self._piece_size(rest.scenario))
                yield piece
            self._watch(self.counts)

    def _piece_size(self, scenario: int) -> int:
        """Return how many points take about `CHUNK_S`; enough for a chip that lowers families to do so."""
        accelerator = self._plan.scenarios[scenario].chip.accelerator
        least = _FAMILY_CHUNK if accelerator.family is not None and not self._plan.data else 1
        point_s = self._point_s.get(scenario)
        if point_s is None:
            return max(least, _FIRST_CHUNK)
        most = min(4 * self._size.get(scenario, max(least, _FIRST_CHUNK)), _LARGEST_CHUNK)
        self._size[scenario] = max(least, min(int(CHUNK_S / max(point_s, 1e-9)), most))
        return self._size[scenario]

    def _missing(self, block: Block) -> _Pending:
        """Return the points of a block without a result, and count the others."""
        keys = self._keys[block.scenario].of(block.rows)
        known = self._store.known(keys)
        if not known and len(set(keys)) == len(keys) and self._inside.isdisjoint(keys):
            self._inside.update(keys)
            positions = list(range(block.first, block.first + len(keys)))
            return _Pending(block.scenario, positions, keys, block.rows, [1] * len(keys))
        missing = _Pending(block.scenario, [], [], [], [])
        for offset, (key, row) in enumerate(zip(keys, block.rows, strict=True)):
            position, found = block.first + offset, known.get(key)
            if key in self._inside or key in self._placed or self._came_before(found, position):
                self._repeated += 1
            elif found is None or (self._retry and found.status != DONE):
                self._inside.add(key)
                missing.positions.append(position)
                missing.keys.append(key)
                missing.rows.append(row)
                missing.attempts.append(found.attempts + 1 if found else 1)
            else:
                self._count_known(found)
                if found.position is None or found.position > position:
                    self._placed[key] = self._place_of(block.scenario, position, row, key)
        if len(self._placed) > _MOST_PLACED:
            self._place()
        return missing

    def _place_of(self, number: int, position: int, row: tuple[Any, ...], key: bytes) -> Placed:
        """Return where a point stands, under the names of this sweep: another one may have computed it."""
        scenario = self._plan.scenarios[number]
        (text,) = knob_texts(scenario.names, [row])
        named = (scenario.chip.preset, scenario.network, scenario.batch, scenario.precision)
        return (position, *named, text, key)

    def _place(self) -> None:
        """Write down where points stand that were computed before; not before this sweep can begin."""
        if self._placed:
            self._store.place(list(self._placed.values()))
            self._placed.clear()

    def _came_before(self, found: Known | None, position: int) -> bool:
        """Return whether an earlier point of this sweep has the same key."""
        if found is None:
            return False
        return found.run == self._store.run or (found.position is not None and found.position < position)

    def _count_known(self, found: Known) -> None:
        if found.status == DONE:
            self._reused += 1
        else:
            self._failed += 1

    def _submit(self, piece: _Pending) -> None:
        self._submitted += 1
        self._flights[self._submitted] = piece
        self._engine.submit(self._submitted, Chunk(piece.scenario, tuple(piece.rows)))

    def _receive(self, piece: _Pending, answer: Answer | Loss) -> None:
        if isinstance(answer, Loss):
            if len(piece.rows) > 1:
                self._again += [
                    _Pending(piece.scenario, [position], [key], [row], [attempts])
                    for position, key, row, attempts in zip(
                        piece.positions, piece.keys, piece.rows, piece.attempts, strict=True
                    )
                ]
                return
            answer = Answer({}, {0: answer.reason}, 0.0)
        self._place()
        self._point_s[piece.scenario] = answer.wall_s / len(piece.rows)
        self._store.add(self._records(piece, answer))
        self._inside.difference_update(piece.keys)
        self._failed += len(answer.errors)
        self._computed += len(piece.rows) - len(answer.errors)

    def _records(self, piece: _Pending, answer: Answer) -> Records:
        scenario = self._plan.scenarios[piece.scenario]
        return Records(
            scenario.chip.accelerator.name,
            scenario.chip.preset,
            scenario.network,
            scenario.batch,
            scenario.precision,
            piece.keys,
            piece.positions,
            knob_texts(scenario.names, piece.rows),
            piece.attempts,
            answer.errors,
            answer.wall_s / len(piece.rows),
            answer.columns,
        )
