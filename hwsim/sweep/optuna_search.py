"""Multi-objective search with Optuna's NSGA-II; the only importer of optuna."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from hwsim.errors import InputError
from hwsim.sweep.axes import Axis, Pick
from hwsim.sweep.expressions import Kind
from hwsim.sweep.plan import Scenario
from hwsim.sweep.points import admitted, design_count
from hwsim.sweep.search import Costs, Row

_TRIES = 200
_SEEDS = 2**32  # of the generator inside the sampler


class OptunaStrategy:
    """Asks an Optuna study in memory; what lasts is in the results file."""

    def __init__(self, scenario: Scenario, objectives: int, seed: int, budget: int) -> None:
        try:
            import optuna
        except ImportError:
            raise InputError(
                "the search method optuna needs optuna, which is not installed",
                where="search.method",
                hint='install it with: pip install "hwsim[search]", or use response_surface',
            ) from None
        if seed >= _SEEDS:
            seed = int(np.random.SeedSequence(seed).generate_state(1)[0])
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self._optuna, self._scenario = optuna, scenario
        sampler = optuna.samplers.NSGAIISampler(seed=seed, population_size=min(50, max(8, budget // 6)))
        self._study = optuna.create_study(directions=["minimize"] * objectives, sampler=sampler)
        self._distributions = {axis.knob.name: self._distribution(axis) for axis in scenario.axes}
        self._asked: list[Any] = []
        self._proposed: set[Row] = set()
        self._designs, _ = design_count(scenario)

    def ask(self, count: int) -> list[Row]:
        """Return the next points of the study that fulfil the constraints; none once it has proposed all."""
        rows: list[Row] = []
        self._asked = []
        for _ in range(_TRIES * count):
            if len(rows) == count or len(self._proposed) == self._designs:
                break
            trial = self._study.ask(self._distributions)
            picks = [self._pick(axis, trial.params[axis.knob.name]) for axis in self._scenario.axes]
            found = admitted(self._scenario, picks, 1)
            if found:
                rows += found
                self._proposed.update(found)
                self._asked.append(trial)
            else:
                self._study.tell(trial, state=self._optuna.trial.TrialState.FAIL)
        return rows

    def tell(self, rows: Sequence[Row], costs: Sequence[Costs]) -> None:
        """Tell the study what its trials cost."""
        for trial, cost in zip(self._asked, costs, strict=True):
            if cost is None:
                self._study.tell(trial, state=self._optuna.trial.TrialState.FAIL)
            else:
                self._study.tell(trial, list(cost))

    def _distribution(self, axis: Axis) -> Any:
        kinds = self._optuna.distributions
        if axis.values and axis.knob.kind is Kind.NUMBER:
            return kinds.IntDistribution(0, len(axis.values) - 1)
        if axis.values:
            return kinds.CategoricalDistribution(list(axis.values))
        if axis.knob.whole:
            return kinds.IntDistribution(int(axis.low), int(axis.high), log=axis.logarithmic)
        return kinds.FloatDistribution(axis.low, axis.high, log=axis.logarithmic)

    def _pick(self, axis: Axis, given: Any) -> Pick:
        chosen = axis.values and axis.knob.kind is not Kind.NUMBER
        return np.array([axis.places[given] if chosen else given])
