"""Message passing on a Tanner graph: the two halves of one iteration of a decoder of linear codes.

Edges are numbered check by check: `degrees` says how many each check has, `variables` which variable each
edge ends at. A message is a log-likelihood ratio (LLR): ln P(bit = 0) / P(bit = 1).

Counts per iteration, with E edges and d the degree of each check:

===================  =======================================================================================
operator             elementary operations
===================  =======================================================================================
check_nodes          add E: what a check has said is taken out of the total (extrinsic message)
  min_sum            + logic sum(2 d - 1) for signs; compare for the two smallest magnitudes:
                     tournament sum(d + ceil(log2 d) - 2), sequential sum(2 d - 3)
  offset_min_sum     as min_sum, + add E, compare E: max(magnitude - offset, 0)
  normalized_min_sum as min_sum, + multiply E
  sum_product        + special 2 E (tanh, atanh), multiply 3 sum(d - 2) (forward, backward, joined)
variable_nodes       add E: channel LLR plus all messages
===================  =======================================================================================

Gallager 1963; Fossorier, Mihaljevic and Imai 1999 (min-sum); Chen and Fossorier 2002 (offset, normalized);
Lugosch and Gross 2017 (an offset per edge); Nachmani et al. 2018 (a factor per edge).
"""

from __future__ import annotations

from functools import lru_cache

from hwsim.errors import GraphError
from hwsim.graph.ops.kinds import (
    Attributes,
    Category,
    Operand,
    OpKind,
    Required,
    Tensors,
    Work,
    get,
    ints_of,
    need,
    show,
    text_of,
)
from hwsim.graph.types import Op, Shape

RULES = ("min_sum", "offset_min_sum", "normalized_min_sum", "sum_product")
SEARCHES = ("tournament", "sequential")
_WEIGHTED = ("offset_min_sum", "normalized_min_sum")


@lru_cache(maxsize=64)
def count_compares(degrees: tuple[int, ...], search: str) -> int:
    """Return the comparisons that find the two smallest of the `degrees` magnitudes of every check."""
    if search == "sequential":
        return sum(2 * degree - 3 for degree in degrees)
    return sum(degree + (degree - 1).bit_length() - 2 for degree in degrees)


def count_checks(degrees: tuple[int, ...], rule: str, search: str) -> Work:
    """Return the work of all check nodes in one iteration."""
    edges, checks = sum(degrees), len(degrees)
    if rule == "sum_product":
        return Work(primitives={"add": edges, "special": 2 * edges, "multiply": 3 * (edges - 2 * checks)})
    counts = {"add": edges, "logic": 2 * edges - checks, "compare": count_compares(degrees, search)}
    if rule == "offset_min_sum":
        counts = counts | {"add": 2 * edges, "compare": counts["compare"] + edges}
    elif rule == "normalized_min_sum":
        counts["multiply"] = edges
    return Work(primitives=counts)


def _infer_checks(attributes: Attributes, operands: Tensors) -> tuple[Shape, ...]:
    totals, messages, weights = need(operands, 0).shape, need(operands, 1).shape, get(operands, 2)
    degrees, variables = ints_of(attributes, "degrees"), ints_of(attributes, "variables")
    rule = text_of(attributes, "rule", RULES)
    text_of(attributes, "search", SEARCHES)
    _check_edges(totals, messages, variables)
    if sum(degrees) != len(variables):
        raise GraphError(f"degrees add up to {sum(degrees)}, there are {len(variables)} edges")
    if min(degrees, default=2) < 2:
        raise GraphError(f"a check of degree {min(degrees)} has nothing to say; at least 2 are needed")
    if (rule in _WEIGHTED) != (weights is not None):
        raise GraphError(f"{rule} takes {'' if rule in _WEIGHTED else 'no '}weights")
    if weights is not None and weights.shape not in ((), (len(variables),)):
        raise GraphError(f"weights {show(weights.shape)} are neither one nor one for each of "
                         f"{len(variables)} edges")
    return (messages,)


def _infer_variables(attributes: Attributes, operands: Tensors) -> tuple[Shape, ...]:
    llr, messages = need(operands, 0).shape, need(operands, 1).shape
    _check_edges(llr, messages, ints_of(attributes, "variables"))
    return (llr,)


def _check_edges(values: Shape, messages: Shape, variables: tuple[int, ...]) -> None:
    if not values or values[:-1] != messages[:-1] or not messages:
        raise GraphError(f"LLRs {show(values)} and messages {show(messages)} are not of the same frames")
    if messages[-1] != len(variables):
        raise GraphError(f"messages {show(messages)} for {len(variables)} edges")
    if variables and not (min(variables) >= 0 and max(variables) < values[-1]):
        raise GraphError(f"edges end at variables {min(variables)} to {max(variables)}, "
                         f"there are {values[-1]} (from 0)")


def _frames(messages: Shape) -> int:
    frames = 1
    for size in messages[:-1]:
        frames *= size
    return frames


def _work_checks(op: Op, operands: Tensors, results: Tensors) -> Work:
    one = count_checks(op.ints("degrees"), op.text("rule"), op.text("search"))
    frames = _frames(need(operands, 1).shape)
    return Work(primitives={name: count * frames for name, count in one.primitives.items()})


def _work_variables(op: Op, operands: Tensors, results: Tensors) -> Work:
    return Work(primitives={"add": need(operands, 1).elements})


KINDS = (
    OpKind("check_nodes", Category.VECTOR,
           (Operand("totals"), Operand("messages"), Operand("weights", optional=True)), (Operand("output"),),
           {"degrees": Required.INTS, "variables": Required.INTS, "rule": "min_sum", "search": "tournament"},
           _infer_checks, _work_checks,
           "New messages of all checks from totals [..., n] and their messages before [..., E], by one of "
           "`RULES`; `search` is how the two smallest are found. Weights (offsets, factors) are one or E."),
    OpKind("variable_nodes", Category.VECTOR, (Operand("llr"), Operand("messages")), (Operand("output"),),
           {"variables": Required.INTS}, _infer_variables, _work_variables,
           "Totals [..., n]: channel LLR plus the messages [..., E] of all checks of a variable."),
)
