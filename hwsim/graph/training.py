"""One training step of a network: its forward pass, and gradients of activations and weights as operators."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from hwsim.errors import GraphError, Problem
from hwsim.graph.build import GraphBuilder
from hwsim.graph.types import Graph, Op, Phase, Role, Tensor


def training_step(graph: Graph) -> Graph:
    """Return `graph` with the operators that compute the gradients of its inputs' successors and weights.

    The gradient of the loss with respect to each output is a new input ``gradient.NAME``; outputs are those
    of `graph` and one gradient per weight, in the order of use. No gradient is computed for network inputs.
    A convolution takes as many MACs for each of both gradients as forwards (up to its padding); the gradient
    of a maximum goes to every element that equals it.

    Raises
    ------
    GraphError
        Every operator that has no gradient here, with the reason.
    """
    problems = [
        Problem(f"{graph.name}.{op.name}", reason) for op in graph.ops if (reason := _missing(graph, op))
    ]
    if problems:
        raise GraphError(problems=problems)
    step = _Step(graph, _copied(graph))
    for name in graph.outputs:
        shape = graph.tensors[name].shape
        step.gradients[name] = [
            step.builder.input(f"gradient.{name}", shape, format=graph.tensors[name].format)
        ]
    for op in reversed(graph.ops):
        gradient = step.gradient_of(op.outputs[0])
        if gradient:
            _RULES[op.kind](step, op, gradient)
    step.builder.output(*graph.outputs)
    weights = [
        name for op in graph.ops for name in op.inputs if name and graph.tensors[name].role is Role.WEIGHT
    ]
    step.builder.output(*(found for name in dict.fromkeys(weights) if (found := step.gradient_of(name))))
    return step.builder.build()


@dataclass(slots=True)
class _Step:
    """A graph being extended, and the gradients that were collected for each of its tensors."""

    graph: Graph
    builder: GraphBuilder
    gradients: dict[str, list[str]] = field(default_factory=dict)

    def wanted(self, name: str) -> bool:
        """Return whether anything asks for the gradient of a tensor."""
        return self.graph.tensors[name].role in (Role.WEIGHT, Role.ACTIVATION)

    def give(self, name: str, gradient: str) -> None:
        """Add a part of the gradient of tensor `name`."""
        self.gradients.setdefault(name, []).append(gradient)

    def gradient_of(self, name: str) -> str:
        """Return the sum of all parts, "" if there are none."""
        parts = self.gradients.get(name, [])
        while len(parts) > 1:
            total = self.builder.add(
                "elementwise",
                parts[:2],
                function="add",
                phase=Phase.INPUT_GRADIENT,
                name=self.builder.unique(f"{name}.gradient_sum"),
            )
            parts = [total, *parts[2:]]
        self.gradients[name] = parts
        return parts[0] if parts else ""

    def tensor(self, name: str) -> Tensor:
        """Return a tensor of the graph that is being extended."""
        return self.builder.tensor(name)


def _copied(graph: Graph) -> GraphBuilder:
    b = GraphBuilder(graph.name, provenance=graph.provenance)
    declare = {Role.INPUT: b.input, Role.WEIGHT: b.weight, Role.CONSTANT: b.constant, Role.STATE: b.state}
    for name, tensor in graph.tensors.items():
        if tensor.role in declare:
            declare[tensor.role](name, tensor.shape, format=tensor.format)
    for op in graph.ops:
        formats = [graph.tensors[name].format for name in op.outputs]
        b.add(
            op.kind,
            op.inputs,
            name=op.name,
            outputs=op.outputs,
            format=formats,
            origin=op.origin,
            phase=op.phase,
            **op.attributes,  # type: ignore[arg-type]
        )
    return b


def _missing(graph: Graph, op: Op) -> str:
    if op.kind not in _RULES:
        return f"{op.kind} has no gradient here; known are {', '.join(_RULES)}"
    if op.kind == "elementwise" and op.attributes["function"] not in ("relu", "add"):
        return f"the function {op.attributes['function']!r} has no gradient here; relu and add have"
    if op.kind == "convolution" and op.attributes["groups"] != 1:
        return "a grouped convolution has no gradient here"
    if op.kind == "gemm" and (op.attributes["trans_a"], op.attributes["trans_b"]) != (False, True):
        return "only a gemm with weights [outputs, inputs] has a gradient here"
    if op.kind == "max_pool" and (
        op.attributes["kernel"] != op.attributes["strides"] or any(_ints(op, "pads"))
    ):
        return "only pools whose windows do not overlap have a gradient here"
    return ""


def _ints(op: Op, name: str) -> tuple[int, ...]:
    return tuple(int(value) for value in op.attributes[name])  # type: ignore[union-attr]


def _convolution(step: _Step, op: Op, gradient: str) -> None:
    """Add dX, a transposed convolution with the same weights, and dW, which correlates input and gradient."""
    b, (x, w) = step.builder, op.inputs[:2]
    strides, pads, dilations = _ints(op, "strides"), _ints(op, "pads"), _ints(op, "dilations")
    axes = len(strides)
    swap = (1, 0, *range(2, axes + 2))
    if step.wanted(x):
        size, kernel = step.tensor(gradient).shape[2:], step.tensor(w).shape[2:]
        reached = [
            (size[i] - 1) * strides[i] + (kernel[i] - 1) * dilations[i] + 1 - pads[i] - pads[axes + i]
            for i in range(axes)
        ]
        rest = tuple(whole - part for whole, part in zip(step.tensor(x).shape[2:], reached, strict=True))
        step.give(
            x,
            b.add(
                "transposed_convolution",
                [gradient, w],
                name=f"{op.name}.input_gradient",
                strides=strides,
                pads=pads,
                dilations=dilations,
                output_pads=rest,
                phase=Phase.INPUT_GRADIENT,
            ),
        )
    turned = [
        b.add(
            "transpose", name, name=f"{op.name}.{word}_turned", permutation=swap, phase=Phase.WEIGHT_GRADIENT
        )
        for name, word in ((x, "input"), (gradient, "gradient"))
    ]
    found = b.add(
        "convolution",
        turned,
        name=f"{op.name}.weight_gradient",
        strides=dilations,
        pads=pads,
        dilations=strides,
        phase=Phase.WEIGHT_GRADIENT,
    )
    kernel = step.tensor(w).shape[2:]
    if step.tensor(found).shape[2:] != kernel:
        found = b.add(
            "slice",
            found,
            name=f"{op.name}.weight_gradient_cut",
            starts=(0,) * axes,
            ends=kernel,
            axes=tuple(range(2, axes + 2)),
            phase=Phase.WEIGHT_GRADIENT,
        )
    step.give(
        w, b.add("transpose", found, name=f"{w}.gradient", permutation=swap, phase=Phase.WEIGHT_GRADIENT)
    )
    _bias(step, op, gradient, (0, *range(2, axes + 2)))


def _gemm(step: _Step, op: Op, gradient: str) -> None:
    b, (x, w) = step.builder, op.inputs[:2]
    if step.wanted(x):
        step.give(
            x, b.add("gemm", [gradient, w], name=f"{op.name}.input_gradient", phase=Phase.INPUT_GRADIENT)
        )
    step.give(
        w, b.add("gemm", [gradient, x], name=f"{w}.gradient", trans_a=True, phase=Phase.WEIGHT_GRADIENT)
    )
    _bias(step, op, gradient, (0,))


def _bias(step: _Step, op: Op, gradient: str, axes: tuple[int, ...]) -> None:
    if len(op.inputs) > 2 and op.inputs[2]:
        step.give(
            op.inputs[2],
            step.builder.add(
                "reduce",
                gradient,
                name=f"{op.inputs[2]}.gradient",
                function="sum",
                axes=axes,
                keep_dims=False,
                phase=Phase.WEIGHT_GRADIENT,
            ),
        )


def _elementwise(step: _Step, op: Op, gradient: str) -> None:
    if op.attributes["function"] == "add":
        for name in op.inputs:
            if step.tensor(name).shape != step.tensor(gradient).shape:
                raise GraphError(
                    "a sum that broadcasts has no gradient here", where=f"{step.graph.name}.{op.name}"
                )
            if step.wanted(name):
                step.give(name, gradient)
        return
    if step.wanted(op.inputs[0]):
        b = step.builder
        passed = b.add(
            "elementwise",
            op.outputs[0],
            name=f"{op.name}.passed",
            function="sign",
            phase=Phase.INPUT_GRADIENT,
        )
        step.give(
            op.inputs[0],
            b.add(
                "elementwise",
                [gradient, passed],
                name=f"{op.name}.input_gradient",
                function="multiply",
                phase=Phase.INPUT_GRADIENT,
            ),
        )


def _max_pool(step: _Step, op: Op, gradient: str) -> None:
    """Give the gradient of a window to the elements that equal its maximum."""
    x = op.inputs[0]
    if not step.wanted(x):
        return
    b, shape = step.builder, step.tensor(x).shape
    spread = []
    for name, word in ((op.outputs[0], "maximum"), (gradient, "gradient")):
        sizes = tuple(
            size * stride
            for size, stride in zip(step.tensor(name).shape[2:], _ints(op, "strides"), strict=True)
        )
        wide = b.add(
            "resize",
            name,
            name=f"{op.name}.{word}_spread",
            sizes=(*shape[:2], *sizes),
            phase=Phase.INPUT_GRADIENT,
        )
        if sizes != shape[2:]:
            pads = (0,) * (len(shape) + 2) + tuple(
                whole - part for whole, part in zip(shape[2:], sizes, strict=True)
            )
            wide = b.add("pad", wide, name=f"{op.name}.{word}_padded", pads=pads, phase=Phase.INPUT_GRADIENT)
        spread.append(wide)
    chosen = b.add(
        "elementwise", [x, spread[0]], name=f"{op.name}.chosen", function="equal", phase=Phase.INPUT_GRADIENT
    )
    step.give(
        x,
        b.add(
            "elementwise",
            [spread[1], chosen],
            name=f"{op.name}.input_gradient",
            function="multiply",
            format=step.tensor(x).format,
            phase=Phase.INPUT_GRADIENT,
        ),
    )


def _reshape(step: _Step, op: Op, gradient: str) -> None:
    if step.wanted(op.inputs[0]):
        step.give(
            op.inputs[0],
            step.builder.add(
                "reshape",
                gradient,
                name=f"{op.name}.input_gradient",
                shape=step.tensor(op.inputs[0]).shape,
                phase=Phase.INPUT_GRADIENT,
            ),
        )


_RULES: Mapping[str, Callable[[_Step, Op, str], None]] = {
    "convolution": _convolution,
    "gemm": _gemm,
    "elementwise": _elementwise,
    "max_pool": _max_pool,
    "reshape": _reshape,
}
