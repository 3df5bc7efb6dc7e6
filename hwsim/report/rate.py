"""A share of samples, and how well it is known."""

from __future__ import annotations

import math
from dataclasses import dataclass

from hwsim.model.types import Counted

NORMAL_95 = 1.959963984540054


@dataclass(frozen=True, slots=True)
class Rate:
    """A share of samples with its 95 % interval (Wilson 1927).

    Attributes
    ----------
    count, samples : int
        Samples it is true of, and all samples.
    independent_share : float
        Independent samples that are worth as much, per sample (Kish 1965).
    """

    count: int
    samples: int
    independent_share: float = 1.0

    @classmethod
    def of(cls, counted: Counted) -> Rate:
        """Return the rate of what a chip has counted."""
        return cls(counted.count, counted.trials, counted.independent_share)

    @property
    def ratio(self) -> float:
        """The share itself."""
        return self.count / self.samples

    @property
    def effective(self) -> float:
        """Samples that the width of the interval follows."""
        return self.samples * self.independent_share

    @property
    def interval(self) -> tuple[float, float]:
        """Ends of the 95 % confidence interval."""
        n, p, z = self.effective, self.ratio, NORMAL_95
        middle, spread = p + z * z / (2 * n), z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
        # At the ends the two terms are equal and only their rounding would be left.
        low = (middle - spread) / (1 + z * z / n) if self.count else 0.0
        high = (middle + spread) / (1 + z * z / n) if self.count < self.samples else 1.0
        return max(0.0, low), min(1.0, high)

    def __str__(self) -> str:
        low, high = self.interval
        return f"{self.ratio:.2%}  ({low:.2%} to {high:.2%})"
