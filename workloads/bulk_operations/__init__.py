"""Bulk operations that processing in memory is measured on: functions of long vectors, a bitmap query."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from hwsim.graph.build import GraphBuilder
from hwsim.graph.types import BOOLEAN, INT32, FormatKind, Graph, NumberFormat
from workloads.layers import start
from workloads.types import Workload, WorkloadConfig

Operation = Literal["add", "subtract", "multiply", "maximum", "minimum", "and", "or", "xor", "nand", "nor",
                    "xnor", "not", "greater", "equal", "select", "relu", "absolute", "shift"]
_NAMES = {"and": "bitwise_and", "or": "bitwise_or", "xor": "bitwise_xor", "not": "bitwise_not"}
_INVERTED = {"nand": "bitwise_and", "nor": "bitwise_or", "xnor": "bitwise_xor"}
_SINGLE = ("not", "relu", "absolute")


class VectorConfig(WorkloadConfig):
    """Knobs of one function of long vectors."""

    operation: Operation = Field(default="add", description="Function of every element.")
    elements: int = Field(default=65_536, ge=1, description="Elements of each vector.")
    signed: bool = Field(default=False, description="Two's complement; otherwise integers have no sign.")

    @property
    def element_format(self) -> NumberFormat:
        """The format of the elements: integers without a sign unless asked for."""
        form = self.number_format
        unsigned = form.kind is FormatKind.INTEGER and not self.signed
        return NumberFormat(FormatKind.UNSIGNED, form.bits) if unsigned else form


class BitmapConfig(WorkloadConfig):
    """Knobs of a query on bitmaps with one bit a user."""

    users: int = Field(default=16 * 2**20, ge=1, description="Users, one bit of every bitmap each.")
    weeks: int = Field(default=4, ge=1, le=520, description="Weeks that are looked at.")
    count: bool = Field(default=False, description="Count the users found, instead of marking them.")


def build_vector(config: VectorConfig) -> Graph:
    """Return one function of vectors; a product of integers has twice their bits."""
    b = start("vector_operation", config)
    shape, operation, form = (config.batch, config.elements), config.operation, config.element_format
    x = b.input("x", shape, format=form)

    def second() -> str:
        return b.input("y", shape, format=form)

    if operation == "select":
        chosen = b.input("chosen", shape, format=BOOLEAN)
        y = b.add("elementwise", [chosen, x, second()], name="select", function="where")
    elif operation in _SINGLE:
        y = b.add("elementwise", [x], name=operation, function=_NAMES.get(operation, operation))
    elif operation == "shift":
        y = b.add("elementwise", [x, b.constant("places", (), format=form)], name="shift",
                  function="bit_shift")
    elif operation in _INVERTED:
        joined = b.add("elementwise", [x, second()], name="join", function=_INVERTED[operation])
        y = b.add("elementwise", [joined], name=operation, function="bitwise_not")
    else:
        function = _NAMES.get(operation, operation)
        wide = _twice(form) if operation == "multiply" else None
        y = b.add("elementwise", [x, second()], name=operation, function=function, format=wide)
    b.output(y)
    return b.build()


def _twice(form: NumberFormat) -> NumberFormat | None:
    return None if form.exponent_bits else NumberFormat(form.kind, 2 * form.bits)


def build_bitmap(config: BitmapConfig) -> Graph:
    """Return the query: who was active in every week, and which men were in each of them.

    A week's activity joins seven bitmaps: 6 w ors; then w - 1 ands over the weeks and w with the men.
    """
    b = start("bitmap_index", config)
    shape = (config.batch, config.users)
    men = b.input("men", shape, format=BOOLEAN)
    always = ""
    for week in range(config.weeks):
        active = b.input(f"week{week}.day0", shape, format=BOOLEAN)
        for day in range(1, 7):
            other = b.input(f"week{week}.day{day}", shape, format=BOOLEAN)
            active = b.elementwise("or", active, other, name=f"week{week}.or{day}")
        found = b.elementwise("and", active, men, name=f"week{week}.men")
        _answer(b, found, f"week{week}.count", count=config.count)
        always = b.elementwise("and", always, active, name=f"week{week}.all") if always else active
    _answer(b, always, "count", count=config.count)
    return b.build()


def _answer(b: GraphBuilder, mask: str, name: str, *, count: bool) -> None:
    b.output(b.add("reduce", [mask], name=name, function="sum", axes=(1,), format=INT32) if count else mask)


def _vector(operation: Operation) -> VectorConfig:
    return VectorConfig(operation=operation, format="int32")


WORKLOADS = (
    Workload(
        name="vector_operation",
        description="One function of long vectors of 32-bit integers",
        config=VectorConfig,
        build=build_vector,
        presets={
            "vector_add": _vector("add"),
            "vector_multiply": _vector("multiply"),
            "vector_maximum": _vector("maximum"),
            "vector_logic": _vector("xor"),
        },
        source="microbenchmarks of SIMDRAM (ASPLOS 2021) and of processing in racetrack memory; sizes chosen",
        notes={"vector_logic": "operation takes and, or, xor, nand, nor, xnor or not."},
    ),
    Workload(
        name="bitmap_index",
        description="Query on bitmaps: users who were active in every one of some weeks",
        config=BitmapConfig,
        build=build_bitmap,
        presets={"bitmap_index": BitmapConfig()},
        source="Ambit (MICRO 2017): 6 w ors, 2 w - 1 ands, w + 1 counts for w weeks (recalled-high)",
    ),
)
