"""Chunks on a Dask cluster; the only importer of distributed."""

from __future__ import annotations

import asyncio
import logging
import queue
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from hwsim.errors import InputError
from hwsim.sweep.engines import Engine, InProcess, LocalPool, Loss, Outcome
from hwsim.sweep.errors import EngineLost, ForeignWorker
from hwsim.sweep.evaluation import Answer, Chunk, Setup

_CONNECT_S, _FIRST_WORKER_S, _POLL_S = 10.0, 30.0, 0.5
_ADVICE = "the points finished so far are stored; repeat the command when it is back"


class DaskEngine:
    """Sends chunks to the workers of a scheduler, four for each of their threads."""

    def __init__(self, setup: Setup, address: str, limit_s: float | None) -> None:
        try:
            import distributed
        except ImportError:
            raise InputError(
                "the engine dask needs distributed, which is not installed",
                where="engine",
                hint='install it with: pip install "hwsim[dask]"',
            ) from None
        self._dask, self._address, self._limit_s = distributed, address, limit_s
        closed = distributed.comm.CommClosedError
        self._lost_errors = (OSError, TimeoutError, asyncio.CancelledError, closed, ValueError, RuntimeError)
        self._futures: dict[Any, int] = {}
        self._finished: queue.SimpleQueue[Any] = queue.SimpleQueue()
        # What the client would log as tracebacks is told once, in our words.
        self._silenced = [logger for logger in _loggers() if not logger.disabled]
        for logger in self._silenced:
            logger.disabled = True
        try:
            with ThreadPoolExecutor(1) as apart:  # a notebook has a loop running here
                apart.submit(asyncio.run, _knock(distributed, address)).result()
            self._client = distributed.Client(address, timeout=_CONNECT_S, set_as_default=False)
            self._client.wait_for_workers(1, timeout=_FIRST_WORKER_S)
            self._setup = self._client.scatter(setup, broadcast=True, hash=False)
        except self._lost_errors as error:
            self.close()
            raise EngineLost(
                f"the scheduler cannot be reached: {str(error)[:200] or type(error).__name__}",
                where=f"--scheduler {address}",
                hint="start one with `dask scheduler`, and workers with `dask worker ADDRESS`",
            ) from None

    @property
    def workers(self) -> int:
        """Threads of all workers that are connected now."""
        return max(1, sum(int(threads) for threads in self._client.nthreads().values()))

    @property
    def room(self) -> int:
        """Four chunks per thread: the scheduler deals them out unevenly, and none should wait."""
        try:
            return 4 * self.workers - len(self._futures)
        except self._lost_errors as error:
            raise self._lost(error) from None

    @property
    def busy(self) -> int:
        """Chunks submitted and not yet returned."""
        return len(self._futures)

    def submit(self, number: int, chunk: Chunk) -> None:
        """Send a chunk to the scheduler."""
        try:
            future = self._client.submit(compute, self._setup, chunk, self._limit_s, pure=False, retries=0)
        except self._lost_errors as error:
            raise self._lost(error) from None
        self._futures[future] = number
        future.add_done_callback(self._finished.put)

    def wait(self) -> list[Outcome]:
        """Return what is finished.

        Raises
        ------
        EngineLost
            The scheduler went away.
        ForeignWorker
            A worker computes with another model.
        """
        finished: list[Any] = []
        with suppress(queue.Empty):
            finished.append(self._finished.get(timeout=_POLL_S))
            while True:
                finished.append(self._finished.get_nowait())
        if self._client.status != "running":
            raise self._lost(None)
        found: list[Outcome] = []
        for future in finished:
            found.append((self._futures.pop(future), self._answer(future)))
            future.release()
        return found

    def close(self) -> None:
        """Cancel what is in flight and disconnect."""
        client = getattr(self, "_client", None)
        if client is not None:
            with suppress(*self._lost_errors):
                client.cancel(list(self._futures))
            with suppress(*self._lost_errors):
                client.close(timeout=2.0)
        for logger in self._silenced:
            logger.disabled = False

    def _answer(self, future: Any) -> Answer | Loss:
        if future.status in ("cancelled", "lost"):
            raise self._lost(None)
        if future.status == "finished":
            answer = future.result(timeout=_CONNECT_S)
            if isinstance(answer, Answer | Loss):
                return answer
        error = future.exception(timeout=_CONNECT_S)
        if isinstance(error, ForeignWorker):
            raise error
        if isinstance(error, ImportError):
            raise ForeignWorker(f"a worker has no hwsim: {error}", where="workers",
                                hint="install the same hwsim on every worker")  # fmt: skip
        if isinstance(error, self._dask.KilledWorker):
            return Loss("the worker process died")
        return Loss(f"{type(error).__name__}: {error}"[:2000])

    def _lost(self, error: BaseException | None) -> EngineLost:
        told = f": {str(error)[:200]}" if error is not None and str(error) else ""
        return EngineLost(f"the scheduler was lost{told}", where=f"--scheduler {self._address}", hint=_ADVICE)


def _loggers() -> list[logging.Logger]:
    names = [name for name in logging.root.manager.loggerDict if name.partition(".")[0] == "distributed"]
    return [logging.getLogger(name) for name in names]


async def _knock(distributed: Any, address: str) -> None:
    """Connect and leave: a client that cannot connect would go on trying after we have given up."""
    comm = await distributed.comm.connect(address, timeout=_CONNECT_S)
    await comm.close()


def compute(setup: Setup, chunk: Chunk, limit_s: float | None) -> Answer | Loss:
    """Compute a chunk on a Dask worker; under a time limit in a process beside it, which can be killed."""
    from distributed import get_worker

    worker: Any = get_worker()
    idle: list[tuple[Setup, float | None, Engine]] = worker.__dict__.setdefault("hwsim_engines", [])
    engine: Engine | None = None
    while idle and engine is None:
        told, limit, found = idle.pop()
        if told is setup and limit == limit_s:
            engine = found
        else:
            found.close()
    if engine is None:
        engine = InProcess(setup) if limit_s is None else LocalPool(setup, 1, limit_s)
    engine.submit(0, chunk)
    answers: list[Outcome] = []
    while not answers:
        answers = engine.wait()
    idle.append((setup, limit_s, engine))
    return answers[0][1]
