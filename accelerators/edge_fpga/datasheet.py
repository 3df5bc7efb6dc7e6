"""Prices: the roofline's, with the evidence of the presets."""

from __future__ import annotations

from accelerators.edge_fpga.design import CONSTANTS, PREFIXES, PRESETS
from hwsim.model.roofline.design import RooflineDesign
from hwsim.model.roofline.engine import datasheet as roofline_datasheet
from hwsim.model.roofline.engine import presets_knob
from hwsim.model.types import Datasheet

knob = presets_knob(lambda: PRESETS, CONSTANTS, PREFIXES)


def datasheet(design: RooflineDesign) -> Datasheet:
    """Return the datasheet of `design`: lanes, clock, bandwidth, and power for as long as a run takes."""
    return roofline_datasheet(design, knob)
