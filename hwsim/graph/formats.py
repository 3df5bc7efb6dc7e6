"""Names of number formats as texts, for files, attributes and the command line."""

from __future__ import annotations

import re

from hwsim.errors import GraphError, nearest
from hwsim.graph.types import (
    BFLOAT16,
    BINARY,
    BOOLEAN,
    FLOAT16,
    FLOAT32,
    FLOAT64,
    INT4,
    INT8,
    INT16,
    INT32,
    INT64,
    TERNARY,
    UINT8,
    FormatKind,
    NumberFormat,
)

_NAMED = {str(form): form for form in (FLOAT64, FLOAT32, FLOAT16, BFLOAT16, INT4, INT8, INT16, INT32, INT64,
                                       UINT8, BOOLEAN, TERNARY, BINARY)}
_PLAIN = re.compile(r"(int|uint)([1-9]\d*)")
_FULL = re.compile(r"(int|uint|float|pow2|ternary|binary):([1-9]\d*):(\d+)")


def format_text(number_format: NumberFormat) -> str:
    """Return the text of `number_format` that `parse_format` reads back: ``int8``, ``float:8:4``."""
    short = str(number_format)
    if _NAMED.get(short) == number_format or (_PLAIN.fullmatch(short) and not number_format.exponent_bits):
        return short
    return f"{number_format.kind.value}:{number_format.bits}:{number_format.exponent_bits}"


def parse_format(text: str) -> NumberFormat:
    """Return the number format named by `text`: ``int8``, ``bfloat16``, or ``kind:bits:exponent_bits``.

    Raises
    ------
    GraphError
        When the text names no format.
    """
    if text in _NAMED:
        return _NAMED[text]
    if plain := _PLAIN.fullmatch(text):
        return NumberFormat(FormatKind(plain[1]), int(plain[2]))
    if full := _FULL.fullmatch(text):
        return NumberFormat(FormatKind(full[1]), int(full[2]), int(full[3]))
    raise GraphError(f"{text!r} is no number format", hint=nearest(text, _NAMED))
