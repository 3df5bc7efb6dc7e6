"""The trained networks in integers: 8-bit weights and states, so that every computer gets the same bits.

States and candidates are Q0.7, gates unsigned Q0.8, cells Q4.11, and what enters the tables of the sigmoid
and the hyperbolic tangent is Q3.6. Gates stand in the order i, o, f, c.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
TRAINED = Path(__file__).with_name("trained.npz")
SEQUENCES = 16
_INDEX = np.arange(-512, 512) / 64
_SIGMOID = np.minimum(np.rint(256 / (1 + np.exp(-_INDEX))), 255).astype(np.int64)
_TANH = np.clip(np.rint(128 * np.tanh(_INDEX)), -127, 127).astype(np.int64)


@dataclass(frozen=True)
class Model:
    """A character LSTM with a linear layer behind it.

    Attributes
    ----------
    weight, recurrence : int8[symbols, 4 * hidden], int8[hidden, 4 * hidden]
        One row of gate weights per symbol and per state.
    bias : int32[4 * hidden]
        In units of weight times state.
    multiplier, shift : int
        Sums times multiplier, shifted right with rounding, are what enters the tables.
    threshold : int
        States below it in magnitude become zero; 0 prunes nothing.
    decoder, decoder_scale_ratio, decoder_bias : int8[hidden, symbols], float, float32[symbols]
        Linear layer; a logit is scale * sum + bias.
    """

    weight: NDArray[np.int8]
    recurrence: NDArray[np.int8]
    bias: NDArray[np.int32]
    multiplier: int
    shift: int
    threshold: int
    decoder: NDArray[np.int8]
    decoder_scale_ratio: float
    decoder_bias: NDArray[np.float32]

    @property
    def hidden(self) -> int:
        """Width of the state."""
        return int(self.recurrence.shape[0])


def load_model(name: str, path: Path = TRAINED) -> Model:
    """Return the network called ``"dense"`` or ``"pruned"``."""
    with np.load(path, allow_pickle=False) as file:
        part: dict[str, Any] = {key: file[f"{name}.{key}"] for key in Model.__dataclass_fields__}
    whole = {key: int(part[key]) for key in ("multiplier", "shift", "threshold")}
    return Model(**part | whole | {"decoder_scale_ratio": float(part["decoder_scale_ratio"])})


def load_text(path: Path = TRAINED) -> Ints:
    """Return int64[steps + 1, sequences]: the held-out characters, one sequence per column."""
    with np.load(path, allow_pickle=False) as file:
        text: Ints = file["text"].astype(np.int64).reshape(SEQUENCES, -1).T
    return text


def run(model: Model, symbols: Ints) -> Ints:
    """Return int64[steps, batch, hidden]: the state after each of the symbols [steps, batch], pruned."""
    batch, hidden = symbols.shape[1], model.hidden
    weight, recurrence = model.weight.astype(np.int64), model.recurrence.astype(np.float32)
    state, cell = np.zeros((batch, hidden), np.int64), np.zeros((batch, hidden), np.int64)
    states = np.empty((symbols.shape[0], batch, hidden), np.int64)
    for step, entering in enumerate(symbols):
        product = (state.astype(np.float32) @ recurrence).astype(np.int64)  # below 2**24: exact
        sums = 128 * weight[entering] + product + model.bias
        index = np.clip(_rounded(sums * model.multiplier, model.shift), -512, 511) + 512
        i, o, f, candidate = np.split(index, 4, axis=1)
        cell = _SIGMOID[f] * cell + ((_SIGMOID[i] * _TANH[candidate]) << 4)
        cell = np.clip(_rounded(cell, 8), -32767, 32767)
        squashed = _TANH[np.clip(_rounded(cell, 5), -512, 511) + 512]
        state = _rounded(_SIGMOID[o] * squashed, 8)
        state = np.where(np.abs(state) < model.threshold, 0, state)
        states[step] = state
    return states


def bits_per_character(model: Model, text: Ints) -> float:
    """Return the mean of -log2 p over the characters of text [steps + 1, batch] after the first."""
    states = run(model, text[:-1]).reshape(-1, model.hidden).astype(np.float64)
    logits = states @ model.decoder.astype(np.float64) * model.decoder_scale_ratio + model.decoder_bias
    logits -= logits.max(axis=1, keepdims=True)
    chosen = logits[np.arange(logits.shape[0]), text[1:].reshape(-1)]
    return float((np.log(np.exp(logits).sum(axis=1)) - chosen).mean() / np.log(2))


def zero_states(model: Model, text: Ints, batch: int) -> NDArray[np.bool_]:
    """Return bool[steps, batch, hidden]: the zero states of the first `batch` sequences."""
    zero: NDArray[np.bool_] = run(model, text[:-1, :batch]) == 0
    return zero


def _rounded(values: Ints, shift: int) -> Ints:
    halves_up: Ints = (values + ((1 << shift) >> 1)) >> shift
    return halves_up
