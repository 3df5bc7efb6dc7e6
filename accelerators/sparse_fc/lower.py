"""Graph -> trace for the sparsely-connected layer engine."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from accelerators.sparse_fc.design import SparseFcDesign
from accelerators.sparse_fc.mapping import NeuronLayer, head_of, layer_of
from hwsim.errors import InputError, Problem
from hwsim.graph.ops import op_kind, work_of
from hwsim.graph.types import Graph, Op
from hwsim.trace import Trace, TraceBuilder

PRUNED = "pruned connections"


def lower(graph: Graph, design: SparseFcDesign) -> Trace:
    """Return the trace of `graph` on `design`, layer after layer.

    Cycles of a layer are inputs x passes x samples; dropped connections save memory, never time.

    Raises
    ------
    InputError
        With every layer that lacks seeds or disagrees on its sparsity, or if the kept weights of the network
        do not fit the memories.
    """
    layers: dict[str, NeuronLayer] = {}
    problems: list[Problem] = []
    for op in graph.ops:
        if op.kind not in ("gemm", "matmul"):
            continue
        try:
            layers[op.name] = layer_of(graph, op, design)
        except InputError as error:
            problems += [Problem(f"{graph.name}.{op.name}", p.reason, p.hint) for p in error.problems]
    problems += _memory_problems(graph, layers, design)
    if problems:
        raise InputError(problems=problems)
    build = TraceBuilder()
    for op in graph.ops:
        build.node(op.name)
        if op.name in layers:
            write_layer(build, graph, layers[op.name], design)
        elif op.kind == "offload":
            _write_offload(build, graph, op, design)
        elif op_kind(op.kind).aliases or not any(op.inputs):
            build.note(op.name, "mapping", "no data moves")
        else:
            build.note(op.name, "fused_into", head_of(graph, op))
            _write_stage(build, graph, op)
    return build.build()


def write_layer(build: TraceBuilder, graph: Graph, layer: NeuronLayer, design: SparseFcDesign) -> None:
    """Write a layer: every input is broadcast once a pass, and every neuron in use sees it."""
    op, kept = layer.op, layer.rows * sum(layer.kept)
    seen = layer.rows * layer.inputs * layer.columns
    with build.loop(1, node=op.name):
        with build.loop(layer.rows * layer.passes(design.neurons)):
            build.event("input_bus", "broadcast", layer.inputs, bits=design.activation_bits)
        for unit, action, count, bits in (
            ("neuron", "clock", seen, 0),
            ("lfsr", "shift", seen if layer.sparsity_ratio else 0, 0),
            ("weight_memory", "clock", seen, 0),
            ("weight_memory", "read", kept, design.weights.bits),
            ("neuron", "mac", kept, 0),
        ):
            if count:
                build.event(unit, action, count, bits=bits)
        _write_stage(build, graph, op)
    if seen > kept:
        build.skip(op.name, PRUNED, seen - kept)
    build.note(op.name, "mapping", layer.describe(design))


def _write_stage(build: TraceBuilder, graph: Graph, op: Op) -> None:
    for name, count in work_of(graph, op).primitives.items():
        build.event("output_stage", name, count, node=op.name)


def _write_offload(build: TraceBuilder, graph: Graph, op: Op, design: SparseFcDesign) -> None:
    names = [*dict.fromkeys(op.inputs), *op.outputs]
    words = sum(-(-graph.tensors[name].bits // design.activation_bits) for name in names)
    if not op.int("moves") or not words:
        build.note(op.name, "mapping", "no data moves")
        return
    with build.loop(1, node=op.name):
        build.event("input_bus", "broadcast", words, bits=design.activation_bits)


def bits_per_neuron(layers: Mapping[str, NeuronLayer], design: SparseFcDesign) -> NDArray[np.int64]:
    """Return int64[neurons in use]: weight bits that each neuron stores; tied weights are stored once."""
    once = {layer.weight: layer for layer in layers.values()}
    used = min(design.neurons, max((layer.columns for layer in once.values()), default=1))
    words = np.zeros(used, dtype=np.int64)
    for layer in once.values():
        np.add.at(words, np.arange(layer.columns) % design.neurons, np.array(layer.kept, dtype=np.int64))
    return words * design.weights.bits


def _memory_problems(
    graph: Graph, layers: Mapping[str, NeuronLayer], design: SparseFcDesign
) -> list[Problem]:
    needed, room = int(bits_per_neuron(layers, design).max(initial=0)), design.weight_memory_bits
    if needed <= room:
        return []
    reason = f"a neuron has to store {needed} bits of kept weights, and weight_memory_bits is {room}"
    return [
        Problem(graph.name, reason, f"set weight_memory_bits={needed}, or more neurons, or more sparsity")
    ]
