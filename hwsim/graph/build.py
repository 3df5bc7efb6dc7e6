"""Builds a graph one operator at a time, with shapes inferred and names made unique."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from hwsim.errors import GraphError, HwsimError, Problem, nearest
from hwsim.graph import layers
from hwsim.graph.ops import OpKind, complete_attributes, describe_operands, infer_shapes, op_kind
from hwsim.graph.ops.kinds import as_int, show
from hwsim.graph.types import (
    FLOAT32,
    INT64,
    AttributeValue,
    Graph,
    NumberFormat,
    Op,
    Phase,
    Role,
    Shape,
    Sparsity,
    Tensor,
)
from hwsim.graph.verify import verify_graph


class GraphBuilder(layers.Layers):
    """Collects tensors and operators and returns a verified graph.

    Parameters
    ----------
    name : str
        Name of the network.
    format : NumberFormat
        Format of inputs and weights that state none.
    provenance : mapping of str to str
        Where the network comes from.

    Examples
    --------
    >>> builder = GraphBuilder("tiny")
    >>> x = builder.input("image", (1, 3, 8, 8))
    >>> builder.output(builder.relu(builder.conv(x, 4, 3, padding=1)))
    >>> builder.build().tensors["relu_1"].shape
    (1, 4, 8, 8)
    """

    def __init__(self, name: str, *, format: NumberFormat = FLOAT32,
                 provenance: Mapping[str, str] | None = None) -> None:
        self.name = name
        self.format = format
        self.provenance = dict(provenance or {})
        self._tensors: dict[str, Tensor] = {}
        self._ops: dict[str, Op] = {}
        self._inputs: list[str] = []
        self._outputs: list[str] = []
        self._counters: dict[str, int] = {}

    def input(self, name: str, shape: Sequence[int], *, format: NumberFormat | None = None) -> str:
        """Declare a tensor that the network is fed with; returns its name."""
        self._inputs.append(self._declare(name, shape, format or self.format, Role.INPUT))
        return name

    def weight(self, name: str, shape: Sequence[int], *, format: NumberFormat | None = None,
               sparsity: Sparsity | None = None) -> str:
        """Declare a parameter tensor; returns its name."""
        return self._declare(name, shape, format or self.format, Role.WEIGHT, sparsity)

    def constant(self, name: str, shape: Sequence[int], *, format: NumberFormat = INT64) -> str:
        """Declare a tensor that is fixed but no parameter (indices, masks, running statistics)."""
        return self._declare(name, shape, format, Role.CONSTANT)

    def state(self, name: str, shape: Sequence[int], *, format: NumberFormat | None = None) -> str:
        """Declare a tensor that is carried from one step to the next; returns its name."""
        return self._declare(name, shape, format or self.format, Role.STATE)

    def tensor(self, name: str) -> Tensor:
        """Return the tensor called `name`; GraphError with the nearest name otherwise."""
        if name not in self._tensors:
            raise GraphError(f"unknown tensor {name!r}", where=self.name, hint=nearest(name, self._tensors))
        return self._tensors[name]

    def shape(self, name: str) -> Shape:
        """Return the shape of the tensor called `name`."""
        return self.tensor(name).shape

    def has_tensor(self, name: str) -> bool:
        """Return whether a tensor called `name` has been declared or computed."""
        return name in self._tensors

    def unique(self, stem: str) -> str:
        """Return ``stem_1``, ``stem_2``, ...: the next name that no tensor and no operator has."""
        while True:
            self._counters[stem] = self._counters.get(stem, 0) + 1
            name = f"{stem}_{self._counters[stem]}"
            if name not in self._tensors and name not in self._ops:
                return name

    def add(self, kind: str, inputs: Sequence[str] | str, *, name: str = "", outputs: int | Sequence[str] = 1,
            format: NumberFormat | Sequence[NumberFormat] | None = None, origin: str = "",
            probability: float = 1.0, phase: Phase = Phase.FORWARD, **attributes: object) -> str:
        """Append an operator and return the name of its first result.

        Parameters
        ----------
        kind : str
            Key of ``OP_KINDS``.
        inputs : sequence of str, or str
            Tensor names in operand order; ``""`` for an absent optional operand.
        name : str
            Unique name; made from the kind when empty. The first result gets the same name.
        outputs : int or sequence of str
            Number of results, or their names.
        format : NumberFormat, or a sequence of them
            Format of the results; by default what the kind says, mostly that of the first operand.
        origin : str
            What the operator was called in the source file.
        probability : float
            Chance that it runs at all, in (0, 1].
        phase : Phase
            Part of training it belongs to.
        **attributes : object
            Attributes of the kind; missing ones take their defaults.

        Raises
        ------
        GraphError
            Unknown kind, tensor or attribute, operands that do not fit, a name used twice.
        """
        return self._append(kind, inputs, name, outputs, format, origin, probability, phase, attributes)[0]

    def add_many(self, kind: str, inputs: Sequence[str] | str, *, outputs: int | Sequence[str],
                 name: str = "", format: NumberFormat | Sequence[NumberFormat] | None = None,
                 origin: str = "", probability: float = 1.0, phase: Phase = Phase.FORWARD,
                 **attributes: object) -> tuple[str, ...]:
        """Append an operator like `add` and return the names of all its results (``""`` if left out)."""
        return self._append(kind, inputs, name, outputs, format, origin, probability, phase, attributes)

    def output(self, *names: str) -> None:
        """Declare tensors as results of the network, in this order."""
        for name in names:
            self._outputs.append(self.tensor(name).name)

    def build(self) -> Graph:
        """Return the graph, verified; GraphError lists every problem found."""
        graph = Graph(self.name, self._tensors, tuple(self._ops.values()), tuple(self._inputs),
                      tuple(self._outputs), self.provenance)
        verify_graph(graph)
        return graph

    def _declare(self, name: str, shape: Sequence[int], number_format: NumberFormat, role: Role,
                 sparsity: Sparsity | None = None) -> str:
        where = f"{self.name}.{name}"
        if not name:
            raise GraphError("a tensor needs a name", where=self.name)
        if name in self._tensors:
            raise GraphError(f"the tensor name {name!r} is used twice", where=where)
        try:
            sizes = tuple(as_int("a size", size) for size in shape)
        except HwsimError as error:
            raise error.inside(where) from None
        if min(sizes, default=0) < 0:
            raise GraphError(f"shape {show(sizes)} holds a negative size", where=where)
        self._tensors[name] = Tensor(name, sizes, number_format, role, sparsity)
        return name

    def _append(self, kind_name: str, inputs: Sequence[str] | str, name: str, outputs: int | Sequence[str],
                format: NumberFormat | Sequence[NumberFormat] | None, origin: str, probability: float,
                phase: Phase, given: Mapping[str, object]) -> tuple[str, ...]:
        label = name or self.unique(kind_name)
        where = f"{self.name}.{label}"
        if label in self._ops:
            raise GraphError(f"the operator name {label!r} is used twice", where=where)
        operand_names = (inputs,) if isinstance(inputs, str) else tuple(inputs)
        unknown = [Problem(where, f"unknown tensor {item!r}", nearest(item, self._tensors))
                   for item in operand_names if item and item not in self._tensors]
        if unknown:
            raise GraphError(problems=unknown)
        operands = tuple(self._tensors[item] if item else None for item in operand_names)
        try:
            kind = op_kind(kind_name)
            attributes, shapes = _apply_rules(kind, given, operands)
            names = self._result_names(kind, label, outputs, len(shapes))
            formats = _result_formats(kind, attributes, operands, format, len(names))
        except HwsimError as error:
            raise error.inside(where) from None
        for result, shape, number_format in zip(names, shapes, formats, strict=False):
            if result:
                self._tensors[result] = Tensor(result, shape, number_format)
        self._ops[label] = Op(label, kind_name, operand_names, names, attributes, phase, probability, origin)
        return names

    def _result_names(self, kind: OpKind, label: str, outputs: int | Sequence[str],
                      results: int) -> tuple[str, ...]:
        """Return the names of the results: as given, or the operator's name, numbered from the second on."""
        variadic = kind.outputs[-1].variadic
        if isinstance(outputs, int):
            wanted = results if variadic else outputs
            names = tuple(self._free(label if i == 0 else f"{label}_{i}") for i in range(wanted))
        else:
            names = tuple(outputs)
        if (variadic and len(names) != results) or not 1 <= len(names) <= results:
            raise GraphError(f"{kind.name} has {results} results here, but {len(names)} names were given")
        if not any(names):
            raise GraphError(f"{kind.name} must keep at least one result")
        _check_free(names, self._tensors)
        return names

    def _free(self, name: str) -> str:
        return self.unique(name) if name in self._tensors else name


