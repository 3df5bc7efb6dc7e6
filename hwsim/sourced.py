"""A number that knows its dimension, how it was computed and on which evidence it rests."""

from __future__ import annotations

import math
import numbers
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar, Final

from hwsim.columns import finite, is_column, nowhere_zero
from hwsim.dimensions import NUMBER, Dimension
from hwsim.errors import ConstantError
from hwsim.units import convert, dimension_of, format_si, suffix_of, unit_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Kind(StrEnum):
    """How a number is known, strongest evidence first.

    `unconfirmed` was published by somebody but could not be checked; `assumed` was published by nobody.
    """

    MEASURED = "measured"
    SIMULATED = "simulated"
    REPORTED = "reported"
    DERIVED = "derived"
    UNCONFIRMED = "unconfirmed"
    ASSUMED = "assumed"


_RANK: Final = {kind: rank for rank, kind in enumerate(Kind)}


def weakest(kinds: Iterable[Kind]) -> Kind:
    """Return the weakest of some kinds of evidence; `derived` if there is none at all."""
    return max(kinds, key=_RANK.__getitem__, default=Kind.DERIVED)


@dataclass(frozen=True, slots=True)
class Source:
    """A publication or a file that others can look up; `doi` and `url` may be empty."""

    key: str
    title: str
    authors: str
    venue: str
    year: int
    doi: str = ""
    url: str = ""

    def __str__(self) -> str:
        link = f", doi {self.doi}" if self.doi else f", {self.url}" if self.url else ""
        return f'{self.authors}, "{self.title}", {self.venue}, {self.year}{link}'


@dataclass(frozen=True, slots=True)
class Constant:
    """A physical number as its file states it.

    Attributes
    ----------
    key : str
        Name behind the namespace of its file: ``"systolic.add_int8_j"``.
    text : str
        Value and unit as written: ``"0.03 pJ"``.
    source, where : Source, str
        Publication, and the table, figure or line in it.
    kind : Kind
        Evidence.
    note : str
        Why it is assumed or unconfirmed, or anything a reader should know.
    """

    key: str
    text: str
    source: Source
    where: str
    kind: Kind
    note: str = ""

    @property
    def unit(self) -> str:
        """Canonical unit, from the suffix of the name."""
        return unit_of(suffix_of(self.key) or "")

    def __str__(self) -> str:
        return _described(f"{self.key} = {self.text}", self)

    def as_row(self) -> dict[str, str]:
        """Return value, unit, kind, source, where, note, title and doi as texts, for reports."""
        return {"value": self.text, "unit": self.unit} | _evidence_row(self)


@dataclass(frozen=True, slots=True)
class Law:
    """A formula that turns sourced numbers into another: `statement` says it; else as `Constant`."""

    key: str
    statement: str
    source: Source
    where: str
    kind: Kind
    note: str = ""

    def __str__(self) -> str:
        return _described(f"{self.key}: {self.statement}", self)

    def as_row(self) -> dict[str, str]:
        """Return the same fields as `Constant.as_row`; the value is the statement, the unit is empty."""
        return {"value": self.statement, "unit": ""} | _evidence_row(self)


def _described(head: str, record: Constant | Law) -> str:
    tail = f". {record.note}" if record.note else ""
    return f"{head} [{record.kind}] {record.source}, {record.where}{tail}"


def _evidence_row(record: Constant | Law) -> dict[str, str]:
    return {
        "kind": str(record.kind), "source": record.source.key, "where": record.where, "note": record.note,
        "title": record.source.title, "doi": record.source.doi or record.source.url,
    }


_SUM, _PRODUCT, _POWER, _ATOM = range(1, 5)


