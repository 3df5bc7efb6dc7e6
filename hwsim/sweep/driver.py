"""`hwsim.sweep`: a space in, a results file out; the same call goes on where it stopped."""

from __future__ import annotations

import datetime
import hashlib
import json
import os
import platform
import tempfile
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hwsim.errors import InputError, nearest
from hwsim.graph.types import Graph
from hwsim.sweep.collecting import rare_collections
from hwsim.sweep.engines import Engine, InProcess, LocalPool
from hwsim.sweep.evaluation import Setting, Setup
from hwsim.sweep.identity import model_version
from hwsim.sweep.plan import Plan, resolve
from hwsim.sweep.points import Keys, blocks, candidate_count, data_digest, first_block
from hwsim.sweep.results import Results, Row, open_results
from hwsim.sweep.search import objectives_of, open_strategy, run_search
from hwsim.sweep.session import Counts, Session, Watch
from hwsim.sweep.space import Space, read_space
from hwsim.sweep.store import Store

if TYPE_CHECKING:
    import pandas as pd

COUNTED = 10**6  # as many candidates are counted beforehand
ENGINES = ("auto", "inprocess", "local", "dask")


@dataclass(frozen=True, slots=True)
class Options:
    """How a sweep is run; nothing here can move a number.

    Attributes
    ----------
    engine : str
        "inprocess", "local" (processes on this machine), "dask", or "auto": in-process for one worker
        without a time limit, else local.
    workers : int or None
        Of the engine "local"; None: one.
    scheduler : str or None
        Address of a Dask scheduler.
    time_limit_s : float or None
        A point that takes longer is a failed one.
    retry_failed : bool
        Whether points that failed before are tried again.
    """

    engine: str = "auto"
    workers: int | None = None
    scheduler: str | None = None
    time_limit_s: float | None = None
    retry_failed: bool = False


@dataclass(frozen=True)
class Sweep:
    """A finished sweep.

    Attributes
    ----------
    results : Results
        The file, for reading.
    counts : Counts
        Points computed, reused and failed.
    """

    results: Results
    counts: Counts

    @property
    def summary(self) -> str:
        """``computed N, reused M, failed K``."""
        return summary_of(self.counts)

    def rows(self) -> tuple[Row, ...]:
        """Return all points in order."""
        return tuple(self.results.rows())

    def pareto(self, objectives: str | Sequence[str] = ("energy_j", "time_s")) -> tuple[Row, ...]:
        """Return the front; see `Results.pareto`."""
        return self.results.pareto(objectives)

    def to_pandas(self) -> pd.DataFrame:
        """Return all points as a data frame."""
        return self.results.to_pandas()


def summary_of(counts: Counts) -> str:
    """Return the line that ends a sweep."""
    repeated = f", repeated {counts.repeated}" if counts.repeated else ""
    return f"computed {counts.computed}, reused {counts.reused}, failed {counts.failed}{repeated}"


def sweep(
    space: Space | str | Path,
    path: str | Path | None = None,
    *,
    engine: str = "auto",
    workers: int | None = None,
    scheduler: str | None = None,
    time_limit_s: float | None = None,
    retry_failed: bool = False,
    watch: Watch | None = None,
) -> Sweep:
    """Evaluate a design space; points with a result in the file are not computed again.

    Parameters
    ----------
    space : Space, str or Path
        A space, or a sweep file.
    path : str or Path, optional
        Results file; a temporary one if left out.
    engine, workers, scheduler, time_limit_s, retry_failed
        See `Options`.
    watch : callable, optional
        Called with `Counts` as the sweep goes on.

    Raises
    ------
    InputError
        Something is wrong with the space (everything at once), the file or the engine.
    """
    if not isinstance(space, Space | str | Path):
        raise InputError(f"a {type(space).__name__} is no design space", where="space",
                         hint="give a hwsim.Space, or the path of a sweep file")  # fmt: skip
    plan = resolve(space if isinstance(space, Space) else read_space(space))
    target = Path(path) if path is not None else Path(tempfile.mkdtemp(prefix="hwsim-sweep-")) / "results.db"
    options = Options(engine, workers, scheduler, time_limit_s, retry_failed)
    return run_plan(plan, target, options, watch or (lambda counts: None))


