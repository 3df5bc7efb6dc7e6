"""A share of samples, and how well it is known."""

from __future__ import annotations

import math
from dataclasses import dataclass

NORMAL_95 = 1.959963984540054


@dataclass(frozen=True, slots=True)
class Rate:
    """A share of samples with its 95 % interval (Wilson 1927).

    Attributes
    ----------
    count, samples : int
        Samples it is true of, and all samples.
    """

    count: int
    samples: int

    @property
    def ratio(self) -> float:
        """The share itself."""
        return self.count / self.samples

    @property
    def interval(self) -> tuple[float, float]:
        """Ends of the 95 % confidence interval."""
        n, p, z = self.samples, self.ratio, NORMAL_95
        middle, spread = p + z * z / (2 * n), z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
        return max(0.0, (middle - spread) / (1 + z * z / n)), min(1.0, (middle + spread) / (1 + z * z / n))

    def __str__(self) -> str:
        low, high = self.interval
        return f"{self.ratio:.2%}  ({low:.2%} to {high:.2%})"
