"""Where chunks of points are computed: in this process, or in processes beside it."""

from __future__ import annotations

import os
import pickle
import queue
import subprocess
import sys
import threading
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from typing import IO, Any, Protocol

from hwsim.errors import HwsimError
from hwsim.sweep.collecting import rare_collections
from hwsim.sweep.errors import EngineLost, ForeignWorker
from hwsim.sweep.evaluation import Answer, Chunk, Evaluator, Setup

WORKER = ("-m", "hwsim.sweep.worker")
_LENGTH_BYTES = 8


@dataclass(frozen=True, slots=True)
class Loss:
    """A chunk whose worker died or took too long.

    Attributes
    ----------
    reason : str
        As the error of its points will say.
    """

    reason: str


Outcome = tuple[int, Answer | Loss]


class Engine(Protocol):
    """Computes chunks in any order; at most `room` more may be submitted before `wait` is called."""

    @property
    def workers(self) -> int:
        """Chunks computed at the same time."""

    @property
    def room(self) -> int:
        """Chunks that may be submitted now."""

    @property
    def busy(self) -> int:
        """Chunks submitted and not yet returned."""

    def submit(self, number: int, chunk: Chunk) -> None:
        """Begin, or queue, a chunk."""

    def wait(self) -> list[Outcome]:
        """Return what is finished; block until something is, or a moment has passed."""

    def close(self) -> None:
        """Stop at once, whatever is in flight."""


class InProcess:
    """Computes in this process: nothing to start, nothing to kill."""

    workers = 1

    def __init__(self, setup: Setup) -> None:
        self._evaluator = Evaluator(setup)
        self._waiting: deque[tuple[int, Chunk]] = deque()

    @property
    def room(self) -> int:
        """One chunk at a time."""
        return 1 - len(self._waiting)

    @property
    def busy(self) -> int:
        """Chunks not yet computed."""
        return len(self._waiting)

    def submit(self, number: int, chunk: Chunk) -> None:
        """Remember the chunk."""
        self._waiting.append((number, chunk))

    def wait(self) -> list[Outcome]:
        """Compute it."""
        number, chunk = self._waiting.popleft()
        return [(number, self._evaluator.evaluate(chunk))]

    def close(self) -> None:
        """Drop what was not begun."""
        self._waiting.clear()


class LocalPool:
    """Worker processes on this machine; one that dies or is too slow loses its chunk and is replaced."""

    def __init__(self, setup: Setup, workers: int, limit_s: float | None) -> None:
        self.workers, self._limit_s = workers, limit_s
        self._setup = pickle.dumps(setup, pickle.HIGHEST_PROTOCOL)
        self._answers: queue.SimpleQueue[tuple[_Worker, Any]] = queue.SimpleQueue()
        self._waiting: deque[tuple[int, Chunk]] = deque()
        self._team = [_Worker(self._setup, self._answers) for _ in range(workers)]

    @property
    def room(self) -> int:
        """Two chunks per worker: one computed, one ready."""
        return 2 * self.workers - self.busy

    @property
    def busy(self) -> int:
        """Chunks computed and waiting."""
        return len(self._waiting) + sum(worker.number is not None for worker in self._team)

    def submit(self, number: int, chunk: Chunk) -> None:
        """Give the chunk to an idle worker, or queue it."""
        self._waiting.append((number, chunk))
        self._feed()

    def wait(self) -> list[Outcome]:
        """Return the next answer; kill and replace workers that are past the time limit."""
        found: list[Outcome] = []
        with suppress(queue.Empty):
            worker, answer = self._answers.get(timeout=0.05)
            found += self._take(worker, answer)
            while True:
                worker, answer = self._answers.get_nowait()
                found += self._take(worker, answer)
        found += self._overdue()
        self._feed()
        return found

    def close(self) -> None:
        """Kill all workers."""
        for worker in self._team:
            worker.kill()

    def _feed(self) -> None:
        for worker in self._team:
            if self._waiting and worker.number is None:
                worker.begin(*self._waiting.popleft())

    def _take(self, worker: _Worker, answer: Any) -> list[Outcome]:
        if worker not in self._team:
            return []
        number = worker.number
        if isinstance(answer, HwsimError):
            raise answer
        if isinstance(answer, Answer) and number is not None:
            worker.number = None
            return [(number, answer)]
        if not worker.ready:
            raise EngineLost(
                f"a worker process ended before it began: {worker.last_words()}",
                where="workers",
                hint="try --engine inprocess",
            )
        self._replace(worker)
        return (
            [(number, Loss(f"the worker process died ({worker.last_words()})"))] if number is not None else []
        )

    def _overdue(self) -> list[Outcome]:
        found: list[Outcome] = []
        for worker in list(self._team):
            if (
                self._limit_s is not None
                and worker.number is not None
                and worker.ready
                and time.monotonic() - worker.since > self._limit_s
            ):
                found.append((worker.number, Loss(f"took longer than the time limit of {self._limit_s:g} s")))
                self._replace(worker)
        return found

    def _replace(self, worker: _Worker) -> None:
        worker.kill()
        self._team[self._team.index(worker)] = _Worker(self._setup, self._answers)


