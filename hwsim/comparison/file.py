"""A comparison as its user writes it: a question, columns with networks of their own, and reservations."""

from __future__ import annotations

import copy
import inspect
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, WithJsonSchema

from hwsim import registry
from hwsim.errors import InputError, Problem, nearest
from hwsim.report.reservations import FIGURES, GROUPS
from hwsim.strict import Strict, Table, read_toml

LARGEST_BATCH = 2**48
_KNOBS_SCHEMA: dict[str, Any] = {
    "type": "object",
    "description": "values by knob, as --set takes them; a text may carry a unit",
    "additionalProperties": {"type": ["number", "string", "boolean", "array"]},
}
Knobs = Annotated[dict[str, Any], WithJsonSchema(_KNOBS_SCHEMA)]
Batch = Annotated[int, Field(ge=1, le=LARGEST_BATCH)]
Policy = Literal["error", "host", "traffic"]


class Column(Table):
    """One chip at work.

    Attributes
    ----------
    chip : str
        ``CHIP`` or ``CHIP:PRESET``.
    name : str
        Heads the column; the chip and its preset if left out.
    network, batch, precision, dimensions, on_unsupported
        As in `hwsim.load`; those of the file if left out.
    knobs : dict
        Values that replace those of the preset.
    functional : Path
        Labelled samples and weights (.npz), beside the file: the share that the chip classifies wrong.
    reservations : tuple of str
        What a reader must know of this column's figures and no report can show.
    """

    hints: ClassVar[dict[str, str]] = {
        "preset": "write it behind the chip: chip = 'CHIP:PRESET'",
        "reservation": "did you mean 'reservations'? It is a list of texts",
    }

    chip: str = Field(min_length=1)
    name: str = Field("", max_length=60)
    network: str | None = None
    knobs: Knobs = Field(default_factory=dict)
    batch: Batch | None = None
    precision: str | None = None
    dimensions: dict[str, int] = Field(default_factory=dict)
    on_unsupported: Policy | None = None
    functional: Path | None = None
    reservations: tuple[Annotated[str, Field(min_length=1)], ...] = ()


class Stated(Table):
    """Why some figures are not to be compared as they stand, where no report can show it.

    Attributes
    ----------
    figures : tuple of str
        Keys of figures, or groups of them: cycles, time, energy, area, per_mac, accuracy.
    columns : tuple of str
        Names of columns; all of them if left out.
    reason : str
        One sentence.
    comparable : bool
        Whether a ratio still says something; if not, none is shown.
    """

    figures: tuple[str, ...] = Field(min_length=1)
    columns: tuple[str, ...] = ()
    reason: str = Field(min_length=1)
    comparable: bool = True


class InService(Table):
    """How the chips are in service.

    Attributes
    ----------
    life : str
        How long, such as ``5y``.
    activity : float
        Share of the full rate at which they work.
    scenario : Path
        Dies, idle powers and grids, beside the file; illustrative ones if left out.
    """

    life: str
    activity: float = Field(1.0, ge=0.0, le=1.0)
    scenario: Path | None = None


class ComparisonFile(Strict):
    """Columns to compare, and what a reader should know of them.

    Attributes
    ----------
    title, question, task : str
        What is compared, why, and what all columns do although their networks may differ.
    network, batch, precision, dimensions, on_unsupported
        For columns that name none.
    samples : int
        Classify no more samples than the first so many; all if left out.
    baseline : str
        Name of the column that the others are divided by; the first if left out.
    columns : tuple of Column
        At least two.
    reservations : tuple of Stated
        About groups of figures.
    service : InService
        Adds embodied energy and carbon, and when one chip pays back instead of another.
    """

    hints: ClassVar[dict[str, str]] = {
        "column": "did you mean 'columns'? One [[columns]] table per chip",
        "chips": "one [[columns]] table per chip",
    }

    title: str = Field(min_length=1, max_length=200)
    question: str = ""
    task: str = ""
    network: str | None = None
    batch: Batch | None = None
    precision: str | None = None
    dimensions: dict[str, int] = Field(default_factory=dict)
    on_unsupported: Policy = "error"
    samples: int | None = Field(None, ge=1)
    baseline: str | None = None
    columns: tuple[Column, ...] = Field(json_schema_extra={"minItems": 2})
    reservations: tuple[Stated, ...] = ()
    service: InService | None = None

    def names(self) -> tuple[str, ...]:
        """Return the name of every column."""
        return tuple(column.name or column.chip for column in self.columns)


