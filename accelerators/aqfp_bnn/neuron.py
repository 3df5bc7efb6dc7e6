"""The neuron of a crossbar column: a buffer with a gray zone, and what a product's current is worth to it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from accelerators.aqfp_bnn.design import CONSTANTS, AqfpBnnDesign, Neuron, attenuation_pairs_of
from hwsim.errors import DesignError, Problem

Floats = NDArray[np.float64]
CHIP = "aqfp_bnn"
ROOT_PI = math.sqrt(math.pi)


@dataclass(frozen=True, slots=True)
class Attenuation:
    """Current of one product at the neuron, I1 = A crossbar_size^-B.

    Attributes
    ----------
    scale_a : float
        A.
    exponent_ratio : float
        B; inductive merging has 0 < B < 1.
    """

    scale_a: float
    exponent_ratio: float

    def __post_init__(self) -> None:
        if self.scale_a <= 0 or self.exponent_ratio <= 0:
            raise DesignError(
                f"A = {self.scale_a:g} A and B = {self.exponent_ratio:g} must be above 0: larger crossbars "
                "weaken the current",
                where=f"{CHIP}.attenuation",
            )

    def current_a(self, crossbar: int) -> float:
        """Return I1."""
        return float(self.scale_a * crossbar**-self.exponent_ratio)


def fit_attenuation(pairs: Sequence[tuple[int, float]]) -> Attenuation:
    """Return A and B of the line through (crossbar, current) on logarithmic axes, by least squares."""
    if len({crossbar for crossbar, _ in pairs}) < 2:
        raise DesignError("one crossbar size fits no line; give two", where=f"{CHIP}.attenuation_pairs")
    if any(crossbar < 1 or current_a <= 0 for crossbar, current_a in pairs):
        raise DesignError("sizes and currents must be above 0", where=f"{CHIP}.attenuation_pairs")
    x = np.log([float(crossbar) for crossbar, _ in pairs])
    y = np.log([current_a for _, current_a in pairs])
    slope = float(((x - x.mean()) * (y - y.mean())).sum() / ((x - x.mean()) ** 2).sum())
    return Attenuation(math.exp(float(y.mean()) - slope * float(x.mean())), -slope)


def attenuation_of(design: AqfpBnnDesign) -> Attenuation | None:
    """Return the attenuation that the user gave or whose pairs were fitted, None if unknown."""
    if pairs := attenuation_pairs_of(design.attenuation_pairs):
        return fit_attenuation(pairs)
    if design.attenuation_scale_a and design.attenuation_exponent_ratio:
        return Attenuation(design.attenuation_scale_a, design.attenuation_exponent_ratio)
    return None


def gray_zone_at(gray_zone_a: float, temperature_k: float) -> float:
    """Return the width at a temperature, from that at 4.2 K: thermal noise grows with the square root."""
    return gray_zone_a * math.sqrt(temperature_k / float(CONSTANTS.reference_temperature_k))


def gray_zone_products(design: AqfpBnnDesign) -> float:
    """Return dV, the width of the gray zone in products of +-1; 0 for neurons without noise.

    Raises
    ------
    DesignError
        Naming every input that is not known: they are published nowhere, so there are no defaults.
    """
    if design.neuron is Neuron.DETERMINISTIC:
        return 0.0
    if design.gray_zone_products_ratio:
        return design.gray_zone_products_ratio
    attenuation = attenuation_of(design)
    hint = "give it, or gray_zone_products_ratio, or take neuron=deterministic or aqfp_bnn:illustrative"
    missing = [] if design.gray_zone_a else ["gray_zone_a"]
    if attenuation is None:
        for name in ("attenuation_scale_a", "attenuation_exponent_ratio"):
            missing += [] if getattr(design, name) else [name]
    if missing or attenuation is None:
        raise DesignError(
            problems=[Problem(f"{CHIP}.{name}", "is not known and has no default", hint) for name in missing]
        )
    return gray_zone_at(design.gray_zone_a, design.temperature_k) / attenuation.current_a(
        design.crossbar_size
    )


def probability(sums: Floats, thresholds: Floats | float, gray_zone: float) -> Floats:
    """Return P(1) = 1/2 + 1/2 erf(sqrt(pi) (s - Vth) / dV); without noise, 1 from the threshold on.

    The slope at the threshold is 1 / dV; the same as a comparator with Gaussian noise of dV / sqrt(2 pi).
    """
    distance = np.asarray(sums, np.float64) - thresholds
    if gray_zone < 0:
        raise ValueError(f"gray zone {gray_zone} is below 0")
    if gray_zone == 0:
        return (distance >= 0).astype(np.float64)
    flat = [0.5 + 0.5 * math.erf(ROOT_PI * value / gray_zone) for value in distance.reshape(-1).tolist()]
    return np.array(flat, np.float64).reshape(distance.shape)


def neuron_notes(design: AqfpBnnDesign) -> tuple[list[str], list[str]]:
    """Return notes and warnings about the neuron of a run."""
    width = gray_zone_products(design)
    notes = [f"gray zone of {width:.4g} products; a tie of the count yields {design.tie_rule.value}"]
    warnings = []
    attenuation = None if design.gray_zone_products_ratio else attenuation_of(design)
    if attenuation is not None and width:
        notes.append(f"I1 = {attenuation.scale_a:.4g} A x crossbar_size^-{attenuation.exponent_ratio:.4g}")
        if attenuation.exponent_ratio > 1:
            warnings.append(
                f"attenuation exponent {attenuation.exponent_ratio:.3g} is above 1, the limit of "
                "inductive merging"
            )
        if attenuation.scale_a == float(CONSTANTS.illustrative_scale_a):
            warnings.append("attenuation and gray zone are illustrative: they are published nowhere")
    return notes, warnings
