"""Plain stacks of transformer layers without embeddings and heads: encoders, decoders, ViT layers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, Self

from pydantic import Field, model_validator

from hwsim.graph.build import GraphBuilder
from hwsim.graph.types import BOOLEAN, Graph
from workloads.layers import layer_norm, start
from workloads.transformer import feed_forward, self_attention
from workloads.transformer_stack.attention import cross_attention
from workloads.types import Repeats, Workload, WorkloadConfig

_EPSILON = 1e-5


class TransformerStackConfig(WorkloadConfig):
    """Knobs of a stack of transformer layers."""

    sequence_length: int = Field(default=128, ge=1, description="Tokens of the encoder's sequence.")
    target_length: int = Field(default=128, ge=1, description="Tokens of the decoder's sequence.")
    encoder_layers: Repeats = Field(default=6, description="Encoder layers.")
    decoder_layers: int = Field(
        default=0, ge=0, le=1024, description="Decoder layers over the encoder's result."
    )
    width: int = Field(default=512, ge=1, description="Width of a token.")
    heads: int = Field(default=8, ge=1, description="Attention heads; divides the width.")
    feed_forward: int = Field(default=2048, ge=1, description="Width inside the feed-forward layers.")
    function: Literal["relu", "gelu"] = Field(
        default="relu", description="Activation of the feed-forward layers."
    )
    norm: Literal["post", "pre"] = Field(
        default="post", description="Normalization after each residual sum, or before each sublayer."
    )
    final_norm: bool = Field(default=False, description="A normalization after the last layer of each stack.")
    positions: bool = Field(default=False, description="A learned table is added to the sequence (ViT).")
    causal: bool = Field(default=False, description="Mask later tokens in the decoder's self-attention.")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.width % self.heads:
            raise ValueError(f"heads {self.heads} does not divide width {self.width}")
        if self.causal and not self.decoder_layers:
            raise ValueError("causal belongs to decoders; decoder_layers is 0")
        return self


def build(config: TransformerStackConfig) -> Graph:
    """Return a stack over token vectors [batch, tokens, width]; with decoder layers, over two sequences."""
    b = start("transformer_stack", config)
    x = b.input("sequence", (config.batch, config.sequence_length, config.width))
    if config.positions:
        table = b.weight("positions", (1, config.sequence_length, config.width))
        x = b.sum(x, table, "add_positions")
    for index in range(config.encoder_layers):
        x = _layer(b, config, x, "", "", f"encoder{index}")
    if config.final_norm:
        x = layer_norm(b, x, "encoder.norm", epsilon=_EPSILON)
    if config.decoder_layers:
        memory = x
        x = b.input("target", (config.batch, config.target_length, config.width))
        mask = ""
        if config.causal:
            mask = b.constant("causal_mask", (config.target_length, config.target_length), format=BOOLEAN)
        for index in range(config.decoder_layers):
            x = _layer(b, config, x, memory, mask, f"decoder{index}")
        if config.final_norm:
            x = layer_norm(b, x, "decoder.norm", epsilon=_EPSILON)
    b.output(x)
    return b.build()


def _layer(b: GraphBuilder, config: TransformerStackConfig, x: str, memory: str, mask: str, name: str) -> str:
    def attend(value: str) -> str:
        return self_attention(b, value, config.heads, f"{name}.attention", fused=False, mask=mask)[0]

    def attend_memory(value: str) -> str:
        return cross_attention(b, value, memory, config.heads, f"{name}.cross")

    def transform(value: str) -> str:
        return feed_forward(b, value, config.feed_forward, config.function, f"{name}.feed_forward")

    x = _sublayer(b, config, x, attend, f"{name}.attention")
    if memory:
        x = _sublayer(b, config, x, attend_memory, f"{name}.cross")
    return _sublayer(b, config, x, transform, f"{name}.feed_forward")


def _sublayer(
    b: GraphBuilder, config: TransformerStackConfig, x: str, body: Callable[[str], str], name: str
) -> str:
    if config.norm == "pre":
        normed = layer_norm(b, x, f"{name}.norm", epsilon=_EPSILON)
        return b.sum(x, body(normed), f"{name}.residual")
    summed = b.sum(x, body(x), f"{name}.residual")
    return layer_norm(b, summed, f"{name}.norm", epsilon=_EPSILON)


WORKLOADS = (
    Workload(
        name="transformer_stack",
        description="Encoder and decoder layers over token vectors",
        config=TransformerStackConfig,
        build=build,
        presets={
            "transformer_base": TransformerStackConfig(decoder_layers=6, final_norm=True),
            "transformer_encoder": TransformerStackConfig(),
            "transformer_encoder_4l": TransformerStackConfig(
                encoder_layers=4, width=256, heads=4, feed_forward=1024, norm="pre", final_norm=True
            ),
            "vit_b16_stack": TransformerStackConfig(
                encoder_layers=12,
                width=768,
                heads=12,
                feed_forward=3072,
                sequence_length=197,
                function="gelu",
                norm="pre",
                final_norm=True,
                positions=True,
            ),
        },
        source="Vaswani et al. 2017; torch.nn.Transformer and the encoder of torchvision's vit_b_16, counts "
        "measured there",
        notes={
            "transformer_base": "Six encoder and six decoder layers of width 512, 128 tokens each.",
            "transformer_encoder": "The six encoder layers of the base form, normalized after each sum.",
            "transformer_encoder_4l": "Four layers of width 256 over 128 tokens, normalized before.",
            "vit_b16_stack": "The twelve layers of ViT-B/16 over 197 tokens, with positions.",
        },
    ),
)
