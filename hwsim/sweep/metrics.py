"""What a point is measured by: one definition, unit and direction per metric, and names of objectives."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from hwsim.errors import InputError, Problem, nearest
from hwsim.report.metrics import METRICS as REPORTED

TOTALS = (
    "cycles",
    "compute_cycles",
    "stall_cycles",
    "macs",
    "time_s",
    "energy_j",
    "area_m2",
    "power_w",
    "utilization",
)
DERIVED = {
    "energy_delay_js": "joule seconds: energy_j x time_s",
    "macs_per_s": "per second: macs / time_s",
    "macs_per_j": "per joule: macs / energy_j",
}
FUNCTIONAL = {
    "samples_count": "count: labelled samples classified",
    "misclassification_ratio": "share of samples that the chip puts into the wrong class",
    "misclassification_low_ratio": "lower end of its 95 % confidence interval (Wilson)",
    "misclassification_high_ratio": "upper end of its 95 % confidence interval (Wilson)",
    "reference_misclassification_ratio": "share of samples that floating point puts into the wrong class",
    "disagreement_ratio": "share of samples that chip and floating point classify differently",
}
DEFINITIONS: Mapping[str, str] = {**{name: REPORTED[name] for name in TOTALS}, **DERIVED, **FUNCTIONAL}
ALIASES = {
    "latency_s": "time_s",
    "edp": "energy_delay_js",
    "edp_js": "energy_delay_js",
    "error": "misclassification_ratio",
    "error_ratio": "misclassification_ratio",
}
_MORE_IS_BETTER = frozenset({"utilization", "macs_per_s", "macs_per_j", "macs"})


@dataclass(frozen=True, slots=True)
class Objective:
    """A metric to make small, or large.

    Attributes
    ----------
    metric : str
        Name of the column.
    maximise : bool
        Whether more is better.
    """

    metric: str
    maximise: bool

    @property
    def sign(self) -> float:
        """Factor that turns the metric into a cost."""
        return -1.0 if self.maximise else 1.0

    def __str__(self) -> str:
        return f"{'max' if self.maximise else 'min'}:{self.metric}"


def more_is_better(metric: str) -> bool:
    """Return whether a metric is one to make large; all others are costs."""
    return metric in _MORE_IS_BETTER


def read_objectives(words: Sequence[str], known: Iterable[str]) -> tuple[Objective, ...]:
    """Read objectives: a metric, or ``max:METRIC`` or ``min:METRIC``.

    Parameters
    ----------
    words : sequence of str
        As typed; several in one word with commas.
    known : iterable of str
        Metrics that there are.

    Raises
    ------
    InputError
        Unknown metrics with the nearest name, all at once; a metric given twice; none at all.
    """
    names = set(known)
    found: list[Objective] = []
    problems: list[Problem] = []
    for word in (part.strip() for text in words for part in text.split(",") if part.strip()):
        direction, colon, name = word.rpartition(":")
        metric = name if name in names else ALIASES.get(name, name)
        if colon and direction not in ("min", "max"):
            problems.append(Problem("objectives", f"{word!r}: the direction is min or max"))
        elif metric not in names:
            problems.append(
                Problem(
                    "objectives",
                    f"no metric is called {name!r}",
                    nearest(name, names | {a for a, m in ALIASES.items() if m in names}),
                )
            )
        elif metric in {objective.metric for objective in found}:
            problems.append(Problem("objectives", f"{metric!r} is given twice"))
        else:
            found.append(Objective(metric, direction == "max" if colon else more_is_better(metric)))
    if not found and not problems:
        problems.append(Problem("objectives", "none given", f"known: {', '.join(sorted(names)[:12])}"))
    if problems:
        raise InputError(problems=problems)
    return tuple(found)
