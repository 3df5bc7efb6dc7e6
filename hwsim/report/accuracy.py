"""Measured shares of misclassified samples as rows of a comparison, with their intervals."""

from __future__ import annotations

from collections.abc import Callable

from hwsim.report.compare import Comparison
from hwsim.report.rate import Rate
from hwsim.report.study import Measured
from hwsim.report.totals_rows import TotalsRow, count

WRONG = "misclassified_ratio"
AccuracyRow = tuple[str, str, list[float | None], TotalsRow]


def accuracy_rows(comparison: Comparison) -> list[AccuracyRow]:
    """Return key, unit, values and the formatted row of what samples say; none where nobody asked."""
    if comparison.study is None or not comparison.study.measured:
        return []
    measured = comparison.study.measured
    return [
        _row(WRONG, "Misclassified", measured, _wrong, lambda rate: rate.ratio, shown),
        _row("misclassified_low_ratio", "  95 % interval from", measured, _wrong,
             lambda rate: rate.interval[0], lambda rate: f"{rate.interval[0]:.2%}"),
        _row("misclassified_high_ratio", "  to", measured, _wrong, lambda rate: rate.interval[1],
             lambda rate: f"{rate.interval[1]:.2%}"),
        _row("floating_point_misclassified_ratio", "The same in floating point", measured,
             lambda each: each.reference_wrong, lambda rate: rate.ratio, shown),
        _row("samples_count", "Samples", measured, _wrong, lambda rate: rate.samples,
             lambda rate: count(rate.samples)),
    ]


def shown(rate: Rate | None) -> str:
    """Write a share of samples in percent with the ends of its interval."""
    if rate is None:
        return "-"
    low, high = rate.interval
    return f"{rate.ratio:.1%} ({low:.1%} to {high:.1%})".replace("%", " %")


def _wrong(measured: Measured) -> Rate | None:
    return measured.wrong


def _row(key: str, title: str, measured: tuple[Measured, ...], rate_of: Callable[[Measured], Rate | None],
         value: Callable[[Rate], float], text: Callable[[Rate], str]) -> AccuracyRow:
    rates = [rate_of(each) for each in measured]
    values = [None if rate is None else float(value(rate)) for rate in rates]
    texts = tuple("-" if rate is None else text(rate) for rate in rates)
    return key, "1", values, TotalsRow(title, texts, (None,) * len(rates))
