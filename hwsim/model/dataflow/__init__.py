"""Chips whose layers all run at once, each on the positions that have arrived: what several of them share."""

from hwsim.model.dataflow.figures import steady_state
from hwsim.model.dataflow.machine import Dataflow, Entering
from hwsim.model.dataflow.pipeline import Pipeline, paced, passing_clocks
from hwsim.model.dataflow.program import program_of, write_buffer
from hwsim.model.dataflow.samples import predictions, whole_results

__all__ = [
    "Dataflow",
    "Entering",
    "Pipeline",
    "paced",
    "passing_clocks",
    "predictions",
    "program_of",
    "steady_state",
    "whole_results",
    "write_buffer",
]