def _apply_rules(kind: OpKind, given: Mapping[str, object], operands: tuple[Tensor | None, ...]
                 ) -> tuple[dict[str, AttributeValue], tuple[Shape, ...]]:
    """Return completed attributes and result shapes; problems of shape name the operands."""
    try:
        attributes = complete_attributes(kind, given, operands)
        return attributes, infer_shapes(kind, attributes, operands)
    except GraphError as error:
        shapes = f"{kind.name} of {describe_operands(kind, operands)}"
        raise GraphError(problems=[Problem(p.where, f"{p.reason}; {shapes}", p.hint) for p in error.problems]
                         ) from None


def _result_formats(kind: OpKind, attributes: Mapping[str, AttributeValue],
                    operands: tuple[Tensor | None, ...], given: NumberFormat | Sequence[NumberFormat] | None,
                    results: int) -> tuple[NumberFormat, ...]:
    """Return one format per result: as given, or by the kind's rule, the last repeated."""
    if isinstance(given, NumberFormat):
        return (given,) * results
    formats = tuple(given) if given is not None else kind.formats(attributes, operands)
    return formats + formats[-1:] * (results - len(formats))


def _check_free(names: Iterable[str], tensors: Mapping[str, Tensor]) -> None:
    seen: set[str] = set()
    for name in names:
        if name and (name in tensors or name in seen):
            raise GraphError(f"the tensor name {name!r} is used twice")
        seen.add(name)
