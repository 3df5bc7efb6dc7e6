"""A character LSTM that was trained here, dense and with pruned states; its weights lie beside it."""

from __future__ import annotations

from pydantic import Field

from hwsim.graph.types import INT64, Graph
from workloads.layers import lstm, one_hot, start
from workloads.types import Workload, WorkloadConfig


class CharacterConfig(WorkloadConfig):
    """Knobs of the character LSTM; sizes other than the default have no trained weights."""

    sequence_length: int = Field(default=1000, ge=1, description="Characters of one sample.")
    hidden: int = Field(default=240, ge=1, description="Width of the state.")
    vocabulary: int = Field(default=96, ge=1, description="Line feed and printable ASCII.")


def build(config: CharacterConfig) -> Graph:
    """Return one-hot characters, an LSTM called ``lstm0``, and a linear layer over every state."""
    b = start("character_lstm", config)
    ids = b.input("input_ids", (config.sequence_length, config.batch), format=INT64)
    x = one_hot(b, ids, config.vocabulary, "one_hot", config.number_format)
    states = lstm(b, x, config.hidden, "lstm0")
    flat = b.reshape(states, (config.sequence_length * config.batch, config.hidden), "all_steps")
    b.output(b.linear(flat, config.vocabulary, name="decoder"))
    return b.build()


WORKLOADS = (
    Workload(
        name="character_lstm",
        description="Character LSTM trained here on Python's help topics, with measured zero states",
        config=CharacterConfig,
        build=build,
        presets={"lstm_character": CharacterConfig()},
        source="trained by workloads/character_lstm/train.py; measured.toml says how well",
        notes={"lstm_character": "python -m workloads.character_lstm FILE.npz writes its zero-state masks."},
    ),
)
