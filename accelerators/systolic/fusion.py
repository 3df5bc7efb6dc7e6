"""Which operators run inside another one's loop: elementwise successors of products and of each other."""

from __future__ import annotations

from dataclasses import dataclass

from hwsim.graph.ops import op_kind, work_of
from hwsim.graph.ops.kinds import Category
from hwsim.graph.types import Graph, Op, Role

FUSIBLE = ("elementwise", "batch_normalization")


@dataclass(frozen=True, slots=True)
class Group:
    """An operator and the operators applied to its result on the way out.

    Attributes
    ----------
    head : Op
        Owns the loop.
    fused : tuple of Op
        In order; the last one's result is what is written back.
    """

    head: Op
    fused: tuple[Op, ...] = ()

    @property
    def last(self) -> Op:
        """Operator whose result leaves the chip."""
        return self.fused[-1] if self.fused else self.head


def groups_of(graph: Graph, fuse: bool) -> list[Group]:
    """Return the operators of `graph` in order, elementwise successors attached to their producer."""
    readers: dict[str, list[Op]] = {}
    for op in graph.ops:
        for name in op.inputs:
            readers.setdefault(name, []).append(op)
    taken: set[str] = set()
    groups = []
    for op in graph.ops:
        if op.name in taken:
            continue
        chain: list[Op] = []
        if fuse and (op_kind(op.kind).category is Category.CONTRACTION or op.kind in FUSIBLE):
            while (follower := _follower(graph, chain[-1] if chain else op, readers)) is not None:
                chain.append(follower)
                taken.add(follower.name)
        groups.append(Group(op, tuple(chain)))
    return groups


def _follower(graph: Graph, op: Op, readers: dict[str, list[Op]]) -> Op | None:
    """Return the operator that can be applied to the result of `op` element by element, if it is alone."""
    result = op.outputs[0]
    users = readers.get(result, [])
    if len(users) != 1 or result in graph.outputs or users[0].kind not in FUSIBLE:
        return None
    user = users[0]
    others = [graph.tensors[name] for name in user.inputs if name and name != result]
    fixed = all(tensor.role in (Role.WEIGHT, Role.CONSTANT) for tensor in others)
    once = user.inputs.count(result) == 1 and user.probability == op.probability
    same = graph.tensors[user.outputs[0]].shape == graph.tensors[result].shape
    alone = len([name for name in (*op.outputs, *user.outputs) if name]) == 2
    return user if fixed and once and same and alone else None


def posts_of(graph: Graph, group: Group) -> int:
    """Return the vector operations per element that the fused operators ask for, rounded up."""
    elements = max(1, graph.tensors[group.head.outputs[0]].elements)
    return sum(-(-work_of(graph, op).vector_operations // elements) for op in group.fused)


def parameter_bits(graph: Graph, group: Group, beyond: int) -> int:
    """Return the bits of small parameters: of the fused operators and of the head past `beyond`."""
    names = set(group.head.inputs[beyond:]) | {name for op in group.fused for name in op.inputs}
    return sum(
        graph.tensors[name].bits
        for name in names
        if name and graph.tensors[name].role in (Role.WEIGHT, Role.CONSTANT)
    )
