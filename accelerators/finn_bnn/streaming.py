"""Clocks of the pipeline: a fold a position, or so many channels at a time."""

from __future__ import annotations

from accelerators.finn_bnn.design import FinnBnnDesign
from accelerators.finn_bnn.folding import Fold, folds_of
from hwsim.graph.engines import stages_of
from hwsim.graph.remember import remembered
from hwsim.graph.types import Graph
from hwsim.model.dataflow import Pipeline, paced, passing_clocks


@remembered
def pipeline_of(graph: Graph, design: FinnBnnDesign) -> Pipeline[Fold]:
    """Return the clocks of `graph`, with the folds of its layers.

    Raises
    ------
    InputError
        A folding that does not fit the network or the chip.
    """
    stages, folds = stages_of(graph), folds_of(graph, design)
    clocks = tuple(
        folds[stage.op.name].clocks
        if stage.op.name in folds
        else passing_clocks(graph, stage, design.stream_lanes)
        for stage in stages
    )
    return paced(graph, stages, folds, clocks)
