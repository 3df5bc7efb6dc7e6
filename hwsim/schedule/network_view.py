"""A network as the scheduler sees it: storage shared by aliases, and what is known before it runs."""

from __future__ import annotations

from hwsim.graph.ops import op_kind
from hwsim.graph.types import Graph, Op, Role

# Operators that, applied to weights alone, are done once and offline.
_OFFLINE = ("quantize", "dequantize", "cast", "transpose", "reshape", "identity")


class View:
    """A graph with storage shared by aliases, and the tensors that are known before the network runs."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self._same: dict[str, str] = {}
        self.parameters = {t.name for t in graph.tensors.values() if t.role in (Role.WEIGHT, Role.CONSTANT)}
        self.parameters -= {name for op in graph.ops for name in op.outputs}
        self.steps: list[Op] = []
        self.readers: dict[str, list[Op]] = {}
        self.producer: dict[str, Op] = {}
        for op in graph.ops:
            reads = [name for name in op.inputs if name]
            if op_kind(op.kind).aliases:
                self._same[op.outputs[0]] = self.root(op.inputs[0])
            elif op.kind in _OFFLINE and reads and all(self.is_parameter(name) for name in reads):
                self.parameters.update(filter(None, op.outputs))
            else:
                self.steps.append(op)
                self.producer |= {name: op for name in op.outputs if name}
                for root in dict.fromkeys(self.root(name) for name in reads):
                    self.readers.setdefault(root, []).append(op)
        self.outputs = {self.root(name) for name in graph.outputs}

    def root(self, name: str) -> str:
        """Return the tensor whose storage `name` shares."""
        return self._same.get(name, name)

    def is_parameter(self, name: str) -> bool:
        """Tell whether a tensor is a weight, a constant, or made of them offline."""
        return self.root(name) in self.parameters

    def activations(self, op: Op) -> list[str]:
        """Return the storages that `op` reads, parameters excluded, each once."""
        return list(dict.fromkeys(self.root(n) for n in op.inputs if n and not self.is_parameter(n)))

    def result(self, op: Op) -> str | None:
        """Return the only result of `op`, None where it has several or one that the network returns."""
        results = [name for name in op.outputs if name]
        return None if len(results) != 1 or results[0] in self.outputs else results[0]

    def read_bits(self, op: Op) -> int:
        """Return the bits of the distinct operands of `op`, parameters left out."""
        names = dict.fromkeys(name for name in op.inputs if name and not self.is_parameter(name))
        return sum(self.graph.tensors[name].bits for name in names)

    def bits(self, root: str) -> int:
        """Return the bits of a storage."""
        return self.graph.tensors[root].bits
