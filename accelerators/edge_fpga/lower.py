"""Graph to trace: the roofline's, one loop per operator."""

from hwsim.model.roofline.engine import lower

__all__ = ["lower"]
