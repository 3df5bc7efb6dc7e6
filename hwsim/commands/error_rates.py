"""`hwsim run --functional` on chips that count errors of random inputs: a table of rates by setting."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hwsim.commands.output import emit, emit_table
from hwsim.commands.rates import Rate
from hwsim.model.types import ErrorRates, Figures


@dataclass(frozen=True, slots=True)
class RateOutcome:
    """What random inputs say of one chip.

    Attributes
    ----------
    chip : str
        ``chip:preset``.
    result : ErrorRates
        Counts under every setting.
    figures : mapping of str to float
        The chip's own figures.
    """

    chip: str
    result: ErrorRates
    figures: Figures

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the user should know about the run."""
        return self.result.warnings

    def to_document(self) -> dict[str, Any]:
        """Return the outcome as plain values for JSON."""
        points = [
            {**point.setting, **{name: _document(counted.count, Rate.of(counted))
                                 for name, counted in point.rates.items()}}
            for point in self.result.points
        ]
        return {"points": points, "figures": dict(self.figures), "notes": list(self.result.notes),
                "warnings": list(self.result.warnings)}

    def show(self) -> None:
        """Print a line a point, the chip's figures, and how the run was set up."""
        emit("")
        first = self.result.points[0]
        rates = [name.replace("_", " ") for name in first.rates]
        heads = [*first.setting, "trials", *rates]
        rows = [_row(point.setting, [Rate.of(counted) for counted in point.rates.values()])
                for point in self.result.points]
        emit_table(heads, rows, right=heads)
        emit("")
        emit_table(("Figures", self.chip), [(name, f"{value:.6g}") for name, value in self.figures.items()],
                   right=(self.chip,))
        for line in self.result.notes:
            emit(f"  {line}")


def _document(count: int, rate: Rate) -> dict[str, Any]:
    return {"ratio": rate.ratio, "count": count, "trials": rate.samples,
            "effective_trials": rate.effective, "interval_95": list(rate.interval)}


def _row(setting: Mapping[str, float], rates: Sequence[Rate]) -> tuple[str, ...]:
    return (*(f"{value:g}" for value in setting.values()), f"{rates[0].samples:,}",
            *(_shown(rate) for rate in rates))


def _shown(rate: Rate) -> str:
    low, high = rate.interval
    return f"{rate.ratio:.3g} ({low:.2g} to {high:.2g})"
