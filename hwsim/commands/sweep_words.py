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
        Chips, ``KNOB=VALUES``, constraints, transforms, open dimensions.
    sampling : str or None
        "grid", "zip", "random", "latin_hypercube" or "search".
    samples, seed, limit : int or None
        Of the space.
    functional : Path or None
        Labelled samples.
    on_unsupported : str or None
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
    on_unsupported: str | None = None
    objectives: tuple[str, ...] = ()


def space_of(job: SweepJob) -> Space:
    """Return the space that the words describe: a sweep file with what the words replace, or networks.

    Raises
    ------
    InputError
        A sweep file among networks, no chip, malformed words.
    """
    from hwsim.sweep.space import Space, read_space

    files = [source for source in job.sources if source.lower().endswith(".toml")]
    if files and len(job.sources) > 1:
        raise InputError("a sweep file stands alone", where="sweep", hint=f"hwsim sweep {files[0]}")
    if not files and not job.on:
        raise InputError(
            "no chip given", where="--on", hint="hwsim sweep NETWORK --on CHIP --knob KNOB=VALUES"
        )
    words = _words(job)
    if files:
        space = read_space(files[0])
        return (
            Space(**_replaced(space, words, parts_of(job.objectives))) if words or job.objectives else space
        )
    if job.sampling == "search" and job.objectives:
        words["search"] = {"objectives": parts_of(job.objectives)}
    return Space(networks=job.sources, **words)


def _words(job: SweepJob) -> dict[str, Any]:
    """Return the fields of a space that are given as words."""
    found = {
        "chips": chip_specs(job.on) if job.on else (),
        "knobs": read_knobs(job.knob),
        "constraints": job.where,
        "dimensions": dimensions(job.dim),
        "precision": parts_of(job.precision),
        "batch": _whole(job.batch),
    }
    single = {
        "sampling": job.sampling,
        "samples": job.samples,
        "seed": job.seed,
        "limit": job.limit,
        "functional": job.functional,
        "on_unsupported": job.on_unsupported,
    }
    given: dict[str, Any] = {name: value for name, value in found.items() if value}
    return given | {name: value for name, value in single.items() if value is not None}


def _replaced(space: Space, words: dict[str, Any], objectives: Sequence[str]) -> dict[str, Any]:
    """Return the fields of a space with words instead of what they replace; constraints are added."""
    from hwsim.sweep.space import Search

    found = dict(space) | words
    sampling = found["sampling"]
    if sampling != space.sampling:  # what only the file's sampling understands goes with it
        if "samples" not in words and sampling not in ("random", "latin_hypercube"):
            found["samples"] = None
        if sampling != "search":
            found["search"] = None
    if sampling == "search" and objectives:
        found["search"] = dict(found["search"] or Search()) | {"objectives": objectives}
    found["constraints"] = (*space.constraints, *words.get("constraints", ()))
    found["dimensions"] = space.dimensions | words.get("dimensions", {})
    found["knobs"] = _merged(space, found["chips"], words.get("knobs", {}))
    return found


def _merged(space: Space, chips: Sequence[str], words: dict[str, Any]) -> dict[str, Any]:
    """Return the knobs of a file with those of words in their place; tables of chips left out are dropped."""
    before, now = ({spec.partition(":")[0] for spec in specs} for specs in (space.chips, chips))
    found: dict[str, Any] = {}
    for name, given in space.knobs.items():
        owner, dot, knob = name.partition(".")
        if owner in before - now and (dot or isinstance(given, dict)):
            continue
        if owner in before and not dot and isinstance(given, dict):
            for inner, values in given.items():
                if inner not in words:
                    found[f"{owner}.{inner}"] = values
        elif not (dot and owner in before and knob in words):
            found[name] = given
    return found | words


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
    parts = [part.strip() for part in text.split(":")]
    if len(parts) in (2, 3):
        found = {"from": _scalar(parts[0]), "to": _scalar(parts[1])}
        if len(parts) == 3 and parts[2][:1] in ("x", "X"):
            return found | {"ratio": _scalar(parts[2][1:])}
        return found | ({"step": _scalar(parts[2])} if len(parts) == 3 else {})
    values = [_scalar(part) for part in text.split(",") if part.strip()]
    return values[0] if len(values) == 1 else values


def _scalar(text: str) -> Any:
    try:
        return json_text.loads(text.strip(), parse_constant=str)
    except (ValueError, RecursionError):
        return text.strip()


def parts_of(words: Sequence[str]) -> tuple[str, ...]:
    """Split words at commas, empty parts left out."""
    return tuple(part.strip() for word in words for part in word.split(",") if part.strip())


def _whole(words: Sequence[str]) -> tuple[int, ...]:
    from hwsim.sweep.space import LARGEST_BATCH

    parts = parts_of(words)
    problems = [
        Problem("--batch", f"{part[:40]!r} is not a whole number from 1 to {LARGEST_BATCH}")
        for part in parts
        if not (part.isascii() and part.isdecimal() and len(part) < 20 and 0 < int(part) <= LARGEST_BATCH)
    ]
    if problems:
        raise InputError(problems=problems)
    return tuple(map(int, parts))
