"""Number formats as rows: how many, with or without a sign, and how a multiplication step takes them."""

from __future__ import annotations

from dataclasses import dataclass

from accelerators.dram_pim.design import DramPimDesign
from accelerators.dram_pim.plan import Reduction, Ref, accumulator_rows
from hwsim.graph.contraction import MatrixProduct
from hwsim.graph.types import FormatKind, Graph, NumberFormat, Tensor

BATCH = 15
"""Products of one-bit numbers that are counted by full adders before they reach the accumulator."""


@dataclass(frozen=True, slots=True)
class Form:
    """A number format in rows.

    Attributes
    ----------
    kind : FormatKind
        INTEGER, UNSIGNED, TERNARY or BINARY.
    bits : int
        Rows.
    """

    kind: FormatKind
    bits: int

    @property
    def signed(self) -> bool:
        """Whether the last row is a sign; -1, 0 and 1 are numbers of two bits."""
        return self.kind in (FormatKind.INTEGER, FormatKind.TERNARY)

    @property
    def bounds(self) -> tuple[int, int]:
        """Smallest and largest number."""
        if self.kind in (FormatKind.BINARY, FormatKind.TERNARY):
            return -1, 1
        if self.kind is FormatKind.UNSIGNED:
            return 0, 2**self.bits - 1
        return -(2 ** (self.bits - 1)), 2 ** (self.bits - 1) - 1

    def fitted(self, signed: bool) -> int:
        """Return the rows in two's complement, or without a sign."""
        return self.bits + (signed and not self.signed)


def form_of(number_format: NumberFormat, design: DramPimDesign) -> Form | None:
    """Return how numbers of a format lie in rows; None for powers of two, which have no microprogram."""
    if number_format.kind is FormatKind.FLOAT:
        return Form(FormatKind.INTEGER, design.operand_bits)
    if number_format.kind is FormatKind.POWER_OF_TWO:
        return None
    if number_format.kind is FormatKind.TERNARY:
        return Form(FormatKind.TERNARY, 2)
    return Form(number_format.kind, number_format.bits)


def forms_of(tensors: list[Tensor], design: DramPimDesign) -> list[Form] | None:
    """Return the forms of some tensors, None if one has none."""
    found = [form_of(tensor.format, design) for tensor in tensors]
    kept = [form for form in found if form is not None]
    return kept if len(kept) == len(found) else None


def product_reduction(graph: Graph, product: MatrixProduct, design: DramPimDesign) -> Reduction | None:
    """Return the reduction that a matrix product is; None if a format has no rows.

    One-bit operands are compared and counted; a ternary or one-bit weight picks, negates or drops the other
    operand; integers are multiplied, signed if one of them is.
    """
    forms = forms_of([graph.tensors[product.left], graph.tensors[product.right]], design)
    if forms is None:
        return None
    left, right = forms
    outputs = product.groups * product.m * product.n * product.steps
    kinds = {form.kind for form in forms}
    if kinds == {FormatKind.BINARY}:
        rows = product.k.bit_length() + 1
        items = (Ref("left[]", BATCH), Ref("right[]", BATCH))
        return Reduction(outputs, product.k, "mac_xnor15", "add", items, BATCH, max(rows, 4), False)
    names = ("left[]", "right[]")
    if FormatKind.BINARY in kinds or FormatKind.TERNARY in kinds:
        picker = right if right.kind in (FormatKind.BINARY, FormatKind.TERNARY) else left
        if FormatKind.BINARY in kinds and picker.kind is FormatKind.TERNARY:
            picker = left
        other = left if picker is right else right
        value, weight = names if picker is right else names[::-1]
        width = other.fitted(signed=True)
        largest = max(abs(bound) for bound in other.bounds)
        rows = max(accumulator_rows(largest, -largest, product.k), width)
        binary = picker.kind is FormatKind.BINARY
        planes = (weight,) if binary else (f"{weight[:-2]}+[]", f"{weight[:-2]}-[]")
        picked = (Ref(value, width, True), *(Ref(plane, 1) for plane in planes))
        program = "mac_binary" if binary else "mac_ternary"
        return Reduction(outputs, product.k, program, "add", picked, 1, rows, True)
    signed = left.signed or right.signed
    width = max(form.fitted(signed) for form in forms)
    (low_a, high_a), (low_b, high_b) = left.bounds, right.bounds
    ends = [a * b for a in (low_a, high_a) for b in (low_b, high_b)]
    rows = accumulator_rows(max(ends), min(ends), product.k) - (not signed)
    items = (Ref("left[]", width, signed), Ref("right[]", width, signed))
    program = "mac_signed" if signed else "mac_unsigned"
    return Reduction(outputs, product.k, program, "add", items, 1, max(rows, 2 * width), signed)
