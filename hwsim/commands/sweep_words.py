"""A sweep as typed on the command line, turned into a space."""

from __future__ import annotations

import json as json_text
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hwsim.commands.job import chip_specs, dimensions
from hwsim.errors import InputError, Problem

if TYPE_CHECKING:
    from hwsim.sweep.space import Space


@dataclass(frozen=True, slots=True)
class SweepJob:
    """A sweep as typed.

    Attributes
    ----------
    sources : tuple of str
        One sweep file, or networks.
    on, knob, where, batch, precision, dim : tuple of str
        For networks: chips, ``KNOB=VALUES``, constraints, transforms, open dimensions.
    sampling : str or None
        "grid", "zip", "random", "latin_hypercube" or "search".
    samples, seed, limit : int or None
        Of the space.
    functional : Path or None
        Labelled samples.
    on_unsupported : str
        Policy.
    objectives : tuple of str
        Of a search, and of what is shown of many points.
    """

    sources: tuple[str, ...]
    on: tuple[str, ...] = ()
    knob: tuple[str, ...] = ()
    where: tuple[str, ...] = ()
    batch: tuple[str, ...] = ()
    precision: tuple[str, ...] = ()
    dim: tuple[str, ...] = ()
    sampling: str | None = None
    samples: int | None = None
    seed: int | None = None
    limit: int | None = None
    functional: Path | None = None
    on_unsupported: str = "error"
    objectives: tuple[str, ...] = ()


def space_of(job: SweepJob) -> Space:
    """Return the space that the words describe: a file with some of its words replaced, or networks.

    Raises
    ------
    InputError
        A sweep file among networks, no chip, malformed words: all at once.
    """
    from hwsim.sweep.space import Space, read_space

    files = [source for source in job.sources if source.lower().endswith(".toml")]
    common = {
        "sampling": job.sampling,
        "samples": job.samples,
        "seed": job.seed,
        "limit": job.limit,
        "functional": job.functional,
    }
    given: dict[str, Any] = {name: value for name, value in common.items() if value is not None}
    if files:
        if len(job.sources) > 1:
            raise InputError("a sweep file stands alone", where="sweep", hint=f"hwsim sweep {files[0]}")
        extra = {
            "--on": job.on,
            "--knob": job.knob,
            "--where": job.where,
            "--batch": job.batch,
            "--precision": job.precision,
            "--dim": job.dim,
        }
        problems = [
            Problem(option, "belongs into the sweep file") for option, words in extra.items() if words
        ]
        if problems:
            raise InputError(problems=problems)
        space = read_space(files[0])
        return Space(**(dict(space) | given)) if given else space
    if not job.on:
        raise InputError(
            "no chip given", where="--on", hint="hwsim sweep NETWORK --on CHIP --knob KNOB=VALUES"
        )
    given |= {
        "chips": chip_specs(job.on),
        "networks": job.sources,
        "knobs": read_knobs(job.knob),
        "constraints": job.where,
        "dimensions": dimensions(job.dim),
        "on_unsupported": job.on_unsupported,
        "precision": parts_of(job.precision),
        "batch": _whole(job.batch),
    }
    if job.sampling == "search" and job.objectives:
        given["search"] = {"objectives": parts_of(job.objectives)}
    return Space(**given)


def read_knobs(words: Sequence[str]) -> dict[str, Any]:
    """Read ``KNOB=VALUES``: ``8,16,32``, ``8:64:8`` (steps), ``8:64:x2`` (ratios), ``1e8:1e9`` (sampled).

    Raises
    ------
    InputError
        A word without ``=``, a knob given twice.
    """
    found: dict[str, Any] = {}
    problems: list[Problem] = []
    for word in words:
        name, equals, text = (part.strip() for part in word.partition("="))
        if not (equals and name and text):
            problems.append(
                Problem(
                    "--knob", f"{word!r} is not of the form KNOB=VALUES", "as in --knob array_rows=8,16,32"
                )
            )
        elif name in found:
            problems.append(Problem(f"--knob {name}", "given twice"))
        else:
            found[name] = _values(text)
    if problems:
        raise InputError(problems=problems)
    return found


def _values(text: str) -> Any:
    parts = text.split(":")
    if len(parts) == 2:
        return {"from": _scalar(parts[0]), "to": _scalar(parts[1])}
    if len(parts) == 3 and parts[2].strip().lower().startswith("x"):
        return _ratios(text, *parts)
    if len(parts) == 3:
        return {"from": _scalar(parts[0]), "to": _scalar(parts[1]), "step": _scalar(parts[2])}
    values = [_scalar(part) for part in text.split(",") if part.strip()]
    return values[0] if len(values) == 1 else values


def _ratios(text: str, low: str, high: str, ratio: str) -> list[float]:
    try:
        value, end, factor = float(low), float(high), float(ratio.strip()[1:])
    except ValueError:
        value, end, factor = 0.0, 0.0, 0.0
    if not 0 < value <= end < float("inf") or not factor >= 1.0001:
        raise InputError(
            f"{text!r} is no range of equal ratios", where="--knob", hint="as in array_rows=8:256:x2"
        )
    found = []
    while value <= end * (1 + 1e-12):
        found.append(value)
        value *= factor
    return found


def _scalar(text: str) -> Any:
    try:
        return json_text.loads(text.strip(), parse_constant=str)
    except (ValueError, RecursionError):
        return text.strip()


def parts_of(words: Sequence[str]) -> tuple[str, ...]:
    """Split words at commas, empty parts left out."""
    return tuple(part.strip() for word in words for part in word.split(",") if part.strip())


def _whole(words: Sequence[str]) -> tuple[int, ...]:
    parts = parts_of(words)
    problems = [
        Problem("--batch", f"{part!r} is not a whole number above zero")
        for part in parts
        if not (part.isascii() and part.isdecimal() and len(part) < 10 and int(part) > 0)
    ]
    if problems:
        raise InputError(problems=problems)
    return tuple(map(int, parts))
