"""One iteration as read from a file -> all iterations of the design, by its rule, with its weights."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from accelerators.min_sum_decoder.design import MinSumDesign, Rule, Sharing
from hwsim.graph.types import FormatKind, Graph, NumberFormat, Op, Role, Tensor


def prepare(graph: Graph, design: MinSumDesign) -> Graph:
    """Return `graph` in integer LLRs, with the rule of the design and every iteration written out.

    A network of one ``check_nodes`` and one ``variable_nodes`` that reads it is one iteration and is repeated
    ``design.iterations`` times: iteration t reads the totals and messages of iteration t - 1. The first reads
    the channel's LLRs and a message memory that starts at zero. Any other network keeps its operators.
    """
    formatted = _integers(graph, design)
    ops = formatted.ops
    once = len(ops) == 2 and ops[0].kind == "check_nodes" and ops[1].kind == "variable_nodes"
    if not once or ops[1].inputs != (ops[0].inputs[0], ops[0].outputs[0]):
        return _by_rule(formatted, design)
    if len(ops[0].inputs) > 2:
        return _by_rule(formatted, design)
    return _by_rule(_repeated(formatted, design.iterations), design)


def message_format(design: MinSumDesign) -> NumberFormat:
    """Return the format of LLRs and messages."""
    return NumberFormat(FormatKind.INTEGER, design.llr_bits)


def total_bits(degree: int, design: MinSumDesign) -> int:
    """Return the bits of the exact total of one channel LLR and `degree` messages."""
    return (design.largest * (degree + 1)).bit_length() + 1


def _integers(graph: Graph, design: MinSumDesign) -> Graph:
    """Give totals the width that no sum exceeds, and all else of the decoder the width of a message."""
    form = message_format(design)
    tensors = dict(graph.tensors)
    for op in (op for op in graph.ops if op.kind in ("check_nodes", "variable_nodes")):
        for name in (*op.inputs[:2], *op.outputs):
            tensors[name] = replace(tensors[name], format=form)
    for op in (op for op in graph.ops if op.kind == "variable_nodes"):
        widest = max(Counter(op.ints("variables")).values(), default=0)
        wide = NumberFormat(FormatKind.INTEGER, total_bits(widest, design))
        tensors[op.outputs[0]] = replace(tensors[op.outputs[0]], format=wide)
    return replace(graph, tensors=tensors)


def _repeated(graph: Graph, iterations: int) -> Graph:
    checks, variables = graph.ops
    llr, messages = checks.inputs[:2]
    told, total = checks.outputs[0], variables.outputs[0]
    kept = {name: tensor for name, tensor in graph.tensors.items() if name not in (told, total)}
    ops: list[Op] = []
    totals = llr
    for t in range(1, iterations + 1):
        new = {told: f"{told}_{t}", total: f"{total}_{t}"}
        kept |= {new[name]: replace(graph.tensors[name], name=new[name]) for name in new}
        ops += [
            replace(checks, name=f"{checks.name}_{t}", inputs=(totals, messages), outputs=(new[told],)),
            replace(variables, name=f"{variables.name}_{t}", inputs=(llr, new[told]), outputs=(new[total],)),
        ]
        totals, messages = new[total], new[told]
    return replace(graph, tensors=kept, ops=tuple(ops), outputs=(totals,))


def _by_rule(graph: Graph, design: MinSumDesign) -> Graph:
    """Give every ``check_nodes`` the rule and search of the design, and the weights that they need."""
    tensors = dict(graph.tensors)
    ops = []
    for op in graph.ops:
        if op.kind != "check_nodes":
            ops.append(op)
            continue
        weights = _weights(op, design)
        if weights is not None:
            tensors[weights.name] = weights
        settings = {"rule": design.rule.value, "search": design.search.value}
        inputs = (*op.inputs[:2], weights.name) if weights else op.inputs[:2]
        ops.append(replace(op, inputs=inputs, attributes=dict(op.attributes) | settings))
    read = {name for op in ops for name in op.inputs} | {name for op in ops for name in op.outputs}
    used = {
        name: tensor
        for name, tensor in tensors.items()
        if name in read or name in graph.inputs or name in graph.outputs
    }
    return replace(graph, tensors=used, ops=tuple(ops))


def _weights(op: Op, design: MinSumDesign) -> Tensor | None:
    """Return the weights of one ``check_nodes``; those shared by iterations carry one name."""
    if not design.weighted:
        return None
    kind = FormatKind.UNSIGNED
    own = f"{op.name}.weights" if design.weight_sharing is Sharing.NONE else "weights"
    shape = () if design.weight_sharing is Sharing.ALL else (len(op.ints("variables")),)
    name = "offsets" if design.rule is Rule.OFFSET_MIN_SUM else "factors"
    return Tensor(own.replace("weights", name), shape, NumberFormat(kind, design.weight_bits), Role.WEIGHT)
