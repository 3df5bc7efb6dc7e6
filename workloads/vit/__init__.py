"""Vision transformers with a class token, the plain ViT and DeiT form."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from hwsim.graph.build import GraphBuilder
from hwsim.graph.types import Graph
from workloads.layers import first_token, layer_norm, start
from workloads.transformer import feed_forward, self_attention
from workloads.types import ImageConfig, Repeats, Workload

_EPSILON = 1e-6


class VitConfig(ImageConfig):
    """Knobs of a vision transformer."""

    patch_size: int = Field(default=16, ge=1, description="Height and width of a patch; divides the image.")
    layers: Repeats = Field(default=12, description="Encoder layers.")
    width: int = Field(default=768, ge=1, description="Width of a token.")
    heads: int = Field(default=12, ge=1, description="Attention heads; divides the width.")
    feed_forward_ratio: int = Field(
        default=4, ge=1, description="Width inside the feed-forward layers, as a multiple of the width."
    )

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.width % self.heads:
            raise ValueError(f"heads {self.heads} does not divide width {self.width}")
        if self.image_size % self.patch_size:
            raise ValueError(f"patch_size {self.patch_size} does not divide image_size {self.image_size}")
        return self


def build(config: VitConfig) -> Graph:
    """Return a vision transformer that classifies by its class token."""
    b = start("vit", config)
    x = _embeddings(b, config)
    for index in range(config.layers):
        name = f"layer{index}"
        normed = layer_norm(b, x, f"{name}.norm1", epsilon=_EPSILON)
        mixed, _ = self_attention(b, normed, config.heads, f"{name}.attention", fused=True)
        x = b.sum(x, mixed, f"{name}.attention.residual")
        normed = layer_norm(b, x, f"{name}.norm2", epsilon=_EPSILON)
        hidden = config.feed_forward_ratio * config.width
        out = feed_forward(b, normed, hidden, "gelu", f"{name}.feed_forward")
        x = b.sum(x, out, f"{name}.feed_forward.residual")
    x = layer_norm(b, x, "norm", epsilon=_EPSILON)
    first = first_token(b, x, "head.first")
    b.output(b.linear(first, config.classes, name="head"))
    return b.build()


def _embeddings(b: GraphBuilder, config: VitConfig) -> str:
    image = b.input("image", (config.batch, config.image_channels, config.image_size, config.image_size))
    x = b.conv(image, config.width, config.patch_size, stride=config.patch_size, name="patches")
    count = (config.image_size // config.patch_size) ** 2
    x = b.reshape(x, (config.batch, config.width, count), "patches.flatten")
    x = b.transpose(x, (0, 2, 1), "patches.tokens")
    token = b.weight("class_token", (1, 1, config.width))
    if config.batch > 1:
        token = b.add("expand", (token,), name="class_token.expand", shape=(config.batch, 1, config.width))
    x = b.concatenate((token, x), 1, "tokens")
    return b.sum(x, b.weight("positions", (1, count + 1, config.width)), "add_positions")


WORKLOADS = (
    Workload(
        name="vit",
        description="Vision transformers with a class token",
        config=VitConfig,
        build=build,
        presets={
            "vit_b16": VitConfig(),
            "deit_tiny": VitConfig(width=192, heads=3),
            "deit_small": VitConfig(width=384, heads=6),
        },
        source="huggingface/pytorch-image-models (timm); parameter counts read there",
    ),
)
