"""Labelled samples in, a rate of misclassification with its interval out, in a chip's own arithmetic."""

from __future__ import annotations

import math
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwsim.errors import InputError, Problem
from hwsim.graph.types import Graph
from hwsim.model.types import Figures, FunctionalResult
from hwsim.run import Chip

NORMAL_95 = 1.959963984540054
LARGEST_BYTES = 2**32


@dataclass(frozen=True, slots=True)
class Rate:
    """A share of samples with its 95 % interval (Wilson 1927).

    Attributes
    ----------
    count, samples : int
        Samples it is true of, and all samples.
    """

    count: int
    samples: int

    @property
    def ratio(self) -> float:
        """The share itself."""
        return self.count / self.samples

    @property
    def interval(self) -> tuple[float, float]:
        """Ends of the 95 % confidence interval."""
        n, p, z = self.samples, self.ratio, NORMAL_95
        middle, spread = p + z * z / (2 * n), z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
        return max(0.0, (middle - spread) / (1 + z * z / n)), min(1.0, (middle + spread) / (1 + z * z / n))

    def __str__(self) -> str:
        low, high = self.interval
        return f"{self.ratio:.2%}  ({low:.2%} to {high:.2%})"


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


def run_functional(graph: Graph, chips: Sequence[Chip], path: Path) -> tuple[Outcome, ...]:
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
    return tuple(classify(graph, chip, data) for chip in chips)


def refusal(chip: Chip) -> Problem | None:
    """Return why `chip` cannot classify samples, or None if it can."""
    if chip.accelerator.functional is not None:
        return None
    return Problem(f"--on {chip.name}", "this chip is a cost model and computes no values",
                   "leave out --functional")


def classify(graph: Graph, chip: Chip, data: Mapping[str, NDArray[Any]]) -> Outcome:
    """Run `graph` on labelled samples in the arithmetic of `chip`; see `refusal` for chips that have none."""
    if chip.accelerator.functional is None:
        raise InputError(problems=[problem for problem in (refusal(chip),) if problem is not None])
    prepared = chip.accelerator.prepare(graph, chip.design)
    return _outcome(chip, prepared, chip.accelerator.functional(prepared, chip.design, data))


def read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """Return the arrays of an .npz file by name; InputError if it is none, or holds pickled objects."""
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(item.file_size for item in archive.infolist())
        if size > LARGEST_BYTES:
            raise InputError(f"holds {size} bytes, more than {LARGEST_BYTES}", where=str(path))
        with np.load(path, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except OSError as error:
        raise InputError(f"cannot read the file: {error.strerror or error}", where=str(path)) from None
    except (ValueError, KeyError, EOFError, NotImplementedError, zipfile.BadZipFile) as error:
        raise InputError(f"not an .npz file of plain arrays: {str(error)[:200]}", where=str(path),
                         hint="write one with numpy.savez(FILE, labels=..., input=..., **weights)") from None


def _outcome(chip: Chip, graph: Graph, result: FunctionalResult) -> Outcome:
    n = len(result.labels)
    figures = chip.accelerator.figures(graph, chip.design) if chip.accelerator.figures else {}
    return Outcome(
        chip.name,
        Rate(int((result.predicted != result.labels).sum()), n),
        Rate(int((result.reference != result.labels).sum()), n),
        Rate(int((result.predicted != result.reference).sum()), n),
        figures, result.notes, result.warnings)
