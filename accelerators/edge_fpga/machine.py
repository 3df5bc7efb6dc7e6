"""The stepped machine: the roofline's, lanes and memory clock by clock."""

from hwsim.model.roofline.engine import machine

__all__ = ["machine"]
