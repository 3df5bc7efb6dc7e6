"""Codewords over a channel with white Gaussian noise, the same for a seed whatever else is asked."""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hwsim.errors import InputError
from hwsim.graph.tanner import TannerGraph

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


def encoder_of(tanner: TannerGraph, where: str) -> Encoder:
    """Return the encoder of a code; InputError if it has no information bits."""
    rows = tanner.reduced
    parity = sorted(rows)
    information = [bit for bit in range(tanner.length) if bit not in rows]
    if not information:
        raise InputError(f"all {tanner.length} bits are parity: the only codeword is zero", where=where)
    size = (tanner.length + 7) // 8
    packed = np.frombuffer(b"".join(rows[bit].to_bytes(size, "little") for bit in parity), np.uint8)
    matrix = np.unpackbits(packed.reshape(len(parity), size), axis=1, bitorder="little")
    sums = matrix[:, information].T.astype(np.float32)
    return Encoder(np.array(information), np.array(parity), sums)


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