def read_comparison(source: str | Path) -> ComparisonFile:
    """Read a comparison file, or a built-in comparison by its name.

    Raises
    ------
    InputError
        No such name or file; unknown words with the nearest known one; columns that share a name, a baseline
        or reservations about columns and figures that do not exist: every problem at once.
    """
    path = path_of(source)
    given = read_toml(path)
    moved = _beside(given, path.parent)
    try:
        file = ComparisonFile(**moved)
        problems = _problems(file)
    except InputError as error:
        problems = [*error.problems, *_further(moved, error.problems)]
    if problems:
        raise InputError(problems=[Problem(f"{source}: {_named(p.where, given)}", p.reason, p.hint)
                                   for p in problems])
    return file


def _further(given: dict[str, Any], known: Sequence[Problem]) -> list[Problem]:
    """Return what is wrong with a file beside the problems known: without their words, if it makes sense."""
    left = copy.deepcopy(given)
    for problem in known:
        *steps, last = problem.where.split(".")
        try:
            at: Any = left
            for step in steps:
                at = at[int(step)] if isinstance(at, list) else at[step]
            del at[last]
        except (LookupError, TypeError, ValueError):
            continue
    try:
        return _problems(ComparisonFile(**left))
    except InputError:
        return []


def path_of(source: str | Path) -> Path:
    """Return the file of a comparison; a name that is no file is that of a built-in one."""
    path = Path(source)
    if path.suffix.lower() == ".toml" or path.is_file():
        return path
    return registry.comparison_path(str(source))


def comparison_schema() -> dict[str, Any]:
    """Return the JSON Schema of a comparison file."""
    schema = ComparisonFile.model_json_schema()
    for inner in (schema, *schema.get("$defs", {}).values()):
        inner["description"] = inspect.cleandoc(inner.get("description", "")).partition("\n")[0]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema,
            "title": "hwsim comparison file"}


def _problems(file: ComparisonFile) -> list[Problem]:
    """Return what types cannot say: names that stand for nothing or for two things."""
    names = file.names()
    problems = [Problem("columns", f"{count} columns are called {name!r}", "give each a name of its own")
                for name, count in Counter(names).items() if count > 1]
    if len(names) < 2:
        problems.append(Problem("columns", f"{len(names)} given", "a comparison has at least two"))
    problems += [Problem(f"columns.{at}.network", "is missing", "name one here, or one for all columns above")
                 for at, column in enumerate(file.columns) if not (column.network or file.network)]
    if file.baseline is not None and file.baseline not in names:
        problems.append(Problem("baseline", f"no column is called {file.baseline!r}",
                                nearest(file.baseline, names)))
    known = (*GROUPS, *FIGURES)
    for at, stated in enumerate(file.reservations):
        problems += [Problem(f"reservations.{at}.figures", f"no figure is called {figure!r}",
                             nearest(figure, known)) for figure in stated.figures if figure not in known]
        problems += [Problem(f"reservations.{at}.columns", f"no column is called {name!r}",
                             nearest(name, names)) for name in stated.columns if name not in names]
    if file.samples is not None and not any(column.functional for column in file.columns):
        problems.append(Problem("samples", "changes nothing: no column names its samples",
                                "add functional = 'FILE.npz' to a column"))
    return problems


def _beside(given: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Take the files that a comparison file names relative to it."""
    found = dict(given)
    if isinstance(given.get("network"), str):
        found["network"] = _place(given["network"], folder)
    if isinstance(given.get("columns"), list):
        found["columns"] = [_column_beside(entry, folder) for entry in given["columns"]]
    service = given.get("service")
    if isinstance(service, dict) and isinstance(service.get("scenario"), str):
        found["service"] = service | {"scenario": str(folder / service["scenario"])}
    return found


def _column_beside(entry: Any, folder: Path) -> Any:
    if not isinstance(entry, dict):
        return entry
    moved = dict(entry)
    if isinstance(entry.get("functional"), str):
        moved["functional"] = str(folder / entry["functional"])
    if isinstance(entry.get("network"), str):
        moved["network"] = _place(entry["network"], folder)
    return moved


def _place(network: str, folder: Path) -> str:
    """Return a network's file beside the comparison file, or the name as it is."""
    try:
        return str(folder / network) if (folder / network).is_file() else network
    except (OSError, ValueError):
        return network


def _named(where: str, given: dict[str, Any]) -> str:
    """Return a place with the name of its column, which a reader finds faster than its number."""
    parts = where.split(".")
    if parts[0] == "columns" and len(parts) > 1 and parts[1].isdecimal():
        entry = given["columns"][int(parts[1])]
        name = entry.get("name") or entry.get("chip") if isinstance(entry, dict) else None
        if isinstance(name, str):
            parts[1] = f"{int(parts[1]) + 1} ({name[:40]})"
    return ".".join(parts)
