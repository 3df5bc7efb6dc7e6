"""A chip's own arithmetic at work: samples or settings in, rates of error with their intervals out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwsim.archives import magnitude_problems, read_archive
from hwsim.errors import InputError, Problem
from hwsim.graph.types import Graph
from hwsim.model.types import ErrorRates, Figures, FunctionalResult
from hwsim.reading import parse_toml, read_text
from hwsim.report.rate import Rate
from hwsim.run import Chip

LARGEST_TEXT_BYTES = 2**26


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the samples say of one chip.

    Attributes
    ----------
    chip : str
        ``chip:preset``.
    wrong, reference_wrong, different : Rate
        Misclassified on the chip, in floating point, and classified differently by the two.
    figures : mapping of str to float
        The chip's own figures.
    notes, warnings : tuple of str
        From the chip.
    """

    chip: str
    wrong: Rate
    reference_wrong: Rate
    different: Rate
    figures: Figures
    notes: tuple[str, ...]
    warnings: tuple[str, ...]

    def to_document(self) -> dict[str, Any]:
        """Return the outcome as plain values for JSON."""
        rates = {"misclassification": self.wrong, "floating_point": self.reference_wrong,
                 "disagreement": self.different}
        return {
            "samples": self.wrong.samples,
            **{name: {"ratio": rate.ratio, "count": rate.count, "interval_95": list(rate.interval)}
               for name, rate in rates.items()},
            "figures": dict(self.figures), "notes": list(self.notes), "warnings": list(self.warnings),
        }


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


def _document(count: int, rate: Rate) -> dict[str, Any]:
    return {"ratio": rate.ratio, "count": count, "trials": rate.samples,
            "effective_trials": rate.effective, "interval_95": list(rate.interval)}


def run_functional(graph: Graph, chips: Sequence[Chip], path: Path) -> tuple[Outcome | RateOutcome, ...]:
    """Run `graph` on the arrays of `path` on every chip.

    Raises
    ------
    InputError
        A chip that computes no values, an unreadable file, or arrays that do not fit the network.
    """
    problems = [problem for chip in chips if (problem := refusal(chip)) is not None]
    if problems:
        raise InputError(problems=problems)
    data = read_arrays(path)
    try:
        return tuple(classify(graph, chip, data) for chip in chips)
    except InputError as error:
        raise type(error)(problems=[_in_file(problem, path) for problem in error.problems]) from None


def _in_file(problem: Problem, path: Path) -> Problem:
    """Name the file where a chip can only say that its data are wrong."""
    head, dot, rest = problem.where.partition(".")
    return replace(problem, where=f"{path}.{rest}") if head == "data" and dot else problem


def refusal(chip: Chip) -> Problem | None:
    """Return why `chip` cannot classify samples, or None if it can."""
    if chip.accelerator.functional is not None:
        return None
    return Problem(f"--on {chip.name}", "this chip is a cost model and computes no values",
                   "leave out --functional")


def classify(graph: Graph, chip: Chip, data: Mapping[str, NDArray[Any]]) -> Outcome | RateOutcome:
    """Run `graph` in the arithmetic of `chip` on arrays by name; see `refusal` for chips that have none."""
    if chip.accelerator.functional is None:
        raise InputError(problems=[problem for problem in (refusal(chip),) if problem is not None])
    prepared = chip.accelerator.prepare(graph, chip.design)
    return _outcome(chip, prepared, chip.accelerator.functional(prepared, chip.design, data))


def read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """Return arrays by name from an .npz file, or numbers and lists of them from a .toml file.

    Raises
    ------
    InputError
        The file cannot be read, is of neither form, or holds something else than numbers.
    """
    if path.suffix.lower() == ".toml":
        return _read_settings(path)
    arrays = read_archive(path, "write one with numpy.savez(FILE, labels=..., input=..., **weights)")
    if problems := magnitude_problems(arrays, str(path)):
        raise InputError(problems=problems)
    return arrays


def _read_settings(path: Path) -> dict[str, NDArray[Any]]:
    text = read_text(path, most_bytes=LARGEST_TEXT_BYTES, hint="write large arrays into an .npz file")
    document = parse_toml(text, str(path))
    arrays, problems = {}, []
    for name, value in document.items():
        try:
            arrays[name] = np.array(value)
        except (ValueError, OverflowError):
            arrays[name] = np.array(None)
        if arrays[name].dtype.kind not in "biuf":
            problems.append(Problem(f"{path}.{name}", f"{str(value)[:60]!r} is no number and no list of "
                                    "numbers with rows of one length"))
    problems += magnitude_problems(arrays, str(path))
    if problems:
        raise InputError(problems=problems)
    return arrays


def _outcome(chip: Chip, graph: Graph, result: FunctionalResult | ErrorRates) -> Outcome | RateOutcome:
    figures = chip.accelerator.figures(graph, chip.design) if chip.accelerator.figures else {}
    if isinstance(result, ErrorRates):
        return RateOutcome(chip.name, result, figures)
    n = len(result.labels)
    return Outcome(
        chip.name,
        Rate(int((result.predicted != result.labels).sum()), n),
        Rate(int((result.reference != result.labels).sum()), n),
        Rate(int((result.predicted != result.reference).sum()), n),
        figures, result.notes, result.warnings)