@dataclass(frozen=True, slots=True)
class Sourced:
    """A number with its dimension, derivation and evidence; arithmetic keeps all of them.

    `+`, `-`, comparison, `minimum` and `maximum` need equal dimensions (a plain 0 fits every one), `**` a
    whole power. Every violation is a ConstantError. ``==`` compares derivations too, not only values.

    Attributes
    ----------
    value : float
        In the unit that the name suffix states: SI, bits for bits, bytes for bytes. While a family of designs
        is priced, a column of one float per design; whatever asks it a question meant for one number fails.
    dimension : Dimension
        What it measures.
    formula : str
        How it was computed, as a Python expression over constant names.
    records : tuple of Constant or Law
        Everything that went in, sorted by key.
    binding : int
        How tightly the outermost operation of `formula` binds, for parentheses.
    """

    value: float
    dimension: Dimension
    formula: str
    records: tuple[Constant | Law, ...] = ()
    binding: int = field(default=_ATOM, repr=False, compare=False)

    __array_ufunc__: ClassVar[None] = None  # so that a numpy scalar on the left leaves the work to us

    @property
    def kind(self) -> Kind:
        """Weakest evidence of all that went in; `derived` for a number that rests on no record."""
        return weakest(record.kind for record in self.records)

    @property
    def uses(self) -> tuple[str, ...]:
        """Keys of all constants and laws that went in, sorted."""
        return tuple(record.key for record in self.records)

    def in_unit_of(self, suffix: str) -> float:
        """Return the value in the unit of a name suffix; ConstantError if the dimension does not fit it."""
        factor = convert(self.dimension, dimension_of(suffix))
        if factor is None:
            raise ConstantError(f"{self.formula} is in {self.dimension}, not in {unit_of(suffix)}")
        return self.value * float(factor)

    def __float__(self) -> float:
        return self.value

    def __int__(self) -> int:
        if not self.value.is_integer():
            raise ConstantError(f"{self.formula} = {self.value} is not a whole number")
        return int(self.value)

    def __str__(self) -> str:
        return format_si(self.value, str(self.dimension))

    def __add__(self, other: Sourced | float) -> Sourced:
        return _sum(self, "+", other)

    def __radd__(self, other: float) -> Sourced:
        return self if other == 0 else _sum(other, "+", self)

    def __sub__(self, other: Sourced | float) -> Sourced:
        return _sum(self, "-", other)

    def __rsub__(self, other: float) -> Sourced:
        return _sum(other, "-", self)

    def __neg__(self) -> Sourced:
        return Sourced(-self.value, self.dimension, f"-{_bound(self, _POWER)}", self.records, _SUM)

    def __mul__(self, other: Sourced | float) -> Sourced:
        return _product(self, other)

    def __rmul__(self, other: float) -> Sourced:
        return _product(other, self)

    def __truediv__(self, other: Sourced | float) -> Sourced:
        return _quotient(self, other)

    def __rtruediv__(self, other: float) -> Sourced:
        return _quotient(other, self)

    def __pow__(self, power: int) -> Sourced:
        if not isinstance(power, numbers.Integral):
            raise ConstantError(f"{self.formula} ** {power!r} needs a whole power", hint="or use sqrt")
        formula = f"{_bound(self, _ATOM)} ** {power}"
        if power < 0 and not nowhere_zero(self.value):
            raise ConstantError(f"{formula} divides by zero")
        try:
            value = self.value**power
        except OverflowError:
            value = math.inf
        return _result(value, self.dimension**power, formula, self.records, _POWER)

    def __lt__(self, other: Sourced | float) -> bool:
        return self.value < _like(self, other, "<").value

    def __le__(self, other: Sourced | float) -> bool:
        return self.value <= _like(self, other, "<=").value

    def __gt__(self, other: Sourced | float) -> bool:
        return self.value > _like(self, other, ">").value

    def __ge__(self, other: Sourced | float) -> bool:
        return self.value >= _like(self, other, ">=").value


def chosen(value: float | NDArray[np.number[Any]], suffix: str, name: str) -> Sourced:
    """Return a number that the user or a preset chose, such as a clock: a dimension but no evidence.

    Parameters
    ----------
    value : float or array
        In the unit of `suffix`; an array holds one number per design of a family.
    suffix : str
        Unit suffix, see `hwsim.units.parse_as`.
    name : str
        How formulas call it: ``"design.clock_hz"``.
    """
    number: Any = value.astype(float) if is_column(value) else float(value)  # type: ignore[union-attr]
    return _result(number, dimension_of(suffix), name, (), _ATOM)


def minimum(first: Sourced, *others: Sourced | float) -> Sourced:
    """Return the smallest of numbers of one dimension, with the evidence of all of them."""
    return _pick("min", first, others)


def maximum(first: Sourced, *others: Sourced | float) -> Sourced:
    """Return the largest of numbers of one dimension, with the evidence of all of them."""
    return _pick("max", first, others)


