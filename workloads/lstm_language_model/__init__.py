"""LSTM language models and the sequence classifier of the same papers: cells, then one linear layer."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from hwsim.graph.build import GraphBuilder
from hwsim.graph.types import INT64, Graph
from workloads.layers import lstm, one_hot, start
from workloads.types import Repeats, Workload, WorkloadConfig


class LstmConfig(WorkloadConfig):
    """Knobs of an LSTM network; every cell has two bias vectors and starts from a zero state."""

    sequence_length: int = Field(default=35, ge=1, description="Time steps of one sample.")
    inputs: Literal["embedding", "one_hot", "values"] = Field(
        default="embedding",
        description="What enters a step: a row of a table, a vector as wide as the vocabulary, or values.",
    )
    input_size: int | None = Field(
        default=300, ge=1, description="Width of an embedding or of the values; none for one-hot inputs."
    )
    hidden: int = Field(default=300, ge=1, description="Width of the state of every cell.")
    layers: Repeats = Field(default=1, description="Cells on top of each other.")
    vocabulary: int = Field(default=10000, ge=1, description="Tokens, or classes where plain values enter.")
    last_step_only: bool = Field(default=False, description="Apply the linear layer to the last step only.")
    decoder: bool = Field(default=True, description="Put a linear layer behind the cells.")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.inputs == "one_hot" and self.input_size is not None:
            raise ValueError(
                f"one-hot inputs are as wide as the vocabulary, not {self.input_size}; set input_size to none"
            )
        if self.inputs != "one_hot" and self.input_size is None:
            raise ValueError(f"inputs {self.inputs!r} needs input_size")
        return self


def build(config: LstmConfig) -> Graph:
    """Return an LSTM network with time as the first axis; outputs are [steps * batch, vocabulary].

    With `last_step_only` the output is [batch, vocabulary]; without `decoder` the states are returned.
    """
    b = start("lstm_language_model", config)
    x = _inputs(b, config)
    for index in range(config.layers):
        last_only = config.last_step_only and index == config.layers - 1
        x = lstm(b, x, config.hidden, f"lstm{index}", last_only=last_only)
    if not config.last_step_only:
        x = b.reshape(x, (config.sequence_length * config.batch, config.hidden), "all_steps")
    b.output(b.linear(x, config.vocabulary, name="decoder") if config.decoder else x)
    return b.build()


def _inputs(b: GraphBuilder, config: LstmConfig) -> str:
    steps = (config.sequence_length, config.batch)
    if config.inputs == "values":
        return b.input("input", (*steps, config.input_size or 1))
    ids = b.input("input_ids", steps, format=INT64)
    if config.inputs == "one_hot":
        return one_hot(b, ids, config.vocabulary, "one_hot", config.number_format)
    return b.embedding(ids, config.vocabulary, config.input_size or 1, "embedding")


def _characters(vocabulary: int, hidden: int, steps: int) -> LstmConfig:
    return LstmConfig(
        inputs="one_hot", input_size=None, vocabulary=vocabulary, hidden=hidden, sequence_length=steps
    )


WORKLOADS = (
    Workload(
        name="lstm_language_model",
        description="LSTM language models, by character and by word",
        config=LstmConfig,
        build=build,
        presets={
            "lstm_ptb_char": _characters(50, 1000, 100),
            "lstm_ptb_word": LstmConfig(),
            "lstm_ptb_medium": LstmConfig(input_size=650, hidden=650, layers=2),
            "lstm_ptb_large": LstmConfig(input_size=1500, hidden=1500, layers=2),
            "lstm_text8_char": _characters(27, 2000, 180),
            "lstm_war_and_peace": _characters(83, 512, 100),
            "lstm_linux": _characters(101, 512, 100),
            "lstm_question_answering": LstmConfig(
                inputs="values", input_size=200, hidden=256, sequence_length=100, decoder=False
            ),
            "lstm_smnist": LstmConfig(
                inputs="values",
                input_size=1,
                hidden=100,
                vocabulary=10,
                sequence_length=784,
                last_step_only=True,
            ),
        },
        source="Ardakani et al., Learning Recurrent Binary/Ternary Weights (ICLR 2019), training code; "
        "medium and large: Zaremba et al. 2014 (recalled-high)",
        notes={
            "lstm_ptb_char": "Penn Treebank, 50 characters, one-hot.",
            "lstm_text8_char": "27 characters, one-hot.",
            "lstm_war_and_peace": "83 characters, one-hot; 100 steps are a choice made here.",
            "lstm_linux": "Linux kernel sources, 101 characters, one-hot; 100 steps are a choice made here.",
            "lstm_question_answering": "One encoder over embedded words of width 200; 100 steps are a choice "
            "made here, vocabulary and answer layer are not given.",
            "lstm_smnist": "One pixel a step, ten classes after the last.",
        },
    ),
)
