"""How long a racetrack memory runs until a shift goes wrong."""

from __future__ import annotations

from accelerators.racetrack_memory.design import CONSTANTS, FaultModel
from hwsim.errors import InputError
from hwsim.sourced import Sourced

_BY_DISTANCE = (
    CONSTANTS.position_1_ratio,
    CONSTANTS.position_2_ratio,
    CONSTANTS.position_3_ratio,
    CONSTANTS.position_4_ratio,
    CONSTANTS.position_5_ratio,
    CONSTANTS.position_6_ratio,
    CONSTANTS.position_7_ratio,
)
LONGEST = len(_BY_DISTANCE)


def error_per_shift(distance: int, faults: FaultModel, corrected_steps: int = 0) -> Sourced:
    """Return the probability that a shift over `distance` domains leaves an error that is not corrected.

    Parameters
    ----------
    distance : int
        1 to 7; longer shifts are made of several.
    faults : FaultModel
        PINNING (constant, Roxy et al. 2022) or POSITION (by distance, Zhang et al. 2015, recalled): one model
        or the other, never their sum.
    corrected_steps : int
        Position errors of up to so many steps are corrected (p-ECC: 1); pinning is not.

    Raises
    ------
    InputError
        No fault model, a distance outside of the table, an error of two steps where none is published.
    """
    if faults is FaultModel.NONE:
        raise InputError(
            "no fault model is chosen", where="racetrack_memory.fault_model", hint="pinning or position"
        )
    if not 1 <= distance <= LONGEST:
        raise InputError(f"no error rate is known for a shift of {distance}", where="distance", hint="1 to 7")
    if faults is FaultModel.PINNING:
        return CONSTANTS.pinning_ratio
    if corrected_steps == 0:
        return _BY_DISTANCE[distance - 1]
    if corrected_steps == 1 and distance == 1:
        return CONSTANTS.position_two_steps_ratio
    raise InputError(
        f"errors that remain after correcting {corrected_steps} steps are not published for a shift "
        f"of {distance}",
        where="racetrack_memory.corrected_steps",
        hint="corrected_steps=1 is known for shifts of 1",
    )


def mean_time_to_failure_s(error: float, shifts_per_s: float) -> float:
    """Return 1 / (error per shift x shifts per second), infinity without shifts."""
    if not 0 < error <= 1:
        raise InputError(f"{error!r} is not a probability of error", where="error")
    return float("inf") if shifts_per_s == 0 else 1 / (error * shifts_per_s)