def run_plan(plan: Plan, path: Path, options: Options, watch: Watch) -> Sweep:
    """Do what `sweep` does, for a plan."""
    check_options(options)
    total = _points_to_come(plan)
    setup = setup_of(plan)
    data = data_digest(plan.data)
    keys = [
        Keys(plan, scenario, setting.version, data)
        for scenario, setting in zip(plan.scenarios, setup.settings, strict=True)
    ]
    if plan.space.sampling == "search":
        open_strategy(plan, 0, plan.scenarios[0], len(objectives_of(plan)))
    first_block(plan)
    space, provenance = _space_json(plan), _provenance(plan, setup)
    with closing(open_engine(setup, options)) as running, Store(path) as store, rare_collections():
        # With its first point, the view of an earlier sweep gives way.
        started = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        store.begin(_digest(plan, setup, data), space, provenance, started)
        session = Session(plan, store, running, keys, total, options.retry_failed, watch)
        if plan.space.sampling == "search":
            run_search(plan, session, store, keys)
        else:
            session.run(blocks(plan))
        store.finish()
    return Sweep(open_results(path), session.counts)


def _points_to_come(plan: Plan) -> int:
    """Return how many points there are; where counting them is work of its own, before constraints."""
    total = candidate_count(plan)
    constrained = any(scenario.constraints for scenario in plan.scenarios)
    if plan.space.sampling == "search" or not constrained or total > COUNTED:
        return total
    return sum(len(block.rows) for block in blocks(plan))


def check_options(options: Options) -> None:
    """Raise InputError for an engine, worker count or limit that makes no sense."""
    if options.engine not in ENGINES:
        raise InputError(
            f"no engine is called {options.engine!r}", where="engine", hint=nearest(options.engine, ENGINES)
        )
    workers, limit_s = options.workers, options.time_limit_s
    if workers is not None and not (isinstance(workers, int) and 1 <= workers <= 4096):
        raise InputError(f"{workers!r} workers", where="workers", hint="a whole number from 1 to 4096")
    if limit_s is not None and not (isinstance(limit_s, int | float) and limit_s > 0):
        raise InputError(f"{limit_s!r} is no time limit", where="time limit", hint="seconds above zero")
    if (options.scheduler is not None) != (options.engine == "dask"):
        raise InputError(
            "a scheduler belongs to the engine dask",
            where="scheduler",
            hint="as in --engine dask --scheduler tcp://HOST:8786",
        )
    if options.engine == "inprocess" and (options.time_limit_s or (options.workers or 1) > 1):
        raise InputError(
            "one process cannot stop itself, nor be several",
            where="engine",
            hint="time limits and workers need --engine local",
        )


def open_engine(setup: Setup, options: Options) -> Engine:
    """Start the engine that the options name."""
    if options.engine == "dask":
        from hwsim.sweep.dask_engine import DaskEngine

        return DaskEngine(setup, str(options.scheduler), options.time_limit_s)
    workers = options.workers or 1
    alone = options.engine == "auto" and workers == 1 and options.time_limit_s is None
    if alone or options.engine == "inprocess":
        return InProcess(setup)
    return LocalPool(setup, options.workers or os.cpu_count() or 1, options.time_limit_s)


def setup_of(plan: Plan) -> Setup:
    """Return what workers are told of a plan."""
    return Setup(
        tuple(
            Setting(
                scenario.chip.accelerator.name,
                scenario.chip.preset,
                model_version(scenario.chip.accelerator),
                scenario.names,
                scenario.graph,
                plan.space.on_unsupported,
            )
            for scenario in plan.scenarios
        ),
        plan.data,
    )


def _space_json(plan: Plan) -> str:
    named = [source.name if isinstance(source, Graph) else str(source) for source in plan.space.networks]
    document = plan.space.model_dump(mode="json", exclude={"networks"}) | {"networks": named}
    return json.dumps(document, sort_keys=True)


def _digest(plan: Plan, setup: Setup, data: str) -> str:
    parts = [
        _space_json(plan),
        data,
        *(scenario.fingerprint for scenario in plan.scenarios),
        *(setting.version for setting in setup.settings),
    ]
    return hashlib.blake2b(json.dumps(parts).encode(), digest_size=16).hexdigest()


def _provenance(plan: Plan, setup: Setup) -> dict[str, Any]:
    chips = {
        scenario.chip.name: {"model": setting.version, "design": dict(scenario.fixed)}
        for scenario, setting in zip(plan.scenarios, setup.settings, strict=True)
    }
    graphs = {f"{s.network} batch {s.batch} precision {s.precision}": s.fingerprint for s in plan.scenarios}
    knobs = dict.fromkeys(name for scenario in plan.scenarios for name in scenario.names)
    return {
        "hwsim_version": version("hwsim"),
        "python_version": platform.python_version(),
        "numpy_version": np.__version__,
        "chips": chips,
        "graph_fingerprints": graphs,
        "graphs_in_memory": [source.name for source in plan.space.networks if isinstance(source, Graph)],
        "knobs": list(knobs),
    }
