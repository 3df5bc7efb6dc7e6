"""What a Monte-Carlo run is given: points of the channel, frames, a seed, weights; checked all at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from accelerators.min_sum_decoder.arithmetic import Decoder
from accelerators.min_sum_decoder.design import MinSumDesign, Rule, Sharing
from hwsim.errors import InputError, Problem, nearest

Floats = NDArray[np.float64]
Arrays = Mapping[str, NDArray[Any]]

KNOWN = ("ebn0_db", "frames", "seed", "belief_propagation", "offsets", "factors")
MOST_FRAMES = 10**7
LARGEST_FACTOR = 4.0
DEFAULTS = {"frames": 1000, "seed": 1, "belief_propagation": 1}


@dataclass(frozen=True, slots=True)
class Run:
    """A checked Monte-Carlo run.

    Attributes
    ----------
    ebn0_db : tuple of float
        Points of the channel.
    frames, seed : int
        Codewords per point, and where their random numbers start.
    belief_propagation : bool
        Whether to decode the same frames by sum-product in double precision.
    weight_ratios : float64[iterations, E]
        Offsets in units of LLR, or factors; zeros for rules without.
    """

    ebn0_db: tuple[float, ...]
    frames: int
    seed: int
    belief_propagation: bool
    weight_ratios: Floats


def read_run(data: Arrays, decoder: Decoder, design: MinSumDesign) -> Run:
    """Return the run that `data` asks for; InputError with everything that is wrong with it."""
    problems = [Problem(name, "no such setting", nearest(name, KNOWN)) for name in data if name not in KNOWN]
    points = _points(data, problems)
    frames = _whole("frames", data, 1, MOST_FRAMES, problems)
    seed = _whole("seed", data, 0, 2**63 - 1, problems)
    reference = _whole("belief_propagation", data, 0, 1, problems)
    weights = _weights(data, decoder, design, problems)
    if problems:
        raise InputError(problems=problems).inside("data")
    return Run(points, frames, seed, bool(reference), weights)


def _points(data: Arrays, problems: list[Problem]) -> tuple[float, ...]:
    given = _numbers("ebn0_db", data, problems)
    if "ebn0_db" not in data:
        problems.append(
            Problem(
                "ebn0_db",
                "missing: the points of the channel, Eb / N0 in decibel",
                "for instance ebn0_db = [1.0, 2.0, 3.0]",
            )
        )
    if given is None:
        return ()
    points = tuple(given.ravel().tolist())
    if given.ndim > 1 or not points:
        problems.append(Problem("ebn0_db", f"has shape {list(given.shape)}, a list of numbers is needed"))
    problems += [
        Problem("ebn0_db", f"{point} is outside -30 to 60 dB") for point in points if not -30 <= point <= 60
    ]
    problems += [
        Problem("ebn0_db", f"{point} is given twice")
        for point in sorted(set(points))
        if points.count(point) > 1
    ]
    return points


def _numbers(name: str, data: Arrays, problems: list[Problem]) -> Floats | None:
    if name not in data:
        return None
    value = np.asarray(data[name])
    if value.dtype.kind not in "iufb":
        problems.append(Problem(name, f"holds {value.dtype}, numbers are needed"))
        return None
    numbers = value.astype(np.float64)
    if not np.isfinite(numbers).all():
        problems.append(Problem(name, "holds a value that is not finite"))
        return None
    return numbers


def _whole(name: str, data: Arrays, least: int, most: int, problems: list[Problem]) -> int:
    if name not in data:
        return DEFAULTS[name]
    value = np.asarray(data[name])
    if value.ndim or value.dtype.kind not in "iub" or not least <= int(value) <= most:
        shown = str(value)[:40]
        problems.append(Problem(name, f"{shown} is no whole number from {least} to {most}"))
        return DEFAULTS[name]
    return int(value)


def _weights(data: Arrays, decoder: Decoder, design: MinSumDesign, problems: list[Problem]) -> Floats:
    edges, iterations = decoder.variables.size, decoder.iterations
    whole = (iterations, edges)
    wanted = {Rule.OFFSET_MIN_SUM: "offsets", Rule.NORMALIZED_MIN_SUM: "factors"}.get(design.rule, "")
    for name in ("offsets", "factors"):
        if name in data and name != wanted:
            problems.append(
                Problem(
                    name,
                    f"the rule {design.rule.value} takes none",
                    "set rule=offset_min_sum or rule=normalized_min_sum",
                )
            )
    if not wanted:
        return np.zeros(whole)
    shape = {Sharing.ALL: (), Sharing.ITERATIONS: (edges,), Sharing.NONE: whole}[design.weight_sharing]
    if wanted not in data:
        if design.weight_sharing is not Sharing.ALL:
            problems.append(
                Problem(
                    wanted,
                    f"missing: {_shown(shape)} for weight_sharing={design.weight_sharing.value}",
                    "weights are yours to give",
                )
            )
        knob = design.offset_ratio if wanted == "offsets" else design.factor_ratio
        return np.full(whole, knob)
    given = _numbers(wanted, data, problems)
    if given is None:
        return np.zeros(whole)
    if given.shape != shape:
        problems.append(
            Problem(
                wanted,
                f"has {_shown(given.shape)}, weight_sharing="
                f"{design.weight_sharing.value} needs {_shown(shape)}: {iterations} "
                f"iterations, {edges} edges",
            )
        )
        return np.zeros(whole)
    if given.min() < 0:
        problems.append(Problem(wanted, f"holds {given.min():.6g}, must not be below 0"))
    if wanted == "factors" and given.max() > LARGEST_FACTOR:
        problems.append(Problem(wanted, f"holds {given.max():.6g}, must not be above {LARGEST_FACTOR:g}"))
    return np.broadcast_to(given, whole)


def _shown(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape)) + " numbers" if shape else "one number"
