"""GPT-2: a decoder with a tied output layer, for whole prompts or single steps with cached keys.

124,439,808 parameters of the small form: recalled-high.
"""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from hwsim.graph.build import GraphBuilder
from hwsim.graph.types import BOOLEAN, INT64, Graph
from workloads.layers import layer_norm, position_embedding, start
from workloads.transformer import Cache, feed_forward, self_attention
from workloads.types import Repeats, Workload, WorkloadConfig

_EPSILON = 1e-5
_TOKENS = "embeddings.tokens"


class Gpt2Config(WorkloadConfig):
    """Knobs of GPT-2."""

    sequence_length: int = Field(default=1024, ge=1, description="New tokens of one sample.")
    past_length: int = Field(
        default=0, ge=0, description="Earlier tokens whose keys and values are inputs; 0 for a whole prompt."
    )
    layers: Repeats = Field(default=12, description="Decoder layers.")
    width: int = Field(default=768, ge=1, description="Width of a token.")
    heads: int = Field(default=12, ge=1, description="Attention heads; divides the width.")
    feed_forward: int | None = Field(
        default=None,
        ge=1,
        description="Width inside the feed-forward layers; by default 4 x width.",
    )
    vocabulary: int = Field(default=50257, ge=1, description="Rows of the token embedding table.")
    positions: int = Field(default=1024, ge=1, description="Rows of the position table; bounds all tokens.")
    head: bool = Field(default=True, description="Output layer over the vocabulary, tied to the embeddings.")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.width % self.heads:
            raise ValueError(f"heads {self.heads} does not divide width {self.width}")
        if self.past_length + self.sequence_length > self.positions:
            raise ValueError(
                f"past_length {self.past_length} + sequence_length {self.sequence_length} exceeds "
                f"positions {self.positions}"
            )
        return self


def build(config: Gpt2Config) -> Graph:
    """Return GPT-2; masked attention scores are computed like all others, so MACs count the full square.

    With `past_length` above 0 every layer reads cached keys and values and returns the extended ones.
    """
    b = start("gpt2", config)
    x = _embeddings(b, config)
    mask = _causal_mask(b, config)
    extended: list[str] = []
    for index in range(config.layers):
        name = f"layer{index}"
        normed = layer_norm(b, x, f"{name}.norm1", epsilon=_EPSILON)
        mixed, cache = self_attention(
            b, normed, config.heads, f"{name}.attention", fused=True, mask=mask, cache=_cache(b, config, name)
        )
        x = b.sum(mixed, x, f"{name}.attention.residual")
        normed = layer_norm(b, x, f"{name}.norm2", epsilon=_EPSILON)
        hidden = config.feed_forward or 4 * config.width
        out = feed_forward(b, normed, hidden, "gelu_tanh", f"{name}.feed_forward")
        x = b.sum(out, x, f"{name}.feed_forward.residual")
        extended += [cache.keys, cache.values]
    x = layer_norm(b, x, "norm", epsilon=_EPSILON)
    b.output(b.matmul(x, f"{_TOKENS}.weight", transpose_b=True, name="head") if config.head else x)
    if config.past_length:
        b.output(*extended)
    return b.build()


def _embeddings(b: GraphBuilder, config: Gpt2Config) -> str:
    ids = b.input("input_ids", (config.batch, config.sequence_length), format=INT64)
    x = b.embedding(ids, config.vocabulary, config.width, _TOKENS)
    places = position_embedding(
        b, config.sequence_length, config.positions, config.width, "embeddings.positions"
    )
    return b.sum(x, places, "embeddings.add_positions")


def _causal_mask(b: GraphBuilder, config: Gpt2Config) -> str:
    if config.sequence_length == 1:
        return ""
    tokens = config.sequence_length
    return b.constant("causal_mask", (tokens, config.past_length + tokens), format=BOOLEAN)


def _cache(b: GraphBuilder, config: Gpt2Config, name: str) -> Cache | None:
    if not config.past_length:
        return None
    shape = (config.batch, config.heads, config.past_length, config.width // config.heads)
    return Cache(b.state(f"{name}.past_keys", shape), b.state(f"{name}.past_values", shape))


WORKLOADS = (
    Workload(
        name="gpt2",
        description="GPT-2 decoders with a tied output layer",
        config=Gpt2Config,
        build=build,
        presets={
            "gpt2_small": Gpt2Config(),
            "gpt2_small_decode": Gpt2Config(sequence_length=1, past_length=1023),
            "gpt2_medium": Gpt2Config(layers=24, width=1024, heads=16),
            "gpt2_large": Gpt2Config(layers=36, width=1280, heads=20),
            "gpt2_xl": Gpt2Config(layers=48, width=1600, heads=25),
        },
        source="Radford et al. 2019, shapes and parameter counts recalled-high",
        notes={"gpt2_small_decode": "One token after 1023 cached ones."},
    ),
)
