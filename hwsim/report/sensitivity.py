"""How much each knob of a sweep moves a metric, from the points alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hwsim.report.sweep_table import Column, SweepTable, sort_key

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]
MOST_LEVELS = 12
_SMALLEST_RATIO = 2.0**-10


@dataclass(frozen=True, slots=True)
class Levels:
    """The values of a knob, or ranges of them where there are many.

    Attributes
    ----------
    labels : tuple of str
        In order of value.
    codes : int64[points]
        Which one each point has.
    """

    labels: tuple[str, ...]
    codes: Codes


@dataclass(frozen=True, slots=True)
class Effect:
    """What a knob does to a metric.

    Attributes
    ----------
    knob : str
        Its name.
    low_label, high_label : str
        Values of the knob at which the metric is lowest and highest.
    low_ratio, high_ratio : float
        Metric there over its mean.
    matched : bool
        True: between points that differ in this knob only. False: between means of all points with
        each value, which other knobs may have a part in.
    """

    knob: str
    low_label: str
    high_label: str
    low_ratio: float
    high_ratio: float
    matched: bool


def levels(column: Column, most: int = MOST_LEVELS) -> Levels:
    """Return the values of a knob in order, joined to at most `most` ranges of equal counts if numeric."""
    distinct = sorted(set(column.values), key=sort_key)
    numeric = all(isinstance(value, int | float) and not isinstance(value, bool) for value in distinct)
    if len(distinct) <= most or not numeric:
        place = {value: code for code, value in enumerate(distinct)}
        labels = tuple(column.shown(value) for value in distinct)
        return Levels(labels, np.array([place[value] for value in column.values], dtype=np.int64))
    values = np.array(column.values, dtype=float)
    order = np.argsort(values, kind="stable")
    ranks = np.searchsorted(values[order], values, side="left")
    codes = np.unique(ranks * most // len(values), return_inverse=True)[1].astype(np.int64)
    parts = (values[codes == code] for code in range(codes.max() + 1))
    return Levels(tuple(_range(column, part) for part in parts), codes)


def _range(column: Column, values: Floats) -> str:
    """Write the ends of a range, their unit once if both have the same."""
    low, high = column.shown(float(values.min())), column.shown(float(values.max()))
    if low == high:
        return low
    own, other = low.partition(" "), high.partition(" ")
    return f"{own[0] if own[2] == other[2] else low} to {high}"


def effects(table: SweepTable, metric: str) -> tuple[Effect, ...]:
    """Return the effect of every knob that varies on a metric, largest first.

    The metric is averaged in logarithms (geometric means) if it is positive everywhere, else as it is.
    Where half of the points or more have partners that differ in one knob only, the knob's effect is
    the mean deviation from the mean of such partners; else from the mean of all points.

    Parameters
    ----------
    table : SweepTable
        Points with at least one knob that varies.
    metric : str
        Name of a metric; points without it are left out.
    """
    present = [row for row, value in enumerate(table.metric(metric).values) if value is not None]
    kept = table.take(present)
    if not present:
        return ()
    values = np.array(kept.metric(metric).values, dtype=float)
    positive = bool((values > 0).all())
    scale = 1.0 if positive else float(np.abs(values).mean()) or 1.0
    measure = np.log(values) if positive else values / scale
    knobs = kept.varied
    codes = [levels(column, len(kept) + 1).codes for column in knobs]
    found = []
    for at, column in enumerate(knobs):
        others = codes[:at] + codes[at + 1:]
        deviation, matched = _deviations(measure, codes[at], others)
        level = levels(column)
        means = _means(deviation, level)
        low, high = int(np.nanargmin(means)), int(np.nanargmax(means))
        bottom, top = (float(np.exp(means[i])) if positive else max(1 + float(means[i]), _SMALLEST_RATIO)
                       for i in (low, high))
        found.append(Effect(column.name, level.labels[low], level.labels[high], bottom, top, matched))
    return tuple(sorted(found, key=lambda effect: (-abs(np.log(effect.high_ratio / effect.low_ratio)),
                                                   effect.knob)))


def _deviations(measure: Floats, own: Codes, others: Sequence[Codes]) -> tuple[Floats, bool]:
    """Return each point's deviation from its partners, NaN without any; or, if few have any, from all."""
    group = _groups(others, len(own))
    low = np.full(group.max() + 1, np.iinfo(np.int64).max)
    high = np.full(group.max() + 1, -1)
    np.minimum.at(low, group, own)
    np.maximum.at(high, group, own)
    paired = (low < high)[group]
    if paired.sum() * 2 < len(own):
        return measure - measure.mean(), False
    means = np.bincount(group, weights=measure) / np.bincount(group)
    return np.where(paired, measure - means[group], np.nan), True


def _means(deviation: Floats, level: Levels) -> Floats:
    """Return the mean deviation at every level, NaN where no point has one."""
    counted = ~np.isnan(deviation)
    size = len(level.labels)
    sums = np.bincount(level.codes[counted], weights=deviation[counted], minlength=size)
    counts = np.bincount(level.codes[counted], minlength=size)
    return np.asarray(np.where(counts > 0, sums / np.maximum(counts, 1), np.nan))


def _groups(codes: Sequence[Codes], count: int) -> Codes:
    """Return a number for every combination of values, equal for equal combinations."""
    group = np.zeros(count, dtype=np.int64)
    for each in codes:
        group = np.unique(group * (each.max() + 1) + each, return_inverse=True)[1].astype(np.int64)
    return group
