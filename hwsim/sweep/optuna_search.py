"""Multi-objective search with Optuna's NSGA-II; the only importer of optuna."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hwsim.errors import InputError
from hwsim.sweep.axes import Axis
from hwsim.sweep.expressions import Kind
from hwsim.sweep.plan import Scenario
from hwsim.sweep.points import admitted
from hwsim.sweep.search import Costs, Row

_TRIES = 200


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
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self._optuna, self._scenario = optuna, scenario
        sampler = optuna.samplers.NSGAIISampler(seed=seed, population_size=min(50, max(8, budget // 6)))
        self._study = optuna.create_study(directions=["minimize"] * objectives, sampler=sampler)
        self._distributions = {axis.knob.name: self._distribution(axis) for axis in scenario.axes}
        self._asked: list[Any] = []

    def ask(self, count: int) -> list[Row]:
        """Return the next points of the study that fulfil the constraints."""
        rows: list[Row] = []
        self._asked = []
        for _ in range(_TRIES * count):
            if len(rows) == count:
                break
            trial = self._study.ask(self._distributions)
            values = [[self._value(axis, trial.params[axis.knob.name])] for axis in self._scenario.axes]
            found = admitted(self._scenario, values, 1)
            if found:
                rows += found
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

    def _value(self, axis: Axis, given: Any) -> Any:
        return axis.values[given] if axis.values and axis.knob.kind is Kind.NUMBER else given
