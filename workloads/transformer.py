"""The parts that transformer networks share: self-attention and the feed-forward layers."""

from __future__ import annotations

from dataclasses import dataclass

from hwsim.graph.build import GraphBuilder
from workloads.layers import scale, split


@dataclass(frozen=True, slots=True)
class Cache:
    """Keys and values of earlier tokens, each [batch, heads, past tokens, head width], by tensor name."""

    keys: str
    values: str


def self_attention(
    b: GraphBuilder, x: str, heads: int, name: str, *, fused: bool, mask: str = "", cache: Cache | None = None
) -> tuple[str, Cache]:
    """Add multi-head self-attention, its output projection included.

    Per head: softmax(Q K^T / sqrt(head width)) V (Vaswani et al. 2017, equation 1).

    Parameters
    ----------
    b : GraphBuilder
    x : str
        Tensor [batch, tokens, width].
    heads : int
        Number of heads; divides the width.
    name : str
        Prefix of the operators.
    fused : bool
        One linear layer for queries, keys and values instead of three.
    mask : str, optional
        Boolean tensor [tokens, past tokens + tokens]; scores where it is false become minus infinity.
    cache : Cache, optional
        Keys and values of earlier tokens.

    Returns
    -------
    str
        Tensor [batch, tokens, width].
    Cache
        Keys and values of all tokens, the new ones last.
    """
    batch, tokens, width = b.tensor(x).shape
    if fused:
        joint = b.linear(x, 3 * width, name=f"{name}.qkv")
        parts = split(b, joint, 3, 2, f"{name}.split")
    else:
        parts = tuple(b.linear(x, width, name=f"{name}.{part}") for part in ("query", "key", "value"))
    query, key, value = (
        _heads(b, part, heads, f"{name}.{label}")
        for part, label in zip(parts, ("query_heads", "key_heads", "value_heads"), strict=True)
    )
    if cache is not None:
        key = b.concatenate((cache.keys, key), 2, f"{name}.all_keys")
        value = b.concatenate((cache.values, value), 2, f"{name}.all_values")
    scores = b.matmul(query, key, transpose_b=True, name=f"{name}.scores")
    scores = scale(b, scores, f"{name}.scale")
    if mask:
        scores = _masked(b, scores, mask, f"{name}.mask")
    mixed = b.matmul(b.softmax(scores, name=f"{name}.softmax"), value, name=f"{name}.mix")
    joined = b.transpose(mixed, (0, 2, 1, 3), f"{name}.join")
    joined = b.reshape(joined, (batch, tokens, width), f"{name}.join_heads")
    return b.linear(joined, width, name=f"{name}.output"), Cache(key, value)


def feed_forward(b: GraphBuilder, x: str, hidden: int, function: str, name: str) -> str:
    """Add two linear layers with an activation between them: [..., width] to [..., width]."""
    width = b.tensor(x).shape[-1]
    inner = b.elementwise(function, b.linear(x, hidden, name=f"{name}.up"), name=f"{name}.{function}")
    return b.linear(inner, width, name=f"{name}.down")


def _heads(b: GraphBuilder, x: str, heads: int, name: str) -> str:
    batch, tokens, width = b.tensor(x).shape
    parted = b.reshape(x, (batch, tokens, heads, width // heads), f"{name}.part")
    return b.transpose(parted, (0, 2, 1, 3), name)


def _masked(b: GraphBuilder, scores: str, mask: str, name: str) -> str:
    lowest = b.constant(f"{name}.minus_infinity", (), format=b.tensor(scores).format)
    return b.add(
        "elementwise", (mask, scores, lowest), name=name, function="where", format=b.tensor(scores).format
    )
