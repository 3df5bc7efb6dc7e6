"""Codewords over a channel with white Gaussian noise, the same for a seed whatever else is asked."""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hwsim.graph.tanner import TannerGraph
from hwsim.kernels.binary_matrix import eliminate

Bits = NDArray[np.uint8]
Floats = NDArray[np.float64]

LANES = 64
"""Codewords of a block; each block has random numbers of its own."""


@dataclass(frozen=True, slots=True)
class Encoder:
    """Parity bits from information bits.

    Attributes
    ----------
    information, parity : int64[k], int64[n - k]
        Places of both in a codeword.
    sums : float32[k, n - k]
        Which information bits a parity bit adds up.
    """

    information: NDArray[np.int64]
    parity: NDArray[np.int64]
    sums: NDArray[np.float32]

    def codewords(self, bits: Bits) -> Bits:
        """Return uint8[frames, n] codewords of uint8[frames, k] information bits."""
        words = np.zeros((len(bits), self.information.size + self.parity.size), np.uint8)
        words[:, self.information] = bits
        # Sums of at most k ones are exact in float32 below 2**24.
        words[:, self.parity] = (bits.astype(np.float32) @ self.sums).astype(np.int64) & 1
        return words


def encoder_of(tanner: TannerGraph) -> Encoder:
    """Return the encoder of a code; parity bits are taken from the end as far as the checks allow."""
    ones = np.zeros((len(tanner.checks), (tanner.length + 63) // 64 * 64), np.uint8)
    ones[np.repeat(np.arange(len(tanner.checks)), tanner.degrees), tanner.variables] = 1
    rows = np.packbits(ones, axis=1, bitorder="little").view(np.uint64)
    parity = eliminate(rows, tanner.length)
    matrix = np.unpackbits(rows[: len(parity)].view(np.uint8), axis=1, bitorder="little")
    information = np.setdiff1d(np.arange(tanner.length), parity)
    return Encoder(information, parity, matrix[:, information].T.astype(np.float32))


def noise_deviation(ebn0_db: float, rate_ratio: float) -> float:
    """Return the standard deviation of the noise on +1 and -1: sigma^2 = 1 / (2 R Eb / N0)."""
    return float(np.sqrt(1 / (2 * rate_ratio * 10 ** (ebn0_db / 10))))


def transmit(encoder: Encoder, ebn0_db: float, seed: int, block: int) -> tuple[Bits, Floats]:
    """Return LANES random codewords and the LLRs received for them, 2 y / sigma^2 for bit 0 sent as +1."""
    key = int.from_bytes(struct.pack("<d", ebn0_db), "little")
    rng = np.random.default_rng([seed, key, block])
    k, n = encoder.information.size, encoder.information.size + encoder.parity.size
    words = encoder.codewords(rng.integers(0, 2, (LANES, k), np.uint8))
    deviation = noise_deviation(ebn0_db, k / n)
    received = 1.0 - 2.0 * words + deviation * rng.standard_normal((LANES, n))
    return words, received * (2 / deviation**2)
