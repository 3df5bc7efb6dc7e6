"""Engines of which only peak, bandwidth and power are published: the roofline, shared by several chips."""

from hwsim.model.roofline.design import RooflineDesign
from hwsim.model.roofline.engine import accelerator

__all__ = ["RooflineDesign", "accelerator"]
