"""Checks plan files that users bring: every violation with its step and tensor, in the file's own terms."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from hwsim.errors import InputError
from hwsim.errors import Problem as Complaint
from hwsim.schedule.network import NetworkProblem
from hwsim.schedule.plan_json import load_plan
from hwsim.schedule.types import Plan
from hwsim.schedule.verify import Replay, replay

_MOST_SHOWN = 50


def options_document(network: NetworkProblem) -> dict[str, Any]:
    """Return the choices that the sizes in a plan depend on, as they stand in its file."""
    chosen = network.options
    return {"bits": chosen.bits, "fusion": str(chosen.fusion), "weights": str(chosen.weights),
            "clean_outputs": chosen.clean_outputs, "block_bytes": chosen.block_bytes}


def check_plan(text: str, network: NetworkProblem, *, where: str,
               budget: int | None = None) -> tuple[Plan, Replay]:
    """Read a plan, or a result that holds one, and replay it.

    Parameters
    ----------
    text : str
        JSON, as `hwsim schedule -o` writes it.
    network : NetworkProblem
        What its names refer to.
    where : str
        Prefix of places in messages, normally the file.
    budget : int, optional
        Scratchpad in blocks, instead of the one that the plan names.

    Raises
    ------
    InputError
        Unreadable entries, or every violation with its step and tensor.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"is not JSON: {error}", where=where) from None
    options = document.get("options") if isinstance(document, Mapping) else None
    if isinstance(document, Mapping) and "plan" in document:
        document = document["plan"]
        if document is None:
            raise InputError("holds a result without a plan", where=where)
    plan = load_plan(network.problem, json.dumps(document), where)
    plan = replace(plan, budget=budget) if budget is not None else plan
    seen = replay(network.problem, plan)
    if not seen.violations:
        return plan, seen
    complaints = []
    for violation in seen.violations:
        place = f"{where}.steps.{violation.step}" if violation.step >= 0 else f"{where}.steps"
        about = f"tensor {violation.tensor!r} " if violation.tensor else ""
        complaints.append(Complaint(place, about + violation.reason))
    raise InputError(problems=[*_shortened(complaints, where), *_other_options(options, network, where)])


def _other_options(written: object, network: NetworkProblem, where: str) -> list[Complaint]:
    here = options_document(network)
    if not isinstance(written, Mapping) or all(written.get(key) == value for key, value in here.items()):
        return []
    changed = ", ".join(f"{key} was {written.get(key)!r} and is {value!r}" for key, value in here.items()
                        if written.get(key) != value)
    return [Complaint(where, f"was written with other options: {changed}")]


def _shortened(complaints: Sequence[Complaint], where: str) -> list[Complaint]:
    if len(complaints) <= _MOST_SHOWN:
        return list(complaints)
    rest = len(complaints) - _MOST_SHOWN
    return [*complaints[:_MOST_SHOWN], Complaint(where, f"{rest} more violations")]