def sqrt(operand: Sourced) -> Sourced:
    """Return the square root; every exponent of the dimension has to be even."""
    exponents = operand.dimension.exponents
    formula = f"sqrt({operand.formula})"
    if operand.value < 0 or any(power % 2 for power in exponents):
        raise ConstantError(f"{formula} does not exist for {operand.value} {operand.dimension}")
    return Sourced(math.sqrt(operand.value), Dimension(tuple(power // 2 for power in exponents)), formula,
                   operand.records)


def by_law(law: Law, value: float, dimension: Dimension, arguments: Mapping[str, Sourced | float]) -> Sourced:
    """Return the result of a named law, which joins the evidence of its arguments.

    Parameters
    ----------
    law : Law
        Its key becomes the function name in the formula.
    value, dimension : float, Dimension
        The result, already computed.
    arguments : mapping
        Names and values as the formula shows them.
    """
    operands = {name: _operand(argument) for name, argument in arguments.items()}
    shown = ", ".join(f"{name}={operand.formula}" for name, operand in operands.items())
    records: tuple[Constant | Law, ...] = (law,)
    for operand in operands.values():
        records = _merged(records, operand.records)
    return _result(value, dimension, f"{law.key}({shown})", records, _ATOM)


def _operand(number: Sourced | float) -> Sourced:
    if isinstance(number, Sourced):
        return number
    if is_column(number):
        return Sourced(number, NUMBER, "design", (), _ATOM)
    if not isinstance(number, (int, float, numbers.Real)):
        raise ConstantError(f"cannot compute with {number!r}", hint="use a sourced or a plain number")
    exact = int(number) if isinstance(number, (int, numbers.Integral)) else float(number)
    try:
        value = float(exact)
    except OverflowError:
        value = math.inf
    return _result(value, NUMBER, repr(exact), (), _ATOM if exact >= 0 else _SUM)


def _like(one: Sourced, other: Sourced | float, operation: str) -> Sourced:
    """Return `other` as a number of the same dimension as `one`; a plain zero fits every dimension."""
    number = _operand(other)
    if number.dimension == one.dimension:
        return number
    plain = number.dimension.is_number and not number.records and not is_column(number.value)
    if plain and number.value == 0:
        return Sourced(0.0, one.dimension, number.formula)
    raise ConstantError(f"{one.formula} {operation} {number.formula} mixes "
                        f"{one.dimension} and {number.dimension}")


def _sum(left: Sourced | float, sign: str, right: Sourced | float) -> Sourced:
    one, other = _operand(left), _operand(right)
    if isinstance(left, Sourced):
        other = _like(one, other, sign)
    else:
        one = _like(other, one, sign)
    value = one.value + other.value if sign == "+" else one.value - other.value
    formula = f"{_bound(one, _SUM)} {sign} {_bound(other, _PRODUCT)}"
    return _result(value, one.dimension, formula, _merged(one.records, other.records), _SUM)


def _product(left: Sourced | float, right: Sourced | float) -> Sourced:
    one, other = _operand(left), _operand(right)
    formula = f"{_bound(one, _PRODUCT)} * {_bound(other, _POWER)}"
    records = _merged(one.records, other.records)
    dimension = one.dimension if other.dimension is NUMBER else one.dimension * other.dimension
    return _result(one.value * other.value, dimension, formula, records, _PRODUCT)


def _quotient(left: Sourced | float, right: Sourced | float) -> Sourced:
    one, other = _operand(left), _operand(right)
    formula = f"{_bound(one, _PRODUCT)} / {_bound(other, _POWER)}"
    if not nowhere_zero(other.value):
        raise ConstantError(f"{formula} divides by zero")
    records = _merged(one.records, other.records)
    dimension = one.dimension if other.dimension is NUMBER else one.dimension / other.dimension
    return _result(one.value / other.value, dimension, formula, records, _PRODUCT)


def _pick(name: str, first: Sourced, others: tuple[Sourced | float, ...]) -> Sourced:
    operands = [first, *(_like(first, other, name) for other in others)]
    values = [operand.value for operand in operands]
    records: tuple[Constant | Law, ...] = ()
    for operand in operands:
        records = _merged(records, operand.records)
    formula = f"{name}({', '.join(operand.formula for operand in operands)})"
    return Sourced(min(values) if name == "min" else max(values), first.dimension, formula, records)


def _bound(operand: Sourced, binding: int) -> str:
    return operand.formula if operand.binding >= binding else f"({operand.formula})"


def _merged(one: tuple[Constant | Law, ...], other: tuple[Constant | Law, ...]) -> tuple[Constant | Law, ...]:
    if one is other or not other:
        return one
    if not one:
        return other
    merged = {record.key: record for record in one}
    for record in other:
        if merged.setdefault(record.key, record) is not record and merged[record.key] != record:
            raise ConstantError(f"two different constants are called {record.key!r}",
                                hint="load their files under different namespaces")
    return tuple(merged[key] for key in sorted(merged))


def _result(value: float, dimension: Dimension, formula: str, records: tuple[Constant | Law, ...],
            binding: int) -> Sourced:
    if not finite(value):
        raise ConstantError(f"{formula} is not a finite number")
    return Sourced(value, dimension, formula, records, binding)

