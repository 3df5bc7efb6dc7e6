"""Turns a results file into the columns that pages and pictures are drawn from."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from hwsim.errors import InputError

if TYPE_CHECKING:
    from hwsim.report.sweep_table import Column, SweepTable, Value
    from hwsim.sweep.metrics import Objective
    from hwsim.sweep.results import Results, Row

MOST_READ = 20_000
_DEFAULT = ("energy_j", "time_s")
_SHOWN_FAILURES = 20


def sweep_table(results: Results, objectives: Sequence[str]) -> tuple[SweepTable, tuple[str, ...]]:
    """Return the finished points of a results file that have all objectives, and what to say about them.

    Of more than 20,000 points the front is found among all; pictures rest on it and a seeded sample.

    Raises
    ------
    InputError
        Unknown objectives with the nearest name; no finished point, or none with all objectives.
    """
    from hwsim.report.sweep_table import SweepTable

    total = len(results)
    results.check_finished()
    wanted = results.objectives(tuple(objectives) or _DEFAULT)
    best, positions = _front(results, wanted)
    finished, notes = len(positions), tuple[str, ...]()
    rows: Iterable[Row] = results.rows("done")
    if finished > MOST_READ:
        sample = random.Random(0).sample(positions, MOST_READ)
        kept = sorted({*sample, *best[:MOST_READ]})
        rows = results.rows("done", kept)
        notes = (f"Pictures and sensitivity rest on {len(kept):,} points: the front, which was found among "
                 f"all {finished:,}, and a random sample.",)
    chosen = [row for row in rows if all(o.metric in row.metrics for o in wanted)]
    places = {row.position: place for place, row in enumerate(chosen)}
    return SweepTable(
        results.path.name, tuple(row.position for row in chosen), _knobs(results, chosen),
        _metrics(results, chosen), tuple(row.command for row in chosen),
        tuple((objective.metric, objective.maximise) for objective in wanted),
        tuple(places[position] for position in best if position in places), total, finished), notes


def failures_of(results: Results) -> tuple[tuple[int, str, str], ...]:
    """Return position, error and command of the first points that failed."""
    return tuple((row.position, row.error, row.command)
                 for row in islice(results.rows("failed"), _SHOWN_FAILURES))


def same_of(results: Results) -> dict[str, str]:
    """Return versions of hwsim and its models, and policies of the last sweep: they hold for all points."""
    texts = {}
    for name, value in results.provenance.items():
        if isinstance(value, str | int | float):
            texts[name] = str(value)
        elif isinstance(value, Mapping) and all(isinstance(each, str) for each in value.values()):
            texts |= {f"{name}.{key}": text for key, text in value.items()}
    return texts | {f"model of {chip}": model for chip, model in results.models.items()}


def _front(results: Results, wanted: Sequence[Objective]) -> tuple[list[int], list[int]]:
    """Return the positions of the front, best in the first objective first, and of all points."""
    import numpy as np

    from hwsim.sweep.pareto import front

    positions, values = results.values([objective.metric for objective in wanted])
    if not positions.size:
        raise InputError("no finished point has all objectives", where=str(results.path))
    costs = values * np.array([objective.sign for objective in wanted])
    best = front(costs)
    order = np.lexsort((positions[best], *costs[best].T[::-1]))
    return positions[best[order]].tolist(), positions.tolist()


def _knobs(results: Results, rows: Sequence[Row]) -> tuple[Column, ...]:
    """Return chip, network and transforms, then knobs; one that is called like those gets a prefix."""
    from hwsim.report.sweep_table import Column

    fixed: dict[str, tuple[Value, ...]] = {
        "chip": tuple(f"{row.chip}:{row.preset}" if row.preset else row.chip for row in rows),
        "network": tuple(row.network for row in rows),
        "batch": tuple(row.batch for row in rows),
        "precision": tuple(row.precision for row in rows),
    }
    fixed = {name: values for name, values in fixed.items() if any(value is not None for value in values)}
    taken = {*fixed, *results.metrics, "point"}
    found = [Column(name, values) for name, values in fixed.items()]
    for name in results.knobs:
        values = tuple(_plain(row.knobs.get(name)) for row in rows)
        found.append(Column(f"knob.{name}" if name in taken else name, values))
    return tuple(found)


def _metrics(results: Results, rows: Sequence[Row]) -> tuple[Column, ...]:
    from hwsim.report.sweep_table import Column
    from hwsim.sweep.metrics import DEFINITIONS, more_is_better

    found = []
    for name in results.metrics:
        values = tuple(row.metrics.get(name) for row in rows)
        if any(value is not None for value in values):
            found.append(Column(name, values, DEFINITIONS.get(name, ""), more_is_better(name)))
    return tuple(found)


def _plain(value: Any) -> Value:
    """Write lists and tables of a knob as text."""
    return value if value is None or isinstance(value, str | int | float) else json.dumps(value)
