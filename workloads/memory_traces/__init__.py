"""Sequences of memory accesses: uniform ones, and those of a small matrix product."""

from __future__ import annotations

from typing import Literal

import numpy as np
from pydantic import Field

from hwsim.graph.types import FormatKind, Graph, NumberFormat
from workloads.layers import start
from workloads.types import Workload, WorkloadConfig


class MemoryTraceConfig(WorkloadConfig):
    """Knobs of a sequence of accesses."""

    batch: Literal[1] = Field(default=1, description="A sequence is one sequence.")
    pattern: Literal["uniform", "matrix_product"] = Field(
        default="uniform",
        description="uniform: every word equally often, in random order; matrix_product: C = A B, one word "
        "an element, innermost over the shared axis.",
    )
    words: int = Field(default=64, ge=1, le=2**20, description="Words of a uniform sequence.")
    accesses: int = Field(default=10_000, ge=1, le=2**24, description="Accesses of a uniform sequence.")
    write_ratio: float = Field(default=0.0, ge=0, le=1, description="Share of writes in a uniform sequence.")
    seed: int = Field(default=0, ge=0, description="Of the uniform sequence.")
    size: int = Field(default=6, ge=1, le=64, description="Rows and columns of the matrices.")


def build(config: MemoryTraceConfig) -> Graph:
    """Return a network of one operator ``memory_accesses``."""
    b = start("memory_traces", config)
    b.format = NumberFormat(FormatKind.UNSIGNED, 32)
    words, writes, count = _uniform(config) if config.pattern == "uniform" else _matrix_product(config.size)
    b.output(
        b.add("memory_accesses", b.input("words", (count,)), name="accesses", words=words, writes=writes)
    )
    return b.build()


def _uniform(config: MemoryTraceConfig) -> tuple[tuple[int, ...], tuple[int, ...], int]:
    rng = np.random.default_rng(config.seed)
    words = rng.integers(0, config.words, config.accesses).tolist()
    writes = (rng.random(config.accesses) < config.write_ratio).astype(int).tolist()
    return tuple(words), tuple(writes), config.words


def _matrix_product(n: int) -> tuple[tuple[int, ...], tuple[int, ...], int]:
    words: list[int] = []
    writes: list[int] = []
    for i in range(n):
        for j in range(n):
            for k in range(n):
                words += [i * n + k, n * n + k * n + j]
            words.append(2 * n * n + i * n + j)
            writes += [0] * (2 * n) + [1]
    return tuple(words), tuple(writes), 3 * n * n


WORKLOADS = (
    Workload(
        name="memory_traces",
        description="Sequences of memory accesses, for memories that are costed by their order",
        config=MemoryTraceConfig,
        build=build,
        presets={
            "uniform_accesses": MemoryTraceConfig(),
            "matrix_product_accesses": MemoryTraceConfig(pattern="matrix_product"),
        },
        source="made here: uniform targets, and the loop nest of a matrix product",
    ),
)
