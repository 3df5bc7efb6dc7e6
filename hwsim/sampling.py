"""A circuit with some wires held, run on a chip that answers at random: cost and odds together."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from hwsim import run
from hwsim.errors import InputError
from hwsim.graph.types import Graph
from hwsim.model.sampling import Sampling
from hwsim.model.types import Figures
from hwsim.report.rate import Rate
from hwsim.report.types import Report
from hwsim.run import Chip


@dataclass(frozen=True, slots=True)
class SampledRun:
    """What a run costs, and how often it is right.

    Attributes
    ----------
    report : Report
        Cycles and energy of one run of all its attempts.
    sampling : Sampling
        Answers of many runs.
    attempts_per_run : int
        Attempts that the report costs.
    figures : mapping of str to float
        The chip's own figures of the circuit: its size, area and exact odds where they are known.
    """

    report: Report
    sampling: Sampling
    attempts_per_run: int
    figures: Figures

    @property
    def rate(self) -> Rate:
        """Share of right attempts with its 95 % interval."""
        return Rate(self.sampling.valid_attempts, self.sampling.attempts)

    @property
    def attempt_j(self) -> float:
        """Energy of one attempt."""
        return self.report.totals.energy_j / self.attempts_per_run

    def solution(self, success_ratio: float | None = None) -> tuple[float, float, float]:
        """Return cycles, seconds and joules until an attempt was right with 99 % certainty."""
        cycles = self.sampling.solution_cycles(success_ratio)
        return cycles, cycles / self.sampling.clock_hz, cycles / self.sampling.attempt_cycles * self.attempt_j

    @property
    def verdict(self) -> str:
        """What to say in one line."""
        sampling, held = self.sampling, ", ".join(f"{k}={v}" for k, v in self.sampling.clamps.items())
        if sampling.answers == 0:
            return (
                f"no valid state: no inputs of the circuit give {held}; lowest energy found "
                f"{sampling.lowest_energy}, a valid state has {sampling.ground_energy}"
            )
        if not sampling.valid_attempts:
            return f"not solved in {sampling.attempts} attempts; a longer anneal or other noise may help"
        best = next((state for state in sampling.states if state.valid), None)
        shown = ", ".join(f"{k}={v}" for k, v in best.values.items()) if best else "among the rarer states"
        return f"most frequent valid state: {shown}"

    def to_document(self) -> dict[str, Any]:
        """Return odds, times and states as plain values for JSON; what cannot be known is null."""
        low, high = self.rate.interval
        names = ("cycles", "time_s", "energy_j")
        times = (
            {
                key: {
                    name: value if math.isfinite(value) else None
                    for name, value in zip(names, self.solution(p), strict=True)
                }
                for key, p in (("expected", self.rate.ratio), ("at_least", high), ("at_most", low))
            }
            if self.sampling.answers != 0
            else None
        )
        sampling = asdict(self.sampling)
        states = sampling.pop("states")
        return sampling | {
            "verdict": self.verdict,
            "success": {"ratio": self.rate.ratio, "count": self.rate.count, "interval_95": [low, high]},
            "guess_ratio": self.sampling.guess_ratio,
            "attempt_energy_j": self.attempt_j,
            "solution_99": times,
            "figures": dict(self.figures),
            "states": states,
        }


def sample(
    network: Graph | str | Path, on: Chip | str, clamps: Mapping[str, int] | None = None
) -> SampledRun:
    """Run a circuit on a chip with some wires held.

    Parameters
    ----------
    network : Graph, str or Path
        A circuit, or whatever `hwsim.load` accepts.
    on : Chip or str
        A chip, or whatever `hwsim.chip` accepts.
    clamps : mapping of str to int, optional
        Numbers on buses and bits on wires: ``{"P": 143, "A[0]": 1}``; nothing: the circuit runs freely.

    Raises
    ------
    InputError
        A chip that runs nothing backwards, or everything that is wrong with the clamps.
    """
    target = run.chip(on) if isinstance(on, str) else on
    graph = network if isinstance(network, Graph) else run.load(network)
    accelerator, design = target.accelerator, target.design
    if accelerator.sample is None:
        raise InputError(
            "this chip cannot hold wires of a circuit", where=target.name, hint="invertible_logic can"
        )
    report = run.evaluate(graph, target)
    prepared = accelerator.prepare(graph, design)
    found = accelerator.sample(prepared, design, dict(clamps or {}))
    figures = accelerator.figures(prepared, design) if accelerator.figures else {}
    return SampledRun(report, found, max(1, report.totals.cycles // found.attempt_cycles), figures)