class _Worker:
    """One process, and the thread that talks to it."""

    def __init__(self, setup: bytes, answers: queue.SimpleQueue[tuple[_Worker, Any]]) -> None:
        environment = os.environ | {
            "NUMBA_NUM_THREADS": "1",
            "OMP_NUM_THREADS": "1",
            "OPENBLAS_NUM_THREADS": "1",
        }
        self._process = subprocess.Popen(
            [sys.executable, *WORKER],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self.number: int | None = None
        self.ready, self.since = False, 0.0
        self._tasks: queue.SimpleQueue[Chunk | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._talk, args=(setup, answers), daemon=True)
        self._thread.start()

    def begin(self, number: int, chunk: Chunk) -> None:
        """Send a chunk; its time runs from here, or from when the process is ready."""
        self.number, self.since = number, time.monotonic()
        self._tasks.put(chunk)

    def kill(self) -> None:
        """End the process now."""
        with suppress(OSError):
            self._process.kill()
        self._process.wait()
        self._tasks.put(None)

    def last_words(self) -> str:
        """Return how the process ended."""
        with suppress(subprocess.TimeoutExpired):
            code = self._process.wait(timeout=5.0)
            return f"signal {-code}" if code < 0 else f"exit code {code}"
        return "no answer"

    def _talk(self, setup: bytes, answers: queue.SimpleQueue[tuple[_Worker, Any]]) -> None:
        to_worker, from_worker = self._process.stdin, self._process.stdout
        if to_worker is None or from_worker is None:
            return
        try:
            send_bytes(to_worker, setup)
            receive(from_worker)
            self.ready, self.since = True, time.monotonic()
            while (chunk := self._tasks.get()) is not None:
                send_bytes(to_worker, pickle.dumps(chunk, pickle.HIGHEST_PROTOCOL))
                answers.put((self, receive(from_worker)))
        except (OSError, EOFError, pickle.UnpicklingError, ValueError):
            answers.put((self, None))
        finally:
            for pipe in (to_worker, from_worker):
                with suppress(OSError):
                    pipe.close()


def send_bytes(stream: IO[bytes], content: bytes) -> None:
    """Write a message and its length."""
    stream.write(len(content).to_bytes(_LENGTH_BYTES, "big"))
    stream.write(content)
    stream.flush()


def receive(stream: IO[bytes]) -> Any:
    """Read a message of `send_bytes` as an object; EOFError if the other side is gone."""
    head = stream.read(_LENGTH_BYTES)
    length = int.from_bytes(head, "big")
    body = stream.read(length) if len(head) == _LENGTH_BYTES else b""
    if len(head) < _LENGTH_BYTES or len(body) < length:
        raise EOFError("the other side is gone")
    return pickle.loads(body)


def serve(incoming: IO[bytes], outgoing: IO[bytes]) -> None:
    """Do the work of a worker process: a setup, then chunks, until the stream ends."""
    evaluator = Evaluator(receive(incoming))
    send_bytes(outgoing, pickle.dumps("ready"))
    with rare_collections():
        while True:
            try:
                chunk = receive(incoming)
            except EOFError:
                return
            try:
                answer: Answer | HwsimError = evaluator.evaluate(chunk)
            except ForeignWorker as error:
                answer = error
            send_bytes(outgoing, pickle.dumps(answer, pickle.HIGHEST_PROTOCOL))
