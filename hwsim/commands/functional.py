"""`hwsim run --functional`: labelled samples in, a rate of misclassification with its interval out."""

from __future__ import annotations

import json as json_text
import math
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwsim.commands.output import emit, emit_json, emit_table, note
from hwsim.errors import InputError, Problem
from hwsim.graph.types import Graph
from hwsim.model.types import Figures, FunctionalResult
from hwsim.report.types import Report
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
    problems = [Problem(f"--on {chip.name}", "this chip is a cost model and computes no values",
                        "leave out --functional") for chip in chips if chip.accelerator.functional is None]
    if problems:
        raise InputError(problems=problems)
    data = read_arrays(path)
    found = []
    for chip in chips:
        classify = chip.accelerator.functional
        if classify is not None:
            prepared = chip.accelerator.prepare(graph, chip.design)
            found.append(_outcome(chip, prepared, classify(prepared, chip.design, data)))
    return tuple(found)


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


def emit_outcomes(reports: Sequence[Report], outcomes: Sequence[Outcome], *, json: bool, quiet: bool) -> None:
    """Print the outcomes below the reports, or all in one JSON document a chip."""
    if json:
        from hwsim.report.json_form import to_json

        documents = [json_text.loads(to_json(report)) | {"functional": outcome.to_document()}
                     for report, outcome in zip(reports, outcomes, strict=True)]
        emit_json(documents[0] if len(documents) == 1 else documents)
        return
    for outcome in outcomes:
        for line in outcome.warnings:
            note(f"warning: {outcome.chip}: {line}", quiet=quiet)
    if quiet:
        return
    for outcome in outcomes:
        emit("")
        rows = [("samples", str(outcome.wrong.samples)), ("misclassified", str(outcome.wrong)),
                ("in floating point", str(outcome.reference_wrong)),
                ("other class than floating point", str(outcome.different))]
        emit_table(("On samples", outcome.chip), rows, right=(outcome.chip,))
        for line in outcome.notes:
            emit(f"  {line}")
    emit("intervals hold with 95 % confidence (Wilson)")
