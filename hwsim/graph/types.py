"""What is computed: tensors, operators and the graph that ties them together, as plain values."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import cast

AttributeValue = int | float | str | bool | tuple[int, ...] | tuple[float, ...] | tuple[str, ...]
Shape = tuple[int, ...]


class FormatKind(StrEnum):
    """How the bits of one element are read."""

    INTEGER = "int"
    UNSIGNED = "uint"
    FLOAT = "float"
    POWER_OF_TWO = "pow2"
    TERNARY = "ternary"
    BINARY = "binary"


@dataclass(frozen=True, slots=True)
class NumberFormat:
    """Number format of the elements of a tensor.

    Attributes
    ----------
    kind : FormatKind
        Integer, float, power of two (sign and exponent only), ternary {-1, 0, 1} or binary {-1, 1}.
    bits : int
        Stored bits per element.
    exponent_bits : int
        Bits of the exponent, for float and power-of-two formats; 0 otherwise.
    """

    kind: FormatKind
    bits: int
    exponent_bits: int = 0

    def __str__(self) -> str:
        plain = {FormatKind.TERNARY: "ternary", FormatKind.BINARY: "binary"}
        if self.kind in plain:
            return plain[self.kind]
        if self == BFLOAT16:
            return "bfloat16"
        return f"{self.kind.value}{self.bits}"


FLOAT64 = NumberFormat(FormatKind.FLOAT, 64, 11)
FLOAT32 = NumberFormat(FormatKind.FLOAT, 32, 8)
FLOAT16 = NumberFormat(FormatKind.FLOAT, 16, 5)
BFLOAT16 = NumberFormat(FormatKind.FLOAT, 16, 8)
INT4 = NumberFormat(FormatKind.INTEGER, 4)
INT8 = NumberFormat(FormatKind.INTEGER, 8)
INT16 = NumberFormat(FormatKind.INTEGER, 16)
INT32 = NumberFormat(FormatKind.INTEGER, 32)
INT64 = NumberFormat(FormatKind.INTEGER, 64)
UINT8 = NumberFormat(FormatKind.UNSIGNED, 8)
BOOLEAN = NumberFormat(FormatKind.UNSIGNED, 1)
TERNARY = NumberFormat(FormatKind.TERNARY, 2)
BINARY = NumberFormat(FormatKind.BINARY, 1)


class Role(StrEnum):
    """Why a tensor exists; decides what is a parameter, what is loaded and what may be freed."""

    INPUT = "input"
    WEIGHT = "weight"
    ACTIVATION = "activation"
    STATE = "state"
    GRADIENT = "gradient"
    CONSTANT = "constant"


class Phase(StrEnum):
    """Part of training that an operator belongs to; inference graphs hold FORWARD only."""

    FORWARD = "forward"
    INPUT_GRADIENT = "input_gradient"
    WEIGHT_GRADIENT = "weight_gradient"
    UPDATE = "update"


class SparsityPattern(StrEnum):
    """Where the zeros of a tensor may lie."""

    UNSTRUCTURED = "unstructured"
    N_OF_M = "n_of_m"
    BLOCK = "block"


class Storage(StrEnum):
    """How a sparse tensor is laid out in memory."""

    DENSE = "dense"
    BITMAP = "bitmap"
    COORDINATE = "coordinate"
    RUN_LENGTH = "run_length"


@dataclass(frozen=True, slots=True)
class Sparsity:
    """Zeros of a tensor and how they are stored.

    Attributes
    ----------
    density : float
        Fraction of elements (or blocks) that are not zero, in [0, 1].
    pattern : SparsityPattern
        Unstructured, at most `group[0]` of every `group[1]`, or blocks of shape `group`.
    group : tuple of int
        ``(n, m)`` for N_OF_M, the block shape for BLOCK, empty otherwise.
    storage : Storage
        Dense (zeros stored), bitmap (1 bit an element), coordinate or run length.
    index_bits : int
        Bits of one index or run in the coordinate and run-length layouts.
    """

    density: float
    pattern: SparsityPattern = SparsityPattern.UNSTRUCTURED
    group: tuple[int, ...] = ()
    storage: Storage = Storage.DENSE
    index_bits: int = 0


@dataclass(frozen=True, slots=True)
class Tensor:
    """A named array.

    Attributes
    ----------
    name : str
        Unique within its graph.
    shape : tuple of int
        Sizes, all static and not negative; ``()`` is a scalar.
    format : NumberFormat
        Number format of one element.
    role : Role
        Input, weight, activation, state, gradient or constant (indices and shapes).
    sparsity : Sparsity or None
        None: dense.
    """

    name: str
    shape: Shape
    format: NumberFormat = FLOAT32
    role: Role = Role.ACTIVATION
    sparsity: Sparsity | None = None

    @property
    def elements(self) -> int:
        """Number of elements, zeros included."""
        return math.prod(self.shape)

    @property
    def density(self) -> float:
        """Fraction of elements that are not zero."""
        return 1.0 if self.sparsity is None else self.sparsity.density

    @property
    def bits(self) -> int:
        """Stored bits, indices and bitmaps included."""
        sparsity = self.sparsity
        if sparsity is None or sparsity.storage is Storage.DENSE:
            return self.elements * self.format.bits
        kept = math.ceil(self.elements * sparsity.density)
        if sparsity.storage is Storage.BITMAP:
            return self.elements + kept * self.format.bits
        return kept * (self.format.bits + sparsity.index_bits)


@dataclass(frozen=True, slots=True)
class Op:
    """One operator: a row of the op table applied to tensors.

    Attributes
    ----------
    name : str
        Unique within its graph.
    kind : str
        Key of ``hwsim.graph.ops.OP_KINDS``.
    inputs, outputs : tuple of str
        Tensor names in the order of the kind's operands; ``""`` marks an absent optional operand.
    attributes : mapping
        Every attribute of the kind, defaults filled in.
    phase : Phase
        Forward pass, or the part of training the operator belongs to.
    probability : float
        Chance that the operator runs at all, for conditional networks; scales expected counts.
    origin : str
        What the operator was called where it came from (ONNX op type), for reports.
    """

    name: str
    kind: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, AttributeValue] = field(default_factory=dict)
    phase: Phase = Phase.FORWARD
    probability: float = 1.0
    origin: str = ""

    def __post_init__(self) -> None:
        frozen = MappingProxyType(dict(sorted(self.attributes.items())))
        object.__setattr__(self, "attributes", frozen)

    def __reduce__(self) -> tuple[object, ...]:
        return (type(self), (self.name, self.kind, self.inputs, self.outputs, dict(self.attributes),
                             self.phase, self.probability, self.origin))

    def ints(self, name: str) -> tuple[int, ...]:
        """Return the attribute `name` as a tuple of ints."""
        value = self.attributes[name]
        if not isinstance(value, tuple):
            raise TypeError(f"{self.name}.{name} is no tuple: {value!r}")
        if set(map(type, value)) <= {int}:  # a memory trace has millions: no call for each
            return cast("tuple[int, ...]", value)
        return tuple(int(item) for item in value)

    def int(self, name: str) -> int:
        """Return the attribute `name` as an int."""
        value = self.attributes[name]
        if not isinstance(value, int):
            raise TypeError(f"{self.name}.{name} is no int: {value!r}")
        return int(value)

    def text(self, name: str) -> str:
        """Return the attribute `name` as a string."""
        return str(self.attributes[name])


@dataclass(frozen=True, slots=True)
class Graph:
    """A network: operators in topological order over named tensors.

    Attributes
    ----------
    name : str
        Name of the network.
    tensors : mapping of str to Tensor
        Every tensor, keyed by its name.
    ops : tuple of Op
        Operators; producers come before consumers.
    inputs, outputs : tuple of str
        Names of the tensors fed and returned.
    provenance : mapping of str to str
        Where the graph comes from: file, digest, opset, bound dimensions, builder configuration.
    """

    name: str
    tensors: Mapping[str, Tensor]
    ops: tuple[Op, ...]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    provenance: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "tensors", MappingProxyType(dict(self.tensors)))
        object.__setattr__(self, "provenance", MappingProxyType(dict(self.provenance)))

    def __reduce__(self) -> tuple[object, ...]:
        return (type(self), (self.name, dict(self.tensors), self.ops, self.inputs, self.outputs,
                             dict(self.provenance)))

    def operands(self, op: Op) -> tuple[Tensor | None, ...]:
        """Return the input tensors of `op` in operand order, None where an optional one is absent."""
        return tuple(self.tensors[name] if name else None for name in op.inputs)

    def results(self, op: Op) -> tuple[Tensor | None, ...]:
        """Return the output tensors of `op`, None where an optional one is absent."""
        return tuple(self.tensors[name] if name else None for name in op.outputs)

    @property
    def weights(self) -> tuple[Tensor, ...]:
        """Tensors with role WEIGHT, each once however often it is used."""
        return tuple(t for t in self.tensors.values() if t.role is Role.WEIGHT)

    @property
    def parameters(self) -> int:
        """Number of weight elements; tied weights count once."""
        return sum(t.elements for t in self.weights)
