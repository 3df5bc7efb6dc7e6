"""Layers that several networks need and that the graph builder does not bring along."""

from __future__ import annotations

from hwsim.graph.build import GraphBuilder
from hwsim.graph.types import INT64, NumberFormat, Sparsity
from workloads.types import WorkloadConfig


def start(name: str, config: WorkloadConfig) -> GraphBuilder:
    """Return an empty builder whose graph will say which configuration it was built from."""
    provenance = {"workload": name, "configuration": config.model_dump_json()}
    return GraphBuilder(name, format=config.number_format, provenance=provenance)


def layer_norm(b: GraphBuilder, x: str, name: str, *, epsilon: float) -> str:
    """Add a layer normalization over the last axis, with scale and shift."""
    width = (b.tensor(x).shape[-1],)
    operands = (x, b.weight(f"{name}.scale", width), b.weight(f"{name}.bias", width))
    return b.add("layer_normalization", operands, name=name, axis=-1, epsilon=epsilon)


def local_response_norm(b: GraphBuilder, x: str, name: str) -> str:
    """Add a local response normalization over five neighbouring channels (Krizhevsky et al. 2012)."""
    return b.add("local_response_normalization", x, name=name, size=5)


def relu6(b: GraphBuilder, x: str, name: str) -> str:
    """Add min(max(x, 0), 6)."""
    return b.add("elementwise", x, name=name, function="clip", parameters=(0.0, 6.0))


def scale(b: GraphBuilder, x: str, name: str) -> str:
    """Add a multiplication by one constant."""
    factor = b.constant(f"{name}.factor", (), format=b.tensor(x).format)
    return b.elementwise("multiply", x, factor, name=name)


def global_pool(b: GraphBuilder, x: str, name: str) -> str:
    """Add the mean over each map: [N, C, H, W] to [N, C]."""
    return b.flatten(b.global_average_pool(x, name), f"{name}.flatten")


def split(b: GraphBuilder, x: str, parts: int, axis: int, name: str) -> tuple[str, ...]:
    """Add `parts` equal pieces of a tensor along `axis`."""
    size = b.tensor(x).shape[axis] // parts
    names = [f"{name}.{index}" for index in range(parts)]
    return b.add_many("split", x, name=name, outputs=names, axis=axis, sizes=(size,) * parts)


def first_token(b: GraphBuilder, x: str, name: str) -> str:
    """Add the first token of every sample: [batch, tokens, width] to [batch, width]."""
    batch, _, width = b.tensor(x).shape
    taken = b.add("slice", x, name=name, starts=(0,), ends=(1,), axes=(1,))
    return b.reshape(taken, (batch, width), f"{name}.reshape")


def subsample(b: GraphBuilder, x: str, stride: int, name: str) -> str:
    """Add every `stride`-th row and column of each map."""
    _, _, height, width = b.tensor(x).shape
    return b.add(
        "slice", x, name=name, starts=(0, 0), ends=(height, width), axes=(2, 3), steps=(stride, stride)
    )


def pad_channels(b: GraphBuilder, x: str, channels: int, name: str) -> str:
    """Add zero channels, half before and half after, until there are `channels`."""
    missing = channels - b.tensor(x).shape[1]
    before = missing // 2
    return b.add("pad", x, name=name, pads=(0, before, 0, 0, 0, missing - before, 0, 0))


def position_embedding(b: GraphBuilder, tokens: int, rows: int, width: int, name: str) -> str:
    """Add the rows that `tokens` constant positions name in a learned table [rows, width]."""
    return b.embedding(b.constant(f"{name}.ids", (tokens,), format=INT64), rows, width, name)


def one_hot(b: GraphBuilder, indices: str, depth: int, name: str, number_format: NumberFormat) -> str:
    """Add a last axis of `depth` entries: one at the index, zero elsewhere."""
    return b.add("one_hot", indices, name=name, depth=depth, format=number_format)


def linear(
    b: GraphBuilder, x: str, features: int, name: str, *, bias: bool = True, sparsity: float = 0.0
) -> str:
    """Add a linear layer on [batch, width] of which `sparsity` of the connections are not there."""
    if not sparsity:
        return b.linear(x, features, bias=bias, name=name)
    kept = Sparsity(round(1.0 - sparsity, 12))
    operands = [x, b.weight(f"{name}.weight", (features, b.tensor(x).shape[1]), sparsity=kept)]
    operands += [b.weight(f"{name}.bias", (features,))] if bias else []
    return b.add("gemm", operands, name=name, trans_b=True)


def lstm(b: GraphBuilder, x: str, hidden: int, name: str, *, last_only: bool = False) -> str:
    """Add an LSTM over [steps, batch, width] with two bias vectors and a zero initial state.

    Returns
    -------
    str
        All states [steps, batch, hidden], or the last one [batch, hidden].
    """
    steps, batch, width = b.tensor(x).shape
    operands = (
        x,
        b.weight(f"{name}.weight", (1, 4 * hidden, width)),
        b.weight(f"{name}.recurrence", (1, 4 * hidden, hidden)),
        b.weight(f"{name}.bias", (1, 8 * hidden)),
    )
    names = ("", f"{name}.last") if last_only else (name,)
    states = b.add_many("lstm", operands, name=name, outputs=names, hidden_size=hidden)[-1]
    shape = (batch, hidden) if last_only else (steps, batch, hidden)
    return b.reshape(states, shape, f"{name}.squeeze")
