"""What a comparison of unlike columns adds to their reports: its question, measured values, reservations."""

from __future__ import annotations

import string
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hwsim.report.rate import Rate

if TYPE_CHECKING:
    from hwsim.report.service import Sustainability

STATED = "stated"
"""The rule of a reservation that a person wrote."""
COLUMN = "column"
"""The figure of reservations about a column as a whole, which are marked at its head."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What a column's own arithmetic made of labelled samples.

    Attributes
    ----------
    wrong, reference_wrong : Rate or None
        Misclassified on the chip, and by the same network in floating point; None without values.
    samples_digest : str
        Of the labels, so that columns on other samples are told apart.
    notes : tuple of str
        How the run was set up.
    warnings : tuple of str
        What the chip says of the run.
    absent : str
        Why there are no values; "" if there are.
    """

    wrong: Rate | None = None
    reference_wrong: Rate | None = None
    samples_digest: str = ""
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    absent: str = ""


@dataclass(frozen=True, slots=True)
class Reservation:
    """Why figures are not to be compared as they stand.

    Attributes
    ----------
    rule : str
        What derived it, or `STATED`.
    reason : str
        One sentence.
    figures : tuple of str
        Keys of the figures that it is about.
    columns : tuple of int
        Places of the columns that it is about; empty: the rows as a whole.
    comparable : bool
        Whether a ratio still says something; if not, none is shown.
    """

    rule: str
    reason: str
    figures: tuple[str, ...]
    columns: tuple[int, ...] = ()
    comparable: bool = True


@dataclass(frozen=True)
class Study:
    """What a comparison file says, beside the reports of its columns.

    Attributes
    ----------
    title, question, task : str
        What is compared, why, and what all columns do although their networks may differ.
    settings : tuple of str
        Of every column: what was changed from its preset, its batch and precision.
    measured : tuple of Measured
        One per column; none if no column has samples.
    reservations : tuple of Reservation
        Derived ones first.
    service : Sustainability or None
        The chips in service.
    """

    title: str
    question: str
    task: str
    settings: tuple[str, ...]
    measured: tuple[Measured, ...] = ()
    reservations: tuple[Reservation, ...] = ()
    service: Sustainability | None = None

    def reserved(self, key: str, column: int | None = None) -> str:
        """Return the marks of a figure's row, or with a column those of one cell: ``"a,d"`` or ``""``."""
        found = [mark_of(place) for place, each in enumerate(self.reservations) if key in each.figures
                 and (not each.columns if column is None else column in each.columns)]
        return ",".join(found)

    def comparable(self, key: str, columns: Sequence[int]) -> bool:
        """Return whether the ratio of a figure between `columns` says something."""
        return not any(key in each.figures and not each.comparable
                       and (not each.columns or set(columns) & set(each.columns))
                       for each in self.reservations)

    def to_document(self, names: Sequence[str]) -> dict[str, Any]:
        """Return the study as plain values for JSON; `names` are those of the columns."""
        columns: list[dict[str, Any]] = [{"name": name, "settings": settings}
                                         for name, settings in zip(names, self.settings, strict=True)]
        for column, measured in zip(columns, self.measured, strict=False):
            column["accuracy"] = _accuracy(measured)
        served: dict[str, Any] = {}
        if self.service is not None:
            from hwsim.report.service_table import to_document

            served = {"in_service": to_document(self.service)}
        return {"title": self.title, "question": self.question, "task": self.task, "columns": columns,
                "reservations": [
                    {"mark": mark_of(place), "rule": each.rule, "reason": each.reason,
                     "figures": list(each.figures), "comparable": each.comparable,
                     "columns": [names[column] for column in each.columns]}
                    for place, each in enumerate(self.reservations)], **served}


def mark_of(place: int) -> str:
    """Return the mark of a reservation by its place: a to z, then aa, ab and so on."""
    letters = string.ascii_lowercase
    rest, last = divmod(place, len(letters))
    return (mark_of(rest - 1) if rest else "") + letters[last]


def _accuracy(measured: Measured) -> dict[str, Any]:
    if measured.wrong is None or measured.reference_wrong is None:
        return {"absent": measured.absent}
    rates = {"misclassification": measured.wrong, "floating_point": measured.reference_wrong}
    return {"samples": measured.wrong.samples, "notes": list(measured.notes),
            "warnings": list(measured.warnings),
            **{name: {"ratio": rate.ratio, "count": rate.count, "interval_95": list(rate.interval)}
               for name, rate in rates.items()}}
