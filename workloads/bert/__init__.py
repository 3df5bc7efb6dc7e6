"""BERT and its smaller relatives: encoders over token embeddings."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from hwsim.graph.build import GraphBuilder
from hwsim.graph.types import INT64, Graph
from workloads.layers import first_token, layer_norm, position_embedding, start
from workloads.transformer import feed_forward, self_attention
from workloads.types import Repeats, Workload, WorkloadConfig

_EPSILON = 1e-12


class BertConfig(WorkloadConfig):
    """Knobs of BERT."""

    sequence_length: int = Field(default=128, ge=1, description="Tokens of one sample.")
    layers: Repeats = Field(default=12, description="Encoder layers.")
    width: int = Field(default=768, ge=1, description="Width of a token.")
    heads: int = Field(default=12, ge=1, description="Attention heads; divides the width.")
    feed_forward: int = Field(default=3072, ge=1, description="Width inside the feed-forward layers.")
    vocabulary: int = Field(default=30522, ge=1, description="Rows of the token embedding table.")
    positions: int = Field(default=512, ge=1, description="Rows of the position table; the longest sample.")
    token_types: int = Field(default=2, ge=0, description="Rows of the token-type table; 0 leaves it out.")
    pooler: bool = Field(default=True, description="Linear layer and tanh over the first token.")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.width % self.heads:
            raise ValueError(f"heads {self.heads} does not divide width {self.width}")
        if self.sequence_length > self.positions:
            raise ValueError(f"sequence_length {self.sequence_length} exceeds positions {self.positions}")
        return self


def build(config: BertConfig) -> Graph:
    """Return a BERT encoder without a task head; inputs are full sequences, so there is no padding mask."""
    b = start("bert", config)
    x = _embeddings(b, config)
    for index in range(config.layers):
        name = f"layer{index}"
        mixed, _ = self_attention(b, x, config.heads, f"{name}.attention", fused=False)
        x = b.sum(mixed, x, f"{name}.attention.residual")
        x = layer_norm(b, x, f"{name}.attention.norm", epsilon=_EPSILON)
        out = feed_forward(b, x, config.feed_forward, "gelu", f"{name}.feed_forward")
        x = b.sum(out, x, f"{name}.feed_forward.residual")
        x = layer_norm(b, x, f"{name}.norm", epsilon=_EPSILON)
    b.output(x)
    if config.pooler:
        first = first_token(b, x, "pooler.first")
        pooled = b.linear(first, config.width, name="pooler")
        b.output(b.elementwise("tanh", pooled, name="pooler.tanh"))
    return b.build()


def _embeddings(b: GraphBuilder, config: BertConfig) -> str:
    tokens = (config.batch, config.sequence_length)
    x = b.embedding(
        b.input("input_ids", tokens, format=INT64), config.vocabulary, config.width, "embeddings.words"
    )
    if config.token_types:
        kinds = b.input("token_type_ids", tokens, format=INT64)
        types = b.embedding(kinds, config.token_types, config.width, "embeddings.token_types")
        x = b.sum(x, types, "embeddings.add_types")
    places = position_embedding(
        b, config.sequence_length, config.positions, config.width, "embeddings.positions"
    )
    x = b.sum(x, places, "embeddings.add_positions")
    return layer_norm(b, x, "embeddings.norm", epsilon=_EPSILON)


WORKLOADS = (
    Workload(
        name="bert",
        description="BERT encoders with a pooler and without a task head",
        config=BertConfig,
        build=build,
        presets={
            "bert_base": BertConfig(),
            "bert_large": BertConfig(layers=24, width=1024, heads=16, feed_forward=4096),
            "bert_tiny": BertConfig(layers=2, width=128, heads=2, feed_forward=512),
            "distilbert": BertConfig(layers=6, token_types=0, pooler=False),
        },
        source="Devlin et al. 2019; parameter counts recalled-high, shapes reproduce them",
        notes={"distilbert": "No token types and no pooler."},
    ),
)
