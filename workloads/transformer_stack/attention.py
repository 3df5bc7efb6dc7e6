"""Attention of one sequence to another, which decoders need and the shared self-attention does not offer."""

from __future__ import annotations

from hwsim.graph.build import GraphBuilder
from workloads.layers import scale


def cross_attention(b: GraphBuilder, x: str, memory: str, heads: int, name: str) -> str:
    """Add multi-head attention from `x` to `memory`, its output projection included.

    Parameters
    ----------
    b : GraphBuilder
    x : str
        Tensor [batch, tokens, width], which asks.
    memory : str
        Tensor [batch, memory tokens, width], which answers.
    heads : int
        Number of heads; divides the width.
    name : str
        Prefix of the operators.

    Returns
    -------
    str
        Tensor [batch, tokens, width].
    """
    batch, tokens, width = b.tensor(x).shape
    query = _heads(b, b.linear(x, width, name=f"{name}.query"), heads, f"{name}.query_heads")
    key = _heads(b, b.linear(memory, width, name=f"{name}.key"), heads, f"{name}.key_heads")
    value = _heads(b, b.linear(memory, width, name=f"{name}.value"), heads, f"{name}.value_heads")
    scores = scale(b, b.matmul(query, key, transpose_b=True, name=f"{name}.scores"), f"{name}.scale")
    mixed = b.matmul(b.softmax(scores, name=f"{name}.softmax"), value, name=f"{name}.mix")
    joined = b.transpose(mixed, (0, 2, 1, 3), f"{name}.join")
    joined = b.reshape(joined, (batch, tokens, width), f"{name}.join_heads")
    return b.linear(joined, width, name=f"{name}.output")


def _heads(b: GraphBuilder, x: str, heads: int, name: str) -> str:
    batch, tokens, width = b.tensor(x).shape
    parted = b.reshape(x, (batch, tokens, heads, width // heads), f"{name}.part")
    return b.transpose(parted, (0, 2, 1, 3), name)
